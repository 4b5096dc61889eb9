//! A crate without an init function, between two that have one.

pub use zz_deep;
