//! macOS: `dlopen` of a private copy, and what the loader has mapped, read from the headers that are in memory with every
//! image. Written after Apple's `<mach-o/loader.h>`, `<mach-o/dyld.h>` and dlopen(3); nobody has run it yet.

use super::{Mapped, Sealed, given};
use crate::error::SystemError;
use crate::loader::Load;
use crate::section::macho::{self, Layout};
use crate::terms::Terms;
use dynplug_manifest::note::Tables;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

unsafe extern "C" {
    fn _dyld_image_count() -> u32;
    fn _dyld_get_image_name(index: u32) -> *const c_char;
    fn _dyld_get_image_header(index: u32) -> *const u8;
    /// The header of the program, whatever was loaded before it. From <crt_externs.h>.
    fn _NSGetMachExecuteHeader() -> *const u8;
}

/// Maps a plugin and runs its constructors: exactly these bytes, or with [`Load::InPlace`] the file at `path`.
///
/// # Safety
///
/// The bytes must be a plugin that fits this process, and with [`Load::InPlace`] the file must hold them.
pub(crate) unsafe fn map(
    bytes: &[u8],
    _copy: Option<io::Result<Sealed>>,
    path: &Path,
    name: &str,
    terms: &Terms,
) -> Result<Mapped, SystemError> {
    // What needs such a library is told its place by the program's run paths, and has to find this very file.
    let others_need_it = name.ends_with(".dylib");
    if others_need_it && terms.is_compared() {
        return Err(SystemError(
            "what plugins share is mapped from its own file here, which no policy can speak for".to_owned(),
        ));
    }
    if terms.load == Load::InPlace || others_need_it {
        // SAFETY: the file holds the bytes, of which the caller gives its word.
        return unsafe { open(path) };
    }
    let copy = Copy::new(bytes, name)
        .map_err(|e| SystemError(format!("could not make a private copy of {}: {e}", path.display())))?;
    // SAFETY: the copy holds the bytes, of which the caller gives its word, and lies where nobody else can write.
    unsafe { open(&copy.file) }
}

/// A file with a plugin's bytes, in a folder that only this user may enter. It goes with the value: what is mapped stays.
struct Copy {
    folder: PathBuf,
    file: PathBuf,
}

impl Copy {
    fn new(bytes: &[u8], name: &str) -> io::Result<Copy> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("dynplug-{}-{number}", std::process::id()));
        if let Err(error) = DirBuilder::new().mode(0o700).create(&folder) {
            if error.kind() != io::ErrorKind::AlreadyExists {
                return Err(error);
            }
            // A process that had this number left it; whoever it belongs to, nothing in it is taken over.
            std::fs::remove_dir_all(&folder)?;
            DirBuilder::new().mode(0o700).create(&folder)?;
        }
        let file = folder.join(format!("lib{name}.dylib"));
        let copy = Copy { folder, file };
        let mut out = OpenOptions::new().write(true).create_new(true).mode(0o500).open(&copy.file)?;
        out.write_all(bytes)?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // The system keeps what is mapped. What can't be removed is in the way of nothing.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// # Safety
///
/// The file must be a plugin that fits this process.
unsafe fn open(path: &Path) -> Result<Mapped, SystemError> {
    let name = CString::new(path.as_os_str().as_bytes()).map_err(|e| SystemError(e.to_string()))?;
    // SAFETY: the name is a C string; that running the library's constructors is sound is the caller's word.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if handle.is_null() {
        return Err(last_error());
    }
    let is_new = given::is_first(handle.addr());
    let mapped = header_of(handle).map_or(Mapped::NOTHING, |header| {
        // SAFETY: the loader gave it for a library that is never closed.
        unsafe { image(header) }
    });
    Ok(Mapped { is_new, handle: handle.addr(), ..mapped })
}

/// The header of the library that the loader gave this handle for. It is found by asking for each library that there is, the
/// last one first, whether the loader has the same handle for it.
fn header_of(handle: *mut c_void) -> Option<*const u8> {
    // SAFETY: the calls take a number, and give null for one that there isn't.
    let count = unsafe { _dyld_image_count() };
    (0..count).rev().find_map(|index| {
        // SAFETY: as above.
        let (name, header) = unsafe { (_dyld_get_image_name(index), _dyld_get_image_header(index)) };
        if name.is_null() || header.is_null() {
            return None;
        }
        // SAFETY: the name is the loader's own, and nothing is loaded that isn't there already.
        let other = unsafe { libc::dlopen(name, libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
        // The lowest bits say how it was opened.
        (other.addr() & !3 == handle.addr() & !3).then_some(header)
    })
}

impl Mapped {
    /// Whether this is what the loader finds for those that need a library of that name. To be asked by the thread that has
    /// the loader.
    pub(crate) fn answers_to(&self, soname: &str) -> bool {
        let Ok(name) = CString::new(format!("@rpath/{soname}")) else { return false };
        // SAFETY: the name is a C string, and nothing is loaded: the loader only looks among what it has.
        let found = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
        !found.is_null() && found.addr() & !3 == self.handle & !3
    }
}

/// Whether whoever needs a library of that name gets one that is in the process already.
#[cfg(feature = "trust")]
pub(crate) fn is_in_process(name: &str) -> bool {
    let Ok(name) = CString::new(name) else { return false };
    // SAFETY: the name is a C string, and nothing is loaded: the loader only looks among what it has.
    !unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) }.is_null()
}

/// Nobody but the loader can tell: libraries of the system are in no file.
pub(crate) fn is_there(_name: &str) -> Option<bool> {
    None
}

/// The library (or program) that holds this very function.
pub(crate) fn own_image() -> Mapped {
    let address = own_image as fn() -> Mapped as *const c_void;
    let mut info = libc::Dl_info {
        dli_fname: std::ptr::null(),
        dli_fbase: std::ptr::null_mut(),
        dli_sname: std::ptr::null(),
        dli_saddr: std::ptr::null_mut(),
    };
    // SAFETY: it writes to the record only.
    let found: c_int = unsafe { libc::dladdr(address, &raw mut info) };
    if found == 0 || info.dli_fbase.is_null() {
        return Mapped::NOTHING;
    }
    // SAFETY: the header of the image that this code is part of.
    unsafe { image(info.dli_fbase.cast_const().cast()) }
}

/// The program itself.
pub(crate) fn program_image() -> Mapped {
    // SAFETY: the call takes nothing.
    let header = unsafe { _NSGetMachExecuteHeader() };
    if header.is_null() {
        return Mapped::NOTHING;
    }
    // SAFETY: the program is never unmapped.
    unsafe { image(header) }
}

/// What the headers of an image in memory say.
///
/// # Safety
///
/// The loader must have given the address for an image that is never unmapped.
unsafe fn image(header: *const u8) -> Mapped {
    // SAFETY: the header is in memory, before the commands whose size it tells.
    let size = macho::size(unsafe { std::slice::from_raw_parts(header, macho::HEADER) });
    // SAFETY: header and commands are the beginning of the image's first segment.
    let headers = unsafe { std::slice::from_raw_parts(header, size) };
    let Some(Layout { text, extent, manifest, symbols, inits }) = Layout::of(headers) else {
        return Mapped::NOTHING;
    };
    let base = header.addr().wrapping_sub(text);
    let place = |address: usize| base.wrapping_add(address);
    let manifest = manifest.filter(|part| extent.start <= part.start && part.end <= extent.end).map(|part| {
        // SAFETY: the section lies in what the loader mapped of the image, and nobody writes to it.
        unsafe { std::slice::from_raw_parts(place(part.start) as *const u8, part.len()) }
    });
    let (symbols, inits) = (symbols.unwrap_or(0..0), inits.unwrap_or(0..0));
    Mapped {
        base,
        extent: place(extent.start)..place(extent.end),
        manifest,
        tables: Some(Tables {
            symbols: symbols.start as u64,
            symbols_size: symbols.len() as u64,
            inits: inits.start as u64,
            inits_size: inits.len() as u64,
        }),
        ..Mapped::NOTHING
    }
}

/// What `dlerror` says.
fn last_error() -> SystemError {
    // SAFETY: the text is valid until this thread's next call of the loader, and is copied before that.
    let text = unsafe {
        let text = libc::dlerror();
        if text.is_null() { None } else { Some(CStr::from_ptr(text).to_string_lossy().into_owned()) }
    };
    SystemError(text.unwrap_or_else(|| "the loader gives no reason".to_owned()))
}
