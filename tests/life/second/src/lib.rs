//! Uses `late` as `first` does.

use std::any::TypeId;
use std::sync::atomic::Ordering;

/// As in `first`.
#[dynplug::export]
fn late() -> (u64, usize, TypeId) {
    let count = late::COUNT.load(Ordering::Relaxed);
    (count, (&raw const late::COUNT).addr(), TypeId::of::<late::Thing>())
}

/// Takes what only this plugin makes.
#[dynplug::export]
fn take(thing: late::Thing) -> u64 {
    thing.0
}
