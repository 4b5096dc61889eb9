//! The API crate. Its tests want a plugin, which closes a circle in the lock file.

pub use aa_free;
pub use dynplug;
pub use journal;
pub use zz_base;

use dynplug::{OpenError, Plugin};
use std::path::PathBuf;

/// Where the build puts the file of a plugin with this crate name.
pub fn file(name: &str) -> PathBuf {
    let folder = std::env::current_exe().unwrap().with_file_name("plugins");
    folder.join(format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX))
}

/// Opens a plugin, linked in or in its file.
pub fn open(name: &str) -> Result<&'static Plugin, OpenError> {
    // SAFETY: the build made it.
    unsafe { Plugin::open(file(name)) }
}

#[dynplug::init]
fn start() {
    journal::log("app-api");
}

#[test]
fn its_tests_want_a_plugin() {
    one::named();
}
