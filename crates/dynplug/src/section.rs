//! The tables of exported items and init functions in the image that this very code is part of: the API library, or a
//! program that plain cargo linked.
//!
//! Linkers put sections of one name together, but tell in different ways where the whole lies: on ELF and Mach-O by names
//! of their own making, on Windows in the image's headers, which are in memory with it. WebAssembly has no sections with
//! addresses in them, so there the tables are empty.

use crate::__private::{Entry, InitEntry};

/// The references to the items that are linked into this image. Linkers may put zeros between them.
pub(crate) fn own_symbols() -> &'static [Option<&'static Entry>] {
    let (start, size) = bounds::symbols();
    // SAFETY: the section of this image, into which only `#[export]` puts anything: references to entries.
    unsafe { table(start, size) }
}

/// The references to the init functions that are linked into this image.
pub(crate) fn own_inits() -> &'static [Option<&'static InitEntry>] {
    let (start, size) = bounds::inits();
    // SAFETY: the section of this image, into which only `#[init]` puts anything: references to init entries.
    unsafe { table(start, size) }
}

/// # Safety
///
/// There must be so many bytes, and nothing in them but references for the life of the process and zeros.
unsafe fn table<T>(start: *const u8, size: usize) -> &'static [Option<&'static T>] {
    if start.is_null() || !start.addr().is_multiple_of(align_of::<&T>()) {
        return &[];
    }
    // SAFETY: the caller's word; it is aligned, and no reference is no other bytes than zeros.
    unsafe { std::slice::from_raw_parts(start.cast(), size / size_of::<&T>()) }
}

/// Where linkers for ELF and Mach-O say by names where a section begins and ends.
#[cfg(any(
    target_vendor = "apple",
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly",
    target_os = "fuchsia",
    target_os = "haiku",
    target_os = "hurd",
    target_os = "illumos",
    target_os = "redox",
))]
mod bounds {
    use super::{Entry, InitEntry};

    // The linker makes these for a section whose name is a C identifier, hidden in the image.
    unsafe extern "C" {
        #[cfg_attr(target_vendor = "apple", link_name = "\x01section$start$__DATA$dp_sym")]
        #[cfg_attr(not(target_vendor = "apple"), link_name = "__start_dp_sym")]
        static SYMBOLS_START: u8;
        #[cfg_attr(target_vendor = "apple", link_name = "\x01section$end$__DATA$dp_sym")]
        #[cfg_attr(not(target_vendor = "apple"), link_name = "__stop_dp_sym")]
        static SYMBOLS_END: u8;
        #[cfg_attr(target_vendor = "apple", link_name = "\x01section$start$__DATA$dp_init")]
        #[cfg_attr(not(target_vendor = "apple"), link_name = "__start_dp_init")]
        static INITS_START: u8;
        #[cfg_attr(target_vendor = "apple", link_name = "\x01section$end$__DATA$dp_init")]
        #[cfg_attr(not(target_vendor = "apple"), link_name = "__stop_dp_init")]
        static INITS_END: u8;
    }

    /// Makes sure that there are such sections.
    #[used]
    #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,dp_sym"))]
    #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = "dp_sym"))]
    static NO_SYMBOLS: [&Entry; 0] = [];
    #[used]
    #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,dp_init"))]
    #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = "dp_init"))]
    static NO_INITS: [&InitEntry; 0] = [];

    pub(super) fn symbols() -> (*const u8, usize) {
        let (start, end) = (&raw const SYMBOLS_START, &raw const SYMBOLS_END);
        (start, end.addr().saturating_sub(start.addr()))
    }

    pub(super) fn inits() -> (*const u8, usize) {
        let (start, end) = (&raw const INITS_START, &raw const INITS_END);
        (start, end.addr().saturating_sub(start.addr()))
    }
}

/// Where the headers of the image, which are mapped with it, list its sections.
#[cfg(windows)]
mod bounds {
    use super::pe;

    unsafe extern "C" {
        /// The first byte of the image; every linker for Windows has this name.
        #[link_name = "__ImageBase"]
        static IMAGE: u8;
    }

    fn find(name: &[u8; 8]) -> (*const u8, usize) {
        let image = &raw const IMAGE;
        // SAFETY: an image's headers have a page of their own at its start, which can be read as long as it is loaded,
        // and this code is part of it.
        let headers = unsafe { std::slice::from_raw_parts(image, pe::HEADERS) };
        match pe::section(headers, name) {
            // The whole image is one mapping.
            Some((offset, size)) => (image.wrapping_add(offset), size),
            None => (std::ptr::null(), 0),
        }
    }

    pub(super) fn symbols() -> (*const u8, usize) {
        find(b"dp_sym\0\0")
    }

    pub(super) fn inits() -> (*const u8, usize) {
        find(b"dp_init\0")
    }
}

/// Where nobody says.
#[cfg(not(any(
    windows,
    target_vendor = "apple",
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly",
    target_os = "fuchsia",
    target_os = "haiku",
    target_os = "hurd",
    target_os = "illumos",
    target_os = "redox",
)))]
mod bounds {
    pub(super) fn symbols() -> (*const u8, usize) {
        (std::ptr::null(), 0)
    }

    pub(super) fn inits() -> (*const u8, usize) {
        (std::ptr::null(), 0)
    }
}

/// The headers of an image of Windows.
#[cfg(any(windows, test))]
pub(crate) mod pe {
    /// As many bytes as every image has of them.
    pub(crate) const HEADERS: usize = 4096;

    /// Where a section begins, counted from the start of the image, and its size.
    ///
    /// See [PE Format](https://learn.microsoft.com/en-us/windows/win32/debug/pe-format).
    pub(crate) fn section(headers: &[u8], name: &[u8; 8]) -> Option<(usize, usize)> {
        let word = |at: usize| Some(u32::from_le_bytes(*headers.get(at..)?.first_chunk()?) as usize);
        let half = |at: usize| Some(usize::from(u16::from_le_bytes(*headers.get(at..)?.first_chunk()?)));
        let file_header = word(0x3c)?.checked_add(4)?;
        let (count, optional) = (half(file_header + 2)?, half(file_header + 16)?);
        let table = headers.get(file_header + 20 + optional..)?;
        let found = table.chunks_exact(40).take(count).position(|header| header.starts_with(name))?;
        let header = file_header + 20 + optional + found * 40;
        Some((word(header + 12)?, word(header + 8)?))
    }

    /// How many bytes the image has in memory.
    #[cfg_attr(not(windows), allow(dead_code))]
    pub(crate) fn image_size(headers: &[u8]) -> Option<usize> {
        let word = |at: usize| Some(u32::from_le_bytes(*headers.get(at..)?.first_chunk()?) as usize);
        word(word(0x3c)?.checked_add(24 + 56)?)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(target_family = "wasm"))]
    fn the_tables_of_this_image_hold_what_is_linked_into_it() {
        #[crate::export(crate = crate)]
        static LINKED: u8 = 7;
        #[crate::init(crate = crate)]
        fn start() {}
        let symbols = own_symbols().iter().flatten();
        let names: Vec<_> =
            symbols.filter_map(|e| crate::__private::record::Fields::decode(e.meta()).ok()).collect();
        assert!(names.iter().any(|fields| fields.name == "LINKED"));
        assert!(own_inits().iter().flatten().count() > 0);
    }

    #[test]
    fn a_section_is_found_in_the_headers_of_windows() {
        let mut headers = vec![0; pe::HEADERS];
        headers[0x3c] = 0x80;
        let file_header = 0x84;
        headers[file_header + 2] = 2;
        headers[file_header + 16] = 0xf0;
        let first = file_header + 20 + 0xf0;
        headers[first..first + 5].copy_from_slice(b".text");
        headers[first + 40..first + 47].copy_from_slice(b"dp_init");
        headers[first + 40 + 8..first + 40 + 12].copy_from_slice(&24_u32.to_le_bytes());
        headers[first + 40 + 12..first + 40 + 16].copy_from_slice(&0x5000_u32.to_le_bytes());
        assert_eq!(pe::section(&headers, b"dp_init\0"), Some((0x5000, 24)));
        assert_eq!(pe::section(&headers, b"dp_sym\0\0"), None);
        assert_eq!(pe::section(&headers[..0x40], b"dp_init\0"), None);
        assert_eq!(pe::section(&[0xff; pe::HEADERS], b"dp_init\0"), None);
    }
}
