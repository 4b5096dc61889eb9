//! The bytes that dynplug writes into plugins, API libraries and hosts, and how they are read back.
//!
//! - [`record`]: one record for each exported item, made at compile time.
//! - [`manifest`]: one for each product: who it is, what it needs, with what it was built.
//! - [`note`]: the ELF note that carries the manifest.
//! - [`image`]: the executable file around all of that.
//! - [`compare`]: whether a plugin fits a host, and why not; [`diagnostics`] has the words, [`cpu`] asks the processor.
//! - [`order`]: the order of init functions.
//! - [`tables`]: the records and references of a product, and whether they are all there.
//! - [`sorted`]: the one sort that this crate and the runtime have.
//!
//! Whatever the bytes are, reading them ends in a value or a typed error: nothing here panics, nothing
//! allocates by a size that the bytes claim, and there is no unsafe code.

#![forbid(unsafe_code)]

pub mod compare;
pub mod cpu;
pub mod diagnostics;
mod identity;
pub mod image;
pub mod manifest;
pub mod note;
pub mod obstacle;
pub mod order;
mod reader;
pub mod record;
pub mod sorted;
pub mod tables;

pub use identity::{Identity, ParseIdentityError};
pub use image::{Image, ImageError};
pub use manifest::{CrateInfo, DecodeError, LibraryReference, Manifest, Product};
