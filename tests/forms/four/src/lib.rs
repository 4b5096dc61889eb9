//! A plugin that another depends on.

/// Which plugin it is.
#[dynplug::export]
pub fn named() -> &'static str {
    "four"
}

#[dynplug::init]
fn start() {
    app_api::journal::log("four");
}
