//! Mach-O, 32 and 64 bits, for one architecture or several.
//!
//! The layouts are those of Apple's headers `<mach-o/loader.h>`, `<mach-o/fat.h>` and `<mach-o/nlist.h>`. The loader maps
//! segments, and what a section header says lies within one of them.

use super::error::malformed;
use super::names::Names;
use super::{
    DynamicSymbols, Endian, Format, Image, ImageError, ImageKind, Machine, Section, Symbol, SymbolKind, range,
};

/// How an image writes its numbers.
#[derive(Debug, Clone, Copy)]
struct Encoding {
    is_64: bool,
    is_big_endian: bool,
}

/// Reads numbers one after the other; what isn't there is a zero, since the structure was checked to be there.
struct Fields<'a> {
    rest: &'a [u8],
    encoding: Encoding,
}

impl<'a> Fields<'a> {
    fn new(bytes: &'a [u8], encoding: Encoding) -> Fields<'a> {
        Fields { rest: bytes, encoding }
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let Some((front, rest)) = self.rest.split_first_chunk() else { return [0; N] };
        self.rest = rest;
        *front
    }

    fn u8(&mut self) -> u8 {
        let [byte] = self.bytes();
        byte
    }

    fn u16(&mut self) -> u16 {
        let bytes = self.bytes();
        if self.encoding.is_big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    fn u32(&mut self) -> u32 {
        let bytes = self.bytes();
        if self.encoding.is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    /// A number of the size of an address.
    fn word(&mut self) -> u64 {
        if !self.encoding.is_64 {
            return self.u32().into();
        }
        let bytes = self.bytes();
        if self.encoding.is_big_endian { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) }
    }
}

/// The image for this machine in a file for several, or else the first.
struct Architecture {
    cpu: u32,
    offset: u64,
    size: u64,
}

/// Reads a file for several architectures, with offsets of 32 or 64 bits.
pub(super) fn parse_fat(data: &[u8], is_64: bool) -> Result<Image<'_>, ImageError> {
    let encoding = Encoding { is_64, is_big_endian: true };
    let count = Fields::new(data.get(4..).unwrap_or_default(), encoding).u32();
    let size: usize = if is_64 { 32 } else { 20 };
    let table = range(data, 8, u64::from(count).saturating_mul(size as u64))?;
    let mut taken: Option<Architecture> = None;
    for entry in table.chunks_exact(size) {
        let mut fields = Fields::new(entry, encoding);
        let (cpu, _subtype) = (fields.u32(), fields.u32());
        let found = Architecture { cpu, offset: fields.word(), size: fields.word() };
        // All of them, whichever is taken: a file that was cut off is not whole.
        range(data, found.offset, found.size)?;
        let is_here = |arch: &Architecture| machine(arch.cpu).name() == std::env::consts::ARCH;
        if taken.as_ref().is_none_or(|taken| is_here(&found) && !is_here(taken)) {
            taken = Some(found);
        }
    }
    let taken = taken.ok_or(malformed("it is for no architecture"))?;
    let image = range(data, taken.offset, taken.size)?;
    match image {
        [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] => parse(image),
        _ => Err(malformed("what it has for an architecture is no Mach-O image")),
    }
}

/// Reads an image for one architecture.
pub(super) fn parse(data: &[u8]) -> Result<Image<'_>, ImageError> {
    let encoding = match data {
        [0xfe, 0xed, 0xfa, 0xce, ..] => Encoding { is_64: false, is_big_endian: true },
        [0xce, 0xfa, 0xed, 0xfe, ..] => Encoding { is_64: false, is_big_endian: false },
        [0xfe, 0xed, 0xfa, 0xcf, ..] => Encoding { is_64: true, is_big_endian: true },
        [0xcf, 0xfa, 0xed, 0xfe, ..] => Encoding { is_64: true, is_big_endian: false },
        _ => return Err(malformed("its first bytes are no header of Mach-O")),
    };
    let header_size = if encoding.is_64 { 32 } else { 28 };
    let mut header = Fields::new(range(data, 4, header_size - 4)?, encoding);
    let (cpu, _subtype, kind, count, size) =
        (header.u32(), header.u32(), header.u32(), header.u32(), header.u32());
    let mut rest = range(data, header_size, size.into())?;
    let mut parts = Parts::default();
    for _ in 0..count {
        let mut command = Fields::new(rest, encoding);
        let (kind, size) = (command.u32(), command.u32());
        let size = usize::try_from(size).ok().filter(|size| *size >= 8);
        let taken = size.and_then(|size| rest.split_at_checked(size));
        let (command, more) = taken.ok_or(malformed("a load command cannot be read"))?;
        rest = more;
        parts.read(kind, command, encoding, data)?;
    }
    Ok(Image {
        format: Format::MachO,
        machine: machine(cpu),
        bits: if encoding.is_64 { 64 } else { 32 },
        endian: if encoding.is_big_endian { Endian::Big } else { Endian::Little },
        kind: match kind {
            MH_EXECUTE => ImageKind::Executable,
            MH_DYLIB | MH_BUNDLE => ImageKind::SharedLibrary,
            MH_OBJECT => ImageKind::Relocatable,
            _ => ImageKind::Other,
        },
        soname: parts.soname,
        needed: parts.needed,
        sections: parts.sections,
        notes: Vec::new(),
        has_segments: true,
        symbols: DynamicSymbols::macho(parts.symbols),
        tls_size: 0,
        static_tls: false,
    })
}

/// What the load commands say.
#[derive(Default)]
struct Parts<'a> {
    soname: Option<&'a str>,
    needed: Vec<&'a str>,
    sections: Vec<Section<'a>>,
    symbols: Option<MachOSymbols<'a>>,
}

impl<'a> Parts<'a> {
    fn read(
        &mut self,
        kind: u32,
        command: &'a [u8],
        encoding: Encoding,
        data: &'a [u8],
    ) -> Result<(), ImageError> {
        // A name begins within its command and ends in it.
        let name = || {
            let mut fields = Fields::new(command.get(8..).unwrap_or_default(), encoding);
            Names::new(command, data).get(fields.u32().into(), "a library's name is no text of its command")
        };
        match kind {
            LC_SEGMENT if !encoding.is_64 => self.segment(command, encoding, data),
            LC_SEGMENT_64 if encoding.is_64 => self.segment(command, encoding, data),
            LC_SYMTAB => {
                let symbols = MachOSymbols::new(command, encoding, data)?;
                // Otherwise a small file could have its reader go over the same table many times.
                match self.symbols.replace(symbols) {
                    Some(_) => Err(malformed("it has two tables of symbols")),
                    None => Ok(()),
                }
            }
            LC_ID_DYLIB => {
                self.soname = Some(name()?);
                Ok(())
            }
            LC_LOAD_DYLIB | LC_LOAD_WEAK_DYLIB | LC_REEXPORT_DYLIB | LC_LAZY_LOAD_DYLIB
            | LC_LOAD_UPWARD_DYLIB => {
                self.needed.push(name()?);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn segment(&mut self, command: &'a [u8], encoding: Encoding, data: &'a [u8]) -> Result<(), ImageError> {
        let (head, size) = if encoding.is_64 { (72, 80) } else { (56, 68) };
        let Some((fields, sections)) = command.split_at_checked(head) else {
            return Err(malformed("a load command cannot be read"));
        };
        let mut fields = Fields::new(fields.get(24..).unwrap_or_default(), encoding);
        let (address, _memory, offset, file_size) =
            (fields.word(), fields.word(), fields.word(), fields.word());
        let (_most, _first, count) = (fields.u32(), fields.u32(), fields.u32());
        range(data, offset, file_size)?;
        let segment = Segment { address, offset, size: file_size };
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let headers = sections.get(..count.saturating_mul(size));
        let headers = headers.ok_or(malformed("a segment has more sections than its command"))?;
        for header in headers.chunks_exact(size) {
            self.sections.push(section(header, &segment, encoding, data)?);
        }
        Ok(())
    }
}

struct Segment {
    address: u64,
    offset: u64,
    size: u64,
}

fn section<'a>(
    header: &'a [u8],
    segment: &Segment,
    encoding: Encoding,
    data: &'a [u8],
) -> Result<Section<'a>, ImageError> {
    let (name, rest) = header.split_at_checked(16).unwrap_or_default();
    let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
    let mut fields = Fields::new(rest.get(16..).unwrap_or_default(), encoding);
    let (address, size, offset) = (fields.word(), fields.word(), u64::from(fields.u32()));
    let (_align, _relocations, _count, flags) = (fields.u32(), fields.u32(), fields.u32(), fields.u32());
    let in_file = !matches!(flags & SECTION_TYPE, S_ZEROFILL | S_GB_ZEROFILL | S_THREAD_LOCAL_ZEROFILL);
    let bytes = if in_file { range(data, offset, size)? } else { &[] };
    let distance = address.checked_sub(segment.address);
    let ends_within = |distance: u64| {
        distance.checked_add(size).is_some_and(|end| end <= segment.size)
            && segment.offset.checked_add(distance) == Some(offset)
    };
    Ok(Section {
        name: std::str::from_utf8(name).map_err(|_| malformed("a section's name is no text"))?,
        address,
        size,
        data: bytes,
        mapped: !bytes.is_empty() && distance.is_some_and(ends_within),
    })
}

/// A symbol table that hasn't been read.
#[derive(Debug, Clone)]
pub(super) struct MachOSymbols<'a> {
    entries: std::slice::ChunksExact<'a, u8>,
    names: Names<'a>,
    encoding: Encoding,
}

impl<'a> MachOSymbols<'a> {
    fn new(command: &[u8], encoding: Encoding, data: &'a [u8]) -> Result<MachOSymbols<'a>, ImageError> {
        let fields = command.get(8..24).ok_or(malformed("a load command cannot be read"))?;
        let mut fields = Fields::new(fields, encoding);
        let (offset, count, names, names_size) = (fields.u32(), fields.u32(), fields.u32(), fields.u32());
        let size: usize = if encoding.is_64 { 16 } else { 12 };
        let entries = range(data, offset.into(), u64::from(count).saturating_mul(size as u64))?;
        let names = range(data, names.into(), names_size.into())?;
        Ok(MachOSymbols { entries: entries.chunks_exact(size), names: Names::new(names, data), encoding })
    }
}

impl<'a> Iterator for MachOSymbols<'a> {
    type Item = Result<Symbol<'a>, ImageError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut fields = Fields::new(self.entries.next()?, self.encoding);
            let (name, kind, _section, description) = (fields.u32(), fields.u8(), fields.u8(), fields.u16());
            let address = fields.word();
            // Those for debuggers, and those that nobody else sees.
            if kind & N_STAB != 0 || kind & N_EXT == 0 || kind & N_PEXT != 0 {
                continue;
            }
            let defined = kind & N_TYPE != N_UNDF;
            let weak = description & if defined { N_WEAK_DEF } else { N_WEAK_REF } != 0;
            let name = self.names.get(name.into(), "a symbol's name is no text of the table");
            return Some(name.map(|name| Symbol {
                name,
                defined,
                weak,
                kind: SymbolKind::Other,
                address,
                size: 0,
            }));
        }
    }
}

fn machine(cpu: u32) -> Machine {
    match cpu {
        0x0100_0007 => Machine::X86_64,
        7 => Machine::X86,
        0x0100_000c | 0x0200_000c => Machine::Aarch64,
        12 => Machine::Arm,
        0x0100_0012 => Machine::Powerpc64,
        18 => Machine::Powerpc,
        number => Machine::Other(number),
    }
}

const MH_OBJECT: u32 = 1;
const MH_EXECUTE: u32 = 2;
const MH_DYLIB: u32 = 6;
const MH_BUNDLE: u32 = 8;

const LC_SEGMENT: u32 = 1;
const LC_SYMTAB: u32 = 2;
const LC_LOAD_DYLIB: u32 = 0xc;
const LC_ID_DYLIB: u32 = 0xd;
const LC_SEGMENT_64: u32 = 0x19;
const LC_LAZY_LOAD_DYLIB: u32 = 0x20;
const LC_LOAD_WEAK_DYLIB: u32 = 0x8000_0018;
const LC_REEXPORT_DYLIB: u32 = 0x8000_001f;
const LC_LOAD_UPWARD_DYLIB: u32 = 0x8000_0023;

const SECTION_TYPE: u32 = 0xff;
const S_ZEROFILL: u32 = 1;
const S_GB_ZEROFILL: u32 = 0xc;
const S_THREAD_LOCAL_ZEROFILL: u32 = 0x12;

const N_STAB: u8 = 0xe0;
const N_PEXT: u8 = 0x10;
const N_TYPE: u8 = 0x0e;
const N_EXT: u8 = 0x01;
const N_UNDF: u8 = 0;
const N_WEAK_REF: u16 = 0x40;
const N_WEAK_DEF: u16 = 0x80;
