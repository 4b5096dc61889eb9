//! What host and plugins share: a log.

pub use dynplug;
use std::sync::Mutex;

/// Who did what.
pub static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Adds to the log.
pub fn log(what: &str) {
    LOG.lock().unwrap().push(what.to_owned());
}
