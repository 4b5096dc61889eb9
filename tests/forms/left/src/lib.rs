//! One of two plugins with a private crate in common.

/// Which plugin it is, and how often its copy of the crate was started.
#[dynplug::export]
pub fn named() -> &'static str {
    match common::STARTS.load(std::sync::atomic::Ordering::SeqCst) {
        1 => "left",
        _ => "left with a crate that was started anew",
    }
}

#[dynplug::init]
fn start() {
    app_api::journal::log("left");
}
