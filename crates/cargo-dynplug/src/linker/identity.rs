//! The identity of an API library, or of a library that plugins share: a hash over what was compiled. Not over paths, the linker's choices or strip.
//!
//! Each Rust crate has a part by what tells it to the compiler and by its content (see [`Unit`]); the compiler and std by
//! their names, which hold hashes; and native code, which no Rust crate's metadata sees, by its objects.

use super::arguments::Inputs;
use super::{native, pe};
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::unit::Unit;
use dynplug_manifest::Identity;
use object::read::archive::ArchiveFile;
use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionKind};
use sha2::{Digest, Sha256};
use std::path::Path;

/// The identity of the library that these inputs make, above those with the identities `below`. The library's own crate is
/// `unit`, with the metadata that rustc handed to the linker where its source could not be told.
pub(super) fn of(inputs: &Inputs, unit: &Unit, context: &Context, below: &[Identity]) -> Result<[u8; 32]> {
    let mut parts: Vec<Vec<u8>> = below.iter().map(|identity| identity.0.to_vec()).collect();
    for part in [&context.rustc, &context.target] {
        parts.push(part.as_bytes().to_vec());
    }
    for library in &inputs.sysroot {
        parts.push(library.file_name().unwrap_or_default().to_string_lossy().into_owned().into_bytes());
    }
    for (unit, content) in inputs.crates.iter().map(|c| (&c.unit, c.unit.content.clone())) {
        if content.is_empty() {
            return Err(no_identity(unit).into());
        }
        parts.push(part_of(unit, content.as_bytes()));
    }
    let metadata =
        inputs.metadata.as_deref().map(std::fs::read).transpose().doing("read the crate's metadata")?;
    match (&unit.meaning, metadata) {
        (Some(meaning), _) => parts.push(part_of(unit, meaning.as_bytes())),
        (None, Some(metadata)) => parts.push(part_of(unit, &metadata)),
        (None, None) => return Err(no_identity(unit).into()),
    }
    // What macros put in is seen in what they are expanded to, but for the hygiene of names.
    for proc_macro in proc_macros(inputs.crates.iter().map(|c| &c.unit).chain([unit]))? {
        parts.push(part_of(&proc_macro, proc_macro.content.as_bytes()));
    }
    for input in &inputs.crates {
        parts.extend(native_members(&input.file)?);
    }
    for archive in &inputs.archives {
        parts.extend(native_members(archive)?);
    }
    // The order in which crates are linked is rustc's affair and not part of what was compiled.
    parts.sort();
    let mut hash = Sha256::new();
    hash.update(b"dynplug identity 1\0");
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    Ok(hash.finalize().into())
}

/// The proc macros that crates were given, each once.
fn proc_macros<'a>(units: impl Iterator<Item = &'a Unit>) -> Result<Vec<Unit>> {
    let mut found: Vec<Unit> = Vec::new();
    for file in units.flat_map(|u| &u.externs) {
        match Unit::beside(file)?.filter(|u| u.proc_macro) {
            Some(unit) if !found.iter().any(|f| f.id == unit.id) => found.push(unit),
            _ => {}
        }
    }
    Ok(found)
}

fn part_of(unit: &Unit, content: &[u8]) -> Vec<u8> {
    [unit.id.as_bytes(), b" ", content].concat()
}

fn no_identity(unit: &Unit) -> Diagnostic {
    Diagnostic::error("no-identity", "the identity of the library can't be told")
        .note(format!("nothing is known of what was compiled of `{}`", unit.title()))
        .help("remove the folder `target/dynplug/build` and build again")
}

/// A hash for each member of a library that rustc did not make: objects of C, C++ and assembly.
pub(super) fn native_members(file: &Path) -> Result<Vec<Vec<u8>>> {
    let bytes = read(file)?;
    let archive = ArchiveFile::parse(&*bytes).doing(format_args!("read the library {}", file.display()))?;
    let mut hashes: Vec<Vec<u8>> = Vec::new();
    for member in archive.members() {
        let member = member.doing(format_args!("read the library {}", file.display()))?;
        if !native::is_native(member.name()) {
            continue;
        }
        let data = member.data(&*bytes).doing(format_args!("read the library {}", file.display()))?;
        // What says from which library a name is taken is made of the Rust code that names it.
        if object::File::parse(data).is_ok_and(|object| pe::is_import(&object)) {
            continue;
        }
        hashes.push(loaded_parts(data));
    }
    hashes.sort();
    Ok(hashes)
}

/// A hash over what of an object comes into memory. Debug information names folders and lines, and means nothing.
fn loaded_parts(data: &[u8]) -> Vec<u8> {
    let Ok(object) = object::File::parse(data) else { return Sha256::digest(data).to_vec() };
    let mut hash = Sha256::new();
    let mut feed = |kind: u8, bytes: &[u8]| {
        hash.update([kind]);
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    let is_debug =
        |name: &[u8]| name.starts_with(b".debug") || name.starts_with(b".zdebug") || name == b".comment";
    for section in object.sections() {
        let name = section.name_bytes().unwrap_or_default();
        // The tables of the format itself are read below, in terms that don't move with the debug information.
        if is_debug(name)
            || matches!(section.kind(), SectionKind::Metadata | SectionKind::Debug | SectionKind::Note)
        {
            continue;
        }
        feed(b's', name);
        feed(b'd', section.data().unwrap_or_default());
        feed(b'z', &section.size().to_le_bytes());
        for (offset, relocation) in section.relocations() {
            let target = match relocation.target() {
                RelocationTarget::Symbol(index) => object.symbol_by_index(index).ok().map(|s| {
                    let section = s.section_index().and_then(|i| object.section_by_index(i).ok());
                    let section = section.and_then(|s| s.name().ok().map(str::to_owned)).unwrap_or_default();
                    (s.name().unwrap_or_default().to_owned(), section, s.address())
                }),
                _ => None,
            };
            feed(
                b'r',
                format!("{offset} {:?} {} {target:?}", relocation.flags(), relocation.addend()).as_bytes(),
            );
        }
    }
    for symbol in object.symbols().filter(|s| s.is_global()) {
        let text = format!("{} {} {}", symbol.address(), symbol.size(), symbol.is_undefined());
        feed(b'n', symbol.name_bytes().unwrap_or_default());
        feed(b'a', text.as_bytes());
    }
    hash.finalize().to_vec()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).doing(format_args!("read {}", path.display()))
}
