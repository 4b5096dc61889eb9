//! A crate that two plugins use and the host lacks: each has its own.

use std::sync::atomic::{AtomicU64, Ordering};

/// One for each plugin.
pub static COUNT: AtomicU64 = AtomicU64::new(0);

/// A type of each plugin's own.
pub struct Thing(pub u64);

#[dynplug::init]
fn late() -> Result<(), String> {
    deep::touch();
    COUNT.fetch_add(1, Ordering::Relaxed);
    app_api::log("late");
    match std::env::var("LIFE_LATE_FAILS") {
        Ok(message) => Err(message),
        Err(_) => Ok(()),
    }
}
