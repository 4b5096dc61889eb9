//! Which byte of the two memories is what.
//!
//! Each memory begins with a page of words for all, and then has the slots, in whole pages. A slot is a header of 16 bytes
//! and the message behind it, so that a small one lies in the same cache line. All words are `u32`.
//!
//! | requests, written by the host | | answers, written by the other process | |
//! |---|---|---|---|
//! | 0 | the bell: changes with every call | 0 | how many threads sleep on the bell |
//! | 4 | the notice | 4 | how many threads look at the bell |
//! | 64 + 4·slot | the last call in this slot | | |
//! | slot + 0 | the function | slot + 0 | the last call that was answered |
//! | slot + 4 | 1 if the host sleeps on the answer | slot + 4 | the status |
//! | slot + 8 | the length | slot + 8 | the length |
//! | | | slot + 12 | the kind |

use super::{Config, Error};

pub(super) const PAGE: usize = 4096;
pub(super) const HEADER: usize = 16;
pub(super) const MOST_SLOTS: u32 = 64;
const MOST_REGION: usize = if usize::BITS >= 64 { 2 << 30 } else { 16 << 20 };

/// In the requests.
pub(super) const BELL: usize = 0;
pub(super) const NOTICE: usize = 4;
pub(super) const SLEEPERS: usize = 0;
pub(super) const LOOKERS: usize = 4;
/// From the begin of a slot, in the requests.
pub(super) const FUNCTION: usize = 0;
pub(super) const WAITING: usize = 4;
/// In both.
pub(super) const LENGTH: usize = 8;
/// In the answers.
pub(super) const ANSWER: usize = 0;
pub(super) const STATUS: usize = 4;
pub(super) const KIND: usize = 12;

/// What an answer is.
pub(super) const ANSWERED: u32 = 0;
pub(super) const TOO_LARGE: u32 = 1;
pub(super) const PANICKED: u32 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) slots: u32,
    pub(super) region: usize,
}

impl Layout {
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        let fits = |field, have: usize, most: usize| match have {
            0 => Err(Error::Config { field, have: 0, most: most as u64 }),
            have if have > most => Err(Error::Config { field, have: have as u64, most: most as u64 }),
            _ => Ok(()),
        };
        fits("slots", config.slots as usize, MOST_SLOTS as usize)?;
        fits("region", config.region, MOST_REGION)?;
        Ok(Layout { slots: config.slots, region: config.region })
    }

    /// Where the word lies that says which call was made last.
    pub(super) fn ask(self, slot: u32) -> usize {
        64 + 4 * slot as usize
    }

    fn stride(self) -> usize {
        (HEADER + self.region).next_multiple_of(PAGE)
    }

    pub(super) fn slot(self, slot: u32) -> usize {
        PAGE + slot as usize * self.stride()
    }

    pub(super) fn bytes(self, slot: u32) -> usize {
        self.slot(slot) + HEADER
    }

    /// What of a slot is given back after a large message: the offset, and how many bytes. Whole pages.
    pub(super) fn above(self, slot: u32, keep: usize) -> (usize, usize) {
        let kept = HEADER
            .saturating_add(keep)
            .checked_next_multiple_of(PAGE)
            .unwrap_or(usize::MAX)
            .min(self.stride());
        (self.slot(slot) + kept, self.stride() - kept)
    }

    pub(super) fn size(self) -> usize {
        PAGE + self.slots as usize * self.stride()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_lie_side_by_side_in_whole_pages() {
        let layout = Layout::new(&Config { slots: 64, region: 5000, ..Config::default() }).unwrap();
        for slot in 0..64 {
            assert_eq!(layout.slot(slot) % PAGE, 0);
            assert!(layout.ask(slot) + 4 <= PAGE);
            assert!(layout.bytes(slot) + 5000 <= layout.slot(slot) + 8192);
            for keep in [0, 1, 4080, 4081, usize::MAX] {
                let (from, bytes) = layout.above(slot, keep);
                assert_eq!((from % PAGE, from + bytes), (0, layout.slot(slot) + 8192), "{keep}");
            }
        }
        assert_eq!(layout.size(), layout.slot(63) + 8192);
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for (slots, region) in [(0, 1), (65, 1), (1, 0), (1, usize::MAX)] {
            let config = Config { slots, region, ..Config::default() };
            assert!(matches!(Layout::new(&config), Err(Error::Config { .. })), "{slots} {region}");
        }
    }
}
