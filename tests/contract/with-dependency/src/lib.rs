//! A plugin that uses another one as a library.

use app_api as _;

#[dynplug::export]
pub fn mine() -> u32 {
    dependency::theirs() + 1
}
