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
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    let mut text = String::new();
    for file in files {
        let bytes = std::fs::read(&file).doing(format_args!("read {}", file.display()))?;
        let name = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        text += &format!("{name} {}\n", hex(&sha256(&bytes)));
    }
    Ok(hex(&sha256(text.as_bytes())[..16]))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let skipped = name == "target" || name.to_string_lossy().starts_with('.');
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !skipped && !path.join("Cargo.toml").exists() => {
                collect(&path, files)
            }
            Ok(kind) if kind.is_file() && !skipped => files.push(path),
            _ => {}
        }
    }
}
