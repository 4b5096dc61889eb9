//! The smallest host.

use bench_api::dynplug::Plugin;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).unwrap_or_default();
    // SAFETY: the plugin is the one that was built for this.
    let plugin = unsafe { Plugin::open(path) }?;
    let number: fn(u64) -> u64 = plugin.lookup("number")?;
    println!("Hello, number {}", number(7));
    Ok(())
}
