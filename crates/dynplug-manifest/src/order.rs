//! The order in which init functions run: crates before those that depend on them, and within a crate as its
//! sources have them. The runtime runs them so, and tools show them so.

use crate::manifest::CrateInfo;
use crate::record::Record;
use crate::sorted::{arrange, sorted_by};

/// Sorts `items`, each of which has a record, into the order in which init functions run: by the place of the
/// crate among `crates`, dependencies first, then by file, line and column.
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
    fn names(info: &CrateInfo) -> (&str, &str, &str) {
        (&info.crate_name, &info.package, &info.version)
    }
    let ranks = ranks(crates);
    let by_name = sorted_by(crates, |a, b| names(a).cmp(&names(b)));
    let rank = |record: &Record<'_>| {
        let wanted = (record.crate_name(), record.package, record.version);
        let named = |place: usize| crates.get(place).map(names);
        // Of several with these names the first.
        let at = by_name.partition_point(|&place| named(place) < Some(wanted));
        let place = by_name.get(at).copied().filter(|&place| named(place) == Some(wanted));
        place.and_then(|place| ranks.get(place).copied()).unwrap_or(usize::MAX)
    };
    let keys: Vec<_> = records.iter().map(|r| (rank(r), r.file, r.line, r.column)).collect();
    sorted_by(&keys, Ord::cmp)
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
