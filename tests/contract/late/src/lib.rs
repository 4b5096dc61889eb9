//! A plugin that knows how it was built.

use app_api as _;

include!(concat!(env!("OUT_DIR"), "/made.rs"));

#[dynplug::export]
pub fn values() -> Vec<(&'static str, String)> {
    vec![
        ("env", env!("CARGO_PKG_NAME").to_owned()),
        ("script env", env!("FROM_THE_SCRIPT").to_owned()),
        ("script cfg", cfg!(from_the_script).to_string()),
        ("script file", MADE.to_owned()),
        ("usual", cfg!(feature = "usual").to_string()),
        ("unusual", cfg!(feature = "unusual").to_string()),
        ("debug_assertions", cfg!(debug_assertions).to_string()),
    ]
}
