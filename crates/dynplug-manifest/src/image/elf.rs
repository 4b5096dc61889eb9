//! ELF, 32 and 64 bits, either endianness.
//!
//! `object` reads the tables, each of which it checks against the file. What it doesn't check is how the
//! tables relate to each other, and that decides what a loader does: so the segments are checked here, and
//! the dynamic table is read the way the loader reads it, by address.

use object::elf;
use object::endian::Endianness;
use object::pod::slice_from_all_bytes;
use object::read::SectionIndex;
use object::read::elf::{Dyn, FileHeader, ProgramHeader, SectionHeader};

use super::error::malformed;
use super::names::Names;
use super::symbols::ElfSymbols;
use super::{DynamicSymbols, Endian, Format, Image, ImageError, ImageKind, Machine, Section, range};

/// Reads an ELF file of either class.
pub(super) fn parse(data: &[u8]) -> Result<Image<'_>, ImageError> {
    match data.get(4) {
        None => Err(truncated(data, 52)),
        Some(1) => parse_class::<elf::FileHeader32<Endianness>>(data, DynamicSymbols::elf_32),
        Some(2) => parse_class::<elf::FileHeader64<Endianness>>(data, DynamicSymbols::elf_64),
        Some(_) => Err(malformed("it is neither of the 32-bit class of ELF nor of the 64-bit one")),
    }
}

fn truncated(data: &[u8], want: u64) -> ImageError {
    ImageError::Truncated { have: data.len() as u64, want }
}

fn parse_class<'a, E: FileHeader<Endian = Endianness>>(
    data: &'a [u8],
    symbols: fn(ElfSymbols<'a, E::Sym>) -> DynamicSymbols<'a>,
) -> Result<Image<'a>, ImageError> {
    range(data, 0, size_of::<E>() as u64)?;
    let header = E::parse(data).map_err(|_| malformed("its first bytes are no header of ELF"))?;
    let endian = header.endian().map_err(|_| malformed("its first bytes are no header of ELF"))?;

    let segments = segments(header, endian, data)?;
    let raw_sections = section_headers(header, endian, data)?;
    let mut layout = Layout { loads: Vec::new(), has_segments: !segments.is_empty() };
    for segment in segments.iter().filter(|segment| segment.p_type(endian) == elf::PT_LOAD) {
        layout.add(load(segment, endian, data)?)?;
    }

    let mut dynamic = None;
    let mut tls_size = None;
    let mut has_interpreter = false;
    let mut notes = Vec::new();
    let mut notes_size = 0;
    for segment in segments {
        let (offset, size) = segment.file_range(endian);
        // Also for the types unknown here: whatever it is, a whole file has it.
        let bytes = range(data, offset, size)?;
        let mapped = layout.maps(segment.p_vaddr(endian).into(), offset, size);
        match segment.p_type(endian) {
            elf::PT_DYNAMIC => {
                if !mapped {
                    return Err(malformed("its dynamic table is not among what is loaded"));
                }
                if dynamic.replace(bytes).is_some() {
                    return Err(malformed("it has two dynamic tables"));
                }
            }
            elf::PT_TLS => {
                let memory: u64 = segment.p_memsz(endian).into();
                if size > memory {
                    return Err(malformed("its thread-local storage is larger in the file than in memory"));
                }
                if tls_size.replace(memory).is_some() {
                    return Err(malformed("it has two blocks of thread-local storage"));
                }
            }
            // A note that isn't loaded is none that the runtime could see, so it counts for nothing.
            elf::PT_NOTE if mapped => {
                notes_size += bytes.len();
                // Otherwise a small file could have its reader go over the same notes many times.
                if notes_size > data.len() {
                    return Err(malformed("its segments of notes overlap"));
                }
                notes.push(bytes);
            }
            elf::PT_INTERP => has_interpreter = true,
            _ => {}
        }
    }
    let dynamic = match dynamic {
        Some(table) => read_dynamic::<E>(table, endian, data, &layout)?,
        None => Dynamic::default(),
    };

    let kind = match header.e_type(endian) {
        elf::ET_REL => ImageKind::Relocatable,
        elf::ET_EXEC => ImageKind::Executable,
        // A program that can be placed anywhere has the same type as a library. Linkers mark it since 2016;
        // before, it had an interpreter and no soname, while libraries that can be run, as libc, have both.
        elf::ET_DYN if dynamic.is_program || (has_interpreter && dynamic.soname.is_none()) => {
            ImageKind::Executable
        }
        elf::ET_DYN => ImageKind::SharedLibrary,
        _ => ImageKind::Other,
    };
    let is_64 = header.is_type_64();
    Ok(Image {
        format: Format::Elf,
        machine: machine(header.e_machine(endian), is_64),
        bits: if is_64 { 64 } else { 32 },
        endian: if header.is_big_endian() { Endian::Big } else { Endian::Little },
        kind,
        soname: dynamic.soname,
        needed: dynamic.needed,
        sections: sections(header, raw_sections, endian, data, &layout)?,
        notes,
        has_segments: layout.has_segments,
        symbols: symbols(dynamic_symbols::<E>(raw_sections, endian, data)?),
        tls_size: tls_size.unwrap_or(0),
        static_tls: dynamic.static_tls,
    })
}

/// The program headers.
fn segments<'a, E: FileHeader<Endian = Endianness>>(
    header: &'a E,
    endian: Endianness,
    data: &'a [u8],
) -> Result<&'a [E::ProgramHeader], ImageError> {
    let offset: u64 = header.e_phoff(endian).into();
    if offset != 0 {
        // From 0xffff segments on the number stands elsewhere; `object` knows where, if that isn't cut off.
        let entry_size = u64::from(header.e_phentsize(endian));
        let count = header.phnum(endian, data).map(u64::from);
        range(data, offset, count.unwrap_or(0).saturating_mul(entry_size))?;
        if count.is_err() {
            section_headers(header, endian, data)?;
        }
    }
    header.program_headers(endian, data).map_err(|_| malformed("its table of segments cannot be read"))
}

/// The section headers.
fn section_headers<'a, E: FileHeader<Endian = Endianness>>(
    header: &'a E,
    endian: Endianness,
    data: &'a [u8],
) -> Result<&'a [E::SectionHeader], ImageError> {
    let offset: u64 = header.e_shoff(endian).into();
    if offset != 0 {
        // The first entry may hold the number of them, so it has to be there to ask.
        let entry_size = u64::from(header.e_shentsize(endian));
        range(data, offset, entry_size)?;
        let count =
            header.shnum(endian, data).map_err(|_| malformed("its number of sections cannot be read"))?;
        range(data, offset, u64::from(count).saturating_mul(entry_size))?;
    }
    header.section_headers(endian, data).map_err(|_| malformed("its table of sections cannot be read"))
}

/// A part of the file that the loader puts into memory.
struct Load {
    address: u64,
    memory_size: u64,
    offset: u64,
    file_size: u64,
}

fn load<P: ProgramHeader<Endian = Endianness>>(
    segment: &P,
    endian: Endianness,
    data: &[u8],
) -> Result<Load, ImageError> {
    let (offset, file_size) = segment.file_range(endian);
    range(data, offset, file_size)?;
    let address: u64 = segment.p_vaddr(endian).into();
    let memory_size: u64 = segment.p_memsz(endian).into();
    let align: u64 = segment.p_align(endian).into();
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

fn read_dynamic<'a, E: FileHeader<Endian = Endianness>>(
    table: &'a [u8],
    endian: Endianness,
    data: &'a [u8],
    layout: &Layout,
) -> Result<Dynamic<'a>, ImageError> {
    let entries: &[E::Dyn] =
        slice_from_all_bytes(table).map_err(|()| malformed("its dynamic table ends within an entry"))?;
    let mut strings_address = None;
    let mut strings_size = None;
    let mut soname = None;
    let mut needed = Vec::new();
    let mut dynamic = Dynamic::default();
    // The loader keeps the last of an entry that stands twice, except for the libraries.
    let entries = entries.iter().map(|entry| (entry.d_tag(endian), entry.d_val(endian).into()));
    for (tag, value) in entries.take_while(|&(tag, _)| tag != elf::DT_NULL) {
        match tag {
            elf::DT_STRTAB => strings_address = Some(value),
            elf::DT_STRSZ => strings_size = Some(value),
            elf::DT_SONAME => soname = Some(value),
            elf::DT_NEEDED => needed.push(value),
            elf::DT_FLAGS => dynamic.static_tls = value & DF_STATIC_TLS != 0,
            elf::DT_FLAGS_1 => dynamic.is_program = value & DF_1_PIE != 0,
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

/// Set where the library has thread-locals of the initial-exec model.
const DF_STATIC_TLS: u64 = 0x10;

/// Set where the file is a program and not a library.
const DF_1_PIE: u64 = 0x0800_0000;

fn sections<'a, E: FileHeader<Endian = Endianness>>(
    header: &'a E,
    headers: &'a [E::SectionHeader],
    endian: Endianness,
    data: &'a [u8],
    layout: &Layout,
) -> Result<Vec<Section<'a>>, ImageError> {
    if headers.is_empty() {
        return Ok(Vec::new());
    }
    let index = header.section_strings_index(endian, data).map_err(|_| malformed(NO_SECTION_NAMES))?;
    let strings = headers.get(index.0).ok_or(malformed(NO_SECTION_NAMES))?;
    let mut names = Names::new(section_data(strings, endian, data)?, data);
    let mut sections = Vec::new();
    for header in headers.iter().filter(|header| header.sh_type(endian) != elf::SHT_NULL) {
        let bytes = section_data(header, endian, data)?;
        let address: u64 = header.sh_addr(endian).into();
        let is_loaded = header.sh_flags(endian).contains(elf::SHF_ALLOC);
        sections.push(Section {
            name: names.get(header.sh_name(endian).into(), "a section's name is no text of the table")?,
            address,
            size: header.sh_size(endian).into(),
            data: bytes,
            mapped: is_loaded
                && !bytes.is_empty()
                && layout.maps(address, header.sh_offset(endian).into(), bytes.len() as u64),
        });
    }
    Ok(sections)
}

const NO_SECTION_NAMES: &str = "the names of its sections cannot be found";

/// The bytes of a section in the file: none for one that has only a size.
fn section_data<'a, S: SectionHeader<Endian = Endianness>>(
    header: &S,
    endian: Endianness,
    data: &'a [u8],
) -> Result<&'a [u8], ImageError> {
    match header.file_range(endian) {
        Some((offset, size)) => range(data, offset, size),
        None => Ok(&[]),
    }
}

fn dynamic_symbols<'a, E: FileHeader<Endian = Endianness>>(
    headers: &'a [E::SectionHeader],
    endian: Endianness,
    data: &'a [u8],
) -> Result<ElfSymbols<'a, E::Sym>, ImageError> {
    let Some(table) = headers.iter().find(|header| header.sh_type(endian) == elf::SHT_DYNSYM) else {
        return Ok(ElfSymbols { entries: [].iter(), names: Names::new(&[], data), endian });
    };
    let entries = slice_from_all_bytes(section_data(table, endian, data)?)
        .map_err(|()| malformed("its table of dynamic symbols ends within an entry"))?;
    let SectionIndex(strings) = table.link(endian);
    let strings =
        headers.get(strings).ok_or(malformed("the names of its dynamic symbols are in no section"))?;
    Ok(ElfSymbols {
        entries: entries.iter(),
        names: Names::new(section_data(strings, endian, data)?, data),
        endian,
    })
}

fn machine(machine: elf::Machine, is_64: bool) -> Machine {
    match (machine, is_64) {
        (elf::EM_X86_64, _) => Machine::X86_64,
        (elf::EM_386, _) => Machine::X86,
        (elf::EM_AARCH64, _) => Machine::Aarch64,
        (elf::EM_ARM, _) => Machine::Arm,
        (elf::EM_RISCV, true) => Machine::Riscv64,
        (elf::EM_RISCV, false) => Machine::Riscv32,
        (elf::EM_PPC64, _) => Machine::Powerpc64,
        (elf::EM_PPC, _) => Machine::Powerpc,
        (elf::EM_S390, true) => Machine::S390x,
        (elf::EM_LOONGARCH, true) => Machine::Loongarch64,
        (elf::EM_MIPS, true) => Machine::Mips64,
        (elf::EM_MIPS, false) => Machine::Mips,
        (elf::EM_SPARCV9, _) => Machine::Sparc64,
        (elf::Machine(number), _) => Machine::Other(number.into()),
    }
}
