//! A plugin that opens one that opens it.

/// Which plugin it is.
#[dynplug::export]
pub fn named() -> &'static str {
    "ring-b"
}

#[dynplug::init]
fn start() -> Result<(), app_api::dynplug::OpenError> {
    app_api::journal::log("ring-b");
    app_api::open("ring_a").map(drop)
}
