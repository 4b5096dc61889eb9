//! `bundle.json`: what is in a bundle, for programs. The names of the fields are stable; new ones may be added.

use super::arguments::{Layout, Strip};
use super::contents::{Contents, Entry};
use crate::files::{hex, sha256};
use serde::{Deserialize, Serialize};

/// The name of the file.
pub const NAME: &str = "bundle.json";
/// The format of the file.
pub const FORMAT: u32 = 1;
/// Who makes such files.
pub const TOOL: &str = "cargo-dynplug";

/// A bundle's description.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Description {
    /// Format of this file.
    pub format: u32,
    /// `cargo-dynplug`, and its version.
    pub tool: String,
    /// The host's name.
    pub name: String,
    /// The version of the host's package.
    pub version: String,
    /// The target's triple.
    pub target: String,
    /// The name of cargo's profile.
    pub profile: String,
    /// First line of what rustc says of its version.
    pub rustc: String,
    /// How it is laid out.
    pub layout: Layout,
    /// What was left out of its files.
    pub strip: Strip,
    /// The identity of the API library: plugins for this host were built against it.
    pub identity: String,
    /// The oldest glibc that all of it works with, if it needs one.
    pub glibc: Option<Glibc>,
    /// The libraries that the system has to have.
    pub needs: Vec<Need>,
    /// Hosts, API library, plugins and libraries of plugins.
    pub products: Vec<Product>,
    /// All files but this one.
    pub files: Vec<File>,
}

/// The oldest glibc.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Glibc {
    /// Its version.
    pub version: String,
    /// A file that asks for it.
    pub file: String,
    /// The symbols that this file asks for.
    pub symbols: Vec<String>,
}

/// A library that isn't inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// Its name, as the loader looks for it.
    pub library: String,
    /// Whether every system of this kind has it.
    pub usual: bool,
    /// The files that need it.
    pub files: Vec<String>,
}

/// A host, the API library, a plugin, or a library of plugins.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Product {
    /// `host`, `api-library`, `plugin`, `plugin-library`.
    pub kind: String,
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// A plugin's id, or the identity of a library.
    pub id: Option<String>,
    /// Its file.
    pub file: String,
}

/// A file in the bundle.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct File {
    /// Its path.
    pub path: String,
    /// Its size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// SHA-256 over its contents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Where it leads, where it is a symbolic link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// What there is to say of each file.
pub fn files(contents: &Contents) -> Vec<File> {
    let of = |(path, entry): (&String, &Entry)| match entry {
        Entry::File { bytes, .. } => File {
            path: path.clone(),
            size: Some(bytes.len() as u64),
            sha256: Some(hex(&sha256(bytes))),
            link: None,
        },
        Entry::Link(target) => {
            File { path: path.clone(), size: None, sha256: None, link: Some(target.clone()) }
        }
    };
    contents.entries().iter().map(of).collect()
}

/// Reads the description of a bundle of ours; none where it is something else, or of another format.
pub fn parse(bytes: &[u8]) -> Option<Description> {
    let description: Description = serde_json::from_slice(bytes).ok()?;
    (description.format == FORMAT && description.tool.starts_with(TOOL)).then_some(description)
}
