//! ELF systems: `dlopen` of a private copy, and what the loader has mapped of this very library.

use super::Mapped;
use crate::error::SystemError;
use crate::loader::Load;
use std::ffi::{CStr, CString, c_int, c_void};
use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Maps a plugin and runs its constructors: exactly these bytes, or with [`Load::InPlace`] the file at `path`.
///
/// # Safety
///
/// The bytes must be a plugin that fits this process, and with [`Load::InPlace`] the file must hold them.
pub(crate) unsafe fn map(bytes: &[u8], path: &Path, name: &str, load: Load) -> Result<Mapped, SystemError> {
    let private = load == Load::PrivateCopy && cfg!(target_os = "linux");
    let file = if private {
        let said =
            |e: io::Error| SystemError(format!("could not make a private copy of {}: {e}", path.display()));
        let copy = sealed_copy(bytes, name).map_err(said)?;
        // By the process's number and not by `self`, so that a debugger finds the file too. The descriptor stays open:
        // the loader remembers libraries by name, and backtraces read names and lines from there.
        format!("/proc/{}/fd/{}", std::process::id(), copy.into_raw_fd()).into_bytes()
    } else {
        path.as_os_str().as_bytes().to_vec()
    };
    let file = CString::new(file).map_err(|e| SystemError(e.to_string()))?;
    // SAFETY: the name is a C string; that running the library's constructors is sound is the caller's word.
    let handle = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if handle.is_null() {
        return Err(last_error());
    }
    let mut link: *const LinkMap = std::ptr::null();
    // SAFETY: the handle is one that dlopen gave, and RTLD_DI_LINKMAP writes one pointer.
    let code = unsafe { libc::dlinfo(handle, libc::RTLD_DI_LINKMAP, (&raw mut link).cast()) };
    if code != 0 || link.is_null() {
        return Err(last_error());
    }
    // SAFETY: the loader's record of a library that is never closed; its first member is the load address on every ELF
    // system, as <link.h> says.
    let base = unsafe { (*link).address };
    let mut search = Search::new(|image| image.base == base);
    search.run();
    let extent =
        search.extent.ok_or_else(|| SystemError("the loader does not list what it loaded".to_owned()))?;
    Ok(Mapped { base, extent, notes: search.notes })
}

/// The beginning of `struct link_map` of <link.h>.
#[repr(C)]
struct LinkMap {
    address: usize,
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

/// A file in memory that nobody can change any more, ourselves included.
#[cfg(target_os = "linux")]
fn sealed_copy(bytes: &[u8], name: &str) -> io::Result<File> {
    // The name is for people who look into /proc; the system allows 249 bytes.
    let short: String = name.chars().filter(|c| *c != '\0').take(60).collect();
    let name = CString::new(format!("dynplug:{short}")).unwrap_or_default();
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    /// From <linux/memfd.h>: allows execution where the system's default forbids it; unknown before Linux 6.3.
    const MFD_EXEC: libc::c_uint = 0x0010;
    // SAFETY: the name is a C string.
    let mut fd = unsafe { libc::memfd_create(name.as_ptr(), flags | MFD_EXEC) };
    if fd < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::EINVAL) {
        // SAFETY: as above.
        fd = unsafe { libc::memfd_create(name.as_ptr(), flags) };
    }
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and belongs to nobody else.
    let mut file = unsafe { File::from_raw_fd(fd) };
    file.write_all(bytes)?;
    let seals = libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE;
    // SAFETY: the descriptor is open; the call takes an integer.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(file)
}

/// Other systems map the file itself.
#[cfg(not(target_os = "linux"))]
fn sealed_copy(_bytes: &[u8], _name: &str) -> io::Result<File> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// The segments of notes of the library (or program) that holds this very function.
pub(crate) fn own_notes() -> Vec<&'static [u8]> {
    let address = own_notes as fn() -> Vec<&'static [u8]> as usize;
    let mut search = Search::new(|image| image.loads(address));
    search.run();
    search.notes
}

/// The segments of notes of the program itself, which every loader lists first.
pub(crate) fn program_notes() -> Vec<&'static [u8]> {
    let mut search = Search::new(|_| true);
    search.run();
    search.notes
}

/// An image as the loader lists it.
struct Loaded<'a> {
    base: usize,
    headers: &'a [Header],
}

#[cfg(target_pointer_width = "64")]
type Header = libc::Elf64_Phdr;
#[cfg(target_pointer_width = "32")]
type Header = libc::Elf32_Phdr;

impl Loaded<'_> {
    fn range(&self, start: usize, size: usize) -> Range<usize> {
        let start = self.base.wrapping_add(start);
        start..start.wrapping_add(size)
    }

    fn segments(&self, kind: u32) -> impl Iterator<Item = &Header> {
        self.headers.iter().filter(move |h| h.p_type == kind)
    }

    fn loads(&self, address: usize) -> bool {
        self.segments(libc::PT_LOAD)
            .any(|h| self.range(h.p_vaddr as usize, h.p_memsz as usize).contains(&address))
    }
}

/// Looks for one image among those that are loaded.
struct Search<F> {
    wanted: F,
    extent: Option<Range<usize>>,
    notes: Vec<&'static [u8]>,
}

impl<F: Fn(&Loaded<'_>) -> bool> Search<F> {
    fn new(wanted: F) -> Self {
        Search { wanted, extent: None, notes: Vec::new() }
    }

    fn run(&mut self) {
        // SAFETY: the callback is called during the call only, with the pointer that is passed here.
        unsafe { libc::dl_iterate_phdr(Some(visit::<F>), (&raw mut *self).cast()) };
    }

    fn found(&mut self, image: &Loaded<'_>) {
        let mut extent: Option<Range<usize>> = None;
        for header in image.segments(libc::PT_LOAD) {
            let part = image.range(header.p_vaddr as usize, header.p_memsz as usize);
            extent = Some(match extent {
                Some(whole) => whole.start.min(part.start)..whole.end.max(part.end),
                None => part,
            });
        }
        self.extent = extent;
        for header in image.segments(libc::PT_NOTE).filter(|h| h.p_memsz > 0) {
            let notes = image.range(header.p_vaddr as usize, header.p_memsz as usize);
            let loaded = image.segments(libc::PT_LOAD).any(|h| {
                let whole = image.range(h.p_vaddr as usize, h.p_filesz as usize);
                whole.start <= notes.start && notes.end <= whole.end
            });
            if loaded {
                // SAFETY: the segment lies in what the loader mapped of an image that is never unmapped: this very code
                // is part of it, or it was opened here and is never closed. Notes are read-only.
                self.notes.push(unsafe { std::slice::from_raw_parts(notes.start as *const u8, notes.len()) });
            }
        }
    }
}

unsafe extern "C" fn visit<F: Fn(&Loaded<'_>) -> bool>(
    info: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    data: *mut c_void,
) -> c_int {
    // SAFETY: `data` is the `Search` of the caller of dl_iterate_phdr, which uses it no other way meanwhile.
    let search = unsafe { &mut *data.cast::<Search<F>>() };
    // SAFETY: the loader passes a valid record, whose headers are as many as it says and stay mapped during the call.
    let image = unsafe {
        let info = &*info;
        if info.dlpi_phdr.is_null() {
            return 0;
        }
        let headers = std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum));
        Loaded { base: info.dlpi_addr as usize, headers }
    };
    if !(search.wanted)(&image) {
        return 0;
    }
    search.found(&image);
    1
}
