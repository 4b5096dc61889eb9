//! A plugin that another plugin uses as a library.

use app_api::COUNTER;
use std::sync::atomic::Ordering;

#[dynplug::export]
pub fn theirs() -> u32 {
    COUNTER.fetch_add(1, Ordering::SeqCst);
    41
}

#[dynplug::export(name = "mine")]
pub fn also_called_mine() -> u32 {
    0
}
