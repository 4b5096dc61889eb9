//! The SDK: what plugins are compiled against. A folder with the API library, the metadata of the shared crates,
//! the proc macros that they name, and a description.

use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files;
use crate::unit::Unit;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The description's file.
pub const DESCRIPTION: &str = "sdk.json";

/// An SDK's description.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Description {
    /// Format of this file.
    pub format: u32,
    /// Version of the tool that made it.
    pub tool: String,
    /// First line of what rustc says of its version.
    pub rustc: String,
    /// The target's triple.
    pub target: String,
    /// The API library.
    pub api: ApiLibrary,
    /// The shared crates, the API crate among them.
    pub crates: Vec<Unit>,
    /// The proc macros that the shared crates name.
    pub macros: Vec<Unit>,
}

/// The API library, as it is known after it was linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiLibrary {
    /// Package name.
    pub package: String,
    /// Package version.
    pub version: String,
    /// The crate's name.
    pub crate_name: String,
    /// By what name the system's loader knows it.
    pub soname: String,
    /// Its identity, as hexadecimal digits.
    pub identity: String,
    /// The library's file; in an SDK relative to the SDK's folder.
    pub file: PathBuf,
    /// Descriptions of the crates inside.
    pub crates: Vec<Unit>,
}

/// An SDK in a folder.
#[derive(Debug, Clone)]
pub struct Sdk {
    /// The folder.
    pub folder: PathBuf,
    /// What is in it.
    pub description: Description,
}

const FORMAT: u32 = 1;

impl Sdk {
    /// Reads the description in `folder`.
    ///
    /// # Errors
    /// When there is none, or it is damaged or of another format.
    pub fn open(folder: &Path) -> Result<Sdk> {
        let path = folder.join(DESCRIPTION);
        let bytes =
            std::fs::read(&path).doing(format_args!("read the SDK's description {}", path.display()))?;
        let damaged = |e: &dyn std::fmt::Display| {
            Diagnostic::error("damaged-sdk", format!("{} is damaged: {e}", path.display()))
        };
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = serde_json::from_slice(&bytes).map_err(|e| damaged(&e))?;
        if format != FORMAT {
            return Err(Diagnostic::error("sdk-format", "the SDK has another format")
                .note(format!("{}: have format {format}, want {FORMAT}", path.display()))
                .help(
                    "make it anew with this version of cargo-dynplug, or build with the version that made it",
                )
                .into());
        }
        let description = serde_json::from_slice(&bytes).map_err(|e| damaged(&e))?;
        Ok(Sdk { folder: folder.to_owned(), description })
    }

    /// Makes the SDK of an API library beneath `parent`, in a folder named for the identity. What is there already
    /// is kept where it is the same.
    ///
    /// # Errors
    /// When a file can't be read or written.
    pub fn make(library: &ApiLibrary, rustc: &str, target: &str, parent: &Path) -> Result<Sdk> {
        let folder = parent.join(&library.identity[..16.min(library.identity.len())]);
        for name in ["lib", "crates", "macros"] {
            files::make_folder(&folder.join(name))?;
        }
        let mut macros: Vec<Unit> = Vec::new();
        let mut crates = Vec::new();
        for unit in &library.crates {
            for file in &unit.externs {
                let Some(found) = Unit::beside(file)?.filter(|u| u.proc_macro) else { continue };
                if !macros.iter().any(|m| m.file == found.file) {
                    macros.push(found);
                }
            }
            // The API crate is found through its library; nothing needs its metadata a second time.
            let is_api = unit.crate_name == library.crate_name && unit.package == library.package;
            crates.push(if is_api {
                described(unit, &folder, PathBuf::from("lib").join(&library.soname))?
            } else {
                placed(unit, &folder, "crates")?
            });
        }
        let macros = macros.iter().map(|m| placed(m, &folder, "macros")).collect::<Result<Vec<_>>>()?;
        let file = PathBuf::from("lib").join(&library.soname);
        files::copy_if_changed(&library.file, &folder.join(&file))?;
        let description = Description {
            format: FORMAT,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            rustc: rustc.to_owned(),
            target: target.to_owned(),
            api: ApiLibrary { file, crates: Vec::new(), ..library.clone() },
            crates,
            macros,
        };
        let json = serde_json::to_vec_pretty(&description).doing("write the SDK's description")?;
        files::write_whole(&folder.join(DESCRIPTION), &json)?;
        Ok(Sdk { folder, description })
    }

    /// The API library's file.
    pub fn library(&self) -> PathBuf {
        self.folder.join(&self.description.api.file)
    }

    /// The shared crate or proc macro that stands for this one, whatever its features.
    pub fn find(&self, wanted: &Unit) -> Option<&Unit> {
        let list = if wanted.proc_macro { &self.description.macros } else { &self.description.crates };
        list.iter().find(|u| {
            u.crate_name == wanted.crate_name
                && u.package == wanted.package
                && u.version == wanted.version
                && u.source == wanted.source
        })
    }

    /// Where the SDK has the file of a crate.
    pub fn file(&self, unit: &Unit) -> PathBuf {
        self.folder.join(&unit.file)
    }
}

/// Puts a crate's file into the SDK and describes it there.
fn placed(unit: &Unit, folder: &Path, below: &str) -> Result<Unit> {
    let name = unit.file.file_name().unwrap_or_default();
    let file = Path::new(below).join(name);
    let to = folder.join(&file);
    // The identity says that what is there means the same, not that it is: the metadata moves with a comment.
    files::copy_if_changed(&unit.file, &to)?;
    described(unit, folder, file)
}

/// Writes a crate's description beside its file in the SDK, so that those who are given the file can tell what it is.
fn described(unit: &Unit, folder: &Path, file: PathBuf) -> Result<Unit> {
    let unit = Unit { externs: Vec::new(), file, ..unit.clone() };
    unit.write(&[Unit::place_beside(&folder.join(&unit.file)).unwrap_or_default()])?;
    Ok(unit)
}
