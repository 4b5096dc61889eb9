//! Init functions: in which order they run, and that they do so once.

use crate::__private::InitEntry;
use crate::error::InitFailure;
use dynplug_manifest::manifest::CrateInfo;
use dynplug_manifest::record::Fields;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

/// An init function that failed.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    pub(crate) function: String,
    pub(crate) place: String,
    pub(crate) failure: InitFailure,
}

/// Runs the init functions of the shared crates, once for the program.
pub(crate) fn shared() -> Result<(), Failed> {
    static DONE: OnceLock<Result<(), Failed>> = OnceLock::new();
    DONE.get_or_init(|| {
        let own = crate::process::library().map(|m| &m.crates[..]).unwrap_or_default();
        // What can't be read is none of ours: the section is linked from this very library.
        let inits =
            crate::section::own_inits().iter().filter_map(|i| Some((*i, Fields::decode(i.meta()).ok()?)));
        run(inits.collect(), own)
    })
    .clone()
}

/// Runs init functions: crates before those that depend on them, inside a crate by file and line. Stops at the first
/// that fails.
pub(crate) fn run(
    mut inits: Vec<(&'static InitEntry, Fields<'static>)>,
    crates: &[CrateInfo],
) -> Result<(), Failed> {
    if inits.is_empty() {
        return Ok(());
    }
    let ranks = ranks(crates);
    let rank = |fields: &Fields<'_>| {
        let place = crates.iter().position(|c| {
            c.crate_name == fields.crate_name() && c.package == fields.package && c.version == fields.version
        });
        place.and_then(|p| ranks.get(p).copied()).unwrap_or(usize::MAX)
    };
    inits.sort_by_key(|(_, f)| (rank(f), f.file, f.line, f.column));
    for (entry, fields) in inits {
        let failure = match catch_unwind(AssertUnwindSafe(|| entry.run())) {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => InitFailure::Error(Arc::from(error)),
            Err(payload) => InitFailure::of_panic(&*payload),
        };
        let place = format!("{}:{}", fields.file, fields.line);
        return Err(Failed { function: fields.name.to_owned(), place, failure });
    }
    Ok(())
}

/// For each crate its place in an order in which dependencies come first.
fn ranks(crates: &[CrateInfo]) -> Vec<usize> {
    let mut ranks = vec![None; crates.len()];
    let mut next = 0;
    for root in 0..crates.len() {
        // A walk with a list of its own: the depth of the graph is the file's word.
        let mut open = vec![(root, false)];
        while let Some((at, below_done)) = open.pop() {
            let Some(slot) = ranks.get_mut(at) else { continue };
            if below_done {
                slot.get_or_insert_with(|| {
                    next += 1;
                    next
                });
            } else if slot.is_none() {
                // Marked before its dependencies are looked at, so that a cycle, which an honest file hasn't, ends.
                open.push((at, true));
                let below = crates.get(at).map(|c| &c.dependencies[..]).unwrap_or_default();
                let unseen = |d: &&u32| !open_has(&open, **d);
                let below: Vec<(usize, bool)> =
                    below.iter().filter(unseen).map(|d| (*d as usize, false)).collect();
                open.extend(below);
            }
        }
    }
    ranks.into_iter().map(|r| r.unwrap_or(0)).collect()
}

fn open_has(open: &[(usize, bool)], at: u32) -> bool {
    open.iter().any(|(place, below_done)| *below_done && *place == at as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, dependencies: &[u32]) -> CrateInfo {
        CrateInfo {
            package: name.to_owned(),
            version: "1.0.0".to_owned(),
            crate_name: name.to_owned(),
            source: String::new(),
            features: Vec::new(),
            shared: false,
            id: [0; 16],
            content: [0; 32],
            dependencies: dependencies.to_vec(),
            settings: Vec::new(),
        }
    }

    // A3
    #[test]
    fn dependencies_come_before_dependents() {
        let crates = [named("top", &[1, 2]), named("left", &[3]), named("right", &[3]), named("bottom", &[])];
        let ranks = ranks(&crates);
        assert!(ranks[3] < ranks[1] && ranks[3] < ranks[2]);
        assert!(ranks[1] < ranks[0] && ranks[2] < ranks[0]);
    }

    #[test]
    fn hostile_dependencies_end() {
        let crates = [named("a", &[1, 7, u32::MAX]), named("b", &[0, 1])];
        assert_eq!(ranks(&crates).len(), 2);
    }
}
