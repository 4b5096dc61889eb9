//! A plugin on top of another one.

/// Which plugin it is, and on top of which.
#[dynplug::export]
pub fn named() -> &'static str {
    match four::named() {
        "four" => "three on four",
        _ => "nothing",
    }
}

#[dynplug::init]
fn start() {
    app_api::journal::log("three");
}
