//! A library that plugins share among themselves and the host does without.

use std::sync::atomic::{AtomicU32, Ordering};

pub use inner;

/// Counts for all plugins.
pub static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A type that plugins hand to each other.
pub struct Shared(pub String);

thread_local! {
    /// One for each thread, whichever plugin asks.
    pub static LOCAL: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// Counts, in code that is compiled into whoever calls it.
#[inline(always)]
pub fn count<T: From<u32>>() -> T {
    T::from(COUNTER.fetch_add(1, Ordering::SeqCst) + 1)
}

#[dynplug::init]
fn start() -> Result<(), String> {
    app_api::log("common");
    std::env::var("COMMON_FAILS").map_or(Ok(()), Err)
}
