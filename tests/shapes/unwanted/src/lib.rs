//! A crate that no feature of this build wants.
