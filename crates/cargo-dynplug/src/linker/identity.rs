//! The identity of an API library: a hash over what was compiled. Not over paths, the linker's choices or strip.
//!
//! Each Rust crate has a part by what tells it to the compiler and by its content (see [`Unit`]); the compiler and std by
//! their names, which hold hashes; and native code, which no Rust crate's metadata sees, by its objects.

use super::arguments::Inputs;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::unit::Unit;
use object::read::archive::ArchiveFile;
use sha2::{Digest, Sha256};
use std::path::Path;

/// The identity of the API library that these inputs make. The API crate itself is `unit`, with the metadata that rustc
/// handed to the linker where its source could not be told.
pub(super) fn of(inputs: &Inputs, unit: &Unit, context: &Context) -> Result<[u8; 32]> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
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
        inputs.metadata.as_deref().map(std::fs::read).transpose().doing("read the API crate's metadata")?;
    match (&unit.meaning, metadata) {
        (Some(meaning), _) => parts.push(part_of(unit, meaning.as_bytes())),
        (None, Some(metadata)) => parts.push(part_of(unit, &metadata)),
        (None, None) => return Err(no_identity(unit).into()),
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

fn part_of(unit: &Unit, content: &[u8]) -> Vec<u8> {
    [unit.id.as_bytes(), b" ", content].concat()
}

fn no_identity(unit: &Unit) -> Diagnostic {
    Diagnostic::error("no-identity", "the identity of the API library can't be told")
        .note(format!("nothing is known of what was compiled of `{}`", unit.title()))
        .help("remove the folder `target/dynplug/build` and build again")
}

/// A hash for each member of a library that rustc did not make: objects of C, C++ and assembly.
fn native_members(file: &Path) -> Result<Vec<Vec<u8>>> {
    let bytes = read(file)?;
    let archive = ArchiveFile::parse(&*bytes).doing(format_args!("read the library {}", file.display()))?;
    let mut hashes = Vec::new();
    for member in archive.members() {
        let member = member.doing(format_args!("read the library {}", file.display()))?;
        let name = String::from_utf8_lossy(member.name());
        if name.ends_with(".rcgu.o") || name == "lib.rmeta" || name.ends_with(".rmeta") {
            continue;
        }
        let data = member.data(&*bytes).doing(format_args!("read the library {}", file.display()))?;
        hashes.push(Sha256::digest(data).to_vec());
    }
    Ok(hashes)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).doing(format_args!("read {}", path.display()))
}
