//! What reading and writing the bytes of dynplug promises, one module for each kind of bytes.

mod corpus;
mod elf;
#[cfg(feature = "all-formats")]
mod foreign;
mod hostile;
mod manifest;
mod meter;
mod note;
mod records;
mod samples;
