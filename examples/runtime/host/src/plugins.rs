//! The plugins in a folder.

use runtime_api::dynplug::{OpenError, Plugin};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

/// Plugins by their names.
pub struct Plugins(BTreeMap<String, &'static Plugin>);

impl Plugins {
    /// Opens every plugin in the folder.
    pub fn open(folder: &Path) -> Result<Plugins, Box<dyn Error>> {
        let mut files = files(folder).map_err(|e| {
            format!("no plugins in {} ({e}); `cargo dynplug` puts them beside the host", folder.display())
        })?;
        // The order in a folder is anybody's guess.
        files.sort();
        let opened = files.iter().map(|file| {
            // SAFETY: `cargo dynplug` put the file there, and nobody forged it.
            let plugin = unsafe { Plugin::open(file) }?;
            Ok((plugin.name().to_owned(), plugin))
        });
        Ok(Plugins(opened.collect::<Result<_, OpenError>>()?))
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

fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in folder.read_dir()? {
        let file = entry?.path();
        if file.to_string_lossy().ends_with(std::env::consts::DLL_SUFFIX) {
            files.push(file);
        }
    }
    Ok(files)
}
