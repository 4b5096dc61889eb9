//! Windows: `LoadLibraryExW` of a private copy, and what the loader has mapped, read from the headers that are in memory
//! with every image.
//!
//! The system's functions are declared here, since of the crates that declare them all the smallest would still be one
//! more crate of every host.

mod copy;

use super::{Mapped, Sealed, given};
use crate::error::SystemError;
use crate::loader::Load;
use crate::section::pe;
use crate::terms::Terms;
use dynplug_manifest::Image;
use dynplug_manifest::note::Tables;
use std::ffi::c_void;
use std::fs::{File, Metadata, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::windows::ffi::{OsStrExt, OsStringExt};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

// As the documentation of each has it.
#[link(name = "kernel32")]
unsafe extern "system" {
    fn LoadLibraryExW(name: *const u16, file: *mut c_void, flags: u32) -> *const u8;
    fn GetModuleHandleW(name: *const u16) -> *const u8;
    fn AddDllDirectory(folder: *const u16) -> *mut c_void;
    fn RemoveDllDirectory(cookie: *mut c_void) -> i32;
    fn SetThreadErrorMode(mode: u32, old: *mut u32) -> i32;
    fn GetSystemDirectoryW(buffer: *mut u16, size: u32) -> u32;
    fn GetFileInformationByHandleEx(file: *mut c_void, class: i32, to: *mut c_void, size: u32) -> i32;
    fn GetFileInformationByHandle(file: *mut c_void, to: *mut ByHandle) -> i32;
}

unsafe extern "C" {
    /// The first byte of the image that this code is in; every linker for Windows has this name.
    #[link_name = "__ImageBase"]
    static IMAGE: u8;
}

/// A library's own folder.
const LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR: u32 = 0x100;
/// The program's folder, those that the program has added, and the system's; not the working directory, nor `PATH`.
const LOAD_LIBRARY_SEARCH_DEFAULT_DIRS: u32 = 0x1000;
const ERROR_MOD_NOT_FOUND: i32 = 126;

/// Maps a plugin and runs its constructors: exactly these bytes, or with [`Load::InPlace`] the file at `path`. What it
/// needs is looked for beside the program, in its own folder and among the system's libraries, and in the folders that the
/// program has added for that.
///
/// `name` is what the loader is to know it by: a package, or the whole name of a library that others need.
///
/// # Safety
///
/// The bytes must be a plugin that fits this process.
pub(crate) unsafe fn map(
    bytes: &[u8],
    _copy: Option<io::Result<Sealed>>,
    path: &Path,
    name: &str,
    terms: &Terms,
) -> Result<Mapped, SystemError> {
    let said = |what: &str, e: io::Error| SystemError(format!("could not {what} {}: {e}", path.display()));
    let plain = plain(path);
    let mut copy = None;
    let mut in_place = None;
    let mut folder = None;
    let (file, flags) = match terms.load {
        Load::PrivateCopy => {
            let made = copy::Copy::new(bytes, name).map_err(|e| said("make a private copy of", e))?;
            // The copy lies elsewhere.
            folder = plain.parent().map(SearchedFolder::new);
            (copy.insert(made).path(), LOAD_LIBRARY_SEARCH_DEFAULT_DIRS)
        }
        Load::InPlace => {
            // Nobody can write to it from here on, and once it is mapped the system sees to that.
            in_place = Some(copy::locked(path, bytes).map_err(|e| said("open", e))?);
            (&*plain, LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS)
        }
    };
    // SAFETY: the file holds the bytes, of which the caller gives its word, and nobody can write to it.
    let loaded = unsafe { open(file, flags) };
    drop((folder, in_place));
    let base = loaded.map_err(|error| {
        let mut text = error.to_string();
        if error.raw_os_error() == Some(ERROR_MOD_NOT_FOUND) {
            let missing = missing(bytes, &plain);
            if !missing.is_empty() {
                text = format!("{text}: {} can't be found", missing.join(", "));
            }
        }
        SystemError(text)
    })?;
    if let Some(copy) = copy {
        copy.keep();
    }
    // SAFETY: the loader gave it, and it is never closed.
    Ok(unsafe { image(base, given::is_first(base.addr())) })
}

/// # Safety
///
/// The file must be a plugin that fits this process.
unsafe fn open(file: &Path, flags: u32) -> io::Result<*const u8> {
    /// An error is the caller's to show, and no dialog's.
    const SEM_FAILCRITICALERRORS: u32 = 1;
    let mut name: Vec<u16> = file.as_os_str().encode_wide().collect();
    // The loader adds an ending to a name that has none.
    if file.extension().is_none() {
        name.push(u16::from(b'.'));
    }
    name.push(0);
    let mut old = 0;
    // SAFETY: the calls take integers and a place for one.
    unsafe { SetThreadErrorMode(SEM_FAILCRITICALERRORS, &raw mut old) };
    // SAFETY: the name ends with a zero; that running the library's constructors is sound is the caller's word.
    let base = unsafe { LoadLibraryExW(name.as_ptr(), std::ptr::null_mut(), flags) };
    let error = io::Error::last_os_error();
    // SAFETY: as above; nobody wants to know what it was.
    unsafe { SetThreadErrorMode(old, std::ptr::null_mut()) };
    if base.is_null() { Err(error) } else { Ok(base) }
}

/// A folder in which libraries are looked for, for a while.
struct SearchedFolder(*mut c_void);

impl SearchedFolder {
    fn new(folder: &Path) -> SearchedFolder {
        let name = wide(folder);
        // SAFETY: the name ends with a zero. Where the system doesn't take it, nothing is looked for there.
        SearchedFolder(unsafe { AddDllDirectory(name.as_ptr()) })
    }
}

impl Drop for SearchedFolder {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the system gave it for a folder, which is taken away once.
            unsafe { RemoveDllDirectory(self.0) };
        }
    }
}

/// The libraries that an image needs and that are nowhere to be seen.
fn missing(bytes: &[u8], path: &Path) -> Vec<String> {
    let Ok(image) = Image::parse(bytes) else { return Vec::new() };
    let folders = [path.parent().map(Path::to_owned), program_folder(), system_folder()];
    let is_missing = |name: &str| {
        !is_loaded(name)
            && !is_api_set(name)
            && !folders.iter().flatten().any(|folder| folder.join(name).exists())
    };
    let mut missing = Vec::new();
    for name in image.needed().iter().copied().filter(|name| is_missing(name)) {
        missing.push(name.to_owned());
    }
    missing
}

/// Whether a library is loaded or would be found. The program may have added folders of which nobody tells, so that one is
/// nowhere can't be said.
pub(crate) fn is_there(name: &str) -> Option<bool> {
    let is_there = is_loaded(name) || system_folder().is_some_and(|folder| folder.join(name).exists());
    is_there.then_some(true)
}

/// Whether a name is of no file: the loader knows which of the system's libraries stands behind it.
fn is_api_set(name: &str) -> bool {
    let starts = |start: &str| name.get(..start.len()).is_some_and(|is| is.eq_ignore_ascii_case(start));
    starts("api-ms-win-") || starts("ext-ms-")
}

/// Whether whoever needs a library of that name gets one that is in the process already, or the system's own.
#[cfg(feature = "trust")]
pub(crate) fn is_in_process(name: &str) -> bool {
    is_loaded(name) || is_api_set(name)
}

fn is_loaded(name: &str) -> bool {
    !loaded(name).is_null()
}

fn loaded(name: &str) -> *const u8 {
    let name = wide(Path::new(name));
    // SAFETY: the name ends with a zero, and nothing is loaded.
    unsafe { GetModuleHandleW(name.as_ptr()) }
}

fn program_folder() -> Option<PathBuf> {
    Some(std::env::current_exe().ok()?.parent()?.to_owned())
}

fn system_folder() -> Option<PathBuf> {
    let mut buffer = [0; 260];
    // SAFETY: the buffer has as many places as is said.
    let length = unsafe { GetSystemDirectoryW(buffer.as_mut_ptr(), buffer.len() as u32) };
    let name = buffer.get(..usize::try_from(length).ok()?).filter(|name| !name.is_empty())?;
    Some(PathBuf::from(std::ffi::OsString::from_wide(name)))
}

impl Mapped {
    /// Whether this is what the loader finds for those that need a library of that name.
    pub(crate) fn answers_to(&self, soname: &str) -> bool {
        loaded(soname).addr() == self.handle
    }
}

/// The library (or program) that holds this very function.
pub(crate) fn own_image() -> Mapped {
    // SAFETY: this code is part of it.
    unsafe { image(&raw const IMAGE, false) }
}

/// The program itself.
pub(crate) fn program_image() -> Mapped {
    // SAFETY: without a name the call gives the program's own image, which is always there.
    unsafe { image(GetModuleHandleW(std::ptr::null()), false) }
}

/// Reads the headers of an image.
///
/// # Safety
///
/// It must be the first byte of an image that is loaded and is never closed.
unsafe fn image(base: *const u8, is_new: bool) -> Mapped {
    // SAFETY: an image's headers have a page of their own at its start, which can be read as long as it is loaded.
    let headers: &'static [u8] = unsafe { std::slice::from_raw_parts(base, pe::HEADERS) };
    let size = pe::image_size(headers).unwrap_or(0);
    let extent = base.addr()..base.addr().saturating_add(size);
    let place = |name| pe::section(headers, name).filter(|(at, length)| at.saturating_add(*length) <= size);
    let manifest = place(b"dp_note\0").map(|(at, length)| {
        // SAFETY: the section lies in the image, which is one mapping; nobody writes to it.
        unsafe { std::slice::from_raw_parts(base.wrapping_add(at), length) }
    });
    let (symbols, inits) = (place(b"dp_sym\0\0").unwrap_or((0, 0)), place(b"dp_init\0").unwrap_or((0, 0)));
    let tables = Tables {
        symbols: symbols.0 as u64,
        symbols_size: symbols.1 as u64,
        inits: inits.0 as u64,
        inits_size: inits.1 as u64,
    };
    Mapped { base: base.addr(), extent, manifest, tables: Some(tables), is_new, handle: base.addr() }
}

/// A text as the system takes it, with a zero at its end.
fn wide(path: &Path) -> Vec<u16> {
    path.as_os_str().encode_wide().chain([0]).collect()
}

/// A path without `\\?\`, where the loader would take it: it doesn't search in folders that are spelled so, and debuggers
/// show it.
fn plain(path: &Path) -> PathBuf {
    /// The length from which on a path without it isn't taken.
    const TOO_LONG: usize = 240;
    let text = path.to_str().and_then(|text| text.strip_prefix(r"\\?\")).filter(|text| text.len() < TOO_LONG);
    match text {
        Some(text) => match text.strip_prefix(r"UNC\") {
            Some(share) => PathBuf::from(format!(r"\\{share}")),
            None if text.as_bytes().get(1) == Some(&b':') => PathBuf::from(text),
            None => path.to_owned(),
        },
        None => path.to_owned(),
    }
}

/// What tells one file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileId {
    volume: u64,
    /// Its number there; where the system has none to give, a hash of the path.
    number: [u64; 2],
    /// When it was made, since some systems give the number of a removed file to a new one.
    born: Option<SystemTime>,
}

/// `BY_HANDLE_FILE_INFORMATION`.
#[repr(C)]
#[derive(Default)]
struct ByHandle {
    attributes: u32,
    times: [u32; 6],
    volume: u32,
    size: [u32; 2],
    links: u32,
    high: u32,
    low: u32,
}

/// `FILE_ID_INFO`.
#[repr(C)]
#[derive(Default)]
struct FileIdInfo {
    volume: u64,
    number: [u64; 2],
}

/// The id of an open file.
pub(crate) fn file_id(file: &File, canonical: &Path, metadata: &Metadata) -> FileId {
    const FILE_ID_INFO: i32 = 18;
    let born = metadata.created().ok();
    let handle = file.as_raw_handle();
    let mut info = FileIdInfo::default();
    let size = size_of::<FileIdInfo>() as u32;
    // SAFETY: the handle is open, and the call fills the record, whose size is said.
    let done = unsafe { GetFileInformationByHandleEx(handle, FILE_ID_INFO, (&raw mut info).cast(), size) };
    if done != 0 && info.number != [0, 0] {
        return FileId { volume: info.volume, number: info.number, born };
    }
    let mut info = ByHandle::default();
    // SAFETY: the handle is open, and the call fills the record.
    let done = unsafe { GetFileInformationByHandle(handle, &raw mut info) };
    let number = (u64::from(info.high) << 32) | u64::from(info.low);
    if done != 0 && number != 0 {
        return FileId { volume: info.volume.into(), number: [number, 0], born };
    }
    by_path(canonical, born)
}

/// The id of the file at a path.
pub(crate) fn file_id_at(path: &Path, metadata: &Metadata) -> FileId {
    /// Opens folders too.
    const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
    // With no right but to ask, which nobody is in the way of.
    match OpenOptions::new().access_mode(0).custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(path) {
        Ok(file) => file_id(&file, path, metadata),
        Err(_) => by_path(path, metadata.created().ok()),
    }
}

fn by_path(path: &Path, born: Option<SystemTime>) -> FileId {
    let mut hasher = DefaultHasher::new();
    path.canonicalize().as_deref().unwrap_or(path).hash(&mut hasher);
    FileId { volume: u64::MAX, number: [hasher.finish(), 0], born }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn paths_are_spelled_as_the_loader_takes_them() {
        let of = |path: &str| plain(Path::new(path)).to_str().unwrap().to_owned();
        assert_eq!(of(r"\\?\C:\plugins\hello.dll"), r"C:\plugins\hello.dll");
        assert_eq!(of(r"\\?\UNC\server\share\hello.dll"), r"\\server\share\hello.dll");
        assert_eq!(of(r"\\?\Volume{0}\hello.dll"), r"\\?\Volume{0}\hello.dll");
        let long = format!(r"\\?\C:\{}.dll", "a".repeat(300));
        assert_eq!(of(&long), long);
    }

    #[test]
    fn a_library_that_is_loaded_is_there() {
        assert_eq!(is_there("kernel32.dll"), Some(true));
        assert_eq!(is_there("dynplug-none-such.dll"), None);
        assert!(is_api_set("API-MS-Win-core-synch-l1-2-0.dll"));
    }

    #[test]
    fn this_image_has_tables() {
        let tables = own_image().tables.unwrap();
        assert_eq!(tables.symbols_size % size_of::<usize>() as u64, 0);
        assert!(own_image().extent.contains(&(own_image as fn() -> Mapped as usize)));
    }
}
