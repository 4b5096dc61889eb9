//! cargo's standard error on its way to ours. A build calls cargo several times, and people are to see one: what is compiled is
//! said once, what was only looked up in an SDK isn't, and the end is told at the end. cargo sees a pipe, so it is told what our
//! terminal can.

use crate::settings::Settled;
use crate::terminal;
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The environment variables by which cargo is told.
pub(super) const VARIABLES: [&str; 3] = [COLOUR, PROGRESS, WIDTH];
const COLOUR: &str = "CARGO_TERM_COLOR";
const PROGRESS: &str = "CARGO_TERM_PROGRESS_WHEN";
const WIDTH: &str = "CARGO_TERM_PROGRESS_WIDTH";

/// What all calls of cargo in one build have said.
#[derive(Debug, Clone)]
pub struct Said {
    state: Arc<Mutex<State>>,
    settled: Settled,
}

#[derive(Debug)]
struct State {
    begun: Instant,
    /// Lines and warnings that aren't said twice.
    once: HashSet<String>,
    /// What cargo calls that which is finished.
    finished: Option<String>,
}

impl Said {
    /// Nothing yet. What cargo's configuration settles is left to cargo.
    pub fn nothing(settled: Settled) -> Said {
        let state = State { begun: Instant::now(), once: HashSet::new(), finished: None };
        Said { state: Arc::new(Mutex::new(state)), settled }
    }

    /// Says that all is compiled, if cargo has said it of its parts.
    pub fn finish(&self) {
        let mut state = self.state();
        if let Some(what) = state.finished.take() {
            terminal::status("Finished", &in_all(&what, state.begun.elapsed()));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// cargo's words on what is finished, with the time of all calls in place of that of the last.
fn in_all(what: &str, time: Duration) -> String {
    let Some((what, _)) = what.rsplit_once(" in ") else { return what.to_owned() };
    let seconds = time.as_secs();
    match seconds / 60 {
        0 => format!("{what} in {:.2}s", time.as_secs_f64()),
        minutes => format!("{what} in {minutes}m {:02}s", seconds % 60),
    }
}

/// One call of cargo, whose lines are passed on or not.
#[derive(Debug, Clone)]
pub struct Relay {
    said: Said,
    /// Those that are compiled, as cargo calls them: name and version. All of them, if it isn't known.
    compiled: Option<HashSet<String>>,
    /// Whether cargo has compiled everything, and goes on to tests that are run later.
    is_through: bool,
    /// A warning whose end isn't there yet.
    warning: Vec<u8>,
}

impl Relay {
    /// For a call that belongs to a build. Of packages the SDK has most; `compiled` are the others, if there is an SDK.
    pub fn new(said: &Said, compiled: Option<HashSet<String>>) -> Relay {
        Relay { said: said.clone(), compiled, is_through: false, warning: Vec::new() }
    }

    /// Lets cargo print here.
    pub(super) fn prepare(&self, command: &mut Command) {
        command.stderr(Stdio::piped());
        self.tell(command, terminal::is_coloured(), terminal::columns());
    }

    fn tell(&self, command: &mut Command, is_coloured: bool, columns: Option<u16>) {
        let Settled { colour, progress } = self.said.settled;
        if !colour {
            command.env(COLOUR, if is_coloured { "always" } else { "never" });
        }
        if let Some(columns) = columns.filter(|_| !progress) {
            command.env(PROGRESS, "always").env(WIDTH, columns.to_string());
        }
    }

    /// Passes on what there is, to its end.
    pub(super) fn pass_on(self, from: impl Read) {
        self.pass_on_to(from, &mut terminal::say_as_it_is);
    }

    fn pass_on_to(mut self, from: impl Read, to: &mut impl FnMut(&[u8])) {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while let Ok(more) = read_line(&mut from, &mut line) {
            self.take(&line, to);
            line.clear();
            if !more {
                break;
            }
        }
        self.end_warning(to);
    }

    fn take(&mut self, line: &[u8], to: &mut impl FnMut(&[u8])) {
        let plain = plain(line);
        // Progress is overwritten by what follows it.
        let is_whole = plain.ends_with('\n');
        let begins = plain.starts_with("warning: ");
        let verb = verb(&plain);
        if begins || verb.is_some() || plain.starts_with("error") {
            self.end_warning(to);
        }
        if is_whole && (begins || !self.warning.is_empty()) {
            self.warning.extend_from_slice(line);
            if plain.trim().is_empty() {
                self.end_warning(to);
            }
        } else if !is_whole || !verb.is_some_and(|(verb, what)| self.hides(verb, what)) {
            to(line);
        }
    }

    fn hides(&mut self, verb: &str, what: &str) -> bool {
        match verb {
            "Compiling" | "Fresh" | "Dirty" => {
                let mut words = what.split(' ');
                let package = [words.next(), words.next()].map(Option::unwrap_or_default).join(" ");
                let is_stub =
                    self.compiled.as_ref().is_some_and(|all| !all.contains(package.trim_end_matches(':')));
                is_stub || !self.said.state().once.insert(format!("{verb} {what}"))
            }
            "Finished" => {
                self.is_through = true;
                self.said.state().finished = Some(what.to_owned());
                true
            }
            "Running" | "Doc-tests" => self.is_through,
            _ => false,
        }
    }

    /// Shows a warning that is there, if it wasn't shown before.
    fn end_warning(&mut self, to: &mut impl FnMut(&[u8])) {
        let warning = std::mem::take(&mut self.warning);
        if !warning.is_empty() && self.said.state().once.insert(plain(&warning)) {
            to(&warning);
        }
    }
}

fn plain(bytes: &[u8]) -> String {
    anstream::adapter::strip_str(&String::from_utf8_lossy(bytes)).to_string()
}

/// What cargo does, and with what: the word at the beginning of a line that ends in the twelfth column, and the rest.
fn verb(line: &str) -> Option<(&str, &str)> {
    let (word, rest) = line.split_at_checked(12)?;
    let word = word.trim_start();
    let is_verb =
        word.starts_with(char::is_uppercase) && word.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
    is_verb.then_some((word, rest.strip_prefix(' ')?.trim_end()))
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

    fn shown(relay: Relay, text: &str) -> String {
        let mut shown = Vec::new();
        relay.pass_on_to(text.as_bytes(), &mut |bytes| shown.extend_from_slice(bytes));
        String::from_utf8(shown).unwrap()
    }

    #[test]
    fn what_cargo_believes_to_run_is_not_shown() {
        let compiled = "   Compiling a v1.0.0 (/a)\n     Running `rustc --crate-name a`\n   Running\n";
        let finished = "\u{1b}[1m\u{1b}[92m    Finished\u{1b}[0m `test` profile\n";
        let run = "\u{1b}[1m\u{1b}[92m     Running\u{1b}[0m unittests src/lib.rs (x)\n   Doc-tests a\nerror: none\n";
        let all = format!("{compiled}    Building [=>  ] 1/2: a\r{finished}{run}no end");
        let left = format!("{compiled}    Building [=>  ] 1/2: a\rerror: none\nno end");
        assert_eq!(shown(Relay::new(&Said::nothing(Settled::default()), None), &all), left);
    }

    #[test]
    fn what_the_sdk_has_is_not_said_to_be_compiled_and_nothing_is_said_twice() {
        let said = Said::nothing(Settled::default());
        let first =
            "   Compiling libc v0.2.1\nwarning: unused\n --> a.rs\n  |\n\nwarning: `a` generated 1 warning\n";
        assert_eq!(shown(Relay::new(&said, None), first), first);
        let compiled = HashSet::from(["hello v0.1.0".to_owned()]);
        let second = format!(
            "   Compiling libc v0.2.1\n   Compiling syn v3.0.0\n   Compiling hello v0.1.0 (/a b)\n{first}"
        );
        let relay = Relay::new(&said, Some(compiled));
        assert_eq!(shown(relay.clone(), &second), "   Compiling hello v0.1.0 (/a b)\n");
        assert_eq!(
            shown(relay, "warning: unused\n --> b.rs\nerror: x\n"),
            "warning: unused\n --> b.rs\nerror: x\n"
        );
    }

    #[test]
    fn the_time_is_that_of_the_whole_build() {
        let what = "`dev` profile [unoptimized + debuginfo] target(s) in 0.20s";
        let of = |time| in_all(what, time).rsplit_once(" in ").unwrap().1.to_owned();
        assert_eq!(of(Duration::from_millis(1234)), "1.23s");
        assert_eq!(of(Duration::from_secs(61)), "1m 01s");
        assert_eq!(in_all("something", Duration::ZERO), "something");
    }

    #[test]
    fn cargo_is_told_what_the_terminal_can_but_for_what_its_configuration_settles() {
        let told = |settled, columns| {
            let mut command = Command::new("cargo");
            Relay::new(&Said::nothing(settled), None).tell(&mut command, true, columns);
            let set =
                command.get_envs().map(|(name, value)| format!("{name:?}={:?}", value.unwrap_or_default()));
            set.collect::<Vec<_>>().join(" ").replace('"', "")
        };
        let none = Settled::default();
        assert_eq!(told(none, None), "CARGO_TERM_COLOR=always");
        let all = "CARGO_TERM_COLOR=always CARGO_TERM_PROGRESS_WHEN=always CARGO_TERM_PROGRESS_WIDTH=80";
        assert_eq!(told(none, Some(80)), all);
        assert_eq!(told(Settled { colour: true, ..none }, None), "");
        assert_eq!(told(Settled { progress: true, ..none }, Some(80)), "CARGO_TERM_COLOR=always");
    }

    #[test]
    fn verbs_end_in_the_twelfth_column() {
        assert_eq!(verb("   Compiling a\n"), Some(("Compiling", "a")));
        assert_eq!(verb("   Doc-tests a b"), Some(("Doc-tests", "a b")));
        assert_eq!(verb("warning: unused variable"), None);
        assert_eq!(verb("  --> src/ä.rs:1"), None);
        assert_eq!(verb("short"), None);
    }
}
