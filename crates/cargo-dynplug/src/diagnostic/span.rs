//! Places in source files, in the shape that rustc's own JSON has for them, so that whoever reads that reads these.

use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A place in a source file. Lines and columns begin with 1, columns count characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The file, relative to the working folder where it lies below.
    pub file_name: String,
    /// The first byte.
    pub byte_start: usize,
    /// The byte after the last.
    pub byte_end: usize,
    /// The line of the first byte.
    pub line_start: usize,
    /// The line of the last byte.
    pub line_end: usize,
    /// The column of the first character.
    pub column_start: usize,
    /// The column after the last character.
    pub column_end: usize,
    /// Whether it is the place itself, not one that explains it.
    pub is_primary: bool,
    /// What is the matter there.
    pub label: Option<String>,
    /// The lines that it touches.
    pub text: Vec<Line>,
    /// What rustc would have stand there instead; nothing of ours.
    #[serde(default)]
    pub suggested_replacement: Option<String>,
    /// How sure rustc is of that; nothing of ours.
    #[serde(default)]
    pub suggestion_applicability: Option<String>,
    /// The macro that it came from; nothing of ours.
    #[serde(default)]
    pub expansion: Option<()>,
}

/// A line of source, and which columns of it are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The line without its end.
    pub text: String,
    /// The first column that is meant.
    pub highlight_start: usize,
    /// The column after the last.
    pub highlight_end: usize,
}

impl Span {
    /// The bytes `range` of a file whose text this is. None where they aren't there.
    pub fn of(path: &Path, text: &str, range: Range<usize>) -> Option<Span> {
        let meant = text.get(range.clone())?;
        let meant_end = range.start + meant.trim_end().len().max(usize::from(!meant.is_empty()));
        let before = text.get(..range.start)?;
        let line_start = before.matches('\n').count() + 1;
        let first = before.rfind('\n').map_or(0, |at| at + 1);
        let column_start = text.get(first..range.start)?.chars().count() + 1;
        let (mut lines, mut at, mut column_end) = (Vec::new(), first, column_start);
        for line in text.get(first..)?.split_inclusive('\n') {
            let bare = line.trim_end_matches(['\n', '\r']);
            let clamp = |byte: usize| byte.saturating_sub(at).min(bare.len());
            let columns = |byte: usize| bare.get(..clamp(byte)).unwrap_or(bare).chars().count() + 1;
            column_end = columns(meant_end);
            lines.push(Line {
                text: bare.to_owned(),
                highlight_start: columns(range.start),
                highlight_end: column_end,
            });
            at += line.len();
            if at >= meant_end {
                break;
            }
        }
        if lines.is_empty() {
            return None;
        }
        Some(Span {
            file_name: shown(path),
            byte_start: range.start,
            byte_end: meant_end,
            line_start,
            line_end: line_start + lines.len() - 1,
            column_start,
            column_end,
            is_primary: true,
            label: None,
            text: lines,
            suggested_replacement: None,
            suggestion_applicability: None,
            expansion: None,
        })
    }

    /// The rest of a line in a file from a column on, both as the compiler counts them.
    pub fn at(path: &Path, line: usize, column: usize) -> Option<Span> {
        let text = std::fs::read_to_string(path).ok()?;
        let before: usize = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
        let row = text.get(before..)?.lines().next()?;
        let skipped: usize = row.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
        let start = before + skipped;
        Span::of(path, &text, start..before + row.len()).filter(|_| !row.is_empty())
    }

    /// An entry of a `Cargo.toml`, by the keys that lead to it; the last may also be a text in a list. None where it isn't
    /// there.
    pub fn in_manifest(path: &Path, keys: &[&str]) -> Option<Span> {
        let text = std::fs::read_to_string(path).ok()?;
        let range = entry(&text, keys)?;
        Span::of(path, &text, range)
    }

    /// What a package's `Cargo.toml` says of its dependency `name`, which may be called otherwise there.
    pub fn of_dependency(path: &Path, name: &str) -> Option<Span> {
        let text = std::fs::read_to_string(path).ok()?;
        let range = dependency(&text, name)?;
        Span::of(path, &text, range)
    }

    /// A text in the sources of a package: the first that begins a line.
    pub fn of_text(package: &Path, wanted: &str) -> Option<Span> {
        let mut open = vec![package.join("src")];
        let mut files = Vec::new();
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                // Links may lead in a circle.
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => open.push(path),
                    Ok(kind) if kind.is_file() && path.extension().is_some_and(|e| e == "rs") => {
                        files.push(path)
                    }
                    _ => {}
                }
            }
        }
        files.sort();
        files.iter().find_map(|path| {
            let text = std::fs::read_to_string(path).ok()?;
            let begins = |at: &usize| {
                let before = text.get(..*at).unwrap_or_default();
                before.rsplit('\n').next().is_some_and(|row| row.trim().is_empty())
            };
            let at = text.match_indices(wanted).map(|(at, _)| at).find(begins)?;
            Span::of(path, &text, at..at + wanted.len())
        })
    }

    /// Says what is the matter at the place.
    pub fn labelled(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Says that the place explains another one.
    pub fn secondary(mut self) -> Self {
        self.is_primary = false;
        self
    }
}

/// How a file is called for people: from the working folder, as rustc does it.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let inside = path.strip_prefix(&here).or_else(|_| path.strip_prefix("."));
    inside.ok().filter(|p| !p.as_os_str().is_empty()).unwrap_or(path).display().to_string()
}

/// A text in a `Cargo.toml` by the keys that lead to it, and where it stands there, quotes included.
pub fn value(text: &str, keys: &[&str]) -> Option<(Range<usize>, String)> {
    let root = DeTable::parse(text).ok()?;
    let (last, tables) = keys.split_last()?;
    let table = tables.iter().try_fold(root.get_ref(), |table, key| sub(table, key))?;
    let (_, value) = find(table, last)?;
    Some((value.span(), value.get_ref().as_str()?.to_owned()))
}

fn entry(text: &str, keys: &[&str]) -> Option<Range<usize>> {
    let root = DeTable::parse(text).ok()?;
    let (last, tables) = keys.split_last()?;
    let mut table = root.get_ref();
    for key in tables {
        let (_, value) = find(table, key)?;
        table = match value.get_ref() {
            DeValue::Table(table) => table,
            // The last key is one of a list.
            DeValue::Array(list) if Some(key) == tables.last() => {
                return list.iter().find(|v| v.get_ref().as_str() == Some(last)).map(Spanned::span);
            }
            _ => return None,
        };
    }
    find(table, last).map(|(key, value)| whole(key, value))
}

fn dependency(text: &str, name: &str) -> Option<Range<usize>> {
    let root = DeTable::parse(text).ok()?;
    let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
    let mut tables: Vec<&DeTable<'_>> = sections.iter().filter_map(|s| sub(root.get_ref(), s)).collect();
    if let Some(targets) = sub(root.get_ref(), "target") {
        let of_targets = targets.iter().filter_map(|(_, value)| value.get_ref().as_table());
        tables.extend(of_targets.flat_map(|t| sections.iter().filter_map(|s| sub(t, s))));
    }
    let renamed = |value: &Spanned<DeValue<'_>>| {
        let table = value.get_ref().as_table()?;
        find(table, "package")?.1.get_ref().as_str().map(|package| package == name)
    };
    for table in tables {
        let called = |(key, value): &(&Spanned<_>, &Spanned<DeValue<'_>>)| {
            let key: &std::borrow::Cow<'_, str> = key.get_ref();
            renamed(value).unwrap_or(key.as_ref() == name)
        };
        if let Some((key, value)) = table.iter().find(called) {
            return Some(whole(key, value));
        }
    }
    None
}

fn sub<'a, 't>(table: &'a DeTable<'t>, key: &str) -> Option<&'a DeTable<'t>> {
    find(table, key)?.1.get_ref().as_table()
}

fn find<'a, 't>(
    table: &'a DeTable<'t>,
    wanted: &str,
) -> Option<(&'a Spanned<std::borrow::Cow<'t, str>>, &'a Spanned<DeValue<'t>>)> {
    table.iter().find(|(key, _)| key.get_ref().as_ref() == wanted)
}

/// Key and value; of a section its head alone.
fn whole(key: &Spanned<std::borrow::Cow<'_, str>>, value: &Spanned<DeValue<'_>>) -> Range<usize> {
    let (key, value) = (key.span(), value.span());
    if value.start >= key.end { key.start..value.end } else { key }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[package]\nname = \"ä\" # ö\n\n[package.metadata.dynplug]\nsdk = \"x.sdk\"\nprivate = [\n  \"a\", \"é\",\n]\n\n[dependencies]\nshort = { package = \"long\", version = \"1\" }\nserde = \"1\"\n\n[dependencies.deep]\nversion = \"2\"\n\n[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n";

    fn text(range: Option<Range<usize>>) -> Option<&'static str> {
        MANIFEST.get(range?)
    }

    #[test]
    fn entries_of_a_manifest_are_found_by_their_keys() {
        let found = |keys: &[&str]| text(entry(MANIFEST, keys));
        assert_eq!(found(&["package", "name"]), Some("name = \"ä\""));
        assert_eq!(found(&["package", "metadata", "dynplug", "sdk"]), Some("sdk = \"x.sdk\""));
        assert_eq!(found(&["package", "metadata", "dynplug", "private", "é"]), Some("\"é\""));
        assert_eq!(found(&["package"]), Some("package"));
        assert_eq!(found(&["package", "name", "x"]), None);
        assert_eq!(found(&["package", "none"]), None);
        assert_eq!(entry("[", &["a"]), None);
    }

    #[test]
    fn dependencies_are_found_whatever_they_are_called() {
        let found = |name| text(dependency(MANIFEST, name));
        assert_eq!(found("long"), Some("short = { package = \"long\", version = \"1\" }"));
        assert_eq!(found("short"), None);
        assert_eq!(found("serde"), Some("serde = \"1\""));
        assert_eq!(found("deep"), Some("deep"));
        assert_eq!(found("libc"), Some("libc = \"0.2\""));
    }

    #[test]
    fn a_span_counts_as_rustc_does() {
        let at = MANIFEST.find("\"a\"").unwrap();
        let span = Span::of(Path::new("Cargo.toml"), MANIFEST, at..at + 9).unwrap();
        assert_eq!((span.line_start, span.line_end, span.column_start, span.column_end), (7, 7, 3, 11));
        assert_eq!(span.text[0].text, "  \"a\", \"é\",");
        let both = Span::of(Path::new("x"), "ab\ncd\n", 1..5).unwrap();
        assert_eq!((both.line_end, both.column_end), (2, 3));
        let marks: Vec<_> = both.text.iter().map(|l| (l.highlight_start, l.highlight_end)).collect();
        assert_eq!(marks, [(2, 3), (1, 3)]);
        assert_eq!(Span::of(Path::new("x"), "ä", 1..2), None, "no character begins there");
        assert_eq!(Span::of(Path::new("x"), "ab", 1..9), None);
        assert_eq!(Span::of(Path::new("x"), "", 0..0), None);
    }
}
