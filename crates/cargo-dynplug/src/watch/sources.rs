//! The files that a build is made of, and whether they are what they were.
//!
//! What the system tells of changes is taken for a hint alone. What counts is a list of all sources with their times and
//! sizes, compared with the one of the last build: so editors may write in their ways, and looking again and again does where
//! the system tells nothing.

use ignore::WalkBuilder;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Where the sources are.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// The folders of packages.
    pub(super) packages: BTreeSet<PathBuf>,
    /// Files outside of them: the workspace's manifest, the lock file, cargo's configuration.
    pub(super) files: Vec<PathBuf>,
    /// Folders that builds write to.
    pub(super) written: Vec<PathBuf>,
}

/// What was there at one time.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    files: BTreeMap<PathBuf, (Option<SystemTime>, u64)>,
    folders: BTreeSet<PathBuf>,
}

impl Sources {
    /// Looks at all of them.
    pub(super) fn look(&self) -> Seen {
        let mut seen = Seen::default();
        for file in &self.files {
            seen.add(file);
            seen.folders.extend(file.parent().filter(|p| p.is_dir()).map(Path::to_owned));
        }
        let mut packages = self.packages.iter();
        let Some(first) = packages.next() else { return seen };
        let mut walk = WalkBuilder::new(first);
        for folder in packages {
            walk.add(folder);
        }
        let (packages, written) = (self.packages.clone(), self.written.clone());
        walk.require_git(false).filter_entry(move |entry| {
            let path = entry.path();
            let is_other = path.join("Cargo.toml").is_file() && !packages.contains(path);
            let is_written = written.iter().any(|folder| path == folder);
            !(is_written || entry.depth() > 0 && is_other)
        });
        // What can't be read is no source of a build either; cargo says it if it is one.
        for entry in walk.build().flatten() {
            if entry.file_type().is_some_and(|kind| kind.is_dir()) {
                seen.folders.insert(entry.into_path());
            } else if !is_of_an_editor(entry.path()) {
                seen.add(entry.path());
            }
        }
        seen
    }
}

impl Seen {
    fn add(&mut self, file: &Path) {
        if let Ok(metadata) = file.metadata() {
            self.files.insert(file.to_owned(), (metadata.modified().ok(), metadata.len()));
        }
    }

    /// How many files there are.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// The folders that changes are to be told of.
    pub(super) fn folders(&self) -> &BTreeSet<PathBuf> {
        &self.folders
    }

    /// The files that differ from what was there.
    pub(super) fn changed_since(&self, before: &Seen) -> Vec<PathBuf> {
        let all: BTreeSet<&PathBuf> = self.files.keys().chain(before.files.keys()).collect();
        all.into_iter().filter(|path| self.files.get(*path) != before.files.get(*path)).cloned().collect()
    }
}

/// Copies that editors keep beside a file.
fn is_of_an_editor(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with('~') || name.starts_with('#') || name.ends_with(".swp") || name == "4913"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_what_people_write() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |path: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        };
        for path in [
            "Cargo.toml",
            "src/lib.rs",
            "src/data.bin",
            "target/debug/x.rs",
            "inner/Cargo.toml",
            "inner/lib.rs",
        ] {
            write(path);
        }
        for path in ["src/.lib.rs.swp", "src/lib.rs~", "src/4913", "notes/x.txt"] {
            write(path);
        }
        std::fs::write(root.join(".gitignore"), "notes\n").unwrap();
        let sources = Sources {
            packages: BTreeSet::from([root.to_owned()]),
            files: Vec::new(),
            written: vec![root.join("target")],
        };
        let before = sources.look();
        let names: Vec<_> = before.files.keys().map(|p| p.strip_prefix(root).unwrap().to_owned()).collect();
        assert_eq!(names, ["Cargo.toml", "src/data.bin", "src/lib.rs"].map(PathBuf::from));
        write("src/new/more.rs");
        std::fs::remove_file(root.join("src/data.bin")).unwrap();
        std::fs::write(root.join("src/lib.rs"), "//").unwrap();
        let after = sources.look();
        let changed = ["src/data.bin", "src/lib.rs", "src/new/more.rs"].map(|p| root.join(p));
        assert_eq!(after.changed_since(&before), changed);
        assert!(after.folders().contains(&root.join("src/new")));
        assert_eq!(after.changed_since(&after.clone()), [] as [PathBuf; 0]);
    }
}
