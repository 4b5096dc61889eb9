//! Marks for what was left out of a plugin's build. cargo takes what one plugin's build left out for done, though
//! another plugin of the workspace may need it; it looks again when the mark that the stub names is gone.

use crate::diagnostic::{Doing, Result};
use crate::files;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Marks the package in `package_dir` as left out, and returns the mark.
///
/// # Errors
/// When the mark can't be made.
pub(super) fn mark(folder: &Path, package_dir: &Path) -> Result<PathBuf> {
    let mark = place(folder, package_dir);
    if !mark.exists() {
        // Older than any compilation, whoever else makes it at the same time.
        let file = tempfile::NamedTempFile::new_in(folder).doing(format_args!("write {}", mark.display()))?;
        let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        file.as_file().set_modified(old).doing(format_args!("date {}", mark.display()))?;
        file.persist(&mark).doing(format_args!("write {}", mark.display()))?;
    }
    Ok(mark)
}

/// Lets cargo look again at what was left out of the package in `package_dir`.
///
/// # Errors
/// When the mark is there and can't be removed.
pub fn forget(folder: &Path, package_dir: &Path) -> Result<()> {
    let mark = place(folder, package_dir);
    match std::fs::remove_file(&mark) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).doing(format_args!("remove {}", mark.display()))
        }
        _ => Ok(()),
    }
}

fn place(folder: &Path, package_dir: &Path) -> PathBuf {
    let hash = files::sha256(package_dir.as_os_str().as_encoded_bytes());
    folder.join(files::hex(&hash[..16]))
}
