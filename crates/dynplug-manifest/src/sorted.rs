//! The one sort of this crate and of the runtime, over places in a list.
//!
//! Both lie in the API library of every host, and each kind of thing that is sorted by the standard library's sort brings
//! ten kilobytes of code. So whatever is to be sorted there, its places are, through one function.

use std::cmp::Ordering;

/// The places of a list of `count` things in the order that `order` gives two of them; equal ones keep their order.
#[inline(never)]
pub fn sorted(count: usize, order: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    let mut merged = Vec::with_capacity(count);
    let mut width = 1;
    // Runs of one place are sorted; two neighbours make one of twice the length, until there is only one.
    while width < count {
        for pair in places.chunks(width * 2) {
            let (mut left, mut right) = pair.split_at(width.min(pair.len()));
            loop {
                let from = match (left.first(), right.first()) {
                    (Some(&a), Some(&b)) if order(b, a) == Ordering::Less => &mut right,
                    (Some(_), _) => &mut left,
                    (None, _) => &mut right,
                };
                let Some((&next, rest)) = from.split_first() else { break };
                merged.push(next);
                *from = rest;
            }
        }
        std::mem::swap(&mut places, &mut merged);
        merged.clear();
        width *= 2;
    }
    places
}

/// The places of a list in the order of what is there.
pub fn sorted_by<T>(list: &[T], order: impl Fn(&T, &T) -> Ordering) -> Vec<usize> {
    sorted(list.len(), &|a, b| match (list.get(a), list.get(b)) {
        (Some(a), Some(b)) => order(a, b),
        // No place is beyond the list.
        _ => Ordering::Equal,
    })
}

/// The names in order, each of them once.
#[inline(never)]
pub(crate) fn set<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut set = Vec::new();
    for place in sorted_by(names, Ord::cmp) {
        match names.get(place) {
            Some(name) if set.last() != Some(name) => set.push(*name),
            _ => {}
        }
    }
    set
}

/// Puts the item at `order[n]` into the place `n`, for all of them.
pub fn arrange<T>(items: &mut [T], mut order: Vec<usize>) {
    for start in 0..items.len() {
        // Round by round: the place that an item left is the next to be filled, and then in order.
        let mut at = start;
        while let Some(from) = order.get_mut(at).map(|from| std::mem::replace(from, at))
            && from != start
            && from < items.len()
            && at < items.len()
        {
            items.swap(at, from);
            at = from;
        }
    }
}
