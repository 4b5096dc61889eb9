//! The order in which init functions run: crates before those that depend on them, and within a crate as its
//! sources have them. The runtime runs them so, and tools show them so.
//!
//! Where dependencies leave a choice, names make it: of all crates whose dependencies are done, the one with the smallest
//! package, version and crate name comes next. Crates without an init function say what depends on what and else count
//! for nothing. So the order is one of the crates that have init functions, of which depends on which, and of their
//! names; whatever else a product has in it, and in which form it was linked, doesn't move it.

use crate::manifest::CrateInfo;
use crate::record::Record;
use crate::sorted::{arrange, sorted_by};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A crate among those that are put in order.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    /// Package, version and the crate's name.
    pub name: (&'a str, &'a str, &'a str),
    /// The places of the crates that it depends on.
    pub dependencies: &'a [u32],
    /// Whether it has a place in the order.
    pub has_init: bool,
}

impl<'a> Node<'a> {
    /// A crate of a manifest.
    pub fn of(info: &'a CrateInfo, has_init: bool) -> Node<'a> {
        let name = (&*info.package, &*info.version, &*info.crate_name);
        Node { name, dependencies: &info.dependencies, has_init }
    }
}

/// The places of those crates that have init functions, in their order.
///
/// Places that name no crate are passed over. A cycle, which is in no manifest that was decoded, is broken where the
/// smallest name is. The work is hardly more than in proportion to the crates and their dependencies.
#[inline(never)]
pub fn order(crates: &[Node<'_>]) -> Vec<usize> {
    // For each crate, how many dependencies aren't done yet, and which crates wait for it.
    let mut missing = vec![0_usize; crates.len()];
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); crates.len()];
    for (at, node) in crates.iter().enumerate() {
        for &below in node.dependencies {
            let below = usize::try_from(below).unwrap_or(usize::MAX);
            if let (Some(missing), Some(waiting)) = (missing.get_mut(at), waiting.get_mut(below))
                && below != at
            {
                *missing += 1;
                waiting.push(at);
            }
        }
    }
    let by_name = sorted_by(crates, |a, b| a.name.cmp(&b.name));
    let mut ranks = vec![0; crates.len()];
    for (rank, &place) in by_name.iter().enumerate() {
        if let Some(own) = ranks.get_mut(place) {
            *own = rank;
        }
    }
    let mut done = vec![false; crates.len()];
    let mut order = Vec::new();
    // Those without an init function are done as soon as they can be. The others wait in the order of their names.
    let mut free: Vec<usize> = Vec::new();
    let mut named = BinaryHeap::new();
    let ready = |at: usize, free: &mut Vec<usize>, named: &mut BinaryHeap<Reverse<usize>>| match (
        crates.get(at),
        ranks.get(at),
    ) {
        (Some(node), Some(&rank)) if node.has_init => named.push(Reverse(rank)),
        _ => free.push(at),
    };
    for (at, &missing) in missing.iter().enumerate() {
        if missing == 0 {
            ready(at, &mut free, &mut named);
        }
    }
    let mut left = by_name.iter();
    loop {
        let next = free.pop().or_else(|| by_name.get(named.pop()?.0).copied()).or_else(|| {
            // What is left goes round in circles.
            let is_left = |at: &&usize| {
                crates.get(**at).is_some_and(|node| node.has_init) && done.get(**at) == Some(&false)
            };
            left.find(is_left).copied()
        });
        let Some(at) = next else { return order };
        match done.get_mut(at) {
            Some(done) if !*done => *done = true,
            _ => continue,
        }
        if crates.get(at).is_some_and(|node| node.has_init) {
            order.push(at);
        }
        for above in waiting.get_mut(at).map(std::mem::take).unwrap_or_default() {
            if let Some(missing) = missing.get_mut(above) {
                *missing -= 1;
                if *missing == 0 {
                    ready(above, &mut free, &mut named);
                }
            }
        }
    }
}

/// Sorts `items`, each of which has a record, into the order in which init functions run: by the place of the
/// crate in the [`order`] of `crates`, then by file, line and column.
///
/// Those of a crate that isn't in the list come last.
pub fn sort<'a, T>(items: &mut [T], crates: &[CrateInfo], record: impl Fn(&T) -> Record<'a>) {
    // Only what depends on the type is here: whoever calls this has a copy of it.
    let records: Vec<Record<'a>> = items.iter().map(record).collect();
    arrange(items, places(&records, crates));
}

/// The places of the records in the order of [`sort`].
#[inline(never)]
fn places(records: &[Record<'_>], crates: &[CrateInfo]) -> Vec<usize> {
    if records.len() < 2 {
        return (0..records.len()).collect();
    }
    let mut nodes = Vec::with_capacity(crates.len());
    crates.iter().for_each(|info| nodes.push(Node::of(info, false)));
    let by_name = sorted_by(&nodes, |a, b| a.name.cmp(&b.name));
    let mut of_record = Vec::with_capacity(records.len());
    for record in records {
        let wanted = (record.package, record.version, record.crate_name());
        let named = |place: usize| nodes.get(place).map(|node| node.name);
        // Of several with these names the first.
        let at = by_name.partition_point(|&place| named(place) < Some(wanted));
        let place = by_name.get(at).copied().filter(|&place| named(place) == Some(wanted));
        if let Some(node) = place.and_then(|place| nodes.get_mut(place)) {
            node.has_init = true;
        }
        of_record.push(place);
    }
    let mut ranks = vec![usize::MAX; nodes.len()];
    for (rank, place) in order(&nodes).into_iter().enumerate() {
        if let Some(own) = ranks.get_mut(place) {
            *own = rank;
        }
    }
    let mut keys = Vec::with_capacity(records.len());
    for (record, place) in records.iter().zip(of_record) {
        let rank = place.and_then(|place| ranks.get(place).copied()).unwrap_or(usize::MAX);
        keys.push((rank, record.file, record.line, record.column));
    }
    sorted_by(&keys, Ord::cmp)
}
