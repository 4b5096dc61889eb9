//! The object file that carries the manifest into a product.

use super::arguments::Inputs;
use crate::diagnostic::{Diagnostic, Doing, Result};
use dynplug_manifest::manifest::Manifest;
use object::write::{Object, SectionFlags as Flags};
use object::{Architecture, BinaryFormat, Endianness, FileFlags, Object as _, SectionKind, elf};
use std::io::Write;

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
            object.append_section_data(section, &dynplug_manifest::note::encode(&descriptor), 4);
            // Without this the GNU linker believes that the object wants an executable stack.
            object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), SectionKind::Other);
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
