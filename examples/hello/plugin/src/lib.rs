//! The example in the documentation of Go's package `plugin`, in Rust.

use std::sync::atomic::{AtomicI64, Ordering};

/// The number to greet with.
#[dynplug::export]
pub static V: AtomicI64 = AtomicI64::new(0);

/// Greets.
#[dynplug::export(name = "F")]
pub fn f() {
    println!("Hello, number {}", V.load(Ordering::Relaxed));
}
