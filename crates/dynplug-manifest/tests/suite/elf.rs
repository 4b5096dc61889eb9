//! ELF images, of every class and endianness.

use dynplug_manifest::image::{Endian, Format, Image, ImageKind, LooksLike, Machine, SymbolKind};
use dynplug_manifest::tables::{self, Tables, TablesError};
use dynplug_manifest::{ImageError, Manifest, note};
use object::elf;
use object::endian::Endianness;
use object::write::elf::{FileHeader, ProgramHeader, SectionHeader, Sym, Writer};

use crate::samples::{FIELDS, manifest, record};

#[derive(Clone, Copy)]
pub(crate) struct Class {
    pub(crate) name: &'static str,
    pub(crate) is_64: bool,
    pub(crate) endian: Endian,
}

pub(crate) const CLASSES: [Class; 4] = [
    Class { name: "elf-64-little", is_64: true, endian: Endian::Little },
    Class { name: "elf-64-big", is_64: true, endian: Endian::Big },
    Class { name: "elf-32-little", is_64: false, endian: Endian::Little },
    Class { name: "elf-32-big", is_64: false, endian: Endian::Big },
];

/// How far behind its place in the file everything lies in memory.
const BASE: u64 = 0x3000;

/// A plugin: a manifest, one record, one exported function, a library that it needs, and 24 bytes for each
/// thread.
pub(crate) fn elf(class: Class, manifest: &Manifest) -> Vec<u8> {
    let endian = match class.endian {
        Endian::Little => Endianness::Little,
        Endian::Big => Endianness::Big,
    };
    let note = note::encode_for(&manifest.encode(), class.endian);
    let records = record(&FIELDS);

    let mut out = Vec::new();
    let mut writer = Writer::new(endian, class.is_64, &mut out);
    writer.reserve_file_header();
    writer.reserve_program_headers(4);
    let note_offset = writer.reserve(note.len() as u64, 4);
    let records_offset = writer.reserve(records.len() as u64, 1);

    let names = [".note.dynplug", "dp_exp", ".tbss"].map(|name| writer.add_section_name(name.as_bytes()));
    let note_section = writer.reserve_section_index();
    for _ in &names[1..] {
        writer.reserve_section_index();
    }
    let soname = writer.add_dynamic_string(b"libhello.so");
    let needed = writer.add_dynamic_string(b"libhost_api.so");
    let strange = writer.add_dynamic_string("grüße".as_bytes());
    let missing = writer.add_dynamic_string(b"host_api_function");
    writer.reserve_dynamic_symbol_index();
    writer.reserve_dynamic_symbol_index();
    let symbols_offset = writer.reserve_dynsym();
    let strings_offset = writer.reserve_dynstr().unwrap();
    let dynamic_offset = writer.reserve_dynamic(6);
    let loaded = writer.reserved_len();
    writer.reserve_dynsym_section_index();
    writer.reserve_dynstr_section_index();
    writer.reserve_dynamic_section_index();
    writer.reserve_shstrtab_section_index();
    writer.reserve_shstrtab().unwrap();
    writer.reserve_section_headers();

    writer
        .write_file_header(&FileHeader {
            os_abi: elf::ELFOSABI_NONE,
            abi_version: 0,
            e_type: elf::ET_DYN,
            e_machine: if class.is_64 { elf::EM_AARCH64 } else { elf::EM_ARM },
            e_entry: 0,
            e_flags: elf::FileFlags(0),
        })
        .unwrap();
    writer.write_align_program_headers();
    let segment = |p_type, offset, size, memory| ProgramHeader {
        p_type,
        p_flags: elf::PF_R,
        p_offset: offset,
        p_vaddr: offset + BASE,
        p_paddr: offset + BASE,
        p_filesz: size,
        p_memsz: memory,
        p_align: if p_type == elf::PT_LOAD { 0x1000 } else { 4 },
    };
    let dynamic_size = 6 * if class.is_64 { 16 } else { 8 };
    writer.write_program_header(&segment(elf::PT_LOAD, 0, loaded, loaded + 0x100));
    writer.write_program_header(&segment(elf::PT_DYNAMIC, dynamic_offset, dynamic_size, dynamic_size));
    writer.write_program_header(&segment(elf::PT_NOTE, note_offset, note.len() as u64, note.len() as u64));
    writer.write_program_header(&segment(elf::PT_TLS, loaded, 0, 24));
    writer.write_align(4);
    writer.write(&note);
    writer.write(&records);
    writer.write_null_dynamic_symbol();
    let mut symbol = |name, section: Option<u32>, kind| {
        let st_name = writer.dynamic_string_offset(Some(name));
        writer.write_dynamic_symbol(&Sym {
            section,
            st_name,
            st_info: elf::SymbolInfo::new(elf::STB_GLOBAL, kind),
            st_other: Default::default(),
            st_shndx: elf::SHN_UNDEF,
            st_value: if section.is_some() { BASE + 64 } else { 0 },
            st_size: 8,
        });
    };
    symbol(strange, Some(note_section.0), elf::STT_FUNC);
    symbol(missing, None, elf::STT_OBJECT);
    let strings_len = u64::from(writer.dynstr_len());
    writer.write_dynstr();
    writer.write_align_dynamic();
    writer.write_dynamic_string(elf::DT_SONAME, soname).unwrap();
    writer.write_dynamic_string(elf::DT_NEEDED, needed).unwrap();
    writer.write_dynamic(elf::DT_STRTAB, BASE + strings_offset).unwrap();
    writer.write_dynamic(elf::DT_STRSZ, strings_len).unwrap();
    writer.write_dynamic(elf::DT_FLAGS, 0x10).unwrap();
    writer.write_dynamic(elf::DT_NULL, 0).unwrap();
    writer.write_shstrtab();

    writer.write_null_section_header();
    let section = |name, sh_type, flags, offset, size| SectionHeader {
        sh_name: name,
        sh_type,
        sh_flags: flags,
        sh_addr: offset + BASE,
        sh_offset: offset,
        sh_size: size,
        sh_link: 0,
        sh_info: 0,
        sh_addralign: 1,
        sh_entsize: 0,
    };
    let [note_name, records_name, tls_name] = names.map(|name| writer.section_name_offset(Some(name)));
    let [alloc, tls] = [elf::SHF_ALLOC, elf::SHF_ALLOC | elf::SHF_TLS];
    writer.write_section_header(&section(note_name, elf::SHT_NOTE, alloc, note_offset, note.len() as u64));
    writer.write_section_header(&section(
        records_name,
        elf::SHT_PROGBITS,
        alloc,
        records_offset,
        records.len() as u64,
    ));
    writer.write_section_header(&section(tls_name, elf::SHT_NOBITS, tls, loaded, 24));
    writer.write_dynsym_section_header(BASE + symbols_offset, 1);
    writer.write_dynstr_section_header(BASE + strings_offset);
    writer.write_dynamic_section_header(BASE + dynamic_offset);
    writer.write_shstrtab_section_header();
    drop(writer);
    out
}

/// Where the program header of that number begins in a 64-bit file, and where its fields are.
fn segment_at(number: usize) -> usize {
    64 + number * 56
}
const P_OFFSET: usize = 8;
const P_VADDR: usize = 16;
const P_FILESZ: usize = 32;
const P_MEMSZ: usize = 40;

/// The 64-bit little-endian sample with a number of eight bytes changed.
fn patched(at: usize, change: impl FnOnce(u64) -> u64) -> Vec<u8> {
    let mut bytes = elf(CLASSES[0], &manifest());
    let number: &mut [u8; 8] = (&mut bytes[at..at + 8]).try_into().unwrap();
    *number = change(u64::from_le_bytes(*number)).to_le_bytes();
    bytes
}

#[test]
fn an_image_of_every_class_says_what_it_is() {
    for class in CLASSES {
        let bytes = elf(class, &manifest());
        let image = Image::parse(&bytes).unwrap();
        assert_eq!(image.format(), Format::Elf);
        assert_eq!(image.machine(), if class.is_64 { Machine::Aarch64 } else { Machine::Arm });
        assert_eq!(image.bits(), if class.is_64 { 64 } else { 32 });
        assert_eq!(image.endian(), class.endian);
        assert_eq!(image.kind(), ImageKind::SharedLibrary);
        assert_eq!(image.soname(), Some("libhello.so"));
        assert_eq!(image.needed(), ["libhost_api.so"]);
        assert_eq!(image.tls_size(), 24);
        assert!(image.static_tls());
        assert_eq!(image.manifest(), Ok(Some(manifest())));

        let section = image.section("dp_exp").unwrap();
        assert_eq!(section.data, record(&FIELDS));
        assert_eq!(section.size, section.data.len() as u64);
        assert!(section.mapped);
        assert_eq!(bytes[(section.address - BASE) as usize..][..section.data.len()], *section.data);
        let tls = image.section(".tbss").unwrap();
        assert!(tls.size == 24 && tls.data.is_empty() && !tls.mapped);
        assert_eq!(image.section("dp_sym"), None);

        let symbols: Vec<_> = image.dynamic_symbols().map(Result::unwrap).collect();
        let seen: Vec<_> = symbols.iter().map(|symbol| (symbol.name, symbol.defined, symbol.kind)).collect();
        let missing = ("host_api_function", false, SymbolKind::Object);
        assert_eq!(seen, [("grüße", true, SymbolKind::Function), missing]);
        let defined: Vec<_> = image.defined_symbols().map(|symbol| symbol.unwrap().name).collect();
        assert_eq!(defined, ["grüße"]);
    }
}

#[test]
fn a_borrowed_slice_at_any_alignment_is_read() {
    let bytes = elf(CLASSES[0], &manifest());
    for shift in 1..8 {
        let shifted = [&vec![0; shift][..], &bytes].concat();
        assert_eq!(Image::parse(&shifted[shift..]).unwrap().manifest(), Ok(Some(manifest())));
    }
}

// C1
#[test]
fn every_truncated_image_is_an_error_that_says_how_much_is_missing() {
    for class in CLASSES {
        let bytes = elf(class, &manifest());
        for len in 4..bytes.len() {
            match Image::parse(&bytes[..len]) {
                Err(ImageError::Truncated { have, want }) => {
                    assert_eq!(have, len as u64);
                    assert!(want > have && want <= bytes.len() as u64, "{want} of {}", bytes.len());
                }
                other => panic!("{len} of {} bytes: {other:?}", bytes.len()),
            }
        }
    }
}

#[test]
fn a_segment_beyond_the_end_of_the_file_is_a_truncated_file() {
    let have = elf(CLASSES[0], &manifest()).len() as u64;
    let both = |change: u64| {
        let mut bytes = patched(segment_at(0) + P_FILESZ, |_| change);
        bytes[segment_at(0) + P_MEMSZ..][..8].copy_from_slice(&change.to_le_bytes());
        Image::parse(&bytes).map(|_| ()).unwrap_err()
    };
    assert_eq!(both(have + 1), ImageError::Truncated { have, want: have + 1 });
    assert_eq!(both(u64::MAX), ImageError::Truncated { have, want: u64::MAX });
}

#[test]
fn segments_that_contradict_each_other_are_refused() {
    for bytes in [
        patched(segment_at(0) + P_MEMSZ, |_| 1),
        patched(segment_at(0) + P_VADDR, |_| !0xfff),
        patched(segment_at(0) + P_VADDR, |address| address + 1),
        // The dynamic table: elsewhere in memory than in the file, or not loaded at all.
        patched(segment_at(1) + P_VADDR, |address| address + 16),
        patched(segment_at(1) + P_VADDR, |_| u64::MAX),
        patched(segment_at(1) + P_OFFSET, |offset| offset - 16),
    ] {
        assert!(matches!(Image::parse(&bytes), Err(ImageError::Malformed { .. })));
    }
}

#[test]
fn overlapping_segments_are_refused() {
    // The segment of the note turned into one that is loaded a second time.
    let mut bytes = elf(CLASSES[0], &manifest());
    bytes[segment_at(2)] = 1;
    let error = Image::parse(&bytes).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "the file is damaged: its segments overlap or are out of order");
}

#[test]
fn a_note_that_is_not_loaded_counts_for_nothing() {
    let bytes = patched(segment_at(2) + P_VADDR, |address| address + 4);
    assert_eq!(Image::parse(&bytes).unwrap().manifest(), Ok(None));
}

#[test]
fn a_section_that_is_loaded_from_elsewhere_is_not_mapped() {
    let bytes = elf(CLASSES[0], &manifest());
    let headers = u64::from_le_bytes(bytes[40..48].try_into().unwrap()) as usize;
    // The address of section 2, `dp_exp`.
    let bytes = patched(headers + 2 * 64 + 16, |address| address + 1);
    let image = Image::parse(&bytes).unwrap();
    assert!(!image.section("dp_exp").unwrap().mapped);
}

#[test]
fn two_manifests_are_refused() {
    let mut bytes = elf(CLASSES[0], &manifest());
    // The segment of notes grows over a second note, in the place of the record and what follows.
    let small = note::encode(b"x");
    let end = note::encode(&manifest().encode()).len();
    let start = bytes.windows(8).position(|window| window == note::OWNER).unwrap() - 12;
    bytes[start + end..][..small.len()].copy_from_slice(&small);
    let size = (end + small.len()) as u64;
    bytes[segment_at(2) + P_FILESZ..][..8].copy_from_slice(&size.to_le_bytes());
    let error = Image::parse(&bytes).unwrap().manifest();
    assert_eq!(error, Err(ImageError::SeveralManifests { count: 2 }));
}

// C15
#[test]
fn names_that_are_read_over_and_over_are_refused() {
    // A file for the linker in which a thousand sections have the same name of a hundred thousand bytes.
    let (count, length) = (1000u16, 100_000u64);
    let mut bytes = vec![0; 64];
    bytes[..8].copy_from_slice(b"\x7fELF\x02\x01\x01\0");
    bytes[16] = 1;
    bytes[40] = 64;
    bytes[58] = 64;
    bytes[60..62].copy_from_slice(&count.to_le_bytes());
    let strings = 64 + 64 * u64::from(count);
    for _ in 0..count {
        let mut header = [0; 64];
        header[4] = 3;
        header[24..32].copy_from_slice(&strings.to_le_bytes());
        header[32..40].copy_from_slice(&length.to_le_bytes());
        bytes.extend(header);
    }
    bytes[62] = 1;
    bytes.extend(vec![b'a'; length as usize - 1]);
    bytes.push(0);
    let error = Image::parse(&bytes).map(|_| ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the file is damaged: its names together are many times as long as the file"
    );
}

// C15
#[test]
fn notes_that_are_read_over_and_over_are_refused() {
    // Every program header but the first is made one of the whole file, as notes.
    let mut bytes = elf(CLASSES[0], &manifest());
    let whole: [u8; 56] = bytes[segment_at(0)..segment_at(1)].try_into().unwrap();
    for number in 1..4 {
        bytes[segment_at(number)..segment_at(number + 1)].copy_from_slice(&whole);
        bytes[segment_at(number)] = 4;
    }
    let error = Image::parse(&bytes).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "the file is damaged: its segments of notes overlap");
}

#[test]
fn a_manifest_that_cannot_be_read_says_why() {
    let mut bytes = elf(CLASSES[0], &manifest());
    let at = bytes.windows(8).position(|window| window == b"DYNPLUG\0").unwrap();
    bytes[at + 10] = 9;
    let error = Image::parse(&bytes).unwrap().manifest().unwrap_err();
    assert!(error.to_string().contains("format 9"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn this_program_is_read_as_what_it_is() {
    let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let image = Image::parse(&bytes).unwrap();
    assert_eq!(image.kind(), ImageKind::Executable);
    assert_eq!(image.machine().name(), std::env::consts::ARCH);
    assert_eq!(u32::from(image.bits()), usize::BITS);
    assert!(image.section(".text").unwrap().mapped);
    assert!(image.dynamic_symbols().all(|symbol| symbol.is_ok()));
    assert_eq!(image.manifest(), Ok(None));
}

// C1
#[test]
fn what_is_no_image_is_told_by_its_looks() {
    let cases: &[(&[u8], LooksLike)] = &[
        (b"", LooksLike::Empty),
        (b"hello\n", LooksLike::Text),
        ("größer".as_bytes(), LooksLike::Text),
        (b"#!/bin/sh\nexit 0\n", LooksLike::Script),
        (b"/* GNU ld script */\nGROUP ( /lib/libc.so.6 )\n", LooksLike::LinkerScript),
        (b"INPUT(-lncurses)\n", LooksLike::LinkerScript),
        (b"!<arch>\n/               0", LooksLike::Archive),
        (b"!<thin>\n/               0", LooksLike::ThinArchive),
        (b"rust\0\0\0\x0a\0\0", LooksLike::RustMetadata),
        (b"BC\xc0\xde\x35\x14", LooksLike::Bitcode),
        (b"\0asm\x01\0\0\0", LooksLike::Wasm),
        (b"\xca\xfe\xba\xbe\0\0\0\x34", LooksLike::JavaClass),
        (b"PK\x03\x04\x14\0", LooksLike::Zip),
        (b"\x1f\x8b\x08\0", LooksLike::Gzip),
        (b"\xfd7zXZ\0\0", LooksLike::Xz),
        (b"\x28\xb5\x2f\xfd\x04", LooksLike::Zstd),
        (b"MZ\x90\0\x03\0\0\0", LooksLike::Dos),
        (&[0; 5000], LooksLike::Zeros),
        (b"\x7fEL", LooksLike::Unknown { start: *b"\x7fEL\0" }),
        (b"\x01\x02\x03\x04\x05", LooksLike::Unknown { start: [1, 2, 3, 4] }),
    ];
    for &(bytes, looks_like) in cases {
        assert_eq!(Image::parse(bytes).map(|_| ()), Err(ImageError::NotAnImage { looks_like }));
    }
}

#[cfg(not(feature = "all-formats"))]
#[test]
fn other_systems_images_are_named_where_they_cannot_be_read() {
    let pe = [&b"MZ"[..], &[0; 58], &[0x40, 0, 0, 0], b"PE\0\0"].concat();
    let error = ImageError::NotAnImage { looks_like: LooksLike::Pe };
    assert_eq!(Image::parse(&pe).map(|_| ()), Err(error));
    let error = ImageError::NotAnImage { looks_like: LooksLike::MachO };
    assert_eq!(Image::parse(b"\xcf\xfa\xed\xfe\0\0\0\0").map(|_| ()), Err(error));
}

// C15
#[test]
fn what_has_lost_records_or_references_is_told_from_what_has_none() {
    let told = |records| {
        let manifest = Manifest { records, ..manifest() };
        let bytes = elf(CLASSES[0], &manifest);
        Tables::of(&Image::parse(&bytes).unwrap(), &manifest)
    };
    // There is one record, and no reference.
    assert_eq!(told(0), Err(TablesError::Count { section: tables::RECORDS, have: 1, want: 0 }));
    assert_eq!(told(1), Err(TablesError::Count { section: tables::SYMBOLS, have: 0, want: 1 }));
    assert_eq!(told(2), Err(TablesError::Count { section: tables::RECORDS, have: 1, want: 2 }));
}
