//! Whether a command printed what a page shows.
//!
//! `…` stands for any text in a line, and on a line of its own for any lines. What differs between machines and days counts
//! as equal: hashes, the compiler's version, sizes and times. What cargo says of its progress may be left out.

/// Where what is shown stops being what was printed: the number of lines that are right.
pub fn compare(shown: &str, printed: &str) -> Result<(), usize> {
    let shown: Vec<&str> = shown.lines().map(str::trim_end).collect();
    let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
    // Trailing empty lines are not seen.
    let end = |lines: &[&str]| lines.iter().rposition(|l| !l.is_empty()).map_or(0, |last| last + 1);
    let (shown, printed) = (&shown[..end(&shown)], &printed[..end(&printed)]);
    // The places in what is shown that what was printed so far may have led to.
    let mut at = vec![false; shown.len() + 1];
    at[0] = true;
    let mut furthest = 0;
    skip_gaps(shown, &mut at);
    for line in printed {
        let mut next = vec![false; shown.len() + 1];
        for (place, _) in at.iter().enumerate().filter(|(_, reached)| **reached) {
            let expected = shown.get(place);
            if place > 0 && shown[place - 1] == "…" || is_progress(line) {
                next[place] = true;
            }
            if expected.is_some_and(|expected| *expected != "…" && equal(expected, line)) {
                next[place + 1] = true;
            }
        }
        skip_gaps(shown, &mut next);
        if let Some(place) = next.iter().rposition(|reached| *reached) {
            furthest = furthest.max(place);
        }
        at = next;
    }
    match at[shown.len()] {
        true => Ok(()),
        false => Err(furthest),
    }
}

/// A gap may stand for nothing.
fn skip_gaps(shown: &[&str], at: &mut [bool]) {
    for (place, line) in shown.iter().enumerate() {
        if at[place] && *line == "…" {
            at[place + 1] = true;
        }
    }
}

/// One of cargo's lines with a word that ends in the twelfth column.
pub fn is_progress(line: &str) -> bool {
    let word: String = line.chars().take(12).collect();
    let word = word.trim_start();
    let verb =
        word.chars().all(|c| c.is_ascii_alphabetic()) && word.starts_with(|c: char| c.is_ascii_uppercase());
    verb && word.len() > 2 && line.chars().nth(12) == Some(' ')
}

/// Whether two lines say the same, as far as that is the same everywhere.
pub fn equal(shown: &str, printed: &str) -> bool {
    glob(&plain(shown), &plain(printed))
}

/// A line without what differs between machines.
fn plain(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let before = out.chars().next_back();
        let word_begins = !before.is_some_and(|c| c.is_ascii_alphanumeric());
        let run = |allowed: fn(char) -> bool| rest.find(|c| !allowed(c)).unwrap_or(rest.len());
        let hex = run(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
        let number = run(|c| c.is_ascii_digit() || c == '.');
        let compiler = rest.strip_prefix("rustc ").and_then(|r| Some((r, r.find(')')?)));
        if let Some((after, end)) = compiler.filter(|(r, _)| r.starts_with(|c: char| c.is_ascii_digit())) {
            out += "rustc VERSION";
            rest = &after[end + 1..];
        } else if word_begins && hex >= 16 {
            out += "HASH";
            rest = &rest[hex..];
        } else if word_begins && number > 0 && is_unit(&rest[number..]) {
            // Texts of tables are aligned, so blanks before a number go with it.
            out.truncate(out.trim_end().len());
            out += " N";
            rest = &rest[number..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// Whether this begins with a unit of size or time.
fn is_unit(text: &str) -> bool {
    let word = text.strip_prefix(' ').unwrap_or(text);
    let end = word.find(|c: char| !c.is_alphabetic() && c != '%').unwrap_or(word.len());
    ["B", "bytes", "KB", "kB", "MB", "KiB", "MiB", "ns", "µs", "ms", "s", "%"].contains(&&word[..end])
}

/// Whether a text is what a pattern with `…` says.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    let mut rest = rest;
    for part in middle {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn what_is_shown_is_what_was_printed_but_for_hashes_sizes_and_gaps() {
    let cargo = "   Compiling hello v0.1.0\n    Finished in 3 s\n";
    for (shown, printed) in [
        ("one\ntwo\n", "one\ntwo\n"),
        ("one\n", &format!("{cargo}one\n")),
        ("one\n…\nfour\n", "one\ntwo\nthree\nfour\n"),
        ("one\n…\n", "one\n"),
        ("in …/hello: yes", "in /tmp/1/hello: yes"),
        ("libx-0123456789abcdef.so 12 bytes", "libx-fedcba9876543210.so 5 bytes"),
        ("rustc 1.95.0 (59807616e 2026-04-14)!", "rustc 1.96.0 (abc 2026-05-01)!"),
        ("  size  5 bytes", "  size 15560 bytes"),
    ] {
        assert_eq!(compare(shown, printed), Ok(()), "{shown:?} and {printed:?}");
    }
    for (shown, printed, right) in [
        ("one\n", "one\ntwo\n", 1),
        ("one\ntwo\n", "one\n", 1),
        ("one\n…\nfour\n", "one\ntwo\n", 2),
        ("7", "8", 0),
        ("1.95", "1.96", 0),
        ("one\n", "", 0),
        ("libx-0123456789abcdef.so", "libx-0123.so", 0),
        ("…\ntwo\n", "one\ntwo\nthree\n", 2),
    ] {
        assert_eq!(compare(shown, printed), Err(right), "{shown:?} and {printed:?}");
    }
}
