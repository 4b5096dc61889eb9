//! Opens the plugin `hello`, sets its variable and calls its function.

use hello_api::dynplug::Plugin;
use std::error::Error;
use std::sync::atomic::{AtomicI64, Ordering};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::current_exe()?.with_file_name("plugins");
    let file = format!("{}hello{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    // SAFETY: `cargo dynplug` put the file there, and nobody forged it.
    let plugin = unsafe { Plugin::open(folder.join(file)) }?;
    let v: &AtomicI64 = plugin.lookup("V")?;
    let f: fn() = plugin.lookup("F")?;
    v.store(7, Ordering::Relaxed);
    f(); // Hello, number 7
    Ok(())
}
