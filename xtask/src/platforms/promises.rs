//! The promises of docs/promises.md that other targets are held to: their tests, and what came of them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

/// The rows of opening and looking up, of host and plugins as one program, and of what would kill a host. (A9 is about
/// targets where nothing can be loaded.)
pub(super) const ROWS: &[&str] = &[
    "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "B1", "B2", "B3", "B4", "B7", "B8", "B9", "B10", "C1",
    "C2", "C4", "C5", "C7", "C10",
];

/// The tests of the binary `end_to_end` that prove some rows, by the names that it has for them, each with its rows.
pub(super) fn tests(page: &str, rows: &[&'static str]) -> BTreeMap<String, Vec<&'static str>> {
    let mut tests: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for row in rows {
        let start = format!("| {row} | ");
        let proof =
            page.lines().filter(|line| line.starts_with(&start)).filter_map(|l| l.rsplit(" | ").next());
        let mut module = None;
        // Between backquotes: a file, or a function of the file before it.
        for quoted in proof.flat_map(|proof| proof.split('`').skip(1).step_by(2)) {
            if let Some(file) = quoted.strip_suffix(".rs") {
                module = file.strip_prefix("tests/");
            } else if let Some(module) = module {
                tests.entry(format!("{module}::{quoted}")).or_default().push(row);
            }
        }
    }
    tests
}

/// What came of tests.
#[derive(Debug, Default, Clone)]
pub(super) struct Results {
    pub(super) passed: usize,
    pub(super) failed: Vec<String>,
    /// Those that left themselves out, with what they said.
    pub(super) skipped: BTreeMap<String, String>,
}

impl Results {
    /// Runs the test binary, whose words go on to standard error.
    pub(super) fn of(call: &mut Command) -> Result<Results, String> {
        eprintln!("$ {call:?}");
        call.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = call.spawn().map_err(|e| format!("{}: {e}", call.get_program().to_string_lossy()))?;
        let pipe = child.stderr.take();
        let said = std::thread::spawn(move || pipe.map(echoed).unwrap_or_default());
        let printed = child.stdout.take().map(echoed).unwrap_or_default();
        let said = said.join().unwrap_or_default();
        let status = child.wait().map_err(|e| format!("{call:?}: {e}"))?;
        let results = Results::read(&printed, &said);
        // It ended as what it printed says, or somebody ended it.
        let count = results.passed + results.failed.len() + results.skipped.len();
        match status.success() == results.failed.is_empty() && count > 0 {
            true => Ok(results),
            false => Err(format!("{call:?}: {status}")),
        }
    }

    fn read(printed: &[String], said: &[String]) -> Results {
        let mut results = Results::default();
        for line in said {
            let Some(rest) = line.strip_prefix("skipped: ") else { continue };
            if let Some((name, why)) = rest.split_once(": ") {
                results.skipped.insert(name.to_owned(), why.to_owned());
            }
        }
        for line in printed {
            let Some((name, outcome)) = line.strip_prefix("test ").and_then(|l| l.rsplit_once(" ... "))
            else {
                continue;
            };
            match outcome {
                "ok" if results.skipped.contains_key(name) => {}
                "ok" => results.passed += 1,
                _ => results.failed.push(name.to_owned()),
            }
        }
        results
    }
}

/// The lines that come out of a pipe, which are passed on.
fn echoed(pipe: impl Read) -> Vec<String> {
    let lines = BufReader::new(pipe).lines().map_while(Result::ok);
    lines.inspect(|line| eprintln!("{line}")).collect()
}

/// The table of what is left out, as docs/promises.md has it: a line for each test.
pub(super) fn left_out_line(target: &str, rows: &[&str], test: &str, why: &str) -> String {
    let (module, function) = test.split_once("::").unwrap_or(("", test));
    format!("| `{target}` | {} | `{function}` (`{module}`) | {why} |", rows.join(", "))
}

/// The page with the promises.
pub(super) fn page(root: &Path) -> Result<String, String> {
    let path = root.join("docs/promises.md");
    std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_of_rows_are_named_as_the_binary_names_them() {
        let page = "| id | promise | proven by |\n\
            | A1 | One | `tests/a.rs`: `one`, `two`; `crates/x/src/y.rs`: `no_end_to_end`; `tests/b.rs`: `three` |\n\
            | A10 | Ten | `tests/a.rs`: `ten` |\n\
            | B1 | Other | `tests/a.rs`: `two` |\n";
        let found = super::tests(page, &["A1", "B1"]);
        let expected = [("a::one", vec!["A1"]), ("a::two", vec!["A1", "B1"]), ("b::three", vec!["A1"])];
        assert_eq!(found, expected.map(|(name, rows)| (name.to_owned(), rows)).into());
    }

    #[test]
    fn every_row_has_tests_on_the_page() {
        let page = page(&super::super::root()).unwrap();
        for row in ROWS {
            assert!(!super::tests(&page, &[row]).is_empty(), "{row}");
        }
    }

    #[test]
    fn what_left_itself_out_has_not_passed() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let printed =
            lines("running 3 tests\ntest a::one ... ok\ntest a::two ... FAILED\ntest a::three ... ok\n");
        let results = Results::read(&printed, &lines("skipped: a::three: there is no tool: none\nother\n"));
        assert_eq!((results.passed, &*results.failed), (1, &["a::two".to_owned()][..]));
        assert_eq!(results.skipped["a::three"], "there is no tool: none");
    }
}
