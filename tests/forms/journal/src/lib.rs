//! What happened, in order. Below everything, so that all can write to it.

use std::sync::Mutex;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Writes a line.
pub fn log(line: &str) {
    LINES.lock().unwrap().push(line.to_owned());
}

/// What was written since the last time.
pub fn taken() -> Vec<String> {
    std::mem::take(&mut *LINES.lock().unwrap())
}
