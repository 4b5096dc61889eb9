//! The plugin `hello`, run wherever one line says. The plugin is the same; what is shared with it is not, so its variable is read
//! and not set.

use hello_api::dynplug::Loader;
use hello_api::dynplug::apart::RunIn;
use std::error::Error;
use std::sync::atomic::AtomicI64;

fn main() -> Result<(), Box<dyn Error>> {
    let loader = Loader::new().beside_program();
    let loader = loader.run_in(RunIn::Host); // or `RunIn::OwnProcess`
    // SAFETY: `cargo dynplug` put the file there, and nobody forged it.
    let plugin = unsafe { loader.start("hello") }?;
    let f = plugin.function::<fn()>("F")?;
    f.call(())?; // Hello, number 0
    let v: AtomicI64 = plugin.value("V")??;
    println!("V is {}", v.into_inner());
    Ok(())
}
