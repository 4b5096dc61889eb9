//! A crate with a build script.

include!(concat!(env!("OUT_DIR"), "/made.rs"));

/// What the script has set.
pub const SET: &str = env!("SCRIPTED");

/// Whether the script's `cfg` is on.
pub fn is_set() -> bool {
    cfg!(scripted)
}
