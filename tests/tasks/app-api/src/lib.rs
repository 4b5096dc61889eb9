//! What host and plugins share: tokio, `tracing`, and a count of what was dropped.

pub use dynplug;
pub use tokio;
pub use tracing;

use std::sync::atomic::AtomicUsize;

/// How many thread-locals of plugins were dropped.
pub static DROPPED: AtomicUsize = AtomicUsize::new(0);

/// Whether this one's init is to fail.
pub fn fails(name: &str) -> Result<(), &'static str> {
    match std::env::var("TASKS_FAILS") {
        Ok(which) if which == name => Err("it was asked to fail"),
        _ => Ok(()),
    }
}

#[dynplug::init]
fn shared() -> Result<(), &'static str> {
    fails("shared")
}
