//! Names and what they stand for: the table behind each lookup.
//!
//! What a lookup costs is what it waits for: memory that isn't near, and branches that are guessed wrong. So a name is taken for
//! three words that hold all of it, whatever its length is. Their hash says to which small *group* the name belongs; the group's
//! *pilot*, with which all names of all groups come to different places, and the hash say at which. The *entrance* there, which is
//! one line of the processor's cache, has the name's words and all that the lookup gives. Nothing has to be tried twice, and the
//! pilots are few enough to stay near: 10 KB of them for 10,000 names.
//!
//! Pilots are found when the plugin is opened, by trying, the largest groups first while there is most room (Belazzougui, Botelho
//! and Dietzfelbinger, "Hash, displace, and compress", 2009).

use crate::__private::Entry;
use std::any::TypeId;
use std::cmp::Reverse;
use std::sync::atomic::{AtomicPtr, Ordering};

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
    /// Of each group. None, if there are names that no pilot places: then the list is searched.
    pilots: Vec<u32>,
    /// By hash and pilot, with a free one now and then; without pilots, in the order of the names.
    entrances: Vec<Entrance>,
    /// The names in their order: for those that are longer than their words, and to be searched.
    names: Vec<&'static str>,
}

/// Names of a group, on average. More make fewer pilots, and longer to be found.
const GROUP: usize = 4;

/// One free place for so many names, and a few more, so that pilots for the last groups are found soon.
const FREE: usize = 8;

/// How many pilots are tried for a group. By chance, as good as never are so many needed.
const TRIES: u32 = 1 << 16;

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
    /// Notes the place of each name.
    ///
    /// # Arguments
    ///
    /// * `symbols` - in the order of their names. Of a name that stands twice the first is found.
    pub(crate) fn of(symbols: &[(&'static str, &'static Entry)]) -> Names {
        let once = symbols.iter().enumerate().filter(|(place, (name, _))| {
            place
                .checked_sub(1)
                .and_then(|before| symbols.get(before))
                .is_none_or(|(before, _)| before != name)
        });
        let hashes: Vec<(u64, usize)> =
            once.map(|(place, (name, _))| (hash(words(name.as_bytes()), name.len()), place)).collect();
        Names::laid_out(symbols, arranged(&hashes))
    }

    fn laid_out(
        symbols: &[(&'static str, &'static Entry)],
        arranged: Option<(Vec<u32>, Vec<usize>)>,
    ) -> Names {
        let (pilots, order) = arranged.unwrap_or_else(|| (Vec::new(), (0..symbols.len()).collect()));
        let entrance = |place| symbols.get(place).map_or_else(Entrance::free, |of| Entrance::of(of, place));
        let names = symbols.iter().map(|(name, _)| *name).collect();
        Names { pilots, entrances: order.into_iter().map(entrance).collect(), names }
    }

    /// What a name stands for.
    #[inline(never)]
    pub(crate) fn find(&self, name: &str) -> Option<&Entrance> {
        let wanted = words(name.as_bytes());
        let hash = hash(wanted, name.len());
        let Some(pilot) = self.pilots.get(group(hash, self.pilots.len())) else { return self.search(name) };
        let entrance = self.entrances.get(slot(hash, *pilot, self.entrances.len()))?;
        let found = entrance.is(wanted, name.len())
            && (name.len() <= WHOLE || self.names.get(entrance.place()).is_some_and(|own| *own == name));
        found.then_some(entrance)
    }

    #[cold]
    #[inline(never)]
    fn search(&self, name: &str) -> Option<&Entrance> {
        let place = self.names.partition_point(|own| *own < name);
        self.entrances.get(place).filter(|_| self.names.get(place) == Some(&name))
    }
}

impl Entrance {
    /// Of no name.
    fn free() -> Entrance {
        let address = AtomicPtr::default();
        Entrance { words: [0; 3], length: u32::MAX, place: u32::MAX, type_id: TypeId::of::<()>(), address }
    }

    fn of((name, entry): &(&'static str, &'static Entry), place: usize) -> Entrance {
        Entrance {
            words: words(name.as_bytes()),
            // No name is so long, and no plugin has so many: their records have less room.
            length: u32::try_from(name.len()).unwrap_or(u32::MAX),
            place: u32::try_from(place).unwrap_or(u32::MAX),
            type_id: entry.type_id(),
            address: AtomicPtr::new(entry.address().cast_mut()),
        }
    }

    #[inline]
    fn is(&self, words: [u64; 3], length: usize) -> bool {
        let differ = (self.words[0] ^ words[0]) | (self.words[1] ^ words[1]) | (self.words[2] ^ words[2]);
        differ == 0 && self.length as usize == length
    }
}

/// The pilots of all groups, and which name comes to each place with them; one that there isn't, for a free place.
///
/// `None` if a group has no pilot: two of its names have one hash. Who could choose such names can run code in this process anyway.
///
/// # Arguments
///
/// * `names` - the hash of each, and its place in the list
fn arranged(names: &[(u64, usize)]) -> Option<(Vec<u32>, Vec<usize>)> {
    let mut pilots = vec![0; names.len() / GROUP + 1];
    let mut order = vec![usize::MAX; names.len() + names.len() / FREE + GROUP];
    let count = pilots.len();
    let of = |(hash, _): &(u64, usize)| group(*hash, count);
    let mut sizes = vec![0_usize; count];
    names.iter().for_each(|name| sizes[of(name)] += 1);
    let mut names = names.to_vec();
    names.sort_unstable_by_key(|name| (Reverse(sizes[of(name)]), of(name)));
    let mut places = Vec::new();
    for names in names.chunk_by(|one, two| of(one) == of(two)) {
        let pilot = (0..TRIES).map(|n: u32| n.wrapping_mul(0x9e37_79b9) | 1).find(|pilot| {
            places.clear();
            names.iter().all(|(hash, _)| {
                let place = slot(*hash, *pilot, order.len());
                let free = order[place] == usize::MAX && !places.contains(&place);
                places.push(place);
                free
            })
        })?;
        for (name, place) in names.iter().zip(&places) {
            (pilots[of(name)], order[*place]) = (pilot, name.1);
        }
    }
    Some((pilots, order))
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

#[inline]
fn hash(words: [u64; 3], length: usize) -> u64 {
    mixed(words[0], words[2]) ^ mixed(words[1], length as u64).rotate_left(32)
}

/// Both halves of a product, so that each bit of the one counts for all bits of the other.
#[inline]
fn mixed(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x9e37_79b9_7f4a_7c15) * u128::from(b ^ 0xd6e8_feb8_6659_fd93);
    (product >> 64) as u64 ^ product as u64
}

/// The group of a name.
#[inline]
fn group(hash: u64, count: usize) -> usize {
    part(hash << 32, count)
}

/// The place of a name, by its hash and its group's pilot. Two hashes that differ do so by another distance with each pilot.
#[inline]
fn slot(hash: u64, pilot: u32, count: usize) -> usize {
    part(hash.wrapping_mul(u64::from(pilot)), count)
}

/// In which of so many equal parts of all numbers a number lies.
#[inline]
fn part(number: u64, count: usize) -> usize {
    ((u128::from(number) * count as u128) >> 64) as usize
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Only an address of each: the place of its name.
    fn symbols(names: Vec<String>) -> Vec<(&'static str, &'static Entry)> {
        let mut names: Vec<&'static str> = names.into_iter().map(|name| &*name.leak()).collect();
        names.sort();
        let symbol = |name: &'static str| {
            // SAFETY: nobody uses the address.
            let entry = unsafe { Entry::new(&[], name.as_ptr().cast(), TypeId::of::<u8>(), || "u8") };
            (name, &*Box::leak(Box::new(entry)))
        };
        names.into_iter().map(symbol).collect()
    }

    fn table(names: Vec<String>) -> (Vec<&'static str>, Names) {
        let symbols = symbols(names);
        (symbols.iter().map(|(name, _)| *name).collect(), Names::of(&symbols))
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
            let (others, of_others) = table(others);
            assert!(of_name.find(&name).is_some() && of_others.find(&name).is_none(), "{length}");
            for (place, other) in others.iter().enumerate() {
                assert!(of_name.find(other).is_none(), "{other:?}");
                assert_eq!(of_others.find(other).map(Entrance::place), Some(place), "{other:?}");
            }
        }
    }

    #[test]
    fn of_a_name_that_stands_twice_the_first_is_found() {
        let (_, table) = table(["a", "b", "b", "b", "c"].map(str::to_owned).to_vec());
        assert_eq!(
            ["a", "b", "c"].map(|name| table.find(name).map(Entrance::place)),
            [Some(0), Some(1), Some(4)]
        );
        assert!(!table.pilots.is_empty());
    }

    #[test]
    fn names_that_no_pilot_places_are_searched() {
        assert!(arranged(&[(7, 0), (8, 1), (7, 2)]).is_none());
        let symbols = symbols((0..20).map(|n| n.to_string()).collect());
        let table = Names::laid_out(&symbols, None);
        for (place, (name, _)) in symbols.iter().enumerate() {
            assert_eq!(table.find(name).map(Entrance::place), Some(place));
            assert!(table.find(&format!("{name} ")).is_none());
        }
        assert!(table.find("").is_none() && table.find("~").is_none());
    }

    #[test]
    fn ten_thousand_names_have_pilots() {
        let (_, table) = table((0..10_000).map(|n| format!("function_{n}")).collect());
        assert_eq!(table.pilots.len(), 10_000 / GROUP + 1);
    }
}
