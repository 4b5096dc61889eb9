//! A plugin in a package that has a program too.

use std::sync::atomic::{AtomicU64, Ordering};

/// How often init ran.
#[dynplug::export]
pub static INITS: AtomicU64 = AtomicU64::new(0);

#[dynplug::init]
fn start() {
    println!("init was run");
    INITS.fetch_add(1, Ordering::SeqCst);
}
