//! Mach-O, 32 and 64 bits, for one architecture or several.

use object::endian::Endianness;
use object::macho;
use object::read::macho::{FatArch, MachHeader, MachOFatFile, Nlist, Section as _, Segment};

use super::error::malformed;
use super::names::Names;
use super::{
    DynamicSymbols, Endian, Format, Image, ImageError, ImageKind, Machine, Section, Symbol, SymbolKind, range,
};

/// Reads a file for several architectures, with 32-bit offsets.
pub(super) fn parse_fat_32(data: &[u8]) -> Result<Image<'_>, ImageError> {
    parse_fat::<macho::FatArch32>(data)
}

/// Reads a file for several architectures, with 64-bit offsets.
pub(super) fn parse_fat_64(data: &[u8]) -> Result<Image<'_>, ImageError> {
    parse_fat::<macho::FatArch64>(data)
}

/// Reads a 32-bit image.
pub(super) fn parse_32(data: &[u8]) -> Result<Image<'_>, ImageError> {
    parse_class::<macho::MachHeader32<Endianness>>(data)
}

/// Reads a 64-bit image.
pub(super) fn parse_64(data: &[u8]) -> Result<Image<'_>, ImageError> {
    parse_class::<macho::MachHeader64<Endianness>>(data)
}

fn parse_fat<F: FatArch>(data: &[u8]) -> Result<Image<'_>, ImageError> {
    let count = data.get(4..).and_then(<[u8]>::first_chunk::<4>).map_or(0, |&word| u32::from_be_bytes(word));
    range(data, 8, u64::from(count).saturating_mul(size_of::<F>() as u64))?;
    let fat =
        MachOFatFile::<F>::parse(data).map_err(|_| malformed("its table of architectures cannot be read"))?;
    // All of them, whichever is taken: a file that was cut off is not whole.
    for arch in fat.arches() {
        range(data, arch.offset().into(), arch.size().into())?;
    }
    let here = fat.arches().iter().find(|arch| machine(arch.cputype()).name() == std::env::consts::ARCH);
    let arch = here.or(fat.arches().first()).ok_or(malformed("it is for no architecture"))?;
    let image = range(data, arch.offset().into(), arch.size().into())?;
    match image {
        [0xfe, 0xed, 0xfa, 0xce, ..] | [0xce, 0xfa, 0xed, 0xfe, ..] => parse_32(image),
        [0xfe, 0xed, 0xfa, 0xcf, ..] | [0xcf, 0xfa, 0xed, 0xfe, ..] => parse_64(image),
        _ => Err(malformed("what it has for an architecture is no Mach-O image")),
    }
}

fn parse_class<'a, M: MachHeader<Endian = Endianness>>(data: &'a [u8]) -> Result<Image<'a>, ImageError> {
    range(data, 0, size_of::<M>() as u64)?;
    let header = M::parse(data, 0).map_err(|_| malformed("its first bytes are no header of Mach-O"))?;
    let endian = header.endian().map_err(|_| malformed("its first bytes are no header of Mach-O"))?;
    range(data, size_of::<M>() as u64, header.sizeofcmds(endian).into())?;
    let bad_command = |_| malformed("a load command cannot be read");
    let mut commands = header.load_commands(endian, data, 0).map_err(bad_command)?;

    let mut soname = None;
    let mut needed = Vec::new();
    let mut sections = Vec::new();
    let mut symbols = None;
    while let Some(command) = commands.next().map_err(bad_command)? {
        // A name begins within its command and ends in it.
        let name = |at: macho::LcStr<Endianness>| {
            Names::new(command.raw_data(), data)
                .get(at.offset.get(endian).into(), "a library's name is no text of its command")
        };
        if let Some((segment, rest)) = M::Segment::from_command(command).map_err(bad_command)? {
            let (offset, size) = segment.file_range(endian);
            range(data, offset, size)?;
            let headers = segment
                .sections(endian, rest)
                .map_err(|_| malformed("a segment has more sections than its command"))?;
            for section in segment.section_offsets(endian, headers) {
                let (section, offset) =
                    section.map_err(|_| malformed("the offsets of its sections cannot be told"))?;
                sections.push(read_section(section, offset, segment, endian, data)?);
            }
        } else if let Some(table) = command.symtab().map_err(bad_command)? {
            let entry_size = size_of::<M::Nlist>() as u64;
            let size = u64::from(table.nsyms.get(endian)).saturating_mul(entry_size);
            range(data, table.symoff.get(endian).into(), size)?;
            let names = range(data, table.stroff.get(endian).into(), table.strsize.get(endian).into())?;
            let mut names = Names::new(names, data);
            let entries = table
                .symbols::<M, _>(endian, data)
                .map_err(|_| malformed("its table of symbols cannot be read"))?;
            let list = entries.iter().filter_map(|entry| read_symbol(entry, endian, &mut names)).collect();
            // Otherwise a small file could have its reader go over the same table many times.
            if symbols.replace(list).is_some() {
                return Err(malformed("it has two tables of symbols"));
            }
        } else if let Some(library) = command.dylib().map_err(bad_command)? {
            needed.push(name(library.dylib.name)?);
        } else if command.cmd() == macho::LC_ID_DYLIB {
            let library: &macho::DylibCommand<Endianness> = command.data().map_err(bad_command)?;
            soname = Some(name(library.dylib.name)?);
        }
    }
    Ok(Image {
        format: Format::MachO,
        machine: machine(header.cputype(endian)),
        bits: if header.is_type_64() { 64 } else { 32 },
        endian: if header.is_big_endian() { Endian::Big } else { Endian::Little },
        kind: match header.filetype(endian) {
            macho::MH_EXECUTE => ImageKind::Executable,
            macho::MH_DYLIB | macho::MH_BUNDLE => ImageKind::SharedLibrary,
            macho::MH_OBJECT => ImageKind::Relocatable,
            _ => ImageKind::Other,
        },
        soname,
        needed,
        sections,
        notes: Vec::new(),
        has_segments: true,
        symbols: DynamicSymbols::list(symbols.unwrap_or_default()),
        tls_size: 0,
        static_tls: false,
    })
}

fn read_section<'a, S: Segment<Endian = Endianness>>(
    section: &'a S::Section,
    offset: u64,
    segment: &S,
    endian: Endianness,
    data: &'a [u8],
) -> Result<Section<'a>, ImageError> {
    let bytes = match section.file_range(endian, offset) {
        Some((offset, size)) => range(data, offset, size)?,
        None => &[],
    };
    let address: u64 = section_address(section, endian);
    let (segment_offset, segment_size) = segment.file_range(endian);
    let segment_address: u64 = segment.vmaddr(endian).into();
    let distance = address.checked_sub(segment_address);
    let ends_within = |distance: u64| {
        distance.checked_add(bytes.len() as u64).is_some_and(|end| end <= segment_size)
            && segment_offset.checked_add(distance) == Some(offset)
    };
    Ok(Section {
        name: std::str::from_utf8(section.name()).map_err(|_| malformed("a section's name is no text"))?,
        address,
        size: section_size(section, endian),
        data: bytes,
        mapped: !bytes.is_empty() && distance.is_some_and(ends_within),
    })
}

fn section_address<S: object::read::macho::Section<Endian = Endianness>>(
    section: &S,
    endian: Endianness,
) -> u64 {
    section.addr(endian).into()
}

fn section_size<S: object::read::macho::Section<Endian = Endianness>>(
    section: &S,
    endian: Endianness,
) -> u64 {
    section.size(endian).into()
}

/// The symbol, if others can see it.
fn read_symbol<'a, N: Nlist<Endian = Endianness>>(
    entry: &N,
    endian: Endianness,
    names: &mut Names<'a>,
) -> Option<Result<Symbol<'a>, ImageError>> {
    let flags = entry.n_type();
    if entry.is_stab() || !flags.is_ext() || flags.is_pext() {
        return None;
    }
    let defined = !entry.is_undefined();
    let desc = entry.n_desc(endian);
    let weak = if defined { desc.contains(macho::N_WEAK_DEF) } else { desc.contains(macho::N_WEAK_REF) };
    let name = names.get(entry.n_strx(endian).into(), "a symbol's name is no text of the table");
    let address = entry.n_value(endian).into();
    Some(name.map(|name| Symbol { name, defined, weak, kind: SymbolKind::Other, address, size: 0 }))
}

fn machine(cpu: macho::CpuType) -> Machine {
    match cpu {
        macho::CPU_TYPE_X86_64 => Machine::X86_64,
        macho::CPU_TYPE_X86 => Machine::X86,
        macho::CPU_TYPE_ARM64 | macho::CPU_TYPE_ARM64_32 => Machine::Aarch64,
        macho::CPU_TYPE_ARM => Machine::Arm,
        macho::CPU_TYPE_POWERPC64 => Machine::Powerpc64,
        macho::CPU_TYPE_POWERPC => Machine::Powerpc,
        macho::CpuType(number) => Machine::Other(number),
    }
}
