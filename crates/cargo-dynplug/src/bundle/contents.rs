//! What is in a bundle: paths with what is there, before any of it is written.

use super::arguments::Layout;
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files;
use std::collections::BTreeMap;
use std::path::Path;

/// One thing in a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file.
    File {
        /// What is in it.
        bytes: Vec<u8>,
        /// Whether it has the permission to be run, as libraries have it too.
        executable: bool,
    },
    /// A symbolic link to this path.
    Link(String),
}

/// All that is in a bundle, by paths with `/` on every system.
#[derive(Debug, Default)]
pub struct Contents {
    entries: BTreeMap<String, Entry>,
}

/// Where what lies; each ends with `/` or is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Hosts.
    pub program: String,
    /// The API library.
    pub library: String,
    /// Plugins, and the libraries that they share.
    pub plugins: String,
    /// Links to the hosts, where there are some.
    pub links: Option<String>,
    /// What people and programs read of the bundle.
    pub documents: String,
    /// Texts of licences.
    pub licences: String,
}

impl Places {
    /// The places of a layout, for a host of this name.
    pub fn of(layout: Layout, name: &str) -> Places {
        match layout {
            Layout::Flat => Places {
                program: String::new(),
                library: String::new(),
                plugins: "plugins/".to_owned(),
                links: None,
                documents: String::new(),
                licences: "licenses/".to_owned(),
            },
            // The host is run through a link: the system resolves it before it says where the program lies, so that API
            // library and plugins are beside it here too. A second run path, from `bin` to `lib/<host>`, would have every
            // host that is copied elsewhere look into folders that belong to somebody else.
            Layout::Fhs => Places {
                program: format!("lib/{name}/"),
                library: format!("lib/{name}/"),
                plugins: format!("lib/{name}/plugins/"),
                links: Some("bin/".to_owned()),
                documents: format!("share/doc/{name}/"),
                licences: format!("share/licenses/{name}/"),
            },
        }
    }

    /// The places of plugins alone: where a host finds the API library of a plugin that it starts from there.
    pub fn of_plugins() -> Places {
        let beside = Places::of(Layout::Flat, "");
        Places { library: "lib/".to_owned(), plugins: String::new(), ..beside }
    }
}

impl Contents {
    /// Adds something.
    ///
    /// # Errors
    /// When there is something in its place.
    pub fn add(&mut self, path: String, entry: Entry) -> Result<()> {
        if self.entries.contains_key(&path) {
            return Err(Diagnostic::error("bundle-file", format!("two files of the bundle would be {path}"))
                .help("give one of the executables or plugins another name")
                .usage()
                .into());
        }
        self.entries.insert(path, entry);
        Ok(())
    }

    /// Adds a text.
    ///
    /// # Errors
    /// As for [`Contents::add`].
    pub fn add_text(&mut self, path: String, text: impl Into<Vec<u8>>) -> Result<()> {
        self.add(path, Entry::File { bytes: text.into(), executable: false })
    }

    /// Everything, in the order of the paths.
    pub fn entries(&self) -> &BTreeMap<String, Entry> {
        &self.entries
    }

    /// The bytes of all files together.
    pub fn size(&self) -> u64 {
        let of = |entry: &Entry| match entry {
            Entry::File { bytes, .. } => bytes.len() as u64,
            Entry::Link(_) => 0,
        };
        self.entries.values().map(of).sum()
    }

    /// Writes everything into a folder that is empty.
    ///
    /// # Errors
    /// When something can't be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        for (path, entry) in &self.entries {
            let to = folder.join(path);
            let what = format!("write {}", to.display());
            if let Some(parent) = to.parent() {
                files::make_folder(parent)?;
            }
            match entry {
                Entry::File { bytes, executable } => {
                    std::fs::write(&to, bytes).doing(&what)?;
                    if *executable {
                        files::open_to_others(&to, 0o755);
                    }
                }
                Entry::Link(target) => link(target, &to).doing(&what)?,
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn link(target: &str, at: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

#[cfg(not(unix))]
fn link(_: &str, _: &Path) -> std::io::Result<()> {
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, "this layout has symbolic links"))
}
