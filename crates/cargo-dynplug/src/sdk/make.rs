//! Making an SDK of what a build has made: of an API library, or of a library that plugins share among themselves.

use super::links::Script;
use super::{ApiLibrary, DESCRIPTION, Description, FORMAT, Sdk};
use crate::diagnostic::{Doing, Result};
use crate::files;
use crate::strip::{self, Level};
use crate::unit::Unit;
use std::path::{Path, PathBuf};

/// What an SDK is made of.
pub struct Making<'a> {
    /// The API library, as the linker described it.
    pub library: &'a ApiLibrary,
    /// First line of what rustc says of its version.
    pub rustc: &'a str,
    /// The target's triple.
    pub target: &'a str,
    /// The name of cargo's profile.
    pub profile: &'a str,
    /// What the build scripts said, and the folders with what they speak of.
    pub scripts: &'a [(Script, PathBuf)],
}

impl Making<'_> {
    /// Makes the SDK beneath `parent`, in a folder named for the identity. What is there already is kept where it is the
    /// same.
    ///
    /// # Errors
    /// When a file can't be read or written.
    pub fn make(&self, parent: &Path) -> Result<Sdk> {
        let library = self.library;
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
                placed(unit, &folder, "crates", true)?
            });
        }
        let std = (library.crates.iter().filter(|u| u.crate_name == library.crate_name))
            .map(|api| std_beside(api, &library.crates))
            .collect::<Result<Vec<_>>>()?;
        let mut std =
            std.iter().flatten().map(|u| placed(u, &folder, "crates", false)).collect::<Result<Vec<_>>>()?;
        let mut macros =
            macros.iter().map(|m| placed(m, &folder, "macros", true)).collect::<Result<Vec<_>>>()?;
        // In an order that is the same however the linker was given them.
        for list in [&mut crates, &mut std, &mut macros] {
            list.sort_by(|a, b| (&a.package, &a.version, &a.id).cmp(&(&b.package, &b.version, &b.id)));
        }
        let file = PathBuf::from("lib").join(&library.soname);
        files::copy_if_changed(&library.file, &folder.join(&file))?;
        // Microsoft's linker links with this in the library's place.
        let beside = |file: &Path| {
            let mut name = file.as_os_str().to_owned();
            name.push(".lib");
            PathBuf::from(name)
        };
        let import = beside(&library.file);
        if import.is_file() {
            files::copy_if_changed(&import, &beside(&folder.join(&file)))?;
        }
        let mut scripts = Vec::new();
        for (script, out) in self.scripts {
            let is_shared = |u: &Unit| {
                u.package == script.package && u.version == script.version && u.source == script.source
            };
            if crates.iter().any(is_shared) {
                script.place(out, &folder)?;
                scripts.push(script.clone());
            }
        }
        let description = Description {
            format: FORMAT,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            rustc: self.rustc.to_owned(),
            target: self.target.to_owned(),
            profile: self.profile.to_owned(),
            api: ApiLibrary { file, crates: Vec::new(), ..library.clone() },
            crates,
            std,
            macros,
            scripts,
            packages: Vec::new(),
        };
        let (named, libraries) = (None, Vec::new());
        let sdk = Sdk { folder, description, named, by_option: false, libraries, of_plugins: false };
        sdk.write_description()?;
        Ok(sdk)
    }
}

impl Sdk {
    /// Writes the description into the folder.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write_description(&self) -> Result<()> {
        let json = serde_json::to_vec_pretty(&self.description).doing("write the SDK's description")?;
        files::write_whole(&self.folder.join(DESCRIPTION), &json)
    }
}

impl Sdk {
    /// Leaves out of the libraries what only debuggers read. What is known of them stays what it was: it is about what was
    /// compiled.
    ///
    /// # Errors
    /// When a file can't be read or written.
    pub fn strip(&self) -> Result<()> {
        let macros = self.description.macros.iter().map(|m| self.file(m));
        for path in macros.chain([self.library()]) {
            let bytes = std::fs::read(&path).doing(format_args!("read {}", path.display()))?;
            // Of a format that this isn't done for, they stay as they are.
            if let Ok(apart) = strip::apart(&bytes, Level::Symbols, None) {
                files::write_whole(&path, &apart.file)?;
            }
        }
        Ok(())
    }
}

/// The crate of std with what the processor can't do by itself. rustc links it into everything.
const LINKED_EVERYWHERE: &str = "compiler_builtins";

/// The crates of std that `api` was given and that are not in its library: the one for proc macros, say.
fn std_beside(api: &Unit, linked: &[Unit]) -> Result<Vec<Unit>> {
    let mut found: Vec<Unit> = Vec::new();
    let mut files = api.externs.clone();
    while let Some(file) = files.pop() {
        let Some(unit) = Unit::beside(&file)?.filter(Unit::is_of_std) else { continue };
        if !linked.iter().chain(&found).any(|known| known.id == unit.id) {
            files.extend(unit.externs.iter().cloned());
            found.push(unit);
        }
    }
    Ok(found)
}

/// Puts a crate's file into the SDK and describes it there.
fn placed(unit: &Unit, folder: &Path, below: &str, in_library: bool) -> Result<Unit> {
    let name = unit.file.file_name().unwrap_or_default();
    let file = Path::new(below).join(name);
    let to = folder.join(&file);
    // The identity says that what is there means the same, not that it is: the metadata moves with a comment.
    files::copy_if_changed(&unit.file, &to)?;
    // Whatever is linked takes its own copy of this one, also where a library has it.
    let linked = unit.is_of_std() && (LINKED_EVERYWHERE == unit.crate_name || !in_library);
    let library = unit.file.with_extension("rlib");
    if linked && library != unit.file {
        files::copy_if_changed(&library, &to.with_extension("rlib"))?;
    }
    described(unit, folder, file)
}

/// Writes a crate's description beside its file in the SDK, so that those who are given the file can tell what it is.
fn described(unit: &Unit, folder: &Path, file: PathBuf) -> Result<Unit> {
    let unit = Unit { externs: Vec::new(), file, ..unit.clone() };
    unit.write(&[Unit::place_beside(&folder.join(&unit.file)).unwrap_or_default()])?;
    Ok(unit)
}
