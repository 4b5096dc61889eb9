//! In the place of the crate of this name on crates.io: it tells how often it was called.

#![no_std]

use core::fmt::Write;
use core::sync::atomic::{AtomicU32, Ordering};

/// How many integers were written.
pub static WRITTEN: AtomicU32 = AtomicU32::new(0);

/// Where an integer is written.
pub struct Buffer {
    bytes: [u8; 40],
    length: usize,
}

impl Buffer {
    /// An empty one.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Buffer {
        Buffer { bytes: [0; 40], length: 0 }
    }

    /// Writes an integer.
    pub fn format<I: Integer>(&mut self, integer: I) -> &str {
        WRITTEN.fetch_add(1, Ordering::SeqCst);
        self.length = 0;
        // No integer has more digits than there is room for.
        let _ = write!(self, "{integer}");
        core::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl Write for Buffer {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let rest = self.bytes.get_mut(self.length..self.length + text.len()).ok_or(core::fmt::Error)?;
        rest.copy_from_slice(text.as_bytes());
        self.length += text.len();
        Ok(())
    }
}

/// What can be written.
pub trait Integer: core::fmt::Display {}

macro_rules! integers {
    ($($integer:ty)*) => {
        $(impl Integer for $integer {})*
    };
}
integers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);
