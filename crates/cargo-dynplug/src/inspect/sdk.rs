//! An SDK in a file: what its description says, when all of it is proven.

use crate::diagnostic::Result;
use crate::linker::crate_list;
use crate::sdk::{Description, archive};
use dynplug_manifest::manifest::CrateInfo;
use std::path::Path;

/// An SDK.
pub(super) struct Sdk {
    pub(super) description: Description,
    /// The size of the file in bytes.
    pub(super) size: usize,
    /// The bytes of all that is in it.
    pub(super) unpacked: u64,
    /// How many files are in it.
    pub(super) files: usize,
    /// The shared crates.
    pub(super) crates: Vec<CrateInfo>,
    /// The proc macros that they name.
    pub(super) macros: Vec<CrateInfo>,
}

/// Whether these bytes may be an SDK.
pub(super) fn may_be(bytes: &[u8]) -> bool {
    bytes.starts_with(&archive::MAGIC)
}

impl Sdk {
    /// Reads it to its end.
    ///
    /// # Errors
    /// When it is none, or is damaged or of another format.
    pub(super) fn of(bytes: &[u8], path: &Path) -> Result<Sdk> {
        let proven = archive::prove(bytes, path)?;
        let description = Description::parse(&proven.description, path)?;
        Ok(Sdk {
            size: bytes.len(),
            unpacked: proven.lengths.values().sum(),
            files: proven.lengths.len(),
            crates: crate_list(&description.crates, &[]),
            macros: crate_list(&[], &description.macros),
            description,
        })
    }
}
