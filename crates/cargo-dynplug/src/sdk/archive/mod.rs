//! An SDK as one file: a tar of its folder, compressed by zstd. The description comes first, so that it can be read
//! without the rest, and the digests of all that came before are last, so that nothing is believed that isn't proven.
//!
//! Archives come from strangers. What unpacking writes is decided here and not by the archive: regular files beneath
//! one new folder, of a bounded number and size.

mod cache;
mod pack;
mod reading;

pub use cache::{cache_folder, unpack};
pub use pack::pack;
pub use reading::{MAGIC, look, prove};

use std::collections::BTreeMap;

/// The last entry: a line for each file, as `sha256sum` writes them.
const DIGESTS: &str = "digests";
/// Written into the unpacked folder when all else is there: what was unpacked, and how long each file is.
const STAMP: &str = "unpacked";
/// The largest window that every decoder of zstd accepts without being asked to.
const WINDOW: u32 = 27;

/// What is refused without being tried.
struct Limits {
    /// Bytes of the archive, which is held in memory.
    archive: u64,
    /// Bytes of all that is unpacked.
    unpacked: u64,
    /// Entries.
    entries: usize,
    /// Bytes of the description and of the digests each, which are held in memory.
    text: u64,
    /// Bytes of a name.
    name: u64,
}

const LIMITS: Limits =
    Limits { archive: 1 << 30, unpacked: 4 << 30, entries: 200_000, text: 64 << 20, name: 4096 };

/// Whether a name, without its folders, means the same on every system.
fn is_portable(name: &str) -> bool {
    let reserved = |c: char| matches!(c, '/' | '\\') || c.is_control() || (cfg!(windows) && c == ':');
    !matches!(name, "" | "." | "..") && !name.contains(reserved)
}

fn digest_lines(digests: &BTreeMap<String, String>) -> String {
    digests.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect()
}

#[cfg(test)]
mod tests;
