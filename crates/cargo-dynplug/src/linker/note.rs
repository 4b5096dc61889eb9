//! The object file that carries the manifest into a product, and into a host the place for its tables.

use super::arguments::Inputs;
use super::pe;
use crate::diagnostic::{Diagnostic, Doing, Result};
use dynplug_manifest::image::{Endian, Image};
use dynplug_manifest::manifest::{Manifest, Product};
use dynplug_manifest::note::{self, Tables};
use object::write::{Object, SectionFlags as Flags, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, FileFlags, Object as _, SectionKind, SymbolFlags, SymbolKind,
    SymbolScope, elf,
};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

/// Writes the object, for the same machine as the objects that rustc made.
pub(super) fn object(manifest: &Manifest, inputs: &Inputs) -> Result<tempfile::NamedTempFile> {
    let Some(model) = inputs.objects.first() else {
        return Err(Diagnostic::error("system", "rustc handed no object to the linker").into());
    };
    let bytes = std::fs::read(model).doing(format_args!("read {}", model.display()))?;
    let model = object::File::parse(&*bytes).doing(format_args!("read {}", model.display()))?;
    let bytes = encode(manifest, model.format(), model.architecture(), model.endianness(), model.flags())?;
    let mut file = (tempfile::Builder::new().prefix("dynplug-").suffix(".o").tempfile())
        .doing("make the manifest's object file")?;
    file.write_all(&bytes).doing("write the manifest's object file")?;
    Ok(file)
}

fn encode(
    manifest: &Manifest,
    format: BinaryFormat,
    architecture: Architecture,
    endian: Endianness,
    flags: FileFlags,
) -> Result<Vec<u8>> {
    let mut object = Object::new(format, architecture, endian);
    // The processor's own flags (float ABI and the like) have to agree among all objects of a link.
    object.flags = flags;
    let descriptor = manifest.encode();
    match format {
        BinaryFormat::Elf => {
            let section = object.add_section(Vec::new(), b".note.dynplug".to_vec(), SectionKind::Note);
            object.section_mut(section).flags =
                Flags::Elf { sh_type: elf::SHT_NOTE, sh_flags: elf::SHF_ALLOC };
            object.append_section_data(section, &note::encode(&descriptor), 4);
            if manifest.product == Product::Host {
                object.append_section_data(section, &empty_tables(), 4);
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
fn empty_tables() -> Vec<u8> {
    Tables::default().encode(Endian::Little)
}

/// Writes into a host where its tables came to lie. No linker would do it in a way that all processors have.
pub(super) fn fill_in_tables(host: &Path) -> Result<()> {
    let bytes = std::fs::read(host).doing(format_args!("read {}", host.display()))?;
    let image = Image::parse(&bytes).doing(format_args!("inspect {}", host.display()))?;
    let place = |name| image.section(name).map_or((0, 0), |section| (section.address, section.size));
    let ((symbols, symbols_size), (inits, inits_size)) = (place("dp_sym"), place("dp_init"));
    let empty = empty_tables();
    let at = bytes.windows(empty.len()).position(|bytes| bytes == empty);
    let at = at.and_then(|at| u64::try_from(at).ok()).ok_or_else(|| {
        Diagnostic::error("bad-product", format!("{} was not linked as it should be", host.display()))
            .note("the linker dropped the note of its tables")
    })?;
    let tables = Tables { symbols, symbols_size, inits, inits_size }.encode(Endian::Little);
    let mut file = (std::fs::OpenOptions::new().write(true).open(host))
        .doing(format_args!("open {}", host.display()))?;
    file.seek(SeekFrom::Start(at))
        .and_then(|_| file.write_all(&tables))
        .doing(format_args!("write {}", host.display()))
}
