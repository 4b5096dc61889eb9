//! A plugin that opens itself.

/// Which plugin it is.
#[dynplug::export]
pub fn named() -> &'static str {
    "itself"
}

#[dynplug::init]
fn start() -> Result<(), app_api::dynplug::OpenError> {
    app_api::journal::log("itself");
    app_api::open("itself").map(drop)
}
