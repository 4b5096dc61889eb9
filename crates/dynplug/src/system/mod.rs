//! The system's loader and files: one small module for each system behind a front that is the same for all.

#[cfg(target_os = "linux")]
mod copy;
#[cfg(target_os = "linux")]
pub(crate) use copy::Sealed;
#[cfg(all(feature = "process", target_os = "linux"))]
pub(crate) use copy::sealed_copy;
#[cfg(all(feature = "process", target_os = "linux"))]
pub(crate) use elf::own_path;
#[cfg(all(feature = "trust", target_os = "linux"))]
mod processors;
#[cfg(all(feature = "trust", target_os = "linux"))]
pub(crate) use processors::run_elsewhere;
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
mod elf;
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
mod libraries;
#[cfg(all(feature = "trust", any(target_os = "linux", target_os = "freebsd")))]
pub(crate) use elf::is_in_process;
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
pub(crate) use elf::{map, own_image, program_image};
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
pub(crate) use libraries::is_there;

#[cfg(any(target_os = "linux", target_os = "freebsd", target_os = "macos", windows))]
mod given;

#[cfg(target_os = "macos")]
mod macos;
#[cfg(all(feature = "trust", target_os = "macos"))]
pub(crate) use macos::is_in_process;
#[cfg(target_os = "macos")]
pub(crate) use macos::{is_there, map, own_image, program_image};

#[cfg(windows)]
mod windows;
#[cfg(all(feature = "trust", windows))]
pub(crate) use windows::is_in_process;
#[cfg(windows)]
pub(crate) use windows::{FileId, file_id, file_id_at, is_there, map, own_image, program_image};

#[cfg(not(any(target_os = "linux", target_os = "freebsd", target_os = "macos", windows)))]
mod unsupported;
#[cfg(all(
    feature = "trust",
    not(any(target_os = "linux", target_os = "freebsd", target_os = "macos", windows))
))]
pub(crate) use unsupported::is_in_process;
#[cfg(not(any(target_os = "linux", target_os = "freebsd", target_os = "macos", windows)))]
pub(crate) use unsupported::{UNSUPPORTED, is_there, map, own_image, program_image};

/// Why no file can be opened on this system, if so.
#[cfg(any(target_os = "linux", target_os = "freebsd", target_os = "macos", windows))]
pub(crate) const UNSUPPORTED: Option<&str> = None;

#[cfg(feature = "trust")]
use crate::terms::Terms;
use dynplug_manifest::note::Tables;

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held while the loader's list of libraries is gone through.
#[cfg(unix)]
static LISTING: Mutex<()> = Mutex::new(());

/// Waits until no thread goes through the loader's list, and lets none begin. In a child that was forked meanwhile the
/// loader's own lock would never be free.
#[cfg(unix)]
pub(crate) fn keep_the_list_free() -> MutexGuard<'static, ()> {
    LISTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether [`map`] makes private copies here.
#[cfg(feature = "trust")]
pub(crate) const HAS_PRIVATE_COPIES: bool =
    cfg!(any(target_os = "linux", target_os = "macos", target_os = "windows"));

/// Makes a private copy before it is known what is in it, where that is possible: a file in memory that nobody can change, and
/// that is gone when it isn't used. It is called as the file is.
#[cfg(all(feature = "trust", target_os = "linux"))]
pub(crate) fn seal(bytes: &[u8], canonical: &Path, terms: &Terms) -> Option<io::Result<Sealed>> {
    let name = canonical.file_stem().unwrap_or_default().to_string_lossy();
    let name = name.strip_prefix(std::env::consts::DLL_PREFIX).unwrap_or(&name);
    Some(Sealed::new(bytes, name, terms.is_compared()))
}

#[cfg(all(feature = "trust", not(target_os = "linux")))]
pub(crate) fn seal(_bytes: &[u8], _canonical: &Path, _terms: &Terms) -> Option<io::Result<Sealed>> {
    None
}

/// A private copy that was made ahead.
#[cfg(not(target_os = "linux"))]
pub(crate) enum Sealed {}

/// Other systems place threads well enough, or don't let anybody choose.
#[cfg(all(feature = "trust", not(target_os = "linux")))]
pub(crate) fn run_elsewhere<T>(_thread: &std::thread::JoinHandle<T>) {}

/// An image in memory, never to be unmapped.
pub(crate) struct Mapped {
    /// What is added to the addresses in the file.
    pub(crate) base: usize,
    /// Where it lies, from its first to its last segment.
    pub(crate) extent: std::ops::Range<usize>,
    /// The manifest that it carries.
    pub(crate) manifest: Option<&'static [u8]>,
    /// Where it says that the tables of its exported items and init functions are.
    pub(crate) tables: Option<Tables>,
    /// Whether the loader gave it for the first time.
    pub(crate) is_new: bool,
    /// What the loader calls it.
    #[cfg_attr(
        not(any(target_os = "linux", target_os = "freebsd", target_os = "macos", windows)),
        allow(dead_code)
    )]
    pub(crate) handle: usize,
}

impl Mapped {
    /// No image.
    #[cfg_attr(windows, allow(dead_code))]
    pub(crate) const NOTHING: Mapped =
        Mapped { base: 0, extent: 0..0, manifest: None, tables: None, is_new: false, handle: 0 };
}

/// What tells one file from another.
#[cfg(unix)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
    /// When it was made, since the system gives the inode of a removed file to a new one; where it doesn't say, when it
    /// was last written to.
    born: Option<std::time::SystemTime>,
}

/// The id of an open file.
#[cfg(unix)]
pub(crate) fn file_id(_file: &File, canonical: &Path, metadata: &Metadata) -> FileId {
    file_id_at(canonical, metadata)
}

/// The id of the file at a path.
#[cfg(unix)]
pub(crate) fn file_id_at(_path: &Path, metadata: &Metadata) -> FileId {
    use std::os::unix::fs::MetadataExt;
    let born = metadata.created().or_else(|_| metadata.modified()).ok();
    FileId { device: metadata.dev(), inode: metadata.ino(), born }
}

/// What tells one file from another.
#[cfg(not(any(unix, windows)))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileId {
    path: u64,
}

#[cfg(not(any(unix, windows)))]
pub(crate) fn file_id(_file: &File, canonical: &Path, metadata: &Metadata) -> FileId {
    file_id_at(canonical, metadata)
}

#[cfg(not(any(unix, windows)))]
pub(crate) fn file_id_at(canonical: &Path, _metadata: &Metadata) -> FileId {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    canonical.hash(&mut hasher);
    FileId { path: hasher.finish() }
}

/// What something is that is no regular file.
pub(crate) fn kind_of(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return None;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        for (is, what) in [
            (kind.is_fifo(), "a pipe"),
            (kind.is_socket(), "a socket"),
            (kind.is_char_device() || kind.is_block_device(), "a device"),
        ] {
            if is {
                return Some(what);
            }
        }
    }
    Some(if kind.is_dir() { "a folder" } else { "no regular file" })
}

/// Opens a file without ever waiting for somebody to write to it.
pub(crate) fn open_for_reading(path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)
    }
    #[cfg(not(unix))]
    File::open(path)
}

/// The canonical path of a file that was opened by this path.
pub(crate) fn canonical(file: &File, path: &Path) -> io::Result<PathBuf> {
    // Linux knows it, and one question is asked faster than one for each folder on the way.
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        use std::os::unix::ffi::OsStrExt;
        let told = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()));
        // The system says so behind the path of a file that was removed, and a file may be called so.
        let is_good =
            |path: &PathBuf| path.is_absolute() && !path.as_os_str().as_bytes().ends_with(b" (deleted)");
        match told {
            // A file in memory has no other path than the one by which it is reached.
            Ok(told) if told.as_os_str().as_bytes().starts_with(b"/memfd:") => {
                return std::path::absolute(path);
            }
            Ok(told) if is_good(&told) => return Ok(told),
            // A process that is confined may not ask.
            Err(error)
                if error.kind() == io::ErrorKind::PermissionDenied && path.starts_with("/proc/self/fd") =>
            {
                return std::path::absolute(path);
            }
            _ => {}
        }
    }
    let _ = file;
    path.canonicalize()
}
