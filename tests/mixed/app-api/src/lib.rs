//! What all of them share.

pub use dynplug;

use std::sync::Mutex;
use std::sync::atomic::AtomicU32;

/// How often something was called, all together.
pub static CALLS: AtomicU32 = AtomicU32::new(0);

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Writes a line.
pub fn log(line: &str) {
    LINES.lock().unwrap().push(line.to_owned());
}

/// What was written since the last time.
pub fn taken() -> String {
    std::mem::take(&mut *LINES.lock().unwrap()).join(", ")
}

/// What a plugin is asked for.
pub trait Answer: Send {
    /// Says something.
    fn say(&self) -> String;
}

/// What such a plugin exports as `register`.
pub type Register = fn(&mut Vec<Box<dyn Answer>>);

/// A plugin that answers with its name.
#[macro_export]
macro_rules! plugin {
    ($name:literal) => {
        struct Own;

        impl $crate::Answer for Own {
            fn say(&self) -> String {
                let calls = $crate::CALLS.fetch_add(1, ::std::sync::atomic::Ordering::SeqCst) + 1;
                format!("{} at call {calls}", $name)
            }
        }

        /// Adds what it has.
        #[dynplug::export]
        pub fn register(answers: &mut Vec<Box<dyn $crate::Answer>>) {
            answers.push(Box::new(Own));
        }

        #[dynplug::init]
        fn start() {
            $crate::log(concat!("start ", $name));
        }
    };
}
