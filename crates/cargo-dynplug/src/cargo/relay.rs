//! cargo's standard error on its way to ours: line by line, without those that aren't true here. cargo sees a pipe, so it is
//! told what our terminal can.

use crate::terminal;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

/// The environment variables by which cargo is told.
pub(super) const VARIABLES: [&str; 3] = [COLOUR, PROGRESS, WIDTH];
const COLOUR: &str = "CARGO_TERM_COLOR";
const PROGRESS: &str = "CARGO_TERM_PROGRESS_WHEN";
const WIDTH: &str = "CARGO_TERM_PROGRESS_WIDTH";

/// Which lines are passed on.
pub(super) struct Relay {
    /// Whether cargo has compiled everything, and goes on to tests.
    compiled: bool,
}

impl Relay {
    /// For tests that aren't run yet: cargo only believes so.
    pub(super) fn of_tests() -> Relay {
        Relay { compiled: false }
    }

    /// Lets cargo print here.
    pub(super) fn prepare(&self, command: &mut Command) {
        command.stderr(Stdio::piped());
        let colour = if terminal::is_coloured() { "always" } else { "never" };
        command.env(COLOUR, colour);
        if let Some(columns) = terminal::columns() {
            command.env(PROGRESS, "always").env(WIDTH, columns.to_string());
        }
    }

    /// Passes on what there is, to its end.
    pub(super) fn pass_on(mut self, from: impl Read) {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while let Ok(more) = read_line(&mut from, &mut line) {
            if !self.hides(&line) {
                terminal::say_as_it_is(&line);
            }
            line.clear();
            if !more {
                break;
            }
        }
    }

    fn hides(&mut self, line: &[u8]) -> bool {
        let text = String::from_utf8_lossy(line);
        let plain = anstream::adapter::strip_str(&text).to_string();
        // Progress is overwritten by what follows it.
        if !plain.ends_with('\n') {
            return false;
        }
        match verb(&plain) {
            Some("Finished") => {
                self.compiled = true;
                false
            }
            Some("Running" | "Doc-tests") => self.compiled,
            _ => false,
        }
    }
}

/// The word that cargo puts at the beginning of a line on what it does: it ends in the twelfth column.
fn verb(line: &str) -> Option<&str> {
    let word = line.get(..12)?;
    (line[12..].starts_with(' ') && !word.ends_with(' ')).then(|| word.trim_start())
}

/// Reads to the end of a line, or of a line of progress. Says whether more may follow.
fn read_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    loop {
        let there = match from.fill_buf() {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            there => there?,
        };
        if there.is_empty() {
            return Ok(false);
        }
        let end = there.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let length = end.map_or(there.len(), |end| end + 1);
        line.extend_from_slice(&there[..length]);
        from.consume(length);
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let (mut relay, mut from, mut line) = (Relay::of_tests(), text.as_bytes(), Vec::new());
        let mut shown = String::new();
        while read_line(&mut from, &mut line).unwrap() || !line.is_empty() {
            if !relay.hides(&line) {
                shown += std::str::from_utf8(&line).unwrap();
            }
            line.clear();
        }
        shown
    }

    #[test]
    fn what_cargo_believes_to_run_is_not_shown() {
        let compiled =
            "   Compiling a v1.0.0 (/a)\n     Running `rustc --crate-name a`\nwarning: unused\n   Running\n";
        let finished = "\u{1b}[1m\u{1b}[92m    Finished\u{1b}[0m `test` profile\n";
        let run = "\u{1b}[1m\u{1b}[92m     Running\u{1b}[0m unittests src/lib.rs (x)\n   Doc-tests a\nerror: none\n";
        let all = format!("{compiled}    Building [=>  ] 1/2: a\r{finished}{run}no end");
        let left = format!("{compiled}    Building [=>  ] 1/2: a\r{finished}error: none\nno end");
        assert_eq!(shown(&all), left);
    }

    #[test]
    fn verbs_end_in_the_twelfth_column() {
        assert_eq!(verb("   Compiling a"), Some("Compiling"));
        assert_eq!(verb("   Doc-tests a"), Some("Doc-tests"));
        assert_eq!(verb("warning: unused variable"), None);
        assert_eq!(verb("  --> src/ä.rs:1"), None);
        assert_eq!(verb("short"), None);
    }
}
