//! A library above a library, whose code names nothing of the host's.

/// Counts with the lower one.
pub fn twice() -> u32 {
    common::count::<u32>();
    common::count::<u32>()
}

/// A type of its own.
pub struct Upper(pub common::Shared);
