//! Systems where no file can be opened: everything compiles, plugins that are linked in work, and an open says so.

use super::{Mapped, Sealed};
use crate::error::SystemError;
use crate::terms::Terms;
use std::io;
use std::path::Path;

/// Said before a file is looked at.
pub(crate) const UNSUPPORTED: Option<&str> = Some(if cfg!(target_family = "wasm") {
    "WebAssembly has no libraries that could be loaded while a program runs"
} else {
    "dynplug doesn't know its loader"
});

pub(crate) fn is_there(_name: &str) -> Option<bool> {
    None
}

#[cfg(feature = "trust")]
pub(crate) fn is_in_process(_name: &str) -> bool {
    false
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
    _copy: Option<io::Result<Sealed>>,
    _path: &Path,
    _name: &str,
    _terms: &Terms,
) -> Result<Mapped, SystemError> {
    Err(SystemError(UNSUPPORTED.unwrap_or_default().to_owned()))
}

impl Mapped {
    /// Whether this is what the loader finds for those that need a library of that name.
    pub(crate) fn answers_to(&self, _soname: &str) -> bool {
        false
    }
}
