//! A plugin with private crates that have init functions.

use aa_private as _;
use bb_loose as _;

/// Which plugin it is.
#[dynplug::export]
pub fn named() -> &'static str {
    "one"
}

#[dynplug::init]
fn start() {
    app_api::journal::log("one");
}
