//! Systems where plugins can't be opened yet: everything compiles, and an open says so.

use super::Mapped;
use crate::error::SystemError;
use crate::loader::Load;
use std::path::Path;

pub(crate) fn is_there(_name: &str) -> Option<bool> {
    None
}

/// Nobody shares a library here, so there is nothing that it would say.
pub(crate) fn own_image() -> Mapped {
    Mapped::NOTHING
}

pub(crate) fn program_image() -> Mapped {
    Mapped::NOTHING
}

/// # Safety
///
/// None is needed: nothing is mapped.
pub(crate) unsafe fn map(
    _bytes: &[u8],
    _path: &Path,
    _name: &str,
    _load: Load,
) -> Result<Mapped, SystemError> {
    Err(SystemError("plugins can't be opened on this system yet".to_owned()))
}

impl Mapped {
    /// Whether this is what the loader finds for those that need a library of that name.
    pub(crate) fn answers_to(&self, _soname: &str) -> bool {
        false
    }
}
