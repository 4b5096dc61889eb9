//! The identity of an API library: a hash over what was compiled. The crate's metadata holds the hashes of every Rust
//! crate below it, std and compiler included; native code is what the metadata doesn't see.

use super::arguments::Inputs;
use crate::diagnostic::{Diagnostic, Doing, Result};
use object::read::archive::ArchiveFile;
use object::{Object, ObjectSection};
use sha2::{Digest, Sha256};
use std::path::Path;

/// The identity of what `inputs` make.
pub(super) fn of(inputs: &Inputs) -> Result<[u8; 32]> {
    let missing = || {
        Diagnostic::error("no-identity", "the identity of the API library can't be told")
            .note("rustc handed no metadata of the API crate to the linker")
    };
    let file = inputs.metadata.as_deref().ok_or_else(missing)?;
    let bytes = read(file)?;
    let object = object::File::parse(&*bytes).doing(format_args!("read {}", file.display()))?;
    let section = object.section_by_name(".rustc").ok_or_else(missing)?;
    let metadata = section.data().doing(format_args!("read {}", file.display()))?;
    let mut hash = Sha256::new();
    hash.update(b"dynplug identity 1\0");
    hash.update((metadata.len() as u64).to_le_bytes());
    hash.update(metadata);
    // The order in which crates are linked is rustc's affair and not part of what was compiled.
    let mut native = Vec::new();
    for input in &inputs.crates {
        native.extend(native_members(&input.file)?);
    }
    for archive in &inputs.archives {
        native.extend(native_members(archive)?);
    }
    native.sort();
    for member in native {
        hash.update(member);
    }
    Ok(hash.finalize().into())
}

/// A hash for each member of a library that rustc did not make: objects of C, C++ and assembly.
fn native_members(file: &Path) -> Result<Vec<[u8; 32]>> {
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
        hashes.push(Sha256::digest(data).into());
    }
    Ok(hashes)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).doing(format_args!("read {}", path.display()))
}
