//! PE, the images of Windows, 32 and 64 bits.

use object::LittleEndian as LE;
use object::pe;
use object::read::pe::{DataDirectories, ImageNtHeaders, ImageOptionalHeader, PeFile};

use super::error::malformed;
use super::names::Names;
use super::{
    DynamicSymbols, Endian, Format, Image, ImageError, ImageKind, Machine, Section, Symbol, SymbolKind, range,
};

/// Reads a PE image of either class.
pub(super) fn parse(data: &[u8]) -> Result<Image<'_>, ImageError> {
    let magic = object::read::pe::optional_header_magic(data).map_err(|_| cut_off_or(data, "its headers"))?;
    match magic {
        pe::IMAGE_NT_OPTIONAL_HDR32_MAGIC => parse_class::<pe::ImageNtHeaders32>(data),
        pe::IMAGE_NT_OPTIONAL_HDR64_MAGIC => parse_class::<pe::ImageNtHeaders64>(data),
        _ => Err(malformed("it is neither of the 32-bit class of PE nor of the 64-bit one")),
    }
}

/// An error for headers that `object` cannot read: the usual reason is that the file ends within them.
fn cut_off_or(data: &[u8], what: &'static str) -> ImageError {
    let offset =
        data.get(0x3c..).and_then(<[u8]>::first_chunk::<4>).map_or(0, |&word| u32::from_le_bytes(word));
    let want = u64::from(offset) + size_of::<pe::ImageNtHeaders64>() as u64;
    let have = data.len() as u64;
    if have < want { ImageError::Truncated { have, want } } else { malformed(what) }
}

fn parse_class<'a, P: ImageNtHeaders>(data: &'a [u8]) -> Result<Image<'a>, ImageError> {
    let file = PeFile::<P>::parse(data).map_err(|_| cut_off_or(data, "its headers cannot be read"))?;
    let header = file.nt_headers().file_header();
    let machine_number = header.machine.get(LE);
    let characteristics = header.characteristics.get(LE);

    let mut sections = Vec::new();
    for section in file.section_table().iter() {
        range(data, section.pointer_to_raw_data.get(LE).into(), section.size_of_raw_data.get(LE).into())?;
        let (offset, size) = section.pe_file_range();
        let bytes = range(data, offset.into(), size.into())?;
        sections.push(Section {
            // Of a longer name only a number is left, in a table that images don't have.
            name: std::str::from_utf8(section.raw_name())
                .map_err(|_| malformed("a section's name is no text"))?,
            address: section.virtual_address.get(LE).into(),
            size: section.virtual_size.get(LE).into(),
            data: bytes,
            // The loader maps by the section headers, so what they say is what happens.
            mapped: !bytes.is_empty(),
        });
    }
    let image_size = u64::from(file.nt_headers().optional_header().size_of_image());
    if sections.iter().any(|section| section.address.saturating_add(section.size) > image_size) {
        return Err(malformed("a section reaches beyond the image"));
    }

    let (soname, exports) = exports(&file, data)?;
    Ok(Image {
        format: Format::Pe,
        machine: match machine_number {
            pe::IMAGE_FILE_MACHINE_AMD64 => Machine::X86_64,
            pe::IMAGE_FILE_MACHINE_I386 => Machine::X86,
            pe::IMAGE_FILE_MACHINE_ARM64 => Machine::Aarch64,
            pe::IMAGE_FILE_MACHINE_ARMNT => Machine::Arm,
            pe::Machine(number) => Machine::Other(number.into()),
        },
        bits: if file.nt_headers().is_type_64() { 64 } else { 32 },
        endian: Endian::Little,
        kind: if characteristics.contains(pe::IMAGE_FILE_DLL) {
            ImageKind::SharedLibrary
        } else if characteristics.contains(pe::IMAGE_FILE_EXECUTABLE_IMAGE) {
            ImageKind::Executable
        } else {
            ImageKind::Other
        },
        soname,
        needed: needed(&file, data)?,
        sections,
        notes: Vec::new(),
        has_segments: true,
        symbols: DynamicSymbols::list(exports),
        tls_size: 0,
        static_tls: false,
    })
}

fn needed<'a, P: ImageNtHeaders>(file: &PeFile<'a, P>, data: &'a [u8]) -> Result<Vec<&'a str>, ImageError> {
    let bad = |_| malformed("its table of imports cannot be read");
    let mut needed = Vec::new();
    let Some(table) = file.import_table().map_err(bad)? else { return Ok(needed) };
    let mut libraries = table.descriptors().map_err(bad)?;
    let mut names = Names::new(&[], data);
    while let Some(library) = libraries.next().map_err(bad)? {
        let name = table.name(library.name.get(LE)).map_err(bad)?;
        names.spend(name.len() + 1)?;
        let text = std::str::from_utf8(name).map_err(|_| malformed("a library's name is no text"))?;
        needed.push(text);
    }
    Ok(needed)
}

type Exports<'a> = (Option<&'a str>, Vec<Result<Symbol<'a>, ImageError>>);

fn exports<'a, P: ImageNtHeaders>(file: &PeFile<'a, P>, data: &'a [u8]) -> Result<Exports<'a>, ImageError> {
    let bad = |_| malformed("its table of exports cannot be read");
    let Some(table) = file.export_table().map_err(bad)? else { return Ok((None, Vec::new())) };
    // Names are read from the table's own range, which is where a linker puts them.
    let directories: DataDirectories<'a> = file.data_directories();
    let Some(directory) = directories.get(pe::IMAGE_DIRECTORY_ENTRY_EXPORT) else {
        return Ok((None, Vec::new()));
    };
    let mut names = Names::new(directory.data(data, &file.section_table()).map_err(bad)?, data);
    let start = directory.virtual_address.get(LE);
    let mut text = |address: u32| {
        let offset = u64::from(address.wrapping_sub(start));
        names.get(offset, "an exported name is no text of the table")
    };
    let soname = match table.directory().name.get(LE) {
        0 => None,
        address => Some(text(address)?),
    };
    let symbols = table
        .name_iter()
        .map(|(name, index)| {
            let address = table.address_by_index(index).map_err(bad)?.into();
            let name = text(name)?;
            Ok(Symbol { name, defined: true, weak: false, kind: SymbolKind::Other, address, size: 0 })
        })
        .collect();
    Ok((soname, symbols))
}
