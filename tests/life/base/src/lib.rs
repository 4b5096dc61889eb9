//! Below the API crate.

use std::sync::Mutex;

/// What happened, in order.
pub static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Writes a line.
pub fn log(line: &str) {
    LOG.lock().unwrap_or_else(|e| e.into_inner()).push(line.to_owned());
}

#[dynplug::init]
fn base() {
    log("base");
}
