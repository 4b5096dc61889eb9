//! ELF, 32 and 64 bits, either endianness.
//!
//! Each table is checked against the file, and so is how the tables relate to each other, which decides what
//! a loader does: the segments have to lie apart and in order, and the dynamic table is read the way the
//! loader reads it, by address.

use super::error::malformed;
use super::names::Names;
use super::structures::{
    DynamicEntry, Encoding, FileHeader, SectionHeader, Segment, Structure, SymbolEntry, Table,
};
use super::symbols::ElfSymbols;
use super::{DynamicSymbols, Endian, Format, Image, ImageError, ImageKind, Machine, Section, range};
use std::ops::Range;

/// Reads an ELF file of either class.
pub(super) fn parse(data: &[u8]) -> Result<Image<'_>, ImageError> {
    let (header, encoding) = file_header(data)?;
    let segments = segments(&header, encoding, data)?;
    let section_headers = section_headers(&header, encoding, data)?;
    let mut layout = Layout { loads: Vec::new(), has_segments: !segments.is_empty() };
    for segment in segments.iter::<Segment>().filter(|segment| segment.kind == PT_LOAD) {
        layout.add(load(&segment, data)?)?;
    }

    let mut dynamic = None;
    let mut tls_size = None;
    let mut has_interpreter = false;
    let mut notes = Vec::new();
    let mut notes_size = 0;
    for segment in segments.iter::<Segment>() {
        let Segment { offset, file_size: size, memory_size: memory, .. } = segment;
        // Also for the types unknown here: whatever it is, a whole file has it.
        let bytes = range(data, offset, size)?;
        let mapped = layout.maps(segment.address, offset, size);
        match segment.kind {
            PT_DYNAMIC => {
                if !mapped {
                    return Err(malformed("its dynamic table is not among what is loaded"));
                }
                if dynamic.replace(bytes).is_some() {
                    return Err(malformed("it has two dynamic tables"));
                }
            }
            PT_TLS => {
                if size > memory {
                    return Err(malformed("its thread-local storage is larger in the file than in memory"));
                }
                if tls_size.replace(memory).is_some() {
                    return Err(malformed("it has two blocks of thread-local storage"));
                }
            }
            // A note that isn't loaded is none that the runtime could see, so it counts for nothing.
            PT_NOTE if mapped => {
                notes_size += bytes.len();
                // Otherwise a small file could have its reader go over the same notes many times.
                if notes_size > data.len() {
                    return Err(malformed("its segments of notes overlap"));
                }
                notes.push(bytes);
            }
            PT_INTERP => has_interpreter = true,
            _ => {}
        }
    }
    let dynamic = match dynamic {
        Some(table) => read_dynamic(table, encoding, data, &layout)?,
        None => Dynamic::default(),
    };

    let kind = match header.kind {
        ET_REL => ImageKind::Relocatable,
        ET_EXEC => ImageKind::Executable,
        // A program that can be placed anywhere has the same type as a library. Linkers mark it since 2016;
        // before, it had an interpreter and no soname, while libraries that can be run, as libc, have both.
        ET_DYN if dynamic.is_program || (has_interpreter && dynamic.soname.is_none()) => {
            ImageKind::Executable
        }
        ET_DYN => ImageKind::SharedLibrary,
        _ => ImageKind::Other,
    };
    Ok(Image {
        format: Format::Elf,
        machine: machine(header.machine, encoding.is_64),
        bits: if encoding.is_64 { 64 } else { 32 },
        endian: if encoding.is_big_endian { Endian::Big } else { Endian::Little },
        kind,
        soname: dynamic.soname,
        needed: dynamic.needed,
        sections: sections(&header, &section_headers, data, &layout)?,
        notes,
        has_segments: layout.has_segments,
        symbols: DynamicSymbols::elf(dynamic_symbols(&section_headers, encoding, data)?),
        tls_size: tls_size.unwrap_or(0),
        static_tls: dynamic.static_tls,
    })
}

fn file_header(data: &[u8]) -> Result<(FileHeader, Encoding), ImageError> {
    let is_64 = match data.get(4) {
        None => return Err(truncated(data, 52)),
        Some(1) => false,
        Some(2) => true,
        Some(_) => return Err(malformed("it is neither of the 32-bit class of ELF nor of the 64-bit one")),
    };
    let encoding = Encoding { is_64, is_big_endian: data.get(5) == Some(&2) };
    let first = range(data, 0, FileHeader::size(encoding) as u64)?;
    // The order of bytes, and the only version that there has ever been.
    let is_known = matches!(data.get(5..7), Some([1 | 2, 1]));
    let header = FileHeader::read(first, encoding).filter(|_| is_known);
    let header = header.ok_or(malformed("its first bytes are no header of ELF"))?;
    Ok((header, encoding))
}

/// The stretches that [`parse`] reads, as far as those tell that are at hand; see [`Image::stretches`].
pub(super) fn stretches(data: &[u8]) -> Vec<Range<u64>> {
    let mut found = Vec::new();
    let Ok((header, encoding)) = file_header(data) else { return found };
    let mut table = |start: u64, size: u16, count: u32| {
        // The first entry may say how many there are.
        let count = u64::from(count).max(1);
        found.push(start..start.saturating_add(u64::from(size).saturating_mul(count)));
    };
    let first = first_section(&header, encoding, data);
    let segment_count = match header.segment_count {
        PN_XNUM => first.as_ref().map_or(0, |first| first.info),
        count => count.into(),
    };
    let section_count = match header.section_count {
        0 => first.and_then(|first| u32::try_from(first.size).ok()).unwrap_or(0),
        count => count.into(),
    };
    table(header.segments_offset, header.segment_size, segment_count);
    table(header.sections_offset, header.section_size, section_count);
    let (Ok(segments), Ok(headers)) =
        (segments(&header, encoding, data), section_headers(&header, encoding, data))
    else {
        return found;
    };
    let mut layout = Layout { loads: Vec::new(), has_segments: true };
    for segment in segments.iter::<Segment>() {
        let file = segment.offset..segment.offset.saturating_add(segment.file_size);
        match segment.kind {
            PT_LOAD => match load(&segment, data).and_then(|load| layout.add(load)) {
                Ok(()) => {}
                // It will be refused for that.
                Err(_) => return found,
            },
            PT_NOTE => found.push(file),
            PT_DYNAMIC => {
                found.push(file);
                let table = range(data, segment.offset, segment.file_size).unwrap_or_default();
                let (mut address, mut size) = (None, None);
                for entry in Table::new::<DynamicEntry>(table, encoding).iter::<DynamicEntry>() {
                    match entry.tag {
                        DT_STRTAB => address = Some(entry.value),
                        DT_STRSZ => size = Some(entry.value),
                        _ => {}
                    }
                }
                if let (Some(address), Some(size)) = (address, size)
                    && let Some(offset) = layout.file_offset(address, size)
                {
                    found.push(offset..offset.saturating_add(size));
                }
            }
            _ => {}
        }
    }
    let of = |header: &SectionHeader| header.offset..header.offset.saturating_add(header.size);
    let strings = match header.section_names {
        SHN_XINDEX => headers.get(0).and_then(|first: SectionHeader| headers.get(first.link)),
        index => headers.get(index.into()),
    };
    let Some(strings) = strings else { return found };
    found.push(of(&strings));
    let Ok(names) = section_data(&strings, data) else { return found };
    let wanted: [&[u8]; 2] = [b"dp_exp\0", b".note.dynplug\0"];
    for header in headers.iter::<SectionHeader>().filter(|header| header.kind != SHT_NOBITS) {
        let name = usize::try_from(header.name).ok().and_then(|at| names.get(at..)).unwrap_or_default();
        if wanted.iter().any(|wanted| name.starts_with(wanted)) {
            found.push(of(&header));
        }
    }
    found
}

fn truncated(data: &[u8], want: u64) -> ImageError {
    ImageError::Truncated { have: data.len() as u64, want }
}

const ET_REL: u16 = 1;
const ET_EXEC: u16 = 2;
const ET_DYN: u16 = 3;

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const PT_NOTE: u32 = 4;
const PT_TLS: u32 = 7;

/// The number of segments that says that it stands in the first section header, for there are so many.
const PN_XNUM: u16 = 0xffff;

/// The program headers.
fn segments<'a>(header: &FileHeader, encoding: Encoding, data: &'a [u8]) -> Result<Table<'a>, ImageError> {
    let offset = header.segments_offset;
    if offset == 0 {
        return Ok(Table::new::<Segment>(&[], encoding));
    }
    let count = match header.segment_count {
        PN_XNUM => first_section(header, encoding, data).map(|first| first.info),
        count => Some(count.into()),
    };
    let bytes = range(data, offset, u64::from(count.unwrap_or(0)) * u64::from(header.segment_size))?;
    if count.is_none() {
        // If the section headers cannot be read because the file was cut off, that is what has to be said.
        section_headers(header, encoding, data)?;
    }
    let size_fits = usize::from(header.segment_size) == Segment::size(encoding);
    if count.is_none() || (count != Some(0) && !size_fits) {
        return Err(malformed("its table of segments cannot be read"));
    }
    Ok(Table::new::<Segment>(bytes, encoding))
}

/// The section headers.
fn section_headers<'a>(
    header: &FileHeader,
    encoding: Encoding,
    data: &'a [u8],
) -> Result<Table<'a>, ImageError> {
    let offset = header.sections_offset;
    if offset == 0 {
        return Ok(Table::new::<SectionHeader>(&[], encoding));
    }
    // The first entry may hold the number of them, so it has to be there to ask.
    range(data, offset, header.section_size.into())?;
    let count = match header.section_count {
        0 => first_section(header, encoding, data).and_then(|first| u32::try_from(first.size).ok()),
        count => Some(count.into()),
    };
    let count = count.ok_or(malformed("its number of sections cannot be read"))?;
    let bytes = range(data, offset, u64::from(count) * u64::from(header.section_size))?;
    if count != 0 && usize::from(header.section_size) != SectionHeader::size(encoding) {
        return Err(malformed("its table of sections cannot be read"));
    }
    Ok(Table::new::<SectionHeader>(bytes, encoding))
}

/// The first section header, which is of no section: it holds the numbers that the file header has no room for.
fn first_section(header: &FileHeader, encoding: Encoding, data: &[u8]) -> Option<SectionHeader> {
    let size = SectionHeader::size(encoding);
    if header.sections_offset == 0 || usize::from(header.section_size) != size {
        return None;
    }
    SectionHeader::read(range(data, header.sections_offset, size as u64).ok()?, encoding)
}

/// A part of the file that the loader puts into memory.
struct Load {
    address: u64,
    memory_size: u64,
    offset: u64,
    file_size: u64,
}

fn load(segment: &Segment, data: &[u8]) -> Result<Load, ImageError> {
    let &Segment { offset, address, file_size, memory_size, align, .. } = segment;
    range(data, offset, file_size)?;
    if file_size > memory_size {
        return Err(malformed("a segment is larger in the file than in memory"));
    }
    if address.checked_add(memory_size).is_none() {
        return Err(malformed("a segment reaches beyond the end of memory"));
    }
    if align > 1 && (!align.is_power_of_two() || address % align != offset % align) {
        return Err(malformed("a segment is not aligned in the file as it is in memory"));
    }
    Ok(Load { address, memory_size, offset, file_size })
}

/// What lies where in memory.
struct Layout {
    /// By address, without an overlap.
    loads: Vec<Load>,
    has_segments: bool,
}

impl Layout {
    fn add(&mut self, load: Load) -> Result<(), ImageError> {
        // The format asks for this order, and loaders reserve the room by the first and the last.
        if self.loads.last().is_some_and(|last| last.address + last.memory_size > load.address) {
            return Err(malformed("its segments overlap or are out of order"));
        }
        self.loads.push(load);
        Ok(())
    }

    /// Whether `size` bytes of the file at `offset` are what stands at `address` in memory.
    fn maps(&self, address: u64, offset: u64, size: u64) -> bool {
        self.file_offset(address, size) == Some(offset)
    }

    /// Where in the file the `size` bytes stand that are at `address` in memory.
    fn file_offset(&self, address: u64, size: u64) -> Option<u64> {
        let after = self.loads.partition_point(|load| load.address <= address);
        let load = self.loads.get(after.checked_sub(1)?)?;
        let skipped = address.checked_sub(load.address)?;
        let end = skipped.checked_add(size)?;
        if end <= load.file_size { load.offset.checked_add(skipped) } else { None }
    }
}

#[derive(Default)]
struct Dynamic<'a> {
    soname: Option<&'a str>,
    needed: Vec<&'a str>,
    static_tls: bool,
    is_program: bool,
}

fn read_dynamic<'a>(
    table: &'a [u8],
    encoding: Encoding,
    data: &'a [u8],
    layout: &Layout,
) -> Result<Dynamic<'a>, ImageError> {
    let entries = Table::new::<DynamicEntry>(table, encoding);
    if entries.ends_within_entry() {
        return Err(malformed("its dynamic table ends within an entry"));
    }
    let mut strings_address = None;
    let mut strings_size = None;
    let mut soname = None;
    let mut needed = Vec::new();
    let mut dynamic = Dynamic::default();
    // The loader keeps the last of an entry that stands twice, except for the libraries.
    for DynamicEntry { tag, value } in entries.iter().take_while(|entry: &DynamicEntry| entry.tag != DT_NULL)
    {
        match tag {
            DT_STRTAB => strings_address = Some(value),
            DT_STRSZ => strings_size = Some(value),
            DT_SONAME => soname = Some(value),
            DT_NEEDED => needed.push(value),
            DT_FLAGS => dynamic.static_tls = value & DF_STATIC_TLS != 0,
            DT_FLAGS_1 => dynamic.is_program = value & DF_1_PIE != 0,
            _ => {}
        }
    }
    if soname.is_none() && needed.is_empty() {
        return Ok(dynamic);
    }
    let mut names = match (strings_address, strings_size) {
        (Some(address), Some(size)) => {
            let offset = layout
                .file_offset(address, size)
                .ok_or(malformed("the strings of its dynamic table are not among what is loaded"))?;
            Names::new(range(data, offset, size)?, data)
        }
        _ => return Err(malformed("its dynamic table has names and no strings")),
    };
    let mut name = |offset| names.get(offset, "a library's name is no text of the dynamic table");
    dynamic.soname = soname.map(&mut name).transpose()?;
    dynamic.needed = needed.into_iter().map(name).collect::<Result<_, _>>()?;
    Ok(dynamic)
}

const DT_NULL: u64 = 0;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_STRSZ: u64 = 10;
const DT_SONAME: u64 = 14;
const DT_FLAGS: u64 = 30;
const DT_FLAGS_1: u64 = 0x6fff_fffb;

/// Set where the library has thread-locals of the initial-exec model.
const DF_STATIC_TLS: u64 = 0x10;

/// Set where the file is a program and not a library.
const DF_1_PIE: u64 = 0x0800_0000;

fn sections<'a>(
    header: &FileHeader,
    headers: &Table<'a>,
    data: &'a [u8],
    layout: &Layout,
) -> Result<Vec<Section<'a>>, ImageError> {
    if headers.is_empty() {
        return Ok(Vec::new());
    }
    let strings = match header.section_names {
        SHN_XINDEX => headers.get(0).and_then(|first: SectionHeader| headers.get(first.link)),
        SHN_UNDEF | SHN_LORESERVE.. => None,
        index => headers.get(index.into()),
    };
    let strings = strings.ok_or(malformed("the names of its sections cannot be found"))?;
    let mut names = Names::new(section_data(&strings, data)?, data);
    let mut sections = Vec::new();
    for header in headers.iter::<SectionHeader>().filter(|header| header.kind != SHT_NULL) {
        let bytes = section_data(&header, data)?;
        let is_loaded = header.flags & SHF_ALLOC != 0;
        sections.push(Section {
            name: names.get(header.name.into(), "a section's name is no text of the table")?,
            address: header.address,
            size: header.size,
            data: bytes,
            mapped: is_loaded
                && !bytes.is_empty()
                && layout.maps(header.address, header.offset, bytes.len() as u64),
        });
    }
    Ok(sections)
}

const SHN_UNDEF: u16 = 0;
/// From here on the numbers are of no section.
const SHN_LORESERVE: u16 = 0xff00;
/// The number is too large, and stands in the first section header.
const SHN_XINDEX: u16 = 0xffff;

const SHT_NULL: u32 = 0;
const SHT_NOBITS: u32 = 8;
const SHT_DYNSYM: u32 = 11;

/// Set where the section has a place in memory.
const SHF_ALLOC: u64 = 2;

/// The bytes of a section in the file: none for one that has only a size.
fn section_data<'a>(header: &SectionHeader, data: &'a [u8]) -> Result<&'a [u8], ImageError> {
    if header.kind == SHT_NOBITS { Ok(&[]) } else { range(data, header.offset, header.size) }
}

fn dynamic_symbols<'a>(
    headers: &Table<'a>,
    encoding: Encoding,
    data: &'a [u8],
) -> Result<ElfSymbols<'a>, ImageError> {
    let Some(table) = headers.iter().find(|header: &SectionHeader| header.kind == SHT_DYNSYM) else {
        return Ok(ElfSymbols {
            entries: Table::new::<SymbolEntry>(&[], encoding),
            names: Names::new(&[], data),
        });
    };
    let entries = Table::new::<SymbolEntry>(section_data(&table, data)?, encoding);
    if entries.ends_within_entry() {
        return Err(malformed("its table of dynamic symbols ends within an entry"));
    }
    let strings =
        headers.get(table.link).ok_or(malformed("the names of its dynamic symbols are in no section"))?;
    Ok(ElfSymbols { entries, names: Names::new(section_data(&strings, data)?, data) })
}

/// The architecture that the file header names. The numbers are the registry's, `EM_X86_64` and so on.
fn machine(machine: u16, is_64: bool) -> Machine {
    match (machine, is_64) {
        (62, _) => Machine::X86_64,
        (3, _) => Machine::X86,
        (183, _) => Machine::Aarch64,
        (40, _) => Machine::Arm,
        (243, true) => Machine::Riscv64,
        (243, false) => Machine::Riscv32,
        (21, _) => Machine::Powerpc64,
        (20, _) => Machine::Powerpc,
        (22, true) => Machine::S390x,
        (258, true) => Machine::Loongarch64,
        (8, true) => Machine::Mips64,
        (8, false) => Machine::Mips,
        (43, _) => Machine::Sparc64,
        (number, _) => Machine::Other(number.into()),
    }
}
