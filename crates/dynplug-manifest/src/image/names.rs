//! Names in string tables, read without letting a small file make its reader work for long.

use super::ImageError;
use super::error::malformed;

/// A string table, and how many bytes of names may still be read from it.
///
/// Any number of entries may name the same place, so a file of a few megabytes could have terabytes of names.
/// In honest files the names together are hardly longer than the file; here they may be [`SLACK`] times as
/// long, which keeps the work in proportion to the file.
#[derive(Debug, Clone)]
pub(super) struct Names<'a> {
    strings: &'a [u8],
    budget: usize,
}

/// How many times as long as the file all names together may be.
const SLACK: usize = 16;

/// Why there may be no more names.
const OVERLAP: &str = "its names together are many times as long as the file";

impl<'a> Names<'a> {
    /// The names of a table within that file.
    pub(super) fn new(strings: &'a [u8], file: &[u8]) -> Names<'a> {
        Names { strings, budget: file.len().saturating_mul(SLACK) }
    }

    /// The name at `offset`, up to the zero byte that ends it; `what` says what is wrong when there is none.
    pub(super) fn get(&mut self, offset: u64, what: &'static str) -> Result<&'a str, ImageError> {
        let tail = usize::try_from(offset).ok().and_then(|offset| self.strings.get(offset..));
        let tail = tail.ok_or(malformed(what))?;
        let window = tail.get(..self.budget).unwrap_or(tail);
        let Some(length) = window.iter().position(|&byte| byte == 0) else {
            return Err(malformed(if window.len() < tail.len() { OVERLAP } else { what }));
        };
        // The end counts too: empty names are work as well.
        self.spend(length + 1)?;
        let name = window.get(..length).and_then(|name| std::str::from_utf8(name).ok());
        name.ok_or(malformed(what))
    }

    /// Counts bytes of names that were read elsewhere.
    pub(super) fn spend(&mut self, length: usize) -> Result<(), ImageError> {
        self.budget = self.budget.checked_sub(length).ok_or(malformed(OVERLAP))?;
        Ok(())
    }
}
