//! Below the library, with a state of its own and C code that is reached through a generic function.

use std::sync::atomic::{AtomicU32, Ordering};

static MADE: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" {
    safe fn inner_counts() -> i32;
}

/// A value with a number of its own.
pub struct Value(u32);

impl Value {
    /// Makes one.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Value {
        Value(MADE.fetch_add(1, Ordering::SeqCst))
    }

    /// Its number.
    pub fn number(&self) -> u32 {
        self.0
    }
}

/// How often anybody called this, counted by C; compiled into whoever calls it.
pub fn counted<T: From<i32>>() -> T {
    T::from(inner_counts())
}

#[dynplug::init]
fn inner() {
    app_api::log("inner");
}
