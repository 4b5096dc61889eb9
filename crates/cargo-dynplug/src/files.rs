//! Files that are whole or not there, and folders of links.

use crate::diagnostic::{Doing, Result};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Component, Path, PathBuf};

/// Writes `bytes` to `path` so that nobody ever sees half of them. Leaves the file alone when it holds them already.
///
/// # Errors
/// When the folder isn't there or can't be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let what = format!("write {}", path.display());
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).doing(&what)?;
    file.write_all(bytes).doing(&what)?;
    open_to_others(file.path(), 0o644);
    file.persist(path).doing(&what)?;
    Ok(())
}

/// Copies `from` to `to`, whole or not at all, keeping its permissions.
///
/// # Errors
/// When either can't be reached.
pub fn copy_whole(from: &Path, to: &Path) -> Result<()> {
    let what = format!("copy {} to {}", from.display(), to.display());
    let folder = to.parent().unwrap_or(Path::new("."));
    let file = tempfile::NamedTempFile::new_in(folder).doing(&what)?;
    std::fs::copy(from, file.path()).doing(&what)?;
    file.persist(to).doing(&what)?;
    Ok(())
}

/// Copies unless `to` has the same bytes. Says whether it did.
///
/// # Errors
/// When either can't be reached.
pub fn copy_if_changed(from: &Path, to: &Path) -> Result<bool> {
    let same_length = matches!((from.metadata(), to.metadata()), (Ok(a), Ok(b)) if a.len() == b.len());
    if same_length && std::fs::read(from).ok() == std::fs::read(to).ok() {
        return Ok(false);
    }
    copy_whole(from, to)?;
    Ok(true)
}

/// Copies a folder with all that is in it. Links are followed.
///
/// # Errors
/// When something can't be read or written.
pub fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    make_folder(to)?;
    let what = format!("read the folder {}", from.display());
    for entry in std::fs::read_dir(from).doing(&what)? {
        let entry = entry.doing(&what)?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_tree(&from, &to)?;
        } else {
            std::fs::copy(&from, &to).doing(format_args!("copy {} to {}", from.display(), to.display()))?;
        }
    }
    Ok(())
}

/// Makes a folder and those above it.
///
/// # Errors
/// When that fails.
pub fn make_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).doing(format_args!("make the folder {}", path.display()))
}

/// The way from the folder `from` to `to`, both absolute.
pub fn relative(from: &Path, to: &Path) -> PathBuf {
    let same = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(same).map(|_| Component::ParentDir);
    up.chain(to.components().skip(same)).collect()
}

/// The SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Sets the permissions of a file that was made for its owner only.
#[cfg(unix)]
pub fn open_to_others(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    // A file that stays private is only an inconvenience to other users, so a failure is none of the build.
    let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
}

/// Sets the permissions of a file that was made for its owner only.
#[cfg(not(unix))]
pub fn open_to_others(_path: &Path, _mode: u32) {}

/// Links `link` to `target`, replacing what was there.
///
/// # Errors
/// When the link can't be made.
pub fn link(target: &Path, link: &Path) -> Result<()> {
    if std::fs::read_link(link).is_ok_and(|old| old == target) {
        return Ok(());
    }
    let _ = std::fs::remove_file(link);
    #[cfg(unix)]
    let done = std::os::unix::fs::symlink(target, link);
    // Symbolic links want a privilege on Windows; a hard link or a copy does as well.
    #[cfg(not(unix))]
    let done = std::fs::hard_link(target, link).or_else(|_| std::fs::copy(target, link).map(drop));
    done.doing(format_args!("link {} to {}", link.display(), target.display()))
}
