//! Places where threads wait for each other.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

static PRESENT: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());
static CAME: Condvar = Condvar::new();

/// Waits until this many have come to this place.
pub fn at(place: &str, count: usize) {
    let mut present = PRESENT.lock().expect("nobody panics here");
    *present.entry(place.to_owned()).or_default() += 1;
    CAME.notify_all();
    let missing = |present: &mut BTreeMap<String, usize>| present[place] < count;
    let (_present, waited) =
        CAME.wait_timeout_while(present, Duration::from_secs(60), missing).expect("nobody panics here");
    assert!(!waited.timed_out(), "somebody did not come to {place}");
}
