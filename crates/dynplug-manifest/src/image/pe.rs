//! PE, the images of Windows, 32 and 64 bits.
//!
//! The loader maps an image by its section headers, which are in memory with it, so what they say is what happens. The
//! layouts are those of Microsoft's [PE Format](https://learn.microsoft.com/en-us/windows/win32/debug/pe-format).

use super::error::malformed;
use super::names::Names;
use super::{
    DynamicSymbols, Endian, Format, Image, ImageError, ImageKind, Machine, Section, Symbol, SymbolKind, range,
};
use std::ops::Range;

/// Reads a PE image of either class.
pub(super) fn parse(data: &[u8]) -> Result<Image<'_>, ImageError> {
    let headers = headers(data)?;
    let sections = sections(&headers, data)?;
    let mut named = Vec::with_capacity(sections.len());
    for section in &sections {
        named.push(Section {
            name: section.name()?,
            address: section.address.into(),
            size: section.size.into(),
            data: section.bytes,
            mapped: !section.bytes.is_empty() && section.is_mapped,
        });
    }
    let exports = exports(&headers, &sections, data)?;
    Ok(Image {
        format: Format::Pe,
        machine: match headers.machine {
            0x8664 => Machine::X86_64,
            0x014c => Machine::X86,
            0xaa64 => Machine::Aarch64,
            0x01c4 => Machine::Arm,
            number => Machine::Other(number.into()),
        },
        bits: if headers.is_64 { 64 } else { 32 },
        endian: Endian::Little,
        kind: match headers.characteristics {
            flags if flags & DLL != 0 => ImageKind::SharedLibrary,
            flags if flags & EXECUTABLE != 0 => ImageKind::Executable,
            _ => ImageKind::Other,
        },
        soname: exports.as_ref().and_then(|exports| exports.library),
        needed: needed(&headers, &sections, data)?,
        sections: named,
        notes: Vec::new(),
        has_segments: true,
        symbols: DynamicSymbols::pe(exports.map(|exports| exports.symbols)),
        tls_size: 0,
        static_tls: false,
    })
}

/// The stretches that [`parse`] reads, as far as those tell that are at hand; see [`Image::stretches`].
pub(super) fn stretches(data: &[u8]) -> Vec<Range<u64>> {
    let mut found = Vec::new();
    let Some(start) = header_start(data) else { return found };
    let size = (OPTIONAL_HEADER_64 + DIRECTORIES * 8) as u64;
    found.push(start..start.saturating_add(size));
    let file = usize::try_from(start).ok().and_then(|start| data.get(start..)).unwrap_or_default();
    if let (Some(symbols @ 1..), Some(count)) = (word(file, 12), word(file, 16)) {
        let names = u64::from(symbols) + u64::from(count) * 18;
        found.push(names..names.saturating_add(4));
    }
    let Ok(headers) = headers(data) else { return found };
    let table = headers.sections..headers.sections.saturating_add(u64::from(headers.section_count) * 40);
    let known = table.end <= data.len() as u64;
    found.push(table);
    if !known {
        return found;
    }
    let Ok(sections) = sections(&headers, data) else { return found };
    let tables = [headers.exports, headers.imports];
    for section in &sections {
        let has_table = || tables.iter().any(|(at, _)| section.offset_of(*at).is_some());
        if matches!(section.name(), Ok("dp_exp" | "dp_note")) || has_table() {
            let start = u64::from(section.offset);
            found.push(start..start.saturating_add(section.bytes.len() as u64));
        }
    }
    found
}

/// Set where the image is a library.
const DLL: u16 = 0x2000;
/// Set where the image can be loaded.
const EXECUTABLE: u16 = 2;

/// The signature, the file header, and the optional header of the 64-bit class up to its directories.
const OPTIONAL_HEADER_64: usize = 24 + 112;
/// As many directories as there are names for.
const DIRECTORIES: usize = 16;

/// What the headers say.
struct Headers {
    machine: u16,
    is_64: bool,
    characteristics: u16,
    image_size: u32,
    /// Where the section headers stand in the file.
    sections: u64,
    section_count: u16,
    /// Address and size of the directory of exports.
    exports: (u32, u32),
    /// Address and size of the directory of imports.
    imports: (u32, u32),
}

/// Where the signature stands behind which the headers are.
fn header_start(data: &[u8]) -> Option<u64> {
    word(data, 0x3c).map(u64::from)
}

fn headers(data: &[u8]) -> Result<Headers, ImageError> {
    let start = header_start(data).ok_or(ImageError::Truncated { have: data.len() as u64, want: 0x40 })?;
    let file = range(data, start, 24)?;
    // Only tools read the symbols, and their names behind them; but a whole file has them.
    if let (Some(symbols @ 1..), Some(count)) = (word(file, 12), word(file, 16)) {
        let names = u64::from(symbols) + u64::from(count) * 18;
        let size = range(data, names, 4).map(|size| word(size, 0).unwrap_or(0))?;
        range(data, names, size.into())?;
    }
    let size = half(file, 20).unwrap_or(0);
    let optional = range(data, start.saturating_add(24), size.into())?;
    let is_64 = match half(optional, 0) {
        Some(0x10b) => false,
        Some(0x20b) => true,
        _ => return Err(malformed("it is neither of the 32-bit class of PE nor of the 64-bit one")),
    };
    let first = if is_64 { 112 } else { 96 };
    let count = word(optional, first - 4).ok_or(malformed("its headers cannot be read"))?;
    let directory = |number: usize| {
        let is_there = u32::try_from(number).is_ok_and(|number| number < count);
        let at = first + 8 * number;
        let known = || Some((word(optional, at)?, word(optional, at + 4)?));
        if is_there { known().ok_or(malformed("its directories cannot be read")) } else { Ok((0, 0)) }
    };
    Ok(Headers {
        machine: half(file, 4).unwrap_or(0),
        is_64,
        characteristics: half(file, 22).unwrap_or(0),
        image_size: word(optional, 56).unwrap_or(0),
        sections: start.saturating_add(24 + u64::from(size)),
        section_count: half(file, 6).unwrap_or(0),
        exports: directory(0)?,
        imports: directory(1)?,
    })
}

/// A part of the image that the loader maps.
struct Part<'a> {
    raw_name: &'a [u8],
    address: u32,
    size: u32,
    offset: u32,
    /// What of it stands in the file.
    bytes: &'a [u8],
    /// Whether the loader puts just these bytes at the address.
    is_mapped: bool,
}

impl<'a> Part<'a> {
    /// The name. Of a longer one than eight characters only a number is left, in a table that images don't have.
    fn name(&self) -> Result<&'a str, ImageError> {
        let length = self.raw_name.iter().position(|&byte| byte == 0).unwrap_or(self.raw_name.len());
        let name = self.raw_name.get(..length).and_then(|name| std::str::from_utf8(name).ok());
        name.ok_or(malformed("a section's name is no text"))
    }

    /// How far behind the part's beginning an address lies, if it is among its bytes.
    fn offset_of(&self, address: u32) -> Option<usize> {
        let offset = usize::try_from(address.checked_sub(self.address)?).ok()?;
        (offset < self.bytes.len()).then_some(offset)
    }
}

fn sections<'a>(headers: &Headers, data: &'a [u8]) -> Result<Vec<Part<'a>>, ImageError> {
    let table = range(data, headers.sections, u64::from(headers.section_count) * 40)?;
    let mut sections = Vec::with_capacity(headers.section_count.into());
    let mut end = 0;
    for header in table.as_chunks::<40>().0 {
        let field = |at| word(header, at).unwrap_or(0);
        let (virtual_size, address, raw_size, offset) = (field(8), field(12), field(16), field(20));
        // Also where the loader takes less of it: a whole file has it.
        let raw = range(data, offset.into(), raw_size.into())?;
        let size = if virtual_size == 0 { raw_size } else { virtual_size };
        let in_memory = raw.get(..usize::try_from(size).unwrap_or(usize::MAX)).unwrap_or(raw);
        // The loader asks for this order, and that nothing lies upon anything else.
        if u64::from(address) < end {
            return Err(malformed("its sections overlap or are out of order"));
        }
        end = u64::from(address) + u64::from(size);
        sections.push(Part {
            raw_name: header.get(..8).unwrap_or_default(),
            address,
            size,
            offset,
            bytes: in_memory,
            // It rounds what doesn't begin at a sector.
            is_mapped: offset % SECTOR == 0,
        });
    }
    if end > u64::from(headers.image_size) {
        return Err(malformed("a section reaches beyond the image"));
    }
    Ok(sections)
}

const SECTOR: u32 = 512;

/// The bytes of the file that stand at an address, as far as the section goes.
fn at<'a>(sections: &[Part<'a>], address: u32) -> Option<&'a [u8]> {
    let after = sections.partition_point(|section| section.address <= address);
    let section = sections.get(after.checked_sub(1)?)?;
    section.bytes.get(section.offset_of(address)?..)
}

/// The text at an address, up to the zero byte that ends it.
fn text<'a>(
    sections: &[Part<'a>],
    address: u32,
    budget: &mut Names<'_>,
    what: &'static str,
) -> Result<&'a str, ImageError> {
    let tail = at(sections, address).ok_or(malformed(what))?;
    let length = tail.iter().position(|&byte| byte == 0).ok_or(malformed(what))?;
    budget.spend(length + 1)?;
    let name = tail.get(..length).and_then(|name| std::str::from_utf8(name).ok());
    name.ok_or(malformed(what))
}

/// The names of the libraries that the loader loads with it.
fn needed<'a>(headers: &Headers, sections: &[Part<'a>], data: &[u8]) -> Result<Vec<&'a str>, ImageError> {
    const WHAT: &str = "its table of imports cannot be read";
    let mut needed = Vec::new();
    if headers.imports.0 == 0 {
        return Ok(needed);
    }
    let table = at(sections, headers.imports.0).ok_or(malformed(WHAT))?;
    let mut names = Names::new(&[], data);
    for entry in table.as_chunks::<20>().0 {
        match word(entry, 12) {
            Some(0) | None => return Ok(needed),
            Some(name) => needed.push(text(sections, name, &mut names, "a library's name is no text")?),
        }
    }
    // The loader would read on in what follows in memory.
    Err(malformed(WHAT))
}

struct Exports<'a> {
    /// The name that the library gives itself.
    library: Option<&'a str>,
    symbols: PeSymbols<'a>,
}

fn exports<'a>(
    headers: &Headers,
    sections: &[Part<'a>],
    data: &[u8],
) -> Result<Option<Exports<'a>>, ImageError> {
    let (start, size) = headers.exports;
    if start == 0 {
        return Ok(None);
    }
    let bad = || malformed("its table of exports cannot be read");
    // Names are read from the table's own range, which is where a linker puts them.
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let whole = at(sections, start).and_then(|bytes| bytes.get(..size)).ok_or_else(bad)?;
    let field = |at| word(whole, at).ok_or_else(bad);
    let (name, count, named) = (field(12)?, field(20)?, field(24)?);
    let table = |address: u32, count: u32, size: usize| {
        let bytes = at(sections, address).unwrap_or_default();
        let length = usize::try_from(count).ok().and_then(|count| count.checked_mul(size));
        length.and_then(|length| bytes.get(..length)).ok_or_else(bad)
    };
    let mut names = Names::new(whole, data);
    let library = match name {
        0 => None,
        name => {
            let offset = u64::from(name.wrapping_sub(start));
            Some(names.get(offset, "the library's name is no text of the table")?)
        }
    };
    let symbols = PeSymbols {
        names,
        start,
        addresses: table(field(28)?, count, 4)?,
        rest: table(field(32)?, named, 4)?,
        ordinals: table(field(36)?, named, 2)?,
    };
    Ok(Some(Exports { library, symbols }))
}

/// The exports that have a name, which have not been read.
#[derive(Debug, Clone)]
pub(super) struct PeSymbols<'a> {
    names: Names<'a>,
    /// The address of the table of exports, from where its names are counted.
    start: u32,
    addresses: &'a [u8],
    /// The addresses of the names that are left.
    rest: &'a [u8],
    /// For each of these names which export it is of.
    ordinals: &'a [u8],
}

impl<'a> Iterator for PeSymbols<'a> {
    type Item = Result<Symbol<'a>, ImageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (name, rest) = self.rest.split_first_chunk::<4>()?;
        self.rest = rest;
        let (ordinal, rest) = self.ordinals.split_first_chunk::<2>()?;
        self.ordinals = rest;
        let offset = u64::from(u32::from_le_bytes(*name).wrapping_sub(self.start));
        let name = self.names.get(offset, "an exported name is no text of the table");
        let address = word(self.addresses, 4 * usize::from(u16::from_le_bytes(*ordinal)));
        let address = address.ok_or(malformed("its table of exports cannot be read"));
        Some(name.and_then(|name| {
            let address = address?.into();
            Ok(Symbol { name, defined: true, weak: false, kind: SymbolKind::Other, address, size: 0 })
        }))
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}
