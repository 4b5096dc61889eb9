//! Private to two plugins.

use std::sync::atomic::AtomicU32;

/// How often its init function ran, here.
pub static STARTS: AtomicU32 = AtomicU32::new(0);

#[dynplug::init]
fn start() {
    STARTS.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    app_api::journal::log("common");
}
