//! The outcome of a build: a folder with the hosts, the API library beside them and the plugins in a folder of theirs.

use crate::cargo::Made;
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files::{self, Stamp, stamp};
use crate::sdk::ApiLibrary;
use crate::terminal::line;
use dynplug_manifest::image::Image;
use dynplug_manifest::manifest::{Manifest, Product};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
    /// The program that runs plugins in processes of their own, where hosts can start it.
    pub runner: Option<PathBuf>,
    /// Plugins.
    pub plugins: Vec<Made>,
    /// Libraries that these share among themselves.
    pub libraries: Vec<PluginLibrary>,
}

/// What builds have put into a folder.
struct Placed {
    record: PathBuf,
    /// Each file, with size and time of its last write.
    files: BTreeMap<PathBuf, Stamp>,
}

impl Placed {
    /// As it was noted. A record that can't be read is none.
    fn in_folder(folder: &Path, records: &Path) -> Placed {
        let name = files::hex(&files::sha256(folder.as_os_str().as_encoded_bytes()));
        let record = records.join(name).with_extension("json");
        let files = std::fs::read(&record).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Placed { record, files: files.unwrap_or_default() }
    }

    /// Removes what is there as it was put there and isn't among these files, if they are all; and notes these.
    fn renew(mut self, made: Vec<PathBuf>, everything: bool) -> Result<()> {
        if everything {
            let is_stale = |file: &PathBuf, was: &Stamp| !made.contains(file) && stamp(file) == Some(*was);
            for (file, was) in &self.files {
                if is_stale(file, was) {
                    std::fs::remove_file(file).doing(format_args!("remove {}", file.display()))?;
                }
            }
            self.files.clear();
        }
        self.files.extend(made.into_iter().filter_map(|file| Some((file.clone(), stamp(&file)?))));
        let json = serde_json::to_vec(&self.files).doing("note what was built")?;
        if let Some(folder) = self.record.parent() {
            files::make_folder(folder)?;
        }
        match std::fs::read(&self.record) {
            Ok(noted) if noted == json => Ok(()),
            _ => files::write_whole(&self.record, &json),
        }
    }
}

/// A library that plugins share among themselves.
#[derive(Debug, Clone)]
pub struct PluginLibrary {
    /// Its file, named as plugins look for it.
    pub file: PathBuf,
    /// What is known of it.
    pub description: ApiLibrary,
}

/// A host's executable.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Host {
    /// The target's name.
    pub name: String,
    /// Where cargo put it.
    pub file: PathBuf,
    /// The package's `default-run`.
    pub default: Option<String>,
}

impl Host {
    /// The one that is to be run.
    ///
    /// # Errors
    /// When there is none, or several and no word on which.
    pub fn to_run<'a>(hosts: &'a [Host], wanted: Option<&str>) -> Result<&'a Host> {
        let names = || hosts.iter().map(|h| h.name.as_str()).collect::<Vec<_>>().join(", ");
        if let Some(name) = wanted {
            return hosts.iter().find(|h| h.name == name).ok_or_else(|| {
                Box::new(
                    Diagnostic::error("unknown-host", format!("there is no host executable `{name}`"))
                        .note(format!("there are: {}", names()))
                        .did_you_mean(name, hosts.iter().map(|h| h.name.as_str()))
                        .usage(),
                )
            });
        }
        match hosts {
            [] => Err(Diagnostic::error("no-host", "there is no host to run")
                .note("a host is a package with an executable that depends on the API crate")
                .usage()
                .into()),
            [one] => Ok(one),
            several => several.iter().find(|h| h.default.as_ref() == Some(&h.name)).ok_or_else(|| {
                Diagnostic::error("several-hosts", "there are several host executables")
                    .note(names())
                    .help("say which: `--bin NAME`, or `default-run` in the package's Cargo.toml")
                    .usage()
                    .into()
            }),
        }
    }
}

impl Outcome {
    /// Puts everything into the folder. With `everything`, what an earlier build put there and this one doesn't make any more is
    /// removed: API libraries that no host needs, and hosts and plugins of packages that are gone. `records` is a folder in
    /// which it is noted what was put where; what others have put there is left alone.
    ///
    /// # Errors
    /// When a file can't be read or written.
    pub fn place(&self, everything: bool, records: &Path) -> Result<()> {
        files::make_folder(&self.folder)?;
        if !self.hosts.is_empty() {
            // The library first: a host that is there is one that starts.
            let to = self.folder.join(self.library.file_name().unwrap_or_default());
            files::copy_if_changed(&self.library, &to)?;
            if let Some((from, to)) = self.runner.as_ref().zip(self.placed_runner()) {
                files::copy_if_changed(from, &to)?;
            }
            for host in &self.hosts {
                files::copy_if_changed(&host.file, &self.host(host))?;
            }
            if everything {
                remove_stale(&to)?;
            }
        }
        if !self.plugins.is_empty() || !self.libraries.is_empty() {
            files::make_folder(&self.folder.join("plugins"))?;
        }
        // The libraries first, as above.
        for library in &self.libraries {
            files::copy_if_changed(&library.file, &self.plugin_library(library))?;
        }
        for plugin in &self.plugins {
            files::copy_if_changed(&plugin.file, &self.plugin(plugin))?;
        }
        if everything {
            self.libraries.iter().try_for_each(|library| remove_stale(&self.plugin_library(library)))?;
        }
        Placed::in_folder(&self.folder, records).renew(self.files(), everything)
    }

    /// Hosts and plugins that earlier builds have put into the folder, and that were made with another API library than this
    /// build was. `records` is as in [`place`](Self::place).
    pub fn misfits(&self, identity: &str, records: &Path) -> Vec<PathBuf> {
        let own = self.files();
        let placed = Placed::in_folder(&self.folder, records).files;
        let others =
            placed.into_iter().filter(|(file, was)| !own.contains(file) && stamp(file) == Some(*was));
        let is_other = |file: &PathBuf| {
            manifest_in(file).is_some_and(|manifest| {
                let needs = matches!(manifest.product, Product::Host | Product::Plugin);
                needs && manifest.api.identity.to_string() != identity
            })
        };
        others.map(|(file, _)| file).filter(is_other).collect()
    }

    /// An outcome of which nothing but the hosts is known.
    pub fn of_hosts(folder: PathBuf, hosts: Vec<Host>) -> Outcome {
        Outcome {
            folder,
            library: PathBuf::new(),
            hosts,
            runner: None,
            plugins: Vec::new(),
            libraries: Vec::new(),
        }
    }

    /// Every file that was put there.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.hosts.iter().map(|host| self.host(host)).collect();
        if !files.is_empty() {
            files.push(self.folder.join(self.library.file_name().unwrap_or_default()));
            files.extend(self.placed_runner());
        }
        files.extend(self.libraries.iter().map(|library| self.plugin_library(library)));
        files.extend(self.plugins.iter().map(|plugin| self.plugin(plugin)));
        files
    }

    /// Whether nothing was put there, since only the API library was asked for.
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.plugins.is_empty() && self.libraries.is_empty()
    }

    /// Where a library that plugins share lies in the outcome: beside the plugins.
    pub fn plugin_library(&self, library: &PluginLibrary) -> PathBuf {
        self.folder.join("plugins").join(library.file.file_name().unwrap_or_default())
    }

    /// Where a host lies in the outcome.
    pub fn host(&self, host: &Host) -> PathBuf {
        self.folder.join(host.file.file_name().unwrap_or_default())
    }

    /// Where the program lies in the outcome that runs plugins in processes of their own.
    fn placed_runner(&self) -> Option<PathBuf> {
        Some(self.folder.join(self.runner.as_ref()?.file_name()?))
    }

    /// Where a plugin lies in the outcome.
    pub fn plugin(&self, plugin: &Made) -> PathBuf {
        // The ending is the target's, not that of the machine that compiles.
        let windows = plugin.file.extension().is_some_and(|e| e == "dll");
        let ending = plugin.file.extension().unwrap_or_default().to_string_lossy();
        let start = if windows { "" } else { "lib" };
        self.folder.join("plugins").join(format!("{start}{}.{ending}", plugin.crate_name))
    }

    /// Prints the messages of `--message-format json`.
    pub fn print_messages(&self, api: &ApiLibrary) {
        let library = self.folder.join(self.library.file_name().unwrap_or_default());
        if !self.hosts.is_empty() {
            let message = serde_json::json!({
                "reason": "dynplug-api-library", "package": api.package, "version": api.version,
                "identity": api.identity, "soname": api.soname, "filename": library,
            });
            line!("{message}");
        }
        for host in &self.hosts {
            line!(
                "{}",
                serde_json::json!({ "reason": "dynplug-host", "name": host.name, "filename": self.host(host) })
            );
        }
        for library in &self.libraries {
            let ApiLibrary { package, version, identity, soname, .. } = &library.description;
            let message = serde_json::json!({
                "reason": "dynplug-plugin-library", "package": package, "version": version,
                "identity": identity, "soname": soname, "filename": self.plugin_library(library),
            });
            line!("{message}");
        }
        for plugin in &self.plugins {
            let message = serde_json::json!({
                "reason": "dynplug-plugin", "package": plugin.name, "version": plugin.version,
                "filename": self.plugin(plugin),
            });
            line!("{message}");
        }
    }

    /// The host to run.
    ///
    /// # Errors
    /// When there is none, or several and no word on which.
    pub fn the_host(&self, wanted: Option<&str>) -> Result<PathBuf> {
        Host::to_run(&self.hosts, wanted).map(|host| self.host(host))
    }
}

/// Removes earlier builds of this library from its folder, and nothing else: what goes must say of itself that it is one.
fn remove_stale(current: &Path) -> Result<()> {
    let (Some(own), Some(folder)) = (library_in(current), current.parent()) else { return Ok(()) };
    let entries = std::fs::read_dir(folder).doing(format_args!("read {}", folder.display()))?;
    for entry in entries.flatten() {
        let path = entry.path();
        let is_library = path.extension() == current.extension() && path != current;
        if is_library && library_in(&path).is_some_and(|other| other == own) {
            std::fs::remove_file(&path).doing(format_args!("remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// What a file says of itself, if it is a product.
pub fn manifest_in(file: &Path) -> Option<Manifest> {
    let bytes = std::fs::read(file).ok()?;
    Image::parse(&bytes).ok()?.manifest().ok()?
}

/// Kind and package of the library in a file, if it is one that is named for its identity.
fn library_in(file: &Path) -> Option<(Product, String)> {
    let manifest = manifest_in(file)?;
    let is_library = matches!(manifest.product, Product::ApiLibrary | Product::PluginLibrary);
    is_library.then_some((manifest.product, manifest.package))
}
