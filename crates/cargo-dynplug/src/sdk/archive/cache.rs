//! Unpacked archives, in a folder for each, named for what the archive holds. Several programs may look for one at once.

use super::reading::{Unpacking, read_archive};
use super::{LIMITS, Limits, STAMP};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files::{self, hex, sha256};
use etcetera::BaseStrategy;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// How the folders of attempts that aren't complete are called.
pub(super) const ATTEMPT: &str = "unpacking-";
/// One attempt at a time: whoever holds this file knows that the other attempts are dead.
pub(super) const LOCK: &str = "lock";

/// The folder beneath `cache` with what is in the SDK's archive `file`: unpacked now, unless it was before.
///
/// # Errors
/// When `file` is no SDK, is damaged or of another format, or the cache can't be written.
pub fn unpack(file: &Path, cache: &Path) -> Result<PathBuf> {
    unpack_within(file, cache, &LIMITS)
}

pub(super) fn unpack_within(file: &Path, cache: &Path, limits: &Limits) -> Result<PathBuf> {
    let bytes = read_archive(file, limits)?;
    let digest = hex(&sha256(&bytes));
    let folder = cache.join(&digest[..32]);
    if is_complete(&folder, &digest) {
        return Ok(folder);
    }
    files::make_folder(cache)?;
    let _lock = lock(cache)?;
    if is_complete(&folder, &digest) {
        return Ok(folder);
    }
    let what = format!("unpack {} into {}", file.display(), cache.display());
    let attempt = new_attempt(cache).doing(&what)?;
    let proven =
        Unpacking::into(Some(attempt.path()), limits).all(&bytes).map_err(|e| e.told(file, &what))?;
    std::fs::write(attempt.path().join(STAMP), stamp(&digest, &proven.lengths)).doing(&what)?;
    // What is there isn't complete, or it would have been returned: something took files away.
    remove(&folder).doing(format_args!("remove {}", folder.display()))?;
    match std::fs::rename(attempt.path(), &folder) {
        Ok(()) => drop(attempt.keep()),
        // Where files can't be locked, another process may have been faster.
        Err(_) if is_complete(&folder, &digest) => {}
        Err(e) => return Err(e).doing(&what),
    }
    Ok(folder)
}

/// Waits until no other process unpacks into this cache, and removes what attempts left that came to nothing. None
/// where the file system has no locks.
fn lock(cache: &Path) -> Result<Option<File>> {
    let path = cache.join(LOCK);
    let what = format!("lock {}", path.display());
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).doing(&what)?;
    match file.lock() {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::Unsupported => return Ok(None),
        Err(e) => return Err(e).doing(&what),
    }
    for entry in std::fs::read_dir(cache).doing(&what)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(ATTEMPT) {
            // One that can't be removed is in nobody's way.
            let _ = remove(&entry.path());
        }
    }
    Ok(Some(file))
}

fn new_attempt(cache: &Path) -> io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(ATTEMPT);
    // A cache may be shared, as far as the user's umask allows.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    builder.tempdir_in(cache)
}

/// Removes what is there, if anything is.
fn remove(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(_) => Ok(()),
    }
}

fn stamp(digest: &str, lengths: &BTreeMap<String, u64>) -> String {
    let lines: String = lengths.iter().map(|(name, length)| format!("{length} {name}\n")).collect();
    format!("{digest}\n{lines}")
}

/// Whether a folder has all of an archive. Files are looked at, not read: caches lose files, since there are programs
/// that clean them of what is old.
fn is_complete(folder: &Path, digest: &str) -> bool {
    let Ok(text) = std::fs::read_to_string(folder.join(STAMP)) else { return false };
    let mut lines = text.lines();
    let is_whole = |line: &str| {
        let Some((length, name)) = line.split_once(' ') else { return false };
        let Ok(found) = folder.join(name).symlink_metadata() else { return false };
        found.is_file() && length.parse() == Ok(found.len())
    };
    lines.next() == Some(digest) && lines.all(is_whole)
}

/// The folder where unpacked SDKs are kept: `$DYNPLUG_CACHE`, or the system's place for what can be had again.
///
/// # Errors
/// When the user has no home.
pub fn cache_folder() -> Result<PathBuf> {
    let named = std::env::var_os("DYNPLUG_CACHE").filter(|v| !v.is_empty());
    if let Some(named) = named {
        return std::path::absolute(named).doing("find the folder that DYNPLUG_CACHE names");
    }
    let system = etcetera::base_strategy::choose_native_strategy().map_err(|e| {
        Diagnostic::error("system", "could not find the folder for caches")
            .note(e.to_string())
            .help("name a folder in the environment variable DYNPLUG_CACHE")
    })?;
    Ok(system.cache_dir().join("dynplug").join("sdk"))
}
