//! A plugin of one megabyte.

use signed_api as _;

/// As large as this; zeros would lie in no file.
static DATA: [u8; 1 << 20] = [7; 1 << 20];

#[dynplug::export]
pub fn number(x: u64) -> u64 {
    u64::from(DATA[x as usize % DATA.len()])
}
