//! Who may write to a file, and put another in its place: what sshd asks of the files that it believes.

use std::error::Error;
use std::fmt;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Somebody besides this process's user and the system's administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Who {
    /// Any user of this machine.
    Everybody,
    /// The members of a group.
    Group {
        /// Its number.
        id: u32,
        /// Its name, where it has one.
        name: Option<String>,
    },
    /// The user to whom it belongs.
    Owner {
        /// The user's number.
        id: u32,
        /// The user's name, where there is one.
        name: Option<String>,
    },
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, id, name) = match self {
            Who::Everybody => return f.write_str("everybody"),
            Who::Group { id, name } => ("the group", id, name),
            Who::Owner { id, name } => ("its owner, the user", id, name),
        };
        match name {
            Some(name) => write!(f, "{what} `{name}` ({id})"),
            None => write!(f, "{what} {id}"),
        }
    }
}

/// Why a file can't be said to be its owner's alone.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum OwnerError {
    /// Somebody else can write to it, or to a folder on the way to it.
    Writable {
        /// The file or folder.
        path: PathBuf,
        /// By whom.
        by: Who,
    },
    /// A folder on the way can't be looked at.
    Read {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: Arc<io::Error>,
    },
    /// This system has no owners that could be asked for here.
    Unsupported,
}

impl fmt::Display for OwnerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OwnerError::Writable { path, by } => write!(f, "{by} can write to {}", path.display()),
            OwnerError::Read { path, source } => {
                write!(f, "who can write to {} can't be told: {source}", path.display())
            }
            OwnerError::Unsupported => f.write_str("who can write to a file can't be told on this system"),
        }
    }
}

impl Error for OwnerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            OwnerError::Read { source, .. } => Some(&**source),
            _ => None,
        }
    }
}

/// Makes sure that nobody but this process's user and the administrator can write to a file, or to any folder above it and
/// so put another file there. `path` is canonical, and `metadata` that of the open file.
///
/// In a folder with the sticky bit, as `/tmp` has it, only the owner of an entry can replace it. So such a folder may be
/// writable by everybody when it lies higher up, but not when the file lies in it directly.
///
/// # Errors
///
/// The first file or folder, from below, to which somebody else can write, and who that is.
///
/// # Platform-specific behaviour
///
/// Only on Unix. Access lists (ACL) count as the system shows them in the permissions of the group.
pub fn only_owner_writes(path: &Path, metadata: &Metadata) -> Result<(), OwnerError> {
    #[cfg(unix)]
    return look(path, metadata);
    #[cfg(not(unix))]
    {
        let _ = (path, metadata);
        Err(OwnerError::Unsupported)
    }
}

#[cfg(unix)]
fn look(path: &Path, metadata: &Metadata) -> Result<(), OwnerError> {
    // SAFETY: the call takes nothing and always succeeds.
    let user = unsafe { libc::geteuid() };
    let writable = |path: &Path, by| Err(OwnerError::Writable { path: path.to_owned(), by });
    for (height, path) in path.ancestors().enumerate().filter(|(_, path)| !path.as_os_str().is_empty()) {
        let above;
        let metadata = match height {
            0 => metadata,
            _ => {
                let read = |source| OwnerError::Read { path: path.to_owned(), source: Arc::new(source) };
                above = path.symlink_metadata().map_err(read)?;
                &above
            }
        };
        if let Some(by) = others(metadata, height, user) {
            return writable(path, by);
        }
    }
    Ok(())
}

/// Who else can write there, at so many steps above a file.
#[cfg(unix)]
fn others(metadata: &Metadata, height: usize, user: u32) -> Option<Who> {
    use std::os::unix::fs::MetadataExt;
    const STICKY: u32 = 0o1000;
    let (mode, owner, group) = (metadata.mode(), metadata.uid(), metadata.gid());
    if owner != 0 && owner != user {
        return Some(Who::Owner { id: owner, name: names::user(owner) });
    }
    if height > 1 && mode & STICKY != 0 {
        return None;
    }
    if mode & 0o002 != 0 {
        return Some(Who::Everybody);
    }
    (mode & 0o020 != 0).then(|| Who::Group { id: group, name: names::group(group) })
}

/// What users and groups are called.
#[cfg(unix)]
mod names {
    use std::ffi::{CStr, c_char};

    /// More than any system needs for one entry; a group with more members goes without its name.
    const ROOM: usize = 16 << 10;

    pub(super) fn user(id: u32) -> Option<String> {
        let mut room = vec![0; ROOM];
        // SAFETY: the record is plain numbers and pointers, for which zero is a value.
        let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
        let mut found = std::ptr::null_mut();
        // SAFETY: the pointers are of locals that live until the call's end, and the length is the room's.
        let code =
            unsafe { libc::getpwuid_r(id, &raw mut entry, room.as_mut_ptr(), room.len(), &raw mut found) };
        if code != 0 || found.is_null() {
            return None;
        }
        // SAFETY: the call has set the name to a text in the room.
        unsafe { text(entry.pw_name) }
    }

    pub(super) fn group(id: u32) -> Option<String> {
        let mut room = vec![0; ROOM];
        // SAFETY: as above.
        let mut entry: libc::group = unsafe { std::mem::zeroed() };
        let mut found = std::ptr::null_mut();
        // SAFETY: as above.
        let code =
            unsafe { libc::getgrgid_r(id, &raw mut entry, room.as_mut_ptr(), room.len(), &raw mut found) };
        if code != 0 || found.is_null() {
            return None;
        }
        // SAFETY: as above.
        unsafe { text(entry.gr_name) }
    }

    /// # Safety
    ///
    /// The pointer must be null or that of a C string.
    unsafe fn text(pointer: *const c_char) -> Option<String> {
        // SAFETY: the caller's word.
        (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    #[test]
    fn file_folder_and_parents_are_each_looked_at() {
        let top = std::env::temp_dir().canonicalize().unwrap();
        let top = top.join(format!("dynplug-trust-owner-{}", std::process::id()));
        let (folder, file) = (top.join("a/b"), top.join("a/b/libhello.so"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(&file, "x").unwrap();
        for path in [&top, &top.join("a"), &folder] {
            fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        }
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        let check = || only_owner_writes(&file, &file.metadata().unwrap());
        check().unwrap();
        let group = top.metadata().unwrap().gid();
        for (path, mode, by) in [
            (
                file.clone(),
                0o664,
                format!("the group `{}` ({group})", names::group(group).unwrap_or_default()),
            ),
            (file.clone(), 0o646, "everybody".to_owned()),
            (folder.clone(), 0o777, "everybody".to_owned()),
            // Whoever puts a file there that wasn't there before replaces nothing.
            (folder.clone(), 0o1777, "everybody".to_owned()),
            (top.join("a"), 0o777, "everybody".to_owned()),
            (top.clone(), 0o777, "everybody".to_owned()),
        ] {
            let before = path.metadata().unwrap().permissions();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = check().unwrap_err();
            assert_eq!(error.to_string(), format!("{by} can write to {}", path.display()));
            fs::set_permissions(&path, before).unwrap();
            check().unwrap();
        }
        fs::set_permissions(top.join("a"), Permissions::from_mode(0o1777)).unwrap();
        check().unwrap();
        fs::remove_dir_all(&top).unwrap();
    }

    #[test]
    fn an_owner_who_is_neither_we_nor_root_is_named() {
        let file = std::env::current_exe().unwrap().canonicalize().unwrap();
        let metadata = file.metadata().unwrap();
        let stranger = metadata.uid().wrapping_add(77);
        match others(&metadata, 0, stranger) {
            // Root's files are everybody's to believe.
            None => assert_eq!(metadata.uid(), 0),
            Some(by) => {
                assert_eq!(by, Who::Owner { id: metadata.uid(), name: names::user(metadata.uid()) });
            }
        }
        assert_eq!(names::user(0).as_deref(), Some("root"));
        assert_eq!(Who::Owner { id: 7, name: None }.to_string(), "its owner, the user 7");
    }
}
