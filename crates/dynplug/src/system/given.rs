//! What the loader gave so far: it gives a library a second time when it takes another file for the same.

use std::sync::{Mutex, PoisonError};

/// In order.
static GIVEN: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// Notes that the loader gave this; whether for the first time.
pub(super) fn is_first(handle: usize) -> bool {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let place = given.partition_point(|other| *other < handle);
    let first = given.get(place) != Some(&handle);
    if first {
        given.insert(place, handle);
    }
    first
}
