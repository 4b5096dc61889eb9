//! The smallest plugin.

use bench_api as _;

#[dynplug::export]
pub fn number(x: u64) -> u64 {
    x.wrapping_add(1)
}
