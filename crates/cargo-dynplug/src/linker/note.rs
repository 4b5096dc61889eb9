//! The object file that carries the manifest into a product, and into a host the place for its tables.

use super::arguments::Inputs;
use super::{macho, pe};
use crate::diagnostic::{Diagnostic, Doing, Result};
use dynplug_manifest::image::{Endian, Image};
use dynplug_manifest::manifest::{Manifest, Product};
use dynplug_manifest::note::{self, Tables};
use object::write::{MachOBuildVersion, Object, SectionFlags as Flags, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, Object as _, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
    elf,
};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

/// Makes the object, for the same machine as the objects that rustc made.
pub(super) fn object(manifest: &Manifest, inputs: &Inputs) -> Result<tempfile::NamedTempFile> {
    let file = (tempfile::Builder::new().prefix("dynplug-").suffix(".o").tempfile())
        .doing("make the manifest's object file")?;
    write(file.path(), manifest, inputs)?;
    Ok(file)
}

/// Writes the object into this file.
pub(super) fn write(to: &Path, manifest: &Manifest, inputs: &Inputs) -> Result<()> {
    let Some(model) = inputs.objects.first() else {
        return Err(Diagnostic::error("system", "rustc handed no object to the linker").into());
    };
    let bytes = std::fs::read(model).doing(format_args!("read {}", model.display()))?;
    let model_bytes = &*bytes;
    let model = object::File::parse(model_bytes).doing(format_args!("read {}", model.display()))?;
    let version = macho::build_version(model_bytes);
    let bytes = encode(manifest, &model, version)?;
    std::fs::write(to, bytes).doing("write the manifest's object file")
}

fn encode(
    manifest: &Manifest,
    model: &object::File<'_>,
    version: Option<MachOBuildVersion>,
) -> Result<Vec<u8>> {
    let (format, architecture) = (model.format(), model.architecture());
    let mut object = Object::new(format, architecture, model.endianness());
    // The processor's own flags (float ABI and the like) have to agree among all objects of a link.
    object.flags = model.flags();
    let descriptor = manifest.encode();
    let endian = match model.endianness() {
        Endianness::Little => Endian::Little,
        Endianness::Big => Endian::Big,
    };
    match format {
        BinaryFormat::Elf => {
            let section = object.add_section(Vec::new(), b".note.dynplug".to_vec(), SectionKind::Note);
            object.section_mut(section).flags =
                Flags::Elf { sh_type: elf::SHT_NOTE, sh_flags: elf::SHF_ALLOC };
            object.append_section_data(section, &note::encode_for(&descriptor, endian), 4);
            if manifest.product == Product::Host {
                object.append_section_data(section, &empty_tables(endian), 4);
            }
            // Without this the GNU linker believes that the object wants an executable stack.
            object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), SectionKind::Other);
        }
        BinaryFormat::Coff => {
            let section =
                object.add_section(Vec::new(), note::BARE_SECTION.into(), SectionKind::ReadOnlyData);
            object.append_section_data(section, &descriptor, 4);
            object.add_symbol(Symbol {
                name: pe::manifest_symbol(architecture == Architecture::I386).into(),
                value: 0,
                size: 0,
                kind: SymbolKind::Data,
                scope: SymbolScope::Linkage,
                weak: false,
                section: SymbolSection::Section(section),
                flags: SymbolFlags::None,
            });
        }
        BinaryFormat::MachO => {
            if let Some(version) = version {
                object.set_macho_build_version(version);
            }
            let name = note::BARE_SECTION.into();
            let section = object.add_section(b"__DATA".to_vec(), name, SectionKind::Data);
            // Linkers collect what nobody asks for.
            object.section_mut(section).flags = Flags::MachO {
                flags: object::macho::SectionFlags(object::macho::S_ATTR_NO_DEAD_STRIP.0),
                reserved2: 0,
            };
            object.append_section_data(section, &descriptor, 8);
        }
        _ => {
            return Err(Diagnostic::error(
                "unsupported",
                format!("products of the format {format:?} can't be made yet"),
            )
            .into());
        }
    }
    object.write().doing("make the manifest's object file")
}

/// What stands in a host until it is linked.
fn empty_tables(endian: Endian) -> Vec<u8> {
    Tables::default().encode(endian)
}

/// Writes into a host where its tables came to lie. No linker would do it in a way that all processors have.
pub(super) fn fill_in_tables(host: &Path) -> Result<()> {
    let bytes = std::fs::read(host).doing(format_args!("read {}", host.display()))?;
    let image = Image::parse(&bytes).doing(format_args!("inspect {}", host.display()))?;
    let place = |name| image.section(name).map_or((0, 0), |section| (section.address, section.size));
    let ((symbols, symbols_size), (inits, inits_size)) = (place("dp_sym"), place("dp_init"));
    let empty = empty_tables(image.endian());
    let at = bytes.windows(empty.len()).position(|bytes| bytes == empty);
    let at = at.and_then(|at| u64::try_from(at).ok()).ok_or_else(|| {
        Diagnostic::error("bad-product", format!("{} was not linked as it should be", host.display()))
            .note("the linker dropped the note of its tables")
    })?;
    let tables = Tables { symbols, symbols_size, inits, inits_size }.encode(image.endian());
    let mut file = (std::fs::OpenOptions::new().write(true).open(host))
        .doing(format_args!("open {}", host.display()))?;
    file.seek(SeekFrom::Start(at))
        .and_then(|_| file.write_all(&tables))
        .doing(format_args!("write {}", host.display()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use dynplug_manifest::{Identity, LibraryReference};

    pub(in crate::linker) fn manifest() -> Manifest {
        let api = LibraryReference {
            package: "app-api".into(),
            version: "0.1.0".into(),
            crate_name: "app_api".into(),
            soname: "libapp_api-0000000000000000.dylib".into(),
            identity: Identity::ZERO,
        };
        Manifest {
            product: Product::Host,
            package: "app".into(),
            version: "0.1.0".into(),
            crate_name: "app".into(),
            tool: String::new(),
            rustc: String::new(),
            target: String::new(),
            profile: String::new(),
            cpu_features: Vec::new(),
            id: Identity::ZERO,
            api,
            crates: Vec::new(),
            libraries: Vec::new(),
            with_sdk: false,
            records: 7,
        }
    }

    #[test]
    fn the_object_has_the_manifest_for_every_format_and_order_of_bytes() {
        let cases = [
            (BinaryFormat::Elf, Architecture::X86_64, Endianness::Little),
            (BinaryFormat::Elf, Architecture::Aarch64, Endianness::Little),
            (BinaryFormat::Elf, Architecture::I386, Endianness::Little),
            (BinaryFormat::Elf, Architecture::S390x, Endianness::Big),
            (BinaryFormat::Elf, Architecture::PowerPc, Endianness::Big),
            (BinaryFormat::MachO, Architecture::Aarch64, Endianness::Little),
            (BinaryFormat::MachO, Architecture::X86_64, Endianness::Little),
        ];
        for (format, architecture, endian) in cases {
            let mut model = Object::new(format, architecture, endian);
            let mut version = MachOBuildVersion::default();
            version.platform = object::macho::PLATFORM_MACOS;
            version.minos = object::macho::Version(0x000b_0000);
            model.set_macho_build_version(version);
            let model = model.write().unwrap();
            let found = macho::build_version(&model);
            assert_eq!(found.map(|v| v.minos), (format == BinaryFormat::MachO).then_some(version.minos));
            let model = object::File::parse(&*model).unwrap();
            let bytes = encode(&manifest(), &model, found).unwrap();
            let image = Image::parse(&bytes).unwrap();
            assert_eq!(image.manifest().unwrap(), Some(manifest()), "{format:?} {architecture:?}");
            if format == BinaryFormat::Elf {
                let notes = image.section(note::SECTION).unwrap().data;
                assert_eq!(Tables::find(notes), Some(Tables::default()), "{architecture:?}");
            }
            assert_eq!(macho::build_version(&bytes).map(|v| v.platform), found.map(|v| v.platform));
        }
    }
}
