//! The order in which init functions run: crates before those that depend on them, and within a crate as its
//! sources have them. The runtime runs them so, and tools show them so.

use crate::manifest::CrateInfo;
use crate::record::Record;
use std::collections::HashMap;

/// Sorts `items`, each of which has a record, into the order in which init functions run: by the place of the
/// crate among `crates`, dependencies first, then by file, line and column.
///
/// Those of a crate that isn't in the list come last.
pub fn sort<'a, T>(items: &mut [T], crates: &[CrateInfo], record: impl Fn(&T) -> Record<'a>) {
    if items.len() < 2 {
        return;
    }
    let mut places = HashMap::new();
    for (info, rank) in crates.iter().zip(ranks(crates)) {
        places.entry((&*info.crate_name, &*info.package, &*info.version)).or_insert(rank);
    }
    items.sort_by_cached_key(|item| {
        let record = record(item);
        let place = places.get(&(record.crate_name(), record.package, record.version));
        (place.copied().unwrap_or(usize::MAX), record.file, record.line, record.column)
    });
}

/// For each crate its place in an order in which dependencies come first.
///
/// Indices that name no crate are passed over, and a cycle ends where it began: neither is in a manifest that
/// was decoded. The work is in proportion to the crates and their dependencies.
pub fn ranks(crates: &[CrateInfo]) -> Vec<usize> {
    let mut ranks = vec![usize::MAX; crates.len()];
    let mut seen = vec![false; crates.len()];
    let mut next = 0;
    for root in 0..crates.len() {
        // A walk with a list of its own and not by recursion: how deep the graph is, the file says.
        let mut open = vec![(root, 0)];
        while let Some((at, done)) = open.pop() {
            let (Some(info), Some(seen)) = (crates.get(at), seen.get_mut(at)) else { continue };
            if done == 0 && std::mem::replace(seen, true) {
                continue;
            }
            match info.dependencies.get(done) {
                Some(&below) => {
                    open.push((at, done + 1));
                    open.extend(usize::try_from(below).map(|below| (below, 0)));
                }
                None => {
                    if let Some(rank) = ranks.get_mut(at) {
                        *rank = next;
                        next += 1;
                    }
                }
            }
        }
    }
    ranks
}
