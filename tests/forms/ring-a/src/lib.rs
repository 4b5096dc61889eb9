//! A plugin that opens one that opens it.

/// Which plugin it is.
#[dynplug::export]
pub fn named() -> &'static str {
    "ring-a"
}

#[dynplug::init]
fn start() -> Result<(), app_api::dynplug::OpenError> {
    app_api::journal::log("ring-a");
    app_api::open("ring_b").map(drop)
}
