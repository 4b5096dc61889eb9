//! A crate that has nearly everything from its workspace, and a library of another name than its package.

pub use short as optional;

/// What the workspace says.
pub const DESCRIPTION: &str = env!("CARGO_PKG_DESCRIPTION");
