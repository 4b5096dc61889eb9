//! An API crate that shares C code.

pub use bundled;
pub use dynplug;
