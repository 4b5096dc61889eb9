//! Images of the systems that aren't ELF's: Mach-O and PE.

use dynplug_manifest::image::{Endian, Format, HEAD, Image, ImageKind, Machine};
use dynplug_manifest::{ImageError, Manifest};
use object::endian::Endianness;
use object::write::macho::{
    DylibCommand, Encoder, MachHeader, Nlist, SectionHeader, SegmentCommand, SymtabCommand,
};
use object::write::pe::{NtHeaders, Writer};
use object::{macho, pe};

use crate::samples::{FIELDS, manifest, record};

/// The names of [`images`], for the corpus.
pub(crate) const NAMES: [&str; 8] =
    ["macho-64", "macho-32-big", "macho-fat", "pe-64", "pe-32", "macho-64-big", "macho-32", "macho-fat-64"];

/// One image of each sort, all of which carry the sample manifest and one record.
pub(crate) fn images() -> [Vec<u8>; 8] {
    let little = macho_dylib(true, Endianness::Little, macho::CPU_TYPE_ARM64);
    let big = macho_dylib(false, Endianness::Big, macho::CPU_TYPE_POWERPC);
    let big_64 = macho_dylib(true, Endianness::Big, macho::CPU_TYPE_POWERPC64);
    let little_32 = macho_dylib(false, Endianness::Little, macho::CPU_TYPE_X86);
    let both = [(macho::CPU_TYPE_POWERPC, &*big), (macho::CPU_TYPE_ARM64, &*little)];
    let both = [fat(&both, false), fat(&both, true)];
    let [fat_32, fat_64] = both;
    [little, big, fat_32, dll(true), dll(false), big_64, little_32, fat_64]
}

fn name16(name: &str) -> [u8; 16] {
    std::array::from_fn(|i| name.as_bytes().get(i).copied().unwrap_or(0))
}

fn macho_dylib(is_64: bool, endian: Endianness, cputype: macho::CpuType) -> Vec<u8> {
    let manifest = manifest().encode();
    let records = record(&FIELDS);
    let libraries =
        [(macho::LC_ID_DYLIB, "@rpath/libhello.dylib"), (macho::LC_LOAD_DYLIB, "@rpath/libapi.dylib")];
    let strings = b"\0_hello\0_host_api\0\0\0\0\0\0\0";

    let encoder = Encoder::new(endian, is_64);
    let commands_size = encoder.segment_command_size(0)
        + 2 * encoder.section_header_size()
        + encoder.symtab_command_size()
        + libraries.map(|(_, name)| encoder.dylib_command_size(name.len())).iter().sum::<u64>();
    let data_start = (encoder.mach_header_size() + commands_size) as u32;
    let data_size = (manifest.len() + records.len()) as u32;
    let symbols_start = data_start + data_size;
    let symbols_size = 2 * encoder.nlist_size() as u32;
    const ADDRESS: u64 = 0x8000;

    let mut out = Vec::new();
    encoder.mach_header(
        &mut out,
        &MachHeader {
            cputype,
            cpusubtype: macho::CpuSubtype(0),
            filetype: macho::MH_DYLIB,
            ncmds: 4,
            sizeofcmds: commands_size as u32,
            flags: macho::FileFlags(0),
        },
    );
    encoder.segment_command(
        &mut out,
        &SegmentCommand {
            segname: name16("__DATA"),
            vmaddr: ADDRESS,
            vmsize: 0x4000,
            fileoff: data_start.into(),
            filesize: data_size.into(),
            maxprot: macho::VmProt(3),
            initprot: macho::VmProt(3),
            nsects: 2,
            flags: macho::SegmentFlags(0),
        },
    );
    let mut offset = data_start;
    for (name, size) in [("dp_note", manifest.len()), ("dp_exp", records.len())] {
        encoder.section_header(
            &mut out,
            &SectionHeader {
                sectname: name16(name),
                segname: name16("__DATA"),
                addr: ADDRESS + u64::from(offset - data_start),
                size: size as u64,
                offset,
                align: 0,
                reloff: 0,
                nreloc: 0,
                flags: macho::SectionFlags(0),
                reserved1: 0,
                reserved2: 0,
                reserved3: 0,
            },
        );
        offset += size as u32;
    }
    encoder.symtab_command(
        &mut out,
        &SymtabCommand {
            symoff: symbols_start,
            nsyms: 2,
            stroff: symbols_start + symbols_size,
            strsize: strings.len() as u32,
        },
    );
    for (cmd, name) in libraries {
        let version = macho::Version(0x1_0000);
        encoder.dylib_command(
            &mut out,
            &DylibCommand {
                cmd,
                name: name.as_bytes(),
                timestamp: 0,
                current_version: version,
                compatibility_version: version,
            },
        );
    }
    assert_eq!(out.len(), data_start as usize);
    out.extend(&manifest);
    out.extend(&records);
    for (n_strx, n_type, n_sect) in [(1, macho::N_SECT, 1), (8, macho::N_UNDF, 0)] {
        encoder.nlist(
            &mut out,
            &Nlist {
                n_strx,
                n_type: macho::SymbolFlags(n_type.0 | macho::N_EXT.0),
                n_sect,
                n_desc: macho::SymbolDesc(0),
                n_value: if n_sect == 0 { 0 } else { ADDRESS },
            },
        );
    }
    out.extend(strings);
    out
}

/// A file for several machines, with offsets of 32 or 64 bits.
fn fat(images: &[(macho::CpuType, &[u8])], is_64: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut word = |number: u32| out.extend(number.to_be_bytes());
    word(0xcafe_babe + u32::from(is_64));
    word(images.len() as u32);
    let mut offset = 8 + if is_64 { 32 } else { 20 } * images.len() as u32;
    for (cpu, image) in images {
        let size = image.len() as u32;
        match is_64 {
            true => [cpu.0, 0, 0, offset, 0, size, 0, 0].into_iter().for_each(&mut word),
            false => [cpu.0, 0, offset, size, 0].into_iter().for_each(&mut word),
        }
        offset += size;
    }
    images.iter().for_each(|(_, image)| out.extend(*image));
    out
}

fn dll(is_64: bool) -> Vec<u8> {
    dll_with_code(is_64, &[])
}

fn dll_with_code(is_64: bool, code: &[u8]) -> Vec<u8> {
    let manifest = manifest().encode();
    let records = record(&FIELDS);
    let mut out = Vec::new();
    let mut writer = Writer::new(is_64, 0x1000, 0x200, &mut out);
    writer.reserve_dos_header();
    writer.reserve_nt_headers(16);
    writer.reserve_section_headers(5);

    let data = pe::IMAGE_SCN_CNT_INITIALIZED_DATA | pe::IMAGE_SCN_MEM_READ;
    let mut section = |name: &[u8; 8], bytes: &[u8]| {
        let size = bytes.len() as u32;
        writer.reserve_section(*name, data, size, size)
    };
    let text = section(b".text\0\0\0", code);
    let note = section(b"dp_note\0", &manifest);
    let exp = section(b"dp_exp\0\0", &records);

    // The directory of exports: one address, one name, one ordinal, the names.
    let exports_size = 40 + 4 + 4 + 2 + 18;
    let edata = writer.reserve_edata_section(exports_size);
    let at = edata.virtual_address;
    let mut exports = Vec::new();
    for number in [0, 0, 0, at + 50, 1, 1, 1, at + 40, at + 44, at + 48] {
        exports.extend(u32::to_le_bytes(number));
    }
    exports.extend(u32::to_le_bytes(exp.virtual_address));
    exports.extend(u32::to_le_bytes(at + 60));
    exports.extend(0u16.to_le_bytes());
    exports.extend(b"hello.dll\0greet\0\0\0");
    assert_eq!(exports.len(), exports_size as usize);

    // The directory of imports: one library of which nothing is taken, the end, the name.
    let idata = writer.reserve_idata_section(40 + 8);
    let mut imports = Vec::new();
    for number in [0, 0, 0, idata.virtual_address + 40, 0, 0, 0, 0, 0, 0] {
        imports.extend(u32::to_le_bytes(number));
    }
    imports.extend(b"api.dll\0");

    writer.write_empty_dos_header().unwrap();
    writer.write_nt_headers(NtHeaders {
        machine: if is_64 { pe::IMAGE_FILE_MACHINE_AMD64 } else { pe::IMAGE_FILE_MACHINE_I386 },
        time_date_stamp: 0,
        characteristics: pe::IMAGE_FILE_EXECUTABLE_IMAGE | pe::IMAGE_FILE_DLL,
        major_linker_version: 0,
        minor_linker_version: 0,
        address_of_entry_point: 0,
        image_base: 0x1000_0000,
        major_operating_system_version: 0,
        minor_operating_system_version: 0,
        major_image_version: 0,
        minor_image_version: 0,
        major_subsystem_version: 0,
        minor_subsystem_version: 0,
        subsystem: pe::Subsystem(2),
        dll_characteristics: pe::DllFlags(0),
        size_of_stack_reserve: 0,
        size_of_stack_commit: 0,
        size_of_heap_reserve: 0,
        size_of_heap_commit: 0,
    });
    writer.write_section_headers();
    writer.write_section(text.file_offset, code);
    writer.write_section(note.file_offset, &manifest);
    writer.write_section(exp.file_offset, &records);
    writer.write_section(edata.file_offset, &exports);
    writer.write_section(idata.file_offset, &imports);
    out
}

fn says_what_it_carries(image: &Image<'_>) {
    assert_eq!(image.kind(), ImageKind::SharedLibrary);
    assert_eq!(image.manifest(), Ok(Some(manifest())));
    let section = image.section("dp_exp").unwrap();
    assert_eq!(section.data, record(&FIELDS));
    assert!(section.mapped);
    assert_eq!(image.section(".note.dynplug"), None);
}

#[test]
fn a_macho_library_says_what_it_is() {
    let [little, big, _, _, _, big_64, little_32, _] = images();
    for (bytes, machine, bits, endian) in [
        (little, Machine::Aarch64, 64, Endian::Little),
        (big, Machine::Powerpc, 32, Endian::Big),
        (big_64, Machine::Powerpc64, 64, Endian::Big),
        (little_32, Machine::X86, 32, Endian::Little),
    ] {
        let image = Image::parse(&bytes).unwrap();
        assert_eq!((image.format(), image.machine()), (Format::MachO, machine));
        assert_eq!((image.bits(), image.endian()), (bits, endian));
        assert_eq!(image.soname(), Some("@rpath/libhello.dylib"));
        assert_eq!(image.needed(), ["@rpath/libapi.dylib"]);
        let symbols: Vec<_> = image.dynamic_symbols().map(Result::unwrap).collect();
        let seen: Vec<_> = symbols.iter().map(|symbol| (symbol.name, symbol.defined)).collect();
        assert_eq!(seen, [("_hello", true), ("_host_api", false)]);
        says_what_it_carries(&image);
    }
}

#[test]
fn of_a_library_for_several_machines_this_machines_is_taken_or_the_first() {
    let [little, big, ..] = images();
    let here = match std::env::consts::ARCH {
        "aarch64" => macho::CPU_TYPE_ARM64,
        _ => macho::CPU_TYPE_X86_64,
    };
    let mine = macho_dylib(true, Endianness::Little, here);
    for is_64 in [false, true] {
        let bytes = fat(&[(macho::CPU_TYPE_POWERPC, &big), (here, &mine)], is_64);
        let image = Image::parse(&bytes).unwrap();
        assert_eq!(image.machine().name(), std::env::consts::ARCH);
        says_what_it_carries(&image);

        let bytes = fat(&[(macho::CPU_TYPE_POWERPC, &big)], is_64);
        let image = Image::parse(&bytes).unwrap();
        assert_eq!(image.machine(), Machine::Powerpc);
        says_what_it_carries(&image);

        let bytes = fat(&[(macho::CPU_TYPE_ARM64, &little[..0])], is_64);
        assert!(matches!(Image::parse(&bytes), Err(ImageError::Malformed { .. })));
    }
}

#[test]
fn a_dll_says_what_it_is() {
    for (is_64, machine, bits) in [(true, Machine::X86_64, 64), (false, Machine::X86, 32)] {
        let bytes = dll(is_64);
        let image = Image::parse(&bytes).unwrap();
        assert_eq!((image.format(), image.machine(), image.bits()), (Format::Pe, machine, bits));
        assert_eq!(image.soname(), Some("hello.dll"));
        assert_eq!(image.needed(), ["api.dll"]);
        let symbols: Vec<_> = image.defined_symbols().map(Result::unwrap).collect();
        let address = image.section("dp_exp").unwrap().address;
        assert_eq!(
            symbols.iter().map(|symbol| (symbol.name, symbol.address)).collect::<Vec<_>>(),
            [("greet", address)]
        );
        says_what_it_carries(&image);
    }
}

// E5
#[test]
fn of_a_dll_some_stretches_say_as_much_as_the_whole() {
    let whole = dll_with_code(true, &[0xcc; 100_000]);
    let mut part = vec![0; whole.len()];
    let mut read = 0;
    let mut wanted = Vec::new();
    wanted.push(0..HEAD as u64);
    while let Some(range) = wanted.pop() {
        let range = range.start as usize..(range.end as usize).min(whole.len());
        if part[range.clone()] != whole[range.clone()] {
            read += range.len();
            part[range.clone()].copy_from_slice(&whole[range]);
            wanted.extend(Image::stretches(&part));
        }
    }
    let image = Image::parse(&part).unwrap();
    assert_eq!((image.soname(), image.needed()), (Some("hello.dll"), &["api.dll"][..]));
    says_what_it_carries(&image);
    assert!(read < 20_000, "{read}");
}

#[test]
fn a_dll_whose_parts_contradict_each_other_is_damaged() {
    let whole = dll(true);
    let header = u32::from_le_bytes(whole[0x3c..0x40].try_into().unwrap()) as usize;
    let sections = header + 24 + usize::from(u16::from_le_bytes([whole[header + 20], whole[header + 21]]));
    let changed = |at: usize, value: u32| {
        let mut bytes = whole.clone();
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        bytes
    };
    let damaged = [
        // The second section where the first is, the last one beyond the image, imports and exports nowhere.
        changed(sections + 40 + 12, 0),
        changed(sections + 4 * 40 + 8, 0x10_0000),
        changed(header + 24 + 112, 0x7000_0000),
        changed(header + 24 + 120, 0x7000_0000),
    ];
    for bytes in damaged {
        assert!(matches!(Image::parse(&bytes), Err(ImageError::Malformed { .. })));
    }
    // Symbols beyond the end of the file.
    assert!(matches!(Image::parse(&changed(header + 12, 0x10_0000)), Err(ImageError::Truncated { .. })));
    // What doesn't begin at a sector is not put there by the loader as it stands in the file.
    let mut bytes = whole.clone();
    let at = sections + 2 * 40 + 20;
    bytes[at] += 1;
    assert!(!Image::parse(&bytes).unwrap().sections()[2].mapped);
}

// C1
#[test]
fn every_truncated_image_is_an_error() {
    for bytes in images() {
        for len in 0..bytes.len() {
            // PE fills its last section up, and Mach-O its strings: that much may be missing from both.
            let whole = bytes.iter().rposition(|&byte| byte != 0).unwrap();
            if len <= whole {
                assert!(Image::parse(&bytes[..len]).is_err(), "{len} of {} bytes", bytes.len());
            }
        }
    }
}

#[test]
fn a_manifest_that_differs_by_padding_only_is_the_same() {
    let bytes = manifest().encode();
    assert_eq!(Manifest::decode(&[&bytes[..], &[0; 512]].concat()), Ok(manifest()));
}
