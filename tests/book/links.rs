//! Whatever a page links to is there, and every page is in the table of contents.

use super::page::Page;
use crate::harness::repository;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Where files of the repository are found by readers of the book.
const ON_THE_WEB: &str = "https://github.com/dynplug/dynplug/blob/main/";

/// The pages of the book, without its table of contents.
pub fn of_the_book() -> Vec<String> {
    let mut pages = Vec::new();
    let mut folders = vec![repository().join("docs/src")];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(&folder).expect("the book is there").flatten().map(|e| e.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "md") && !path.ends_with("SUMMARY.md") {
                let path = path.strip_prefix(repository()).expect("it is in the repository");
                pages.push(path.display().to_string());
            }
        }
    }
    pages.sort();
    pages
}

/// A path without `..`.
pub fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(out.pop()),
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let summary = Page::read(&repository(), "docs/src/SUMMARY.md").unwrap_or_else(|wrong| panic!("{wrong}"));
    let mut listed: Vec<String> = summary.links.iter().map(|l| format!("docs/src/{}", l.text)).collect();
    listed.sort();
    assert_eq!(listed, of_the_book());
}

#[test]
fn whatever_is_linked_to_is_there() {
    let root = repository();
    let more = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/promises.md"];
    let more = more.into_iter().chain(["bench/README.md", "docs/src/SUMMARY.md"]).map(str::to_owned);
    let pages: Vec<String> = of_the_book().into_iter().chain(more).collect();
    let read = |path: &str| match Page::read(&root, path) {
        Ok(page) => page,
        Err(wrong) => panic!("{wrong}"),
    };
    // Code blocks of other pages than the book's and the README need not say what they are.
    let headings_and_links = |path: &str| match path {
        _ if path.starts_with("docs/src") || path == "README.md" => read(path),
        _ => Page::headings_and_links(&root, path).unwrap_or_else(|wrong| panic!("{wrong}")),
    };
    let mut anchors: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in &pages {
        let page = headings_and_links(path);
        for link in &page.links {
            let (to, anchor) = link.text.split_once('#').unwrap_or((&link.text, ""));
            let file = match to.strip_prefix(ON_THE_WEB) {
                Some(file) => PathBuf::from(file),
                None if to.contains("://") => continue,
                None if to.is_empty() => PathBuf::from(path),
                None => clean(&Path::new(path).parent().unwrap_or(Path::new("")).join(to)),
            };
            seen += 1;
            let mut complain =
                |what: &str| wrong.push(format!("{path}:{}: {}: {what}", link.line, link.text));
            if path.starts_with("docs/src/") && !to.contains("://") && !file.starts_with("docs/src") {
                complain(&format!("it leads out of the book: say {ON_THE_WEB}…"));
            } else if !root.join(&file).exists() {
                complain("it isn't there");
            } else if !anchor.is_empty() {
                let known = anchors.entry(file.clone()).or_insert_with(|| {
                    Page::headings_and_links(&root, &file.display().to_string())
                        .map_or(Vec::new(), |p| p.anchors())
                });
                if !known.iter().any(|a| a == anchor) {
                    complain("it has no such heading");
                }
            }
        }
    }
    assert!(seen > 20, "links were found: {seen}");
    assert!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
}
