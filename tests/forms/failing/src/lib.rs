//! A plugin that does not start.

/// Which plugin it is.
#[dynplug::export]
pub fn named() -> &'static str {
    "failing"
}

#[dynplug::init]
fn first() {
    app_api::journal::log("failing first");
}

#[dynplug::init]
fn second() -> Result<(), &'static str> {
    Err("not today")
}

#[dynplug::init]
fn third() {
    app_api::journal::log("failing third");
}
