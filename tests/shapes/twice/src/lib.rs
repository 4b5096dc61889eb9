//! The second version of a crate that is there in two.

/// A type of both.
pub struct Thing;

/// Which version this is.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
