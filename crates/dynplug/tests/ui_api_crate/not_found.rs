//! Nothing here names the API crate.

#[dynplug::export]
pub fn exported() {}

#[dynplug::init]
fn start() {}

fn main() {}
