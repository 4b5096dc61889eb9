//! Private copies: temporary files that nobody else can write to between the check and the load.
//!
//! A file that is loaded can't be removed, so each process leaves its copies behind. They lie in a folder of the process,
//! beside which a file is open that is the process's alone; whoever makes copies next removes the folders whose file can
//! be taken.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What others may do with a file that is open here: read it.
const FILE_SHARE_READ: u32 = 1;
/// What others may do with a file that is open here.
const NOTHING: u32 = 0;

/// The folder of this process.
struct Own {
    folder: PathBuf,
    /// Says to other processes that this one lives.
    _lock: File,
}

static OWN: Mutex<Option<Own>> = Mutex::new(None);

/// A copy to be loaded. It is removed if that comes to nothing.
pub(super) struct Copy {
    path: PathBuf,
    /// Keeps others from writing to it.
    locked: Option<File>,
}

impl Copy {
    /// Copies the bytes into a file. A name that ends in `.dll` is kept whole, since libraries are found by their names;
    /// any other gets a number, so that nobody takes the plugin for a library of that name.
    pub(super) fn new(bytes: &[u8], name: &str) -> io::Result<Copy> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let folder = own_folder()?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = harmless(name);
        let path = if name.ends_with(".dll") {
            // In a folder of its own, where an earlier one that was not loaded is in nobody's way.
            let folder = folder.join(number.to_string());
            fs::create_dir(&folder)?;
            folder.join(name)
        } else {
            folder.join(format!("{name}-{number}.dll"))
        };
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).share_mode(FILE_SHARE_READ).open(&path)?;
        let mut copy = Copy { path, locked: None };
        file.write_all(bytes)?;
        drop(file);
        copy.locked = Some(locked(&copy.path, bytes)?);
        Ok(copy)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// It is loaded and stays; the system lets nobody write to it or remove it.
    pub(super) fn keep(mut self) {
        self.path = PathBuf::new();
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        self.locked = None;
        if !self.path.as_os_str().is_empty() {
            // Whoever makes copies next tries again.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A name that is one of a file, whatever a manifest says.
fn harmless(name: &str) -> String {
    let is_harmless = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.chars().take(100).map(|c| if is_harmless(c) { c } else { '_' }).collect()
}

/// The folder for the copies of this process.
fn own_folder() -> io::Result<PathBuf> {
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(own) = &*own {
        return Ok(own.folder.clone());
    }
    let parent = std::env::temp_dir().join("dynplug");
    fs::create_dir_all(&parent)?;
    remove_left(&parent);
    let name = format!("{}-{:016x}", std::process::id(), RandomState::new().hash_one(0));
    let folder = parent.join(&name);
    let mut options = OpenOptions::new();
    let lock = options.write(true).create_new(true).share_mode(NOTHING).open(folder.with_extension(LOCK))?;
    fs::create_dir(&folder)?;
    *own = Some(Own { folder: folder.clone(), _lock: lock });
    Ok(folder)
}

/// The ending of the file that a process has open beside its folder.
const LOCK: &str = "lock";

/// Removes what processes left behind that are no more. What can't be removed now is left to the next.
fn remove_left(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let lock = entry.path();
        if lock.extension().is_none_or(|ending| ending != LOCK) {
            continue;
        }
        // Nobody gets it as long as the process lives.
        let Ok(file) = OpenOptions::new().write(true).share_mode(NOTHING).open(&lock) else { continue };
        let folder = lock.with_extension("");
        let is_gone = match fs::remove_dir_all(&folder) {
            Ok(()) => true,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        drop(file);
        if is_gone {
            let _ = fs::remove_file(&lock);
        }
    }
}

/// Opens a file so that nobody can write to it or remove it, and makes sure that it holds these bytes.
pub(super) fn locked(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).share_mode(FILE_SHARE_READ).open(path)?;
    let changed = || io::Error::other("it has changed since it was read");
    if file.metadata()?.len() != bytes.len() as u64 {
        return Err(changed());
    }
    let mut rest = bytes;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) if rest.is_empty() => return Ok(file),
            Ok(read) if read > 0 => buffer.get(..read).unwrap_or_default(),
            Ok(_) => return Err(changed()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        rest = rest.strip_prefix(read).ok_or_else(changed)?;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn nobody_writes_to_a_copy_and_it_goes_when_it_is_not_kept() {
        let copy = Copy::new(b"bytes", "a plugin").unwrap();
        let path = copy.path().to_owned();
        assert!(path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("a_plugin-")));
        assert!(OpenOptions::new().write(true).open(&path).is_err());
        assert!(fs::remove_file(&path).is_err());
        drop(copy);
        assert!(!path.exists());
    }

    #[test]
    fn a_library_keeps_its_name() {
        let name = "common-0123456789abcdef.dll";
        let (first, second) = (Copy::new(b"a", name).unwrap(), Copy::new(b"b", name).unwrap());
        assert!(first.path().ends_with(name) && second.path().ends_with(name));
        assert_ne!(first.path(), second.path());
    }

    #[test]
    fn a_file_that_has_changed_is_told() {
        let path = std::env::temp_dir().join(format!("dynplug-locked-{}", std::process::id()));
        fs::write(&path, "two").unwrap();
        assert!(locked(&path, b"two").is_ok());
        for other in [&b"one"[..], b"three", b""] {
            assert!(locked(&path, other).is_err());
        }
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_other_processes_left_is_removed_and_what_they_use_is_not() {
        let parent = std::env::temp_dir().join(format!("dynplug-left-{}", std::process::id()));
        for name in ["left", "used"] {
            fs::create_dir_all(parent.join(name)).unwrap();
            fs::write(parent.join(name).join("copy.dll"), "").unwrap();
            fs::write(parent.join(name).with_extension(LOCK), "").unwrap();
        }
        let used = parent.join("used.lock");
        let lock = OpenOptions::new().write(true).share_mode(NOTHING).open(&used).unwrap();
        remove_left(&parent);
        assert!(!parent.join("left").exists() && !parent.join("left.lock").exists());
        assert!(parent.join("used").join("copy.dll").exists());
        drop(lock);
        remove_left(&parent);
        assert!(!parent.join("used").exists());
        fs::remove_dir_all(&parent).unwrap();
    }
}
