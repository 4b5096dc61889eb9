//! What is made up for types to read.

use super::graph::Place;
use std::collections::HashMap;

/// Numbers, as far as they fit.
pub(super) const NUMBERS: [i8; 6] = [0, 1, 2, 10, 100, -1];

/// Numbers with fractions.
pub(super) const FRACTIONS: [f32; 4] = [0.0, 1.0, 0.5, -1.0];

/// Characters.
pub(super) const CHARACTERS: [char; 4] = ['a', '0', ' ', '/'];

/// Texts: what is often written as one.
pub(super) const TEXTS: [&str; 16] = [
    "",
    "a",
    "0",
    "1",
    "1.0",
    "1.0.0",
    "/",
    "127.0.0.1",
    "127.0.0.1:80",
    "http://localhost/",
    "a@localhost",
    "00000000-0000-0000-0000-000000000000",
    "2000-01-01T00:00:00Z",
    "2000-01-01T00:00:00",
    "2000-01-01",
    "00:00:00",
];

/// Numbers of bytes: nothing, and what addresses and hashes have.
pub(super) const BYTES: [usize; 10] = [0, 16, 4, 8, 20, 32, 64, 12, 24, 1];

/// Bytes of all these numbers.
pub(super) static ZEROS: [u8; 64] = [0; 64];

/// Numbers of elements.
pub(super) const ELEMENTS: [usize; 8] = [1, 2, 3, 4, 8, 16, 32, 0];

/// How many of the places that were read last are tried with other samples, after a type that doesn't want them.
const PLACES: usize = 3;

/// Which sample is tried in which place.
#[derive(Default)]
pub(super) struct Tries {
    at: HashMap<Place, usize>,
    /// Where there were several to choose from in this pass, and how many.
    trail: Vec<(Place, usize)>,
}

impl Tries {
    pub(super) fn begin(&mut self) {
        self.trail.clear();
    }

    /// The sample of a place, of so many.
    pub(super) fn sample(&mut self, place: Place, count: usize) -> usize {
        self.trail.push((place, count));
        self.at.get(&place).copied().unwrap_or(0)
    }

    /// Goes on to the next combination of samples of what was read last. Says no when all have been tried.
    pub(super) fn next(&mut self) -> bool {
        let mut last: Vec<(Place, usize)> = Vec::with_capacity(PLACES);
        for &(place, count) in self.trail.iter().rev() {
            if last.len() == PLACES {
                break;
            }
            if !last.iter().any(|&(other, _)| other == place) {
                last.push((place, count));
            }
        }
        for (place, count) in last {
            let at = self.at.entry(place).or_insert(0);
            if *at + 1 < count {
                *at += 1;
                return true;
            }
            *at = 0;
        }
        false
    }
}
