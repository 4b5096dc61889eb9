//! Files that are whole or not there, and folders of links.

use crate::diagnostic::{Doing, Result};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

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

/// Locks a folder against other runs of this program, until the file that is returned is dropped.
///
/// # Errors
/// When the lock can't be made.
pub fn lock(folder: &Path, quiet: bool) -> Result<std::fs::File> {
    let path = folder.join(".lock");
    let file = std::fs::File::create(&path).doing(format_args!("make {}", path.display()))?;
    if file.try_lock().is_err() {
        if !quiet {
            crate::terminal::status(
                "Blocking",
                &format!("waiting for another build in {}", folder.display()),
            );
        }
        file.lock().doing(format_args!("lock {}", path.display()))?;
    }
    Ok(file)
}

/// The SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The SHA-256 of a folder: of the names and contents of all files in it.
///
/// # Errors
/// When something can't be read.
pub fn digest_of_tree(folder: &Path) -> Result<[u8; 32]> {
    let mut digest = Sha256::new();
    let what = format!("read the folder {}", folder.display());
    let entries = std::fs::read_dir(folder).doing(&what)?;
    let mut names = entries
        .map(|entry| entry.map(|e| e.file_name()))
        .collect::<std::io::Result<Vec<_>>>()
        .doing(&what)?;
    names.sort();
    for name in names {
        let path = folder.join(&name);
        let (kind, inner) = match path.is_dir() {
            true => (b'd', digest_of_tree(&path)?),
            false => (b'f', sha256(&std::fs::read(&path).doing(format_args!("read {}", path.display()))?)),
        };
        // Of equal length each, so that no two folders are told by the same bytes.
        digest.update(sha256(name.as_encoded_bytes()));
        digest.update([kind]);
        digest.update(inner);
    }
    Ok(digest.finalize().into())
}

/// Tells a file that was put somewhere from another that somebody has put in its place.
pub type Stamp = (u64, Option<SystemTime>);

/// Size and time of the last write of a file that is there; of a link its own.
pub fn stamp(file: &Path) -> Option<Stamp> {
    let metadata = file.symlink_metadata().ok()?;
    Some((metadata.len(), metadata.modified().ok()))
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

/// Lets `link` stand for the folder `target`, in place of what is there.
///
/// # Errors
/// When that can't be done.
pub fn link_folder(target: &Path, link: &Path) -> Result<()> {
    #[cfg(unix)]
    return self::link(target, link);
    // Links to folders want a privilege on Windows.
    #[cfg(not(unix))]
    copy_tree(target, link)
}

/// Links `link` to `target`, replacing what was there. Others may do the same at the same time.
///
/// # Errors
/// When the link can't be made.
pub fn link(target: &Path, link: &Path) -> Result<()> {
    if std::fs::read_link(link).is_ok_and(|old| old == target) {
        return Ok(());
    }
    let what = format!("link {} to {}", link.display(), target.display());
    let make = |path: &Path| {
        #[cfg(unix)]
        return std::os::unix::fs::symlink(target, path);
        // Symbolic links want a privilege on Windows; a hard link or a copy does as well.
        #[cfg(not(unix))]
        return std::fs::hard_link(target, path).or_else(|_| std::fs::copy(target, path).map(drop));
    };
    let made =
        tempfile::Builder::new().make_in(link.parent().unwrap_or(Path::new(".")), make).doing(&what)?;
    made.into_temp_path().persist(link).doing(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_builds_at_once_make_the_same_links() {
        let folder = tempfile::tempdir().unwrap();
        let (target, at) = (folder.path().join("target"), folder.path().join("link"));
        std::fs::write(&target, "x").unwrap();
        for round in 0..50 {
            std::thread::scope(|scope| {
                let tries: Vec<_> = (0..8).map(|_| scope.spawn(|| link(&target, &at))).collect();
                for one in tries {
                    one.join().unwrap().unwrap_or_else(|e| panic!("round {round}: {e}"));
                }
            });
            std::fs::remove_file(&at).unwrap();
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_way_from_one_folder_to_another_goes_up_and_down() {
        let way = |from: &str, to: &str| relative(Path::new(from), Path::new(to));
        assert_eq!(way("/a/b/c", "/a/d"), Path::new("../../d"));
        assert_eq!(way("/a", "/a/b"), Path::new("b"));
        assert_eq!(way("/a/b", "/c"), Path::new("../../c"));
    }
}
