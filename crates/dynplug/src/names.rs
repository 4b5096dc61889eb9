//! Names and what they stand for: the table behind each lookup.
//!
//! What a lookup costs is what it waits for: memory that isn't near, and branches that are guessed wrong. So a name is taken for
//! three words that hold all of it, whatever its length is; a *bucket* tells where it stands, without a branch for each of its places;
//! and the *entrance* there, which is one line of the processor's cache, has the name's words and all that the lookup gives.

use crate::__private::Entry;
use std::any::TypeId;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Eight places, each by a byte of its name's hash. Free ones are the last and have the tag 0.
#[derive(Clone, Copy, Default)]
struct Bucket {
    tags: [u8; PLACES],
    places: [u32; PLACES],
}

const PLACES: usize = 8;

/// What a name stands for.
#[repr(align(64))]
pub(crate) struct Entrance {
    words: [u64; 3],
    length: u32,
    place: u32,
    type_id: TypeId,
    /// Never changed; a bare pointer could not be passed to another thread.
    address: AtomicPtr<()>,
}

/// What names stand for.
pub(crate) struct Names {
    /// A power of two of them, with free places in most. A name whose bucket is full is in the next that isn't.
    buckets: Vec<Bucket>,
    entrances: Vec<Entrance>,
    /// The names, for those that are longer than their words.
    names: Vec<&'static str>,
}

impl Entrance {
    /// The place of the name in the list.
    pub(crate) fn place(&self) -> usize {
        self.place as usize
    }

    /// Of the address.
    #[inline]
    pub(crate) fn type_id(&self) -> TypeId {
        self.type_id
    }

    /// The function pointer or reference.
    #[inline]
    pub(crate) fn address(&self) -> *const () {
        self.address.load(Ordering::Relaxed).cast_const()
    }
}

impl Names {
    /// Notes the place of each name. Of a name that stands twice the first is found.
    pub(crate) fn of(symbols: &[(&'static str, &'static Entry)]) -> Names {
        let count = symbols.len().div_ceil(PLACES * 3 / 4).next_power_of_two();
        let mut buckets = vec![Bucket::default(); count];
        let mut names = Vec::with_capacity(symbols.len());
        let mut entrances = Vec::with_capacity(symbols.len());
        for (place, (name, entry)) in (0_u32..).zip(symbols) {
            // No name is so long: its record has less room.
            let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
            let words = words(name.as_bytes());
            let address = AtomicPtr::new(entry.address().cast_mut());
            entrances.push(Entrance { words, length, place, type_id: entry.type_id(), address });
            names.push(*name);
            let (mut at, tag) = start(words, name.len());
            // There are more places than names.
            for _ in 0..count {
                let Some(bucket) = buckets.get_mut(at & (count - 1)) else { break };
                if let Some(free) = bucket.tags.iter().position(|tag| *tag == 0) {
                    (bucket.tags[free], bucket.places[free]) = (tag, place);
                    break;
                }
                at += 1;
            }
        }
        Names { buckets, entrances, names }
    }

    /// What a name stands for.
    #[inline(never)]
    pub(crate) fn find(&self, name: &str) -> Option<&Entrance> {
        let wanted = words(name.as_bytes());
        let (mut at, tag) = start(wanted, name.len());
        for _ in 0..self.buckets.len() {
            let bucket = self.buckets.get(at & (self.buckets.len() - 1))?;
            let tags = u64::from_le_bytes(bucket.tags);
            let mut hits = zeros(tags ^ (ONES * u64::from(tag)));
            while hits != 0 {
                let place = bucket.places[hits.trailing_zeros() as usize / 8 % PLACES] as usize;
                if let Some(entrance) = self.entrances.get(place)
                    && entrance.is(wanted, name.len())
                    && (name.len() <= WHOLE || self.names.get(place).is_some_and(|own| *own == name))
                {
                    return Some(entrance);
                }
                hits &= hits - 1;
            }
            if bucket.tags[PLACES - 1] == 0 {
                return None;
            }
            at += 1;
        }
        None
    }
}

impl Entrance {
    #[inline]
    fn is(&self, words: [u64; 3], length: usize) -> bool {
        let differ = (self.words[0] ^ words[0]) | (self.words[1] ^ words[1]) | (self.words[2] ^ words[2]);
        differ == 0 && self.length as usize == length
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// The highest bit of each byte that is zero; also, now and then, of one above such a byte.
#[inline]
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & (ONES << 7)
}

/// Names up to this length are known by their length and their words.
const WHOLE: usize = 24;

/// All bytes of a name up to [`WHOLE`], some of them twice; of a longer one the first, the last, and a sum of what is between.
#[inline]
fn words(name: &[u8]) -> [u64; 3] {
    let half = name.len() / 2;
    let word =
        |at: usize| name.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |w| u64::from_le_bytes(*w));
    match name.len() {
        8..=WHOLE => [word(0), word(half - 4), word(name.len() - 8)],
        ..8 => [name.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0, 0],
        _ => [word(0), sum(name), word(name.len() - 8)],
    }
}

#[inline(never)]
fn sum(name: &[u8]) -> u64 {
    name.as_chunks::<8>().0.iter().fold(0, |sum, word| mixed(sum, u64::from_le_bytes(*word)))
}

/// In which bucket a name belongs, before its bits are cut off, and its tag.
///
/// Who could choose names that collide can run code in this process anyway.
#[inline]
fn start(words: [u64; 3], length: usize) -> (usize, u8) {
    let hash = mixed(words[0], words[2]) ^ mixed(words[1], length as u64).rotate_left(32);
    (hash as usize, ((hash >> 56) as u8).max(1))
}

/// Both halves of a product, so that each bit of the one counts for all bits of the other.
#[inline]
fn mixed(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x9e37_79b9_7f4a_7c15) * u128::from(b ^ 0xd6e8_feb8_6659_fd93);
    (product >> 64) as u64 ^ product as u64
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Only an address of each: the place of its name.
    fn table(names: Vec<String>) -> (Vec<&'static str>, Names) {
        let names: Vec<&'static str> = names.into_iter().map(|name| &*name.leak()).collect();
        let symbols: Vec<_> = names
            .iter()
            .map(|name| {
                // SAFETY: nobody uses the address.
                let entry = unsafe { Entry::new(&[], name.as_ptr().cast(), TypeId::of::<u8>(), || "u8") };
                (*name, &*Box::leak(Box::new(entry)))
            })
            .collect();
        (names, Names::of(&symbols))
    }

    #[test]
    fn each_name_is_found_and_no_other() {
        for count in [0, 1, 6, 7, 8, 9, 10, 1_000, 10_000] {
            let (names, table) = table((0..count).map(|n| format!("{:0>1$}", n, n % 40)).collect());
            for (place, name) in names.iter().enumerate() {
                let found = table.find(name).unwrap();
                assert_eq!((found.place(), found.address()), (place, name.as_ptr().cast()), "among {count}");
                assert_eq!(found.type_id(), TypeId::of::<u8>());
                assert!(table.find(&format!("x{name}")).is_none(), "among {count}");
                assert!(table.find(&format!("{name}\0")).is_none(), "among {count}");
            }
        }
    }

    #[test]
    fn names_that_differ_in_any_one_byte_are_different() {
        for length in 0..60 {
            let name = "a".repeat(length);
            let mut others = vec![format!("{name}a")];
            for at in 0..length {
                others.extend(["b", "\0"].map(|other| format!("{}{other}{}", &name[..at], &name[at + 1..])));
            }
            let (_, of_name) = table(vec![name.clone()]);
            let (_, of_others) = table(others.clone());
            assert!(of_name.find(&name).is_some() && of_others.find(&name).is_none(), "{length}");
            for (place, other) in others.iter().enumerate() {
                assert!(of_name.find(other).is_none(), "{other:?}");
                assert_eq!(of_others.find(other).map(Entrance::place), Some(place), "{other:?}");
            }
        }
    }

    #[test]
    fn a_bucket_that_is_full_is_continued_in_the_next() {
        let (_, mut table) = table((0..20).map(|n| n.to_string()).collect());
        // All in one bucket and under one tag, as nobody would choose names.
        table.buckets = vec![Bucket::default(); 8];
        let (at, tag) = start(words(b"17"), 2);
        for place in 0..20_usize {
            let bucket = &mut table.buckets[(at + place / PLACES) % 8];
            (bucket.tags[place % PLACES], bucket.places[place % PLACES]) = (tag, place as u32);
        }
        assert_eq!(table.find("17").map(Entrance::place), Some(17));
    }
}
