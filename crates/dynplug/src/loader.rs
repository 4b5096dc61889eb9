//! How plugins are opened, where the defaults aren't what is wanted.

use crate::error::OpenError;
use crate::plugin::Plugin;
use crate::registry;
use std::path::Path;

/// Opens plugins in a way of one's own; [`Plugin::open`] is the one with the defaults.
///
/// # Examples
///
/// ```no_run
/// use dynplug::{Load, Loader};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let loader = Loader::new().load(Load::InPlace);
/// // SAFETY: our own build made the file, and nobody writes to it while we run.
/// let plugin = unsafe { loader.open("plugins/libhello.so") }?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Loader {
    load: Load,
}

/// What is mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Load {
    /// A private copy that nobody can change any more. The bytes that were proven are the bytes that are mapped, and
    /// whatever happens to the file afterwards is nothing to the process.
    ///
    /// # Platform-specific behaviour
    ///
    /// A sealed file in memory on Linux. Elsewhere the file itself is mapped for now.
    #[default]
    PrivateCopy,
    /// The file itself. Processes that load the same file share its pages, and tools that look for the file find it.
    /// Who writes to the file while it is loaded changes the running program.
    InPlace,
}

impl Loader {
    /// A loader with the defaults.
    pub const fn new() -> Self {
        Loader { load: Load::PrivateCopy }
    }

    /// Chooses what is mapped.
    #[must_use]
    pub fn load(mut self, load: Load) -> Self {
        self.load = load;
        self
    }

    /// Opens the plugin in the file `path`; see [`Plugin::open`].
    ///
    /// # Errors
    ///
    /// As for [`Plugin::open`].
    ///
    /// # Safety
    ///
    /// As for [`Plugin::open`]. With [`Load::InPlace`], moreover, nobody may write to the file as long as the process
    /// lives: what is proven and what is mapped are then the same only as long as the file stays the same.
    pub unsafe fn open(&self, path: impl AsRef<Path>) -> Result<&'static Plugin, OpenError> {
        // SAFETY: the caller's obligation is handed on as it is.
        unsafe { registry::open(path.as_ref(), self.load) }
    }
}
