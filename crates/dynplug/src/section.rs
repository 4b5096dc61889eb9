//! The tables of exported items and init functions in the image that this very code is part of: the API library, or a
//! program that plain cargo linked.
//!
//! Linkers put sections of one name together, but tell in different ways where the whole lies: on ELF and Mach-O by names
//! of their own making, on Windows in the image's headers, which are in memory with it. WebAssembly has no sections with
//! addresses in them, so there a constructor for each item adds it to a list.

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

/// Where constructors have made lists.
#[cfg(target_family = "wasm")]
mod bounds {
    pub(super) fn symbols() -> (*const u8, usize) {
        super::SYMBOLS.bounds()
    }

    pub(super) fn inits() -> (*const u8, usize) {
        super::INITS.bounds()
    }
}

#[cfg(target_family = "wasm")]
pub(crate) static SYMBOLS: Added<Entry> = Added::none();
#[cfg(target_family = "wasm")]
pub(crate) static INITS: Added<InitEntry> = Added::none();

/// What constructors have told of.
#[cfg(target_family = "wasm")]
pub(crate) struct Added<T: 'static>(std::sync::Mutex<Vec<Option<&'static T>>>);

#[cfg(target_family = "wasm")]
impl<T> Added<T> {
    const fn none() -> Added<T> {
        Added(std::sync::Mutex::new(Vec::new()))
    }

    pub(crate) fn add(&self, entry: &'static T) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(Some(entry));
    }

    /// A copy that stays as it is. It is asked for once.
    fn bounds(&self) -> (*const u8, usize) {
        let list = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone().leak();
        (list.as_ptr().cast(), size_of_val(list))
    }
}

/// Where nobody says.
#[cfg(not(any(
    windows,
    target_family = "wasm",
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

/// The headers of an image of macOS.
#[cfg(any(target_os = "macos", test))]
pub(crate) mod macho {
    use std::ops::Range;

    /// The size of the header, behind which the load commands are.
    pub(crate) const HEADER: usize = 32;

    /// The size of header and commands together.
    pub(crate) fn size(header: &[u8]) -> usize {
        HEADER + word(header, 20).unwrap_or(0)
    }

    /// Where things lie in an image, by its own addresses, which start anywhere.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) struct Layout {
        /// The first segment, with the headers.
        pub(crate) text: usize,
        /// From the first segment to the last.
        pub(crate) extent: Range<usize>,
        /// The section with the manifest.
        pub(crate) manifest: Option<Range<usize>>,
        /// The sections with the tables.
        pub(crate) symbols: Option<Range<usize>>,
        /// See above.
        pub(crate) inits: Option<Range<usize>>,
    }

    impl Layout {
        /// Reads header and load commands of a 64-bit image. See `<mach-o/loader.h>`.
        pub(crate) fn of(headers: &[u8]) -> Option<Layout> {
            const MAGIC: &[u8] = &0xfeed_facf_u32.to_ne_bytes();
            const LC_SEGMENT_64: usize = 0x19;
            let mut layout = Layout { text: 0, extent: 0..0, manifest: None, symbols: None, inits: None };
            let mut rest = headers.strip_prefix(MAGIC).and_then(|_| headers.get(HEADER..))?;
            for _ in 0..word(headers, 16)? {
                let (command, more) = rest.split_at_checked(word(rest, 4)?.max(8))?;
                rest = more;
                if word(command, 0)? != LC_SEGMENT_64 {
                    continue;
                }
                let (address, size) = (long(command, 24)?, long(command, 32)?);
                let file_size = long(command, 48)?;
                // The one that keeps the lowest addresses free has nothing in it, and nothing is mapped for it.
                if size == 0 || (file_size == 0 && command.get(8..)?.starts_with(b"__PAGEZERO\0")) {
                    continue;
                }
                if command.get(8..)?.starts_with(b"__TEXT\0") {
                    layout.text = address;
                }
                let end = address.checked_add(size)?;
                layout.extent = match layout.extent {
                    Range { end: 0, .. } => address..end,
                    Range { start, end: last } => start.min(address)..last.max(end),
                };
                let sections = command.get(72..)?.chunks_exact(80).take(word(command, 64)?);
                for section in sections {
                    let place = match section {
                        [b'd', b'p', b'_', b'n', b'o', b't', b'e', 0, ..] => &mut layout.manifest,
                        [b'd', b'p', b'_', b's', b'y', b'm', 0, ..] => &mut layout.symbols,
                        [b'd', b'p', b'_', b'i', b'n', b'i', b't', 0, ..] => &mut layout.inits,
                        _ => continue,
                    };
                    let start = long(section, 32)?;
                    *place = Some(start..start.checked_add(long(section, 40)?)?);
                }
            }
            Some(layout)
        }
    }

    fn word(bytes: &[u8], at: usize) -> Option<usize> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        usize::try_from(u32::from_ne_bytes(bytes)).ok()
    }

    fn long(bytes: &[u8], at: usize) -> Option<usize> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        usize::try_from(u64::from_ne_bytes(bytes)).ok()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
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

    /// A load command of a segment, with these sections.
    #[cfg(target_pointer_width = "64")]
    fn segment(name: &str, address: u64, size: u64, sections: &[(&str, u64, u64)]) -> Vec<u8> {
        let name16 = |name: &str| {
            let mut bytes = name.as_bytes().to_vec();
            bytes.resize(16, 0);
            bytes
        };
        let mut out = Vec::new();
        out.extend(0x19_u32.to_ne_bytes());
        out.extend((72 + 80 * sections.len() as u32).to_ne_bytes());
        out.extend(name16(name));
        let file_size = if name == "__PAGEZERO" { 0 } else { size };
        for number in [address, size, 0, file_size] {
            out.extend(number.to_ne_bytes());
        }
        for number in [7, 5, sections.len() as u32, 0] {
            out.extend(number.to_ne_bytes());
        }
        for (section, address, size) in sections {
            out.extend(name16(section));
            out.extend(name16(name));
            out.extend(address.to_ne_bytes());
            out.extend(size.to_ne_bytes());
            out.extend([0; 32]);
        }
        out
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn sections_are_found_in_the_headers_of_macos() {
        let commands = [
            segment("__PAGEZERO", 0, 0x1_0000_0000, &[]),
            segment("__TEXT", 0x1_0000_0000, 0x4000, &[("__text", 0x1_0000_0400, 0x100)]),
            // The least that a command has: its kind and size.
            [0x2_u32.to_ne_bytes(), 8_u32.to_ne_bytes()].concat(),
            segment(
                "__DATA",
                0x1_0000_4000,
                0x8000,
                &[("dp_symbols", 1, 1), ("dp_sym", 0x1_0000_4010, 24), ("dp_note", 0x1_0000_5000, 100)],
            ),
        ];
        let mut headers = [0xfeed_facf_u32, 0, 0, 2, 4, commands.concat().len() as u32, 0, 0]
            .map(u32::to_ne_bytes)
            .concat();
        assert_eq!(macho::size(&headers), macho::HEADER + commands.concat().len());
        headers.extend(commands.concat());
        let layout = macho::Layout::of(&headers).unwrap();
        assert_eq!(layout.text, 0x1_0000_0000);
        assert_eq!(layout.extent, 0x1_0000_0000..0x1_0000_c000);
        assert_eq!(layout.symbols, Some(0x1_0000_4010..0x1_0000_4028));
        assert_eq!(layout.manifest, Some(0x1_0000_5000..0x1_0000_5064));
        assert_eq!(layout.inits, None);
        for end in 0..headers.len() {
            assert_eq!(macho::Layout::of(&headers[..end]), None, "with {end} bytes");
        }
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
