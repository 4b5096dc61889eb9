//! What host and plugins share: a log, meeting points for threads, and scripts that init functions play.

pub mod meeting;
pub mod script;

pub use base::{LOG, log};
pub use dynplug;
use dynplug::{OpenError, Plugin};
use std::any::Any;
use std::cell::RefCell;
use std::path::PathBuf;

#[dynplug::init]
fn api() -> Result<(), String> {
    log("api");
    match std::env::var("LIFE_API_FAILS") {
        Ok(message) => Err(message),
        Err(_) => Ok(()),
    }
}

/// Something of a plugin's.
pub trait Guest: Any + Send + Sync {
    /// A name.
    fn name(&self) -> String;
}

/// A type of the API crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token(pub String);

impl Guest for Token {
    fn name(&self) -> String {
        self.0.clone()
    }
}

thread_local! {
    static OPENING: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Where plugins lie.
pub fn file(name: &str) -> PathBuf {
    let folder = std::env::var_os("LIFE_FOLDER").map(PathBuf::from);
    let copied = folder.map(|f| f.join(format!("lib{name}.so"))).filter(|f| f.exists());
    copied.unwrap_or_else(|| {
        let here = std::env::current_exe().expect("the program lies somewhere");
        here.with_file_name("plugins").join(format!("lib{name}.so"))
    })
}

/// Opens a plugin by its name, which its init functions can ask for.
pub fn open(name: &str) -> Result<&'static Plugin, OpenError> {
    OPENING.with_borrow_mut(|names| names.push(name.to_owned()));
    // SAFETY: the build made it.
    let outcome = unsafe { Plugin::open(file(name)) };
    OPENING.with_borrow_mut(|names| names.pop());
    outcome
}

/// The plugin that this thread opens, the innermost of several.
pub fn opening() -> String {
    OPENING.with_borrow(|names| names.last().cloned()).unwrap_or_default()
}
