//! The outcome of a build: a folder with the hosts, the API library beside them and the plugins in a folder of theirs.

use crate::cargo::Made;
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files;
use crate::sdk::ApiLibrary;
use dynplug_manifest::image::Image;
use dynplug_manifest::manifest::Product;
use std::path::{Path, PathBuf};

/// What was built.
#[derive(Debug)]
pub struct Outcome {
    /// Where it is put.
    pub folder: PathBuf,
    /// The API library in the SDK.
    pub library: PathBuf,
    /// Executables.
    pub hosts: Vec<Host>,
    /// Plugins.
    pub plugins: Vec<Made>,
}

/// A host's executable.
#[derive(Debug, Clone)]
pub struct Host {
    /// The target's name.
    pub name: String,
    /// Where cargo put it.
    pub file: PathBuf,
    /// The package's `default-run`.
    pub default: Option<String>,
}

impl Outcome {
    /// Puts everything into the folder. With `everything`, API libraries that no host needs any more are removed.
    ///
    /// # Errors
    /// When a file can't be read or written.
    pub fn place(&self, everything: bool) -> Result<()> {
        files::make_folder(&self.folder)?;
        if !self.hosts.is_empty() {
            // The library first: a host that is there is one that starts.
            let to = self.folder.join(self.library.file_name().unwrap_or_default());
            files::copy_if_changed(&self.library, &to)?;
            for host in &self.hosts {
                files::copy_if_changed(&host.file, &self.host(host))?;
            }
            if everything {
                self.remove_stale(&to)?;
            }
        }
        if !self.plugins.is_empty() {
            files::make_folder(&self.folder.join("plugins"))?;
        }
        for plugin in &self.plugins {
            files::copy_if_changed(&plugin.file, &self.plugin(plugin))?;
        }
        Ok(())
    }

    /// Whether nothing was put there, since only the API library was asked for.
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.plugins.is_empty()
    }

    /// Where a host lies in the outcome.
    pub fn host(&self, host: &Host) -> PathBuf {
        self.folder.join(host.file.file_name().unwrap_or_default())
    }

    /// Where a plugin lies in the outcome.
    pub fn plugin(&self, plugin: &Made) -> PathBuf {
        // The ending is the target's, not that of the machine that compiles.
        let windows = plugin.file.extension().is_some_and(|e| e == "dll");
        let ending = plugin.file.extension().unwrap_or_default().to_string_lossy();
        let start = if windows { "" } else { "lib" };
        self.folder.join("plugins").join(format!("{start}{}.{ending}", plugin.crate_name))
    }

    /// Removes earlier builds of this API library, and nothing else: what goes must say of itself that it is one.
    fn remove_stale(&self, current: &Path) -> Result<()> {
        let Some(package) = package_of(current) else { return Ok(()) };
        let entries =
            std::fs::read_dir(&self.folder).doing(format_args!("read {}", self.folder.display()))?;
        for entry in entries.flatten() {
            let path = entry.path();
            let is_library = path.extension() == current.extension() && path != current;
            if is_library && package_of(&path).is_some_and(|p| p == package) {
                std::fs::remove_file(&path).doing(format_args!("remove {}", path.display()))?;
            }
        }
        Ok(())
    }

    /// Prints the messages of `--message-format json`.
    pub fn print_messages(&self, api: &ApiLibrary) {
        let library = self.folder.join(self.library.file_name().unwrap_or_default());
        if !self.hosts.is_empty() {
            let message = serde_json::json!({
                "reason": "dynplug-api-library", "package": api.package, "version": api.version,
                "identity": api.identity, "soname": api.soname, "filename": library,
            });
            println!("{message}");
        }
        for host in &self.hosts {
            println!(
                "{}",
                serde_json::json!({ "reason": "dynplug-host", "name": host.name, "filename": self.host(host) })
            );
        }
        for plugin in &self.plugins {
            let message = serde_json::json!({
                "reason": "dynplug-plugin", "package": plugin.name, "version": plugin.version,
                "filename": self.plugin(plugin),
            });
            println!("{message}");
        }
    }

    /// The host to run.
    ///
    /// # Errors
    /// When there is none, or several and no word on which.
    pub fn the_host(&self, wanted: Option<&str>) -> Result<PathBuf> {
        let names = || self.hosts.iter().map(|h| h.name.as_str()).collect::<Vec<_>>().join(", ");
        if let Some(name) = wanted {
            let found = self.hosts.iter().find(|h| h.name == name);
            return found.map(|h| self.host(h)).ok_or_else(|| {
                Box::new(
                    Diagnostic::error("unknown-host", format!("there is no host executable `{name}`"))
                        .note(format!("there are: {}", names()))
                        .usage(),
                )
            });
        }
        match &self.hosts[..] {
            [] => Err(Diagnostic::error("no-host", "there is no host to run")
                .note("a host is a package with an executable that depends on the API crate")
                .usage()
                .into()),
            [one] => Ok(self.host(one)),
            several => match several.iter().find(|h| h.default.as_ref() == Some(&h.name)) {
                Some(host) => Ok(self.host(host)),
                None => Err(Diagnostic::error("several-hosts", "there are several host executables")
                    .note(names())
                    .help("say which: `--bin NAME`, or `default-run` in the package's Cargo.toml")
                    .usage()
                    .into()),
            },
        }
    }
}

/// The package of the API library in a file, if it is one.
fn package_of(file: &Path) -> Option<String> {
    let bytes = std::fs::read(file).ok()?;
    let manifest = Image::parse(&bytes).ok()?.manifest().ok()??;
    (manifest.product == Product::ApiLibrary).then_some(manifest.package)
}
