//! A table of things that are found by a hash of what names them, and know their own names.
//!
//! The standard library's has two kilobytes of code for each type that is put into it, and this crate lies in the API
//! library of every host. Here all that doesn't depend on the type is in [`Index`], once.

use std::hash::{Hash, Hasher};

/// Things of one type. Two of one name are the caller's mistake: [`Table::insert`] doesn't look.
pub(super) struct Table<V> {
    index: Index,
    items: Vec<Option<V>>,
}

impl<V> Table<V> {
    pub(super) const fn new() -> Self {
        Table { index: Index::new(), items: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.index.held
    }

    /// The thing with this hash that `is` says yes to.
    pub(super) fn get(&self, hash: u64, is: impl Fn(&V) -> bool) -> Option<&V> {
        self.items.get(self.place(hash, is)?)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, hash: u64, is: impl Fn(&V) -> bool) -> Option<&mut V> {
        let place = self.place(hash, is)?;
        self.items.get_mut(place)?.as_mut()
    }

    fn place(&self, hash: u64, is: impl Fn(&V) -> bool) -> Option<usize> {
        self.index.find(hash, &|place| matches!(self.items.get(place), Some(Some(item)) if is(item)))
    }

    pub(super) fn insert(&mut self, hash: u64, item: V) {
        let place = self.index.add(hash);
        match self.items.get_mut(place) {
            Some(free) => *free = Some(item),
            None => self.items.push(Some(item)),
        }
    }

    #[inline(never)]
    pub(super) fn remove(&mut self, hash: u64, is: impl Fn(&V) -> bool) {
        if let Some(place) = self.place(hash, is) {
            self.index.remove(hash, place);
            if let Some(item) = self.items.get_mut(place) {
                *item = None;
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.index = Index::new();
        self.items.clear();
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &V> {
        self.items.iter().flatten()
    }
}

/// Places in a list, found by hashes.
struct Index {
    /// A power of two of chains, or none; each begins with the place that came last.
    chains: Vec<usize>,
    links: Vec<Link>,
    /// The chain of the places that can be given again.
    free: usize,
    held: usize,
}

struct Link {
    hash: u64,
    next: usize,
}

/// The end of a chain.
const END: usize = usize::MAX;

impl Index {
    const fn new() -> Index {
        Index { chains: Vec::new(), links: Vec::new(), free: END, held: 0 }
    }

    fn chain(&self, hash: u64) -> usize {
        hash as usize & self.chains.len().wrapping_sub(1)
    }

    #[inline(never)]
    fn find(&self, hash: u64, is: &dyn Fn(usize) -> bool) -> Option<usize> {
        let mut at = *self.chains.get(self.chain(hash))?;
        while let Some(link) = self.links.get(at) {
            if link.hash == hash && is(at) {
                return Some(at);
            }
            at = link.next;
        }
        None
    }

    /// Gives a place: one that was removed, or the next.
    #[inline(never)]
    fn add(&mut self, hash: u64) -> usize {
        if self.held >= self.chains.len() {
            self.grow();
        }
        let mut place = self.free;
        match self.links.get(place) {
            Some(link) => self.free = link.next,
            None => {
                place = self.links.len();
                self.links.push(Link { hash, next: END });
            }
        }
        self.held += 1;
        self.link(place, hash);
        place
    }

    fn link(&mut self, place: usize, hash: u64) {
        let chain = self.chain(hash);
        if let (Some(first), Some(link)) = (self.chains.get_mut(chain), self.links.get_mut(place)) {
            *link = Link { hash, next: std::mem::replace(first, place) };
        }
    }

    fn grow(&mut self) {
        let twice = (self.chains.len() * 2).max(8);
        for first in std::mem::replace(&mut self.chains, vec![END; twice]) {
            let mut at = first;
            while let Some(&Link { hash, next }) = self.links.get(at) {
                self.link(at, hash);
                at = next;
            }
        }
    }

    #[inline(never)]
    fn remove(&mut self, hash: u64, place: usize) {
        let chain = self.chain(hash);
        let Some(next) = self.links.get(place).map(|link| link.next) else { return };
        let Some(first) = self.chains.get_mut(chain) else { return };
        if *first == place {
            *first = next;
        } else {
            let mut at = *first;
            while let Some(link) = self.links.get_mut(at) {
                if link.next == place {
                    link.next = next;
                    break;
                }
                at = link.next;
            }
        }
        if let Some(link) = self.links.get_mut(place) {
            link.next = std::mem::replace(&mut self.free, place);
        }
        self.held -= 1;
    }
}

/// The hash of what names a thing.
#[inline(never)]
pub(super) fn hash(name: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    name.hash(&mut hasher);
    hasher.finish()
}

/// FNV-1a. Who could choose names that collide can run code in this process anyway.
struct Fnv(u64);

impl Hasher for Fnv {
    #[inline(never)]
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        // The low bits choose the chain, and would depend on the low bits of the bytes alone.
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(all(not(loom), test))]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// As std's table does it, with things that come and go, and hashes that collide.
    #[test]
    fn it_holds_what_was_put_in_and_not_taken_out() {
        for spread in [1, 7, 1 << 40] {
            let mut table: Table<(u64, u64)> = Table::new();
            let mut wanted: HashMap<u64, u64> = HashMap::new();
            let mut random = 1_u64;
            for step in 0..20_000 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let name = (random >> 33) % 700;
                let place = name / spread;
                match (wanted.remove(&name), random & (1 << 60) == 0) {
                    (Some(_), true) => table.remove(place, |item| item.0 == name),
                    (Some(_), false) => {
                        wanted.insert(name, step);
                        table.get_mut(place, |item| item.0 == name).unwrap().1 = step;
                    }
                    (None, _) => {
                        wanted.insert(name, step);
                        table.insert(place, (name, step));
                    }
                }
                assert_eq!(table.len(), wanted.len());
            }
            for name in 0..700 {
                let found = table.get(name / spread, |item| item.0 == name).map(|item| item.1);
                assert_eq!(found, wanted.get(&name).copied());
            }
            assert_eq!(table.iter().count(), wanted.len());
            table.clear();
            assert_eq!(table.len(), 0);
            assert!(table.get(0, |_| true).is_none());
        }
    }
}
