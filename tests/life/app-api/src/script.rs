//! What the init function of the plugin `scripted` does, by the name under which it is opened.

use crate::{log, meeting, open, opening};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// One thing to do.
#[derive(Debug, Clone)]
pub enum Step {
    /// Open another plugin; if that fails, log why and go on.
    Try(String),
    /// Open another plugin; if that fails, fail.
    Need(String),
    /// Wait for this many at this place.
    Meet(String, usize),
    /// Panic with text that isn't static.
    Panic(String),
    /// Panic with static text.
    PanicStatic,
    /// Panic with what is no text.
    PanicNumber,
    /// Return an error.
    Fail(String),
}

static SCRIPTS: Mutex<BTreeMap<String, Vec<Step>>> = Mutex::new(BTreeMap::new());
static PLAYED: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

/// Says what the plugin of this name does.
pub fn set(name: &str, steps: Vec<Step>) {
    SCRIPTS.lock().expect("nobody panics here").insert(name.to_owned(), steps);
}

/// How often the plugin of this name was initialised.
pub fn played(name: &str) -> usize {
    PLAYED.lock().expect("nobody panics here").get(name).copied().unwrap_or_default()
}

/// Does what is said of the plugin that is being opened.
pub fn play() -> Result<(), String> {
    let name = opening();
    *PLAYED.lock().expect("nobody panics here").entry(name.clone()).or_default() += 1;
    let steps = SCRIPTS.lock().expect("nobody panics here").get(&name).cloned().unwrap_or_default();
    for step in steps {
        match step {
            Step::Try(other) => match open(&other) {
                Ok(_) => log(&format!("{name} opened {other}")),
                Err(e) => log(&format!("{name}: {e}")),
            },
            Step::Need(other) => {
                open(&other).map_err(|e| e.to_string())?;
            }
            Step::Meet(place, count) => meeting::at(&place, count),
            Step::Panic(message) => panic!("{message}"),
            Step::PanicStatic => panic!("static text"),
            Step::PanicNumber => std::panic::panic_any(17u32),
            Step::Fail(message) => return Err(message),
        }
    }
    Ok(())
}
