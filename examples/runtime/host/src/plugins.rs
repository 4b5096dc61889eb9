//! The plugins that the host has.

use runtime_api::dynplug::{Loader, Plugin, Unfit};
use std::collections::BTreeMap;
use std::error::Error;

/// Plugins by their names.
pub struct Plugins(BTreeMap<String, &'static Plugin>);

impl Plugins {
    /// Opens every plugin that the loader finds.
    pub fn open(loader: Loader) -> Result<Plugins, Box<dyn Error>> {
        let loader = loader.unfit(Unfit::Fail);
        // SAFETY: `cargo dynplug` put the files there, and nobody forged them.
        let opened = unsafe { loader.open_all() }?;
        Ok(Plugins(opened.plugins.into_iter().map(|plugin| (plugin.name().to_owned(), plugin)).collect()))
    }

    /// Prints what the plugins export.
    pub fn list(&self) {
        for plugin in self.0.values() {
            println!("{} {}", plugin.name(), plugin.version());
            for symbol in plugin.symbols() {
                println!("  {}", symbol.signature());
                symbol.docs().lines().for_each(|line| println!("      {}", line.trim()));
            }
        }
    }

    /// The plugin with this name.
    pub fn get(&self, name: &str) -> Result<&'static Plugin, String> {
        self.0.get(name).copied().ok_or_else(|| format!("there is no plugin `{name}`"))
    }
}
