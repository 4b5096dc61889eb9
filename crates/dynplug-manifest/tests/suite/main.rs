//! What reading and writing the bytes of dynplug promises, one module for each kind of bytes.

mod cases;
mod compare;
mod corpus;
mod elf;
#[cfg(feature = "all-formats")]
mod foreign;
mod golden;
mod hostile;
mod manifest;
mod meter;
mod note;
mod order;
mod records;
mod samples;
