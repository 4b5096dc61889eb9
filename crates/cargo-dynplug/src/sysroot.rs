//! A view of the toolchain's sysroot in which std can only be linked statically, so that it goes, whole, into the API
//! library: a folder of links without the shared std.

use crate::diagnostic::{Doing, Result};
use crate::files;
use std::path::{Path, PathBuf};

/// Makes the view beneath `folder` and returns its path.
///
/// # Errors
/// When the sysroot can't be read or a link can't be made.
pub fn view(sysroot: &Path, target: &str, host: &str, version: &str, folder: &Path) -> Result<PathBuf> {
    // One for each compiler: an update in place changes the version, another toolchain the path.
    let key =
        files::hex(&files::sha256(format!("{}\n{target}\n{version}", sysroot.display()).as_bytes())[..8]);
    let view = folder.join(format!("sysroot-{key}"));
    let rustlib = Path::new("lib").join("rustlib");
    let libraries = rustlib.join(target).join("lib");
    files::make_folder(&view.join(&libraries))?;
    let from = sysroot.join(&libraries);
    let entries = std::fs::read_dir(&from).doing(format_args!("read the sysroot {}", from.display()))?;
    for entry in entries {
        let entry = entry.doing(format_args!("read the sysroot {}", from.display()))?;
        let path = entry.path();
        let shared = path.extension().is_some_and(|e| e == "so" || e == "dylib" || e == "dll");
        let import = entry.file_name().to_string_lossy().ends_with(".dll.lib");
        if !shared && !import {
            files::link(&path, &view.join(&libraries).join(entry.file_name()))?;
        }
    }
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
