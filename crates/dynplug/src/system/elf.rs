//! ELF systems: `dlopen` of a private copy, and what the loader has mapped of this very library.

use super::{Mapped, Sealed, given};
use crate::error::SystemError;
#[cfg(target_os = "linux")]
use crate::loader::Load;
use crate::terms::Terms;
use dynplug_manifest::note::{self, Tables};
use std::ffi::{CStr, CString, c_int, c_void};
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
#[cfg(all(feature = "process", target_os = "linux"))]
use std::path::PathBuf;

/// Maps a plugin and runs its constructors: exactly these bytes, or with [`Load::InPlace`] the file at `path`. `copy` is
/// a private copy that was made ahead, if one was.
///
/// # Safety
///
/// The bytes must be a plugin that fits this process. The copy must hold them, and with [`Load::InPlace`] the file.
pub(crate) unsafe fn map(
    bytes: &[u8],
    copy: Option<io::Result<Sealed>>,
    path: &Path,
    package: &str,
    terms: &Terms,
) -> Result<Mapped, SystemError> {
    #[cfg(target_os = "linux")]
    if terms.load == Load::PrivateCopy || path.as_os_str().as_bytes().contains(&b'$') {
        let (what, copy) = if terms.load == Load::PrivateCopy {
            let copy = copy.unwrap_or_else(|| Sealed::new(bytes, package, terms.is_compared()));
            ("make a private copy of", copy.and_then(Sealed::named))
        } else {
            // The loader would put something else in the place of `$LIB` and the like, and there is no way to quote it.
            ("open", super::open_for_reading(path).and_then(super::copy::Named::of))
        };
        let said = |e: io::Error| SystemError(format!("could not {what} {}: {e}", path.display()));
        let copy = copy.map_err(said)?;
        // SAFETY: the copy, or the file, holds the bytes, of which the caller gives its word.
        let mapped = unsafe { open(&copy.name) };
        copy.opened(mapped.is_ok());
        return mapped;
    }
    // Other systems map the file itself.
    let _ = (bytes, copy, package, terms);
    let name = CString::new(path.as_os_str().as_bytes()).map_err(|e| SystemError(e.to_string()))?;
    // SAFETY: the file holds the bytes, of which the caller gives its word.
    unsafe { open(&name) }
}

/// # Safety
///
/// The file must be a plugin that fits this process.
unsafe fn open(name: &CStr) -> Result<Mapped, SystemError> {
    // SAFETY: the name is a C string; that running the library's constructors is sound is the caller's word.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if handle.is_null() {
        return Err(last_error());
    }
    let is_new = given::is_first(handle.addr());
    let mut link: *const LinkMap = std::ptr::null();
    // SAFETY: the handle is one that dlopen gave, and RTLD_DI_LINKMAP writes one pointer.
    let code = unsafe { dlinfo(handle, RTLD_DI_LINKMAP, (&raw mut link).cast()) };
    if code != 0 || link.is_null() {
        // It is mapped, and the caller will see that it isn't what was wanted.
        return Ok(Mapped { is_new, handle: handle.addr(), ..Mapped::NOTHING });
    }
    // SAFETY: the loader's record of a library that is never closed; its first member is the load address on every ELF
    // system, as <link.h> says.
    let base = unsafe { (*link).address };
    let mut search = Search::new(|image| image.base == base);
    // SAFETY: the handle is one that dlopen gave, and the library is never closed.
    match unsafe { headers(handle) } {
        Some(headers) => search.found(&Loaded { base, headers }),
        None => search.run(),
    }
    Ok(Mapped { is_new, handle: handle.addr(), ..search.mapped() })
}

impl Mapped {
    /// Whether this is what the loader finds for those that need a library of that name. To be asked by the thread that has
    /// the loader.
    pub(crate) fn answers_to(&self, soname: &str) -> bool {
        by_name(soname) == Some(self.handle)
    }
}

/// What the loader has for those that need a library of that name.
fn by_name(soname: &str) -> Option<usize> {
    let name = CString::new(soname).ok()?;
    // SAFETY: the name is a C string, and nothing is loaded: the loader only looks among what it has.
    let found = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
    (!found.is_null()).then(|| found.addr())
}

/// Whether whoever needs a library of that name gets one that is in the process already. To be asked by the thread that has
/// the loader. The library stays from then on, since the handle is never given back.
#[cfg(feature = "trust")]
pub(crate) fn is_in_process(name: &str) -> bool {
    by_name(name).is_some()
}

/// The program headers of a library, where the loader tells them directly: glibc from 2.36. Elsewhere all libraries have
/// to be gone through.
///
/// # Safety
///
/// The handle must be one that dlopen gave, of a library that is never closed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
unsafe fn headers(handle: *mut c_void) -> Option<&'static [Header]> {
    /// From <dlfcn.h>.
    const RTLD_DI_PHDR: c_int = 11;
    let mut first: *const Header = std::ptr::null();
    // SAFETY: the caller's word for the handle; the request writes one pointer, and an older loader refuses it.
    let count = unsafe { dlinfo(handle, RTLD_DI_PHDR, (&raw mut first).cast()) };
    let count = usize::try_from(count).ok().filter(|count| *count > 0 && !first.is_null())?;
    // SAFETY: the loader's own table, of as many headers as it says, which lives as long as the library.
    Some(unsafe { std::slice::from_raw_parts(first, count) })
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
unsafe fn headers(_handle: *mut c_void) -> Option<&'static [Header]> {
    None
}

unsafe extern "C" {
    /// Declared here since `libc` lacks it for musl.
    fn dlinfo(handle: *mut c_void, request: c_int, out: *mut c_void) -> c_int;
}

/// From <dlfcn.h>, where it is the same on every system that has it.
const RTLD_DI_LINKMAP: c_int = 2;

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

/// The library (or program) that holds this very function.
pub(crate) fn own_image() -> Mapped {
    let address = own_image as fn() -> Mapped as usize;
    find(|image| image.loads(address))
}

/// The file of the library that holds this very function, by the path by which the loader found it.
#[cfg(all(feature = "process", target_os = "linux"))]
pub(crate) fn own_path() -> Option<PathBuf> {
    let address = own_image as fn() -> Mapped as *const c_void;
    let mut info = libc::Dl_info {
        dli_fname: std::ptr::null(),
        dli_fbase: std::ptr::null_mut(),
        dli_sname: std::ptr::null(),
        dli_saddr: std::ptr::null_mut(),
    };
    // SAFETY: the call reads an address as a number, and fills the record.
    if unsafe { libc::dladdr(address, &raw mut info) } == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: the loader's name of a library that is never closed.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(name.to_bytes())))
}

/// The program itself, which every loader lists first.
pub(crate) fn program_image() -> Mapped {
    find(|_| true)
}

fn find(wanted: impl Fn(&Loaded<'_>) -> bool) -> Mapped {
    let mut search = Search::new(wanted);
    search.run();
    search.mapped()
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
    base: usize,
    extent: Option<Range<usize>>,
    notes: Vec<&'static [u8]>,
}

impl<F: Fn(&Loaded<'_>) -> bool> Search<F> {
    fn new(wanted: F) -> Self {
        Search { wanted, base: 0, extent: None, notes: Vec::new() }
    }

    fn run(&mut self) {
        // SAFETY: the callback is called during the call only, with the pointer that is passed here.
        unsafe { libc::dl_iterate_phdr(Some(visit::<F>), (&raw mut *self).cast()) };
    }

    /// What was found.
    fn mapped(&self) -> Mapped {
        Mapped {
            base: self.base,
            extent: self.extent.clone().unwrap_or(0..0),
            manifest: self.notes.iter().find_map(|notes| note::find(notes)),
            tables: self.notes.iter().find_map(|notes| Tables::find(notes)),
            ..Mapped::NOTHING
        }
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
        (self.base, self.extent) = (image.base, extent);
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
