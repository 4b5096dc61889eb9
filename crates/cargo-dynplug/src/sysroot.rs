//! Views of the toolchain's sysroot, as folders of links, in which std can only be linked statically, so that it goes, whole,
//! into the API library.
//!
//! There are three: with the toolchain's own std, without the shared one; with none, for builds in which std is compiled like
//! any crate; and with the std of an SDK whose API library was built in that way.

use crate::diagnostic::{Doing, Result};
use crate::files;
use crate::sdk::Sdk;
use std::path::{Path, PathBuf};

/// The toolchain that is viewed.
#[derive(Debug, Clone, Copy)]
pub struct Toolchain<'a> {
    /// Its sysroot.
    pub sysroot: &'a Path,
    /// The triple of the machine that compiles.
    pub host: &'a str,
    /// The triple that is compiled for.
    pub target: &'a str,
    /// First line of what rustc says of its version.
    pub version: &'a str,
}

impl Toolchain<'_> {
    /// The folder with the libraries of the target, below a sysroot.
    fn libraries(&self) -> PathBuf {
        Path::new("lib").join("rustlib").join(self.target).join("lib")
    }

    /// Whether it has a std for the target.
    pub fn has_std(&self) -> bool {
        let entries = std::fs::read_dir(self.sysroot.join(self.libraries()));
        entries.into_iter().flatten().flatten().any(|e| is_crate(&e.path()))
    }

    /// Makes a view beneath `folder`, with the toolchain's std or without any, and returns its path.
    ///
    /// # Errors
    /// When the sysroot can't be read or a link can't be made.
    pub fn view(&self, with_std: bool, folder: &Path) -> Result<PathBuf> {
        self.make(folder, if with_std { "" } else { "without std" }, |path| with_std || !is_crate(path))
    }

    /// Makes a view with the std that an SDK's API library was built with, and returns its path.
    ///
    /// # Errors
    /// When the sysroot can't be read or a link can't be made.
    pub fn view_of(&self, sdk: &Sdk, folder: &Path) -> Result<PathBuf> {
        let view = self.make(folder, &sdk.folder.display().to_string(), |path| !is_crate(path))?;
        for unit in sdk.std() {
            for file in sdk.files(unit) {
                let to = view.join(self.libraries()).join(file.file_name().unwrap_or_default());
                files::link(&file, &to)?;
            }
        }
        Ok(view)
    }

    fn make(&self, folder: &Path, kind: &str, wanted: impl Fn(&Path) -> bool) -> Result<PathBuf> {
        let Toolchain { sysroot, host, target, version } = self;
        // One for each compiler: an update in place changes the version, another toolchain the path.
        let key = format!("{}\n{target}\n{version}\n{kind}", sysroot.display());
        let key = files::hex(&files::sha256(key.as_bytes())[..8]);
        let view = folder.join(format!("sysroot-{key}"));
        let libraries = view.join(self.libraries());
        files::make_folder(&libraries)?;
        let from = sysroot.join(self.libraries());
        // A toolchain that has nothing for the target may compile std for it.
        let entries = match std::fs::read_dir(&from) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            entries => Some(entries.doing(format_args!("read the sysroot {}", from.display()))?),
        };
        for entry in entries.into_iter().flatten() {
            let path = entry.doing(format_args!("read the sysroot {}", from.display()))?.path();
            if !is_shared(&path) && wanted(&path) {
                files::link(&path, &libraries.join(path.file_name().unwrap_or_default()))?;
            }
        }
        let rustlib = Path::new("lib").join("rustlib");
        // The linker that the toolchain brings, and std's source for messages that quote it.
        for other in [rustlib.join(host).join("bin"), rustlib.join("src")] {
            let from = sysroot.join(&other);
            if from.is_dir() {
                let to = view.join(&other);
                files::make_folder(to.parent().unwrap_or(&view))?;
                files::link(&from, &to)?;
            }
        }
        Ok(view)
    }
}

/// Whether a file is a Rust crate.
fn is_crate(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "rlib" || e == "rmeta")
}

/// Whether a file is a shared library, or what is linked in its stead.
fn is_shared(path: &Path) -> bool {
    let shared = path.extension().is_some_and(|e| e == "so" || e == "dylib" || e == "dll");
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    shared || name.ends_with(".dll.lib") || name.ends_with(".dll.a")
}
