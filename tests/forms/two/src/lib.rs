//! A plugin with init functions in three files and of both kinds.

mod alpha;
mod zeta;

/// Which plugin it is.
#[dynplug::export]
pub fn named() -> &'static str {
    "two"
}

#[dynplug::init]
fn upper() {
    app_api::journal::log("two upper");
}

#[dynplug::init]
fn lower() -> Result<(), std::num::ParseIntError> {
    app_api::journal::log("two lower");
    "7".parse::<u32>().map(drop)
}
