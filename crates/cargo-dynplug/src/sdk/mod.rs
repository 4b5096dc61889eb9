//! The SDK: what plugins are compiled against. A folder with the API library, the metadata of the shared crates, the
//! proc macros that they name, what their build scripts told others, and a description; for people elsewhere also with
//! the API crate's sources and lock file, packed into one file.

pub mod archive;
pub mod links;
pub mod locate;
mod make;
pub mod naming;
pub mod packages;
pub mod readme;

use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::unit::Unit;
use links::Script;
pub use make::Making;
pub use packages::SourcePackage;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The description's file.
pub const DESCRIPTION: &str = "sdk.json";
/// The lock file: the versions of everything below the API crate.
pub const LOCK: &str = "Cargo.lock";

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
    /// The name of cargo's profile.
    pub profile: String,
    /// The API library.
    pub api: ApiLibrary,
    /// The shared crates, the API crate among them.
    pub crates: Vec<Unit>,
    /// Crates of the std that is in the API library which aren't there themselves; none where that is the toolchain's.
    #[serde(default)]
    pub std: Vec<Unit>,
    /// The proc macros that the shared crates name.
    pub macros: Vec<Unit>,
    /// What build scripts of shared crates told those of their dependents.
    pub scripts: Vec<Script>,
    /// The packages whose sources are in the SDK; none in one that never leaves its workspace.
    pub packages: Vec<SourcePackage>,
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
    /// By what path it was found, where it came from elsewhere.
    pub named: Option<PathBuf>,
    /// Whether nothing but the command line names it, so that the next command has to be told again.
    pub by_option: bool,
    /// Libraries that plugins share among themselves, in the same form: each built on this SDK, and on those before it.
    pub libraries: Vec<Sdk>,
    /// Whether it is such a library itself.
    pub of_plugins: bool,
}

/// A crate that an SDK stands for.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// The crate.
    pub unit: &'a Unit,
    /// The SDK, or the library above it, that has the crate.
    pub sdk: &'a Sdk,
}

const FORMAT: u32 = 2;

impl Sdk {
    /// Reads the description in `folder`.
    ///
    /// # Errors
    /// When there is none, or it is damaged or of another format.
    pub fn open(folder: &Path) -> Result<Sdk> {
        let path = folder.join(DESCRIPTION);
        let bytes =
            std::fs::read(&path).doing(format_args!("read the SDK's description {}", path.display()))?;
        let description = Description::parse(&bytes, &path)?;
        Ok(Sdk {
            folder: folder.to_owned(),
            description,
            named: None,
            by_option: false,
            libraries: Vec::new(),
            of_plugins: false,
        })
    }

    /// Reads the description in `folder`, and those of the libraries above it in theirs.
    ///
    /// # Errors
    /// As for [`Sdk::open`].
    pub fn open_with(folder: &Path, libraries: &[PathBuf]) -> Result<Sdk> {
        let open = |folder: &PathBuf| Ok(Sdk { of_plugins: true, ..Sdk::open(folder)? });
        Ok(Sdk { libraries: libraries.iter().map(open).collect::<Result<_>>()?, ..Sdk::open(folder)? })
    }

    /// The SDK itself, and the libraries above it.
    pub fn layers(&self) -> impl Iterator<Item = &Sdk> {
        std::iter::once(self).chain(&self.libraries)
    }

    /// Whether it came from elsewhere: then it has the sources that the host's own workspace would have.
    pub fn is_external(&self) -> bool {
        self.named.is_some() || !self.description.packages.is_empty()
    }

    /// The API library's file.
    pub fn library(&self) -> PathBuf {
        self.folder.join(&self.description.api.file)
    }

    /// The shared crate or proc macro that stands for this one, whatever its features.
    pub fn find(&self, wanted: &Unit) -> Option<Held<'_>> {
        let is_it = |u: &&Unit| {
            u.crate_name == wanted.crate_name
                && u.package == wanted.package
                && u.version == wanted.version
                && u.source == wanted.source
        };
        self.layers().find_map(|sdk| {
            let std = sdk.description.std.iter().filter(|_| !wanted.proc_macro);
            sdk.list(wanted.proc_macro).iter().chain(std).find(is_it).map(|unit| Held { unit, sdk })
        })
    }

    /// The crates of a std that was compiled with the API library.
    pub fn std(&self) -> impl Iterator<Item = &Unit> {
        self.description.crates.iter().chain(&self.description.std).filter(|u| u.is_of_std())
    }

    /// Whether std was compiled with the API library, and is not the toolchain's.
    pub fn has_std(&self) -> bool {
        self.std().next().is_some()
    }

    /// Its crates, or its proc macros.
    pub fn list(&self, macros: bool) -> &[Unit] {
        if macros { &self.description.macros } else { &self.description.crates }
    }

    /// The package whose source is in the SDK.
    pub fn source_package(&self, name: &str, version: &str) -> Option<&SourcePackage> {
        self.description.packages.iter().find(|p| p.name == name && p.version == version)
    }

    /// Where the SDK has the file of a crate.
    pub fn file(&self, unit: &Unit) -> PathBuf {
        self.folder.join(&unit.file)
    }

    /// All files that the SDK has of a crate.
    pub fn files(&self, unit: &Unit) -> Vec<PathBuf> {
        let file = self.file(unit);
        let library = file.with_extension("rlib");
        let also = Some(library).filter(|library| *library != file && library.is_file());
        std::iter::once(file).chain(also).collect()
    }
}

impl Held<'_> {
    /// Where the crate's file is.
    pub fn file(&self) -> PathBuf {
        self.sdk.file(self.unit)
    }
}

impl Description {
    /// Reads what `path` holds.
    ///
    /// # Errors
    /// When it is damaged or of another format.
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Description> {
        let damaged = |e: &dyn std::fmt::Display| {
            Diagnostic::error("damaged-sdk", format!("{} is damaged: {e}", path.display()))
        };
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = serde_json::from_slice(bytes).map_err(|e| damaged(&e))?;
        if format != FORMAT {
            return Err(Diagnostic::error("sdk-format", "the SDK has another format")
                .note(format!("{}: have format {format}, want {FORMAT}", path.display()))
                .help(
                    "make it anew with this version of cargo-dynplug, or build with the version that made it",
                )
                .into());
        }
        Ok(serde_json::from_slice(bytes).map_err(|e| damaged(&e))?)
    }
}
