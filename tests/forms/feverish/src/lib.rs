//! A plugin whose private crate does not start.

use sick as _;

/// Which plugin it is.
#[dynplug::export]
pub fn named() -> &'static str {
    "feverish"
}

#[dynplug::init]
fn start() {
    app_api::journal::log("feverish");
}
