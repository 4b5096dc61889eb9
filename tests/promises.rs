//! `docs/promises.md` is true: the tests that it names are there, and tests with a row's id above them are named in that
//! row.

use crate::harness::repository;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A test's file, from the repository's root, and its function.
type Test = (String, String);

/// The tests of each row, and of the rows without an id.
fn named() -> BTreeMap<String, BTreeSet<Test>> {
    let text = std::fs::read_to_string(repository().join("docs/promises.md")).expect("the page is there");
    let mut rows: BTreeMap<String, BTreeSet<Test>> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let (Some(first), Some(proof)) = (cells.first(), cells.last()) else { continue };
        let mut file = "";
        // Between backquotes: a file, or a function of the file before it.
        for quoted in proof.split('`').skip(1).step_by(2) {
            if quoted.ends_with(".rs") {
                file = quoted;
            } else if !file.is_empty() {
                rows.entry((*first).to_owned()).or_default().insert((file.to_owned(), quoted.to_owned()));
            }
        }
        if is_id(first) {
            rows.entry((*first).to_owned()).or_default();
        }
    }
    rows
}

/// A letter and a number.
fn is_id(text: &str) -> bool {
    text.strip_prefix(|c: char| c.is_ascii_uppercase())
        .is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
}

/// All Rust files with tests.
fn sources() -> Vec<PathBuf> {
    let crates = std::fs::read_dir(repository().join("crates")).expect("the folder is there");
    let mut folders: Vec<PathBuf> = crates
        .flatten()
        .flat_map(|entry| ["src", "tests"].map(|folder| entry.path().join(folder)))
        .chain([repository().join("tests")])
        .filter(|folder| folder.is_dir())
        .collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).expect("the folder can be read").flatten().map(|e| e.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    files
}

fn functions(text: &str) -> BTreeSet<&str> {
    text.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next()).collect()
}

/// The ids above each function that has some.
fn with_ids(text: &str) -> Vec<(Vec<&str>, &str)> {
    let mut found = Vec::new();
    let mut ids: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("// ") {
            let words: Vec<&str> = comment.split(", ").collect();
            ids = if words.iter().all(|word| is_id(word)) { words } else { ids };
        } else if let Some(rest) = line.strip_prefix("fn ") {
            if !ids.is_empty() {
                found.push((std::mem::take(&mut ids), rest.split(['(', '<']).next().unwrap_or(rest)));
            }
        } else if !line.starts_with("#[") {
            ids.clear();
        }
    }
    found
}

fn from_root(path: &Path) -> String {
    path.strip_prefix(repository()).unwrap_or(path).display().to_string()
}

#[test]
fn the_tests_that_the_page_names_are_there() {
    let rows = named();
    assert!(rows.values().map(BTreeSet::len).sum::<usize>() > 200, "the page was read");
    let mut missing = Vec::new();
    for (row, (file, function)) in rows.iter().flat_map(|(row, tests)| tests.iter().map(move |t| (row, t))) {
        let text = std::fs::read_to_string(repository().join(file)).unwrap_or_default();
        if !functions(&text).contains(&**function) {
            missing.push(format!("{row}: {file}: {function}"));
        }
    }
    assert!(missing.is_empty(), "not there:\n{}", missing.join("\n"));
}

#[test]
fn a_test_with_the_id_of_a_row_is_named_there() {
    let rows = named();
    let mut missing = Vec::new();
    let mut seen = 0;
    for path in sources() {
        let text = std::fs::read_to_string(&path).expect("the file can be read");
        for (ids, function) in with_ids(&text) {
            for id in ids {
                seen += 1;
                let test = (from_root(&path), function.to_owned());
                if !rows.get(id).is_some_and(|tests| tests.contains(&test)) {
                    missing.push(format!("{id}: {}: {}", test.0, test.1));
                }
            }
        }
    }
    assert!(seen > 100, "the comments were read");
    assert!(missing.is_empty(), "not named in docs/promises.md:\n{}", missing.join("\n"));
}
