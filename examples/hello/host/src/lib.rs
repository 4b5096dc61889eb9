//! Opens the plugin `hello`, sets its variable and calls its function.

use hello_api::dynplug::Loader;
use std::error::Error;
use std::sync::atomic::{AtomicI64, Ordering};

/// The program.
pub fn main() -> Result<(), Box<dyn Error>> {
    let loader = Loader::new().beside_program();
    // SAFETY: `cargo dynplug` put the file there, and nobody forged it.
    let plugin = unsafe { loader.open("hello") }?;
    let v: &AtomicI64 = plugin.lookup("V")?;
    let f: fn() = plugin.lookup("F")?;
    v.store(7, Ordering::Relaxed);
    f(); // Hello, number 7
    Ok(())
}
