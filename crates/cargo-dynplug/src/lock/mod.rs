//! Lock files: what part of one concerns an API crate, and how one takes over the versions of another.

mod file;

use crate::diagnostic::Result;
use cargo_metadata::semver::Version;
use file::{Lock, Locked, Reference, place};
use std::collections::BTreeSet;

/// The part of a lock file that a package and all below it need.
///
/// # Errors
/// When the text is no lock file, or the package isn't in it.
pub fn below(text: &str, name: &str, version: &str) -> Result<String> {
    let mut lock = Lock::parse(text)?;
    let first = Reference { name: name.to_owned(), version: Some(version.to_owned()), source: None };
    let mut open: Vec<usize> = lock.find(&first).into_iter().collect();
    let mut kept = BTreeSet::new();
    while let Some(at) = open.pop() {
        if kept.insert(at) {
            let Some(package) = lock.packages.get(at) else { continue };
            open.extend(package.dependencies.iter().filter_map(|d| lock.find(d)));
        }
    }
    lock.keep(&kept);
    Ok(lock.render())
}

/// A lock file that has taken over versions of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// Its text.
    pub text: String,
    /// What is different from before.
    pub changes: Vec<Change>,
}

/// A package that has another version than before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The package.
    pub name: String,
    /// The version that it had.
    pub from: String,
    /// The version that it has.
    pub to: String,
}

/// Puts the packages that `is_wanted` says yes to, and all below them, from the lock file `theirs` into the lock file
/// `own`. Compatible versions that are there make way. cargo keeps to what a lock file says as far as the requirements
/// allow it, so that the outcome needs not be what cargo would have made of it, only what it would begin with.
///
/// # Errors
/// When either is no lock file.
pub fn adopt(own: Option<&str>, theirs: &str, is_wanted: impl Fn(&str) -> bool) -> Result<Adopted> {
    let mut lock = own.map_or_else(|| Ok(Lock::empty()), Lock::parse)?;
    let theirs = Lock::parse(theirs)?;
    // Names that were as short as they could be may become unclear.
    lock.packages = lock.packages.iter().map(|p| lock.with_full_names(p)).collect();
    let mut changes = Vec::new();
    for adopted in with_all_below(&theirs, is_wanted) {
        // What is found by its path is found by cargo.
        if adopted.source.is_none() || lock.packages.contains(&adopted) {
            continue;
        }
        let makes_way = |p: &Locked| stands_for(p, &adopted);
        let old: Vec<Reference> =
            lock.packages.iter().filter(|p| makes_way(p)).map(Locked::reference).collect();
        changes.extend(old.iter().filter(|o| o.version.as_ref() != Some(&adopted.version)).map(|o| Change {
            name: adopted.name.clone(),
            from: o.version.clone().unwrap_or_default(),
            to: adopted.version.clone(),
        }));
        lock.packages.retain(|p| !makes_way(p));
        let new = adopted.reference();
        for dependency in lock.packages.iter_mut().flat_map(|p| &mut p.dependencies) {
            if old.contains(dependency) {
                dependency.clone_from(&new);
            }
        }
        lock.packages.push(adopted);
    }
    changes.sort();
    Ok(Adopted { text: lock.render(), changes })
}

/// The wanted packages that come from somewhere, and all below them, with full names.
fn with_all_below(lock: &Lock, is_wanted: impl Fn(&str) -> bool) -> Vec<Locked> {
    let wanted = |p: &Locked| is_wanted(&p.name);
    let mut open: Vec<usize> =
        lock.packages.iter().enumerate().filter(|(_, p)| wanted(p)).map(|(at, _)| at).collect();
    let mut seen = BTreeSet::new();
    while let Some(at) = open.pop() {
        if seen.insert(at) {
            let below = lock.packages.get(at).into_iter().flat_map(|p| &p.dependencies);
            open.extend(below.filter_map(|d| lock.find(d)));
        }
    }
    seen.into_iter().filter_map(|at| lock.packages.get(at)).map(|p| lock.with_full_names(p)).collect()
}

/// Whether cargo would have one of the two and never both.
fn stands_for(old: &Locked, new: &Locked) -> bool {
    let same_place = old.source.as_deref().map(place) == new.source.as_deref().map(place);
    old.name == new.name && same_place && are_compatible(&old.version, &new.version)
}

/// Whether cargo takes either version for the other.
pub fn are_compatible(one: &str, other: &str) -> bool {
    let leading = |text: &str| {
        let version = Version::parse(text).ok()?;
        Some(match (version.major, version.minor, version.patch) {
            (0, 0, patch) => (0, 0, patch),
            (0, minor, _) => (0, minor, 0),
            (major, _, _) => (major, 0, 0),
        })
    };
    one == other || leading(one).is_some_and(|l| Some(l) == leading(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEIRS: &str = r#"version = 4

[[package]]
name = "api"
version = "0.1.0"
dependencies = [
 "serde",
]

[[package]]
name = "host-only"
version = "1.0.0"
source = "registry+x"

[[package]]
name = "serde"
version = "1.0.2"
source = "registry+x"
checksum = "aa"
dependencies = [
 "serde_core",
]

[[package]]
name = "serde_core"
version = "1.0.2"
source = "registry+x"
checksum = "bb"
"#;

    #[test]
    fn of_a_lock_file_what_is_below_a_package_is_kept() {
        let text = below(THEIRS, "api", "0.1.0").unwrap();
        assert!(text.contains("serde_core") && !text.contains("host-only"), "{text}");
    }

    // C12
    #[test]
    fn compatible_versions_make_way_and_others_stay() {
        let own = r#"version = 4

[[package]]
name = "plugin"
version = "0.1.0"
dependencies = [
 "serde 0.9.0",
 "serde 1.0.9",
]

[[package]]
name = "serde"
version = "0.9.0"
source = "registry+x"

[[package]]
name = "serde"
version = "1.0.9"
source = "registry+x"
"#;
        let adopted = adopt(Some(own), THEIRS, |name| name == "serde").unwrap();
        let change = Change { name: "serde".into(), from: "1.0.9".into(), to: "1.0.2".into() };
        assert_eq!(adopted.changes, [change]);
        for line in ["\"serde 0.9.0\"", "\"serde 1.0.2\"", "name = \"serde_core\"", "checksum = \"aa\""] {
            assert!(adopted.text.contains(line), "{line}: {}", adopted.text);
        }
        assert!(!adopted.text.contains("1.0.9") && !adopted.text.contains("host-only"), "{}", adopted.text);
        let again = adopt(Some(&adopted.text), THEIRS, |name| name == "serde").unwrap();
        assert_eq!(again, Adopted { changes: Vec::new(), ..adopted });
    }

    #[test]
    fn versions_are_compatible_as_cargo_has_it() {
        for (one, other, are) in [
            ("1.2.3", "1.9.0", true),
            ("1.2.3", "2.0.0", false),
            ("0.2.3", "0.2.9", true),
            ("0.2.3", "0.3.0", false),
            ("0.0.3", "0.0.4", false),
            ("1.0.0-rc.1", "1.0.0", true),
        ] {
            assert_eq!(are_compatible(one, other), are, "{one} {other}");
        }
    }
}
