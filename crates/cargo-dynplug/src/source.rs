//! The source files of a package, as one hash.

use crate::diagnostic::{Doing, Result};
use crate::files::{hex, sha256};
use std::path::{Path, PathBuf};

/// A hash over the names and contents of the files beneath a folder, as hexadecimal digits. Other packages and what was
/// built there are left out: a crate's root may lie beside its Cargo.toml.
///
/// # Errors
/// When a file can't be read.
pub fn hash(folder: &Path) -> Result<String> {
    let mut text = String::new();
    for file in files(folder)? {
        let bytes = std::fs::read(&file).doing(format_args!("read {}", file.display()))?;
        let name = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        text += &format!("{name} {}\n", hex(&sha256(&bytes)));
    }
    Ok(hex(&sha256(text.as_bytes())[..16]))
}

/// The files beneath a package's folder, sorted.
///
/// # Errors
/// When a folder can't be read.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    collect(folder, true, &mut files)?;
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, top: bool, files: &mut Vec<PathBuf>) -> Result<()> {
    let what = format!("read the folder {}", folder.display());
    for entry in std::fs::read_dir(folder).doing(&what)? {
        let entry = entry.doing(&what)?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        // What cargo makes, and what versioning and editors keep.
        let skipped = name.starts_with('.') || (top && name == "target");
        // Through links: what they lead to is compiled.
        let Ok(metadata) = path.metadata() else { continue };
        if skipped || (metadata.is_dir() && path.join("Cargo.toml").exists()) {
            continue;
        }
        if metadata.is_file() {
            files.push(path);
        } else if metadata.is_dir() && !entry.file_type().is_ok_and(|t| t.is_symlink()) {
            collect(&path, false, files)?;
        }
    }
    Ok(())
}
