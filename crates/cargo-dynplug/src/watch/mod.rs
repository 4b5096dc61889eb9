//! `cargo dynplug watch`: build, run the host, and do both again when a source changes.

mod arguments;
mod notice;
mod process;
mod selected;
mod sources;

use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::outcome::{Host, Outcome};
use crate::terminal::{self, line};
pub use arguments::WatchArguments;
use notice::Notices;
use process::Kept;
pub use process::{KEEPER, main as keep};
use selected::Selected;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sources::Seen;
use std::collections::VecDeque;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant, SystemTime};

/// The environment variable with the file in which a build notes what it made.
const NOTE_VARIABLE: &str = "DYNPLUG_NOTE";

/// What happens.
enum Event {
    /// Somebody may have changed a file.
    MayHaveChanged,
    /// What was started under this number has ended.
    Ended(u64, ExitStatus),
    /// A signal that means the end.
    Signal(i32),
}

/// What a build made, as it notes it.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note {
    folder: PathBuf,
    hosts: Vec<Host>,
    /// Every product, with what tells it from an earlier one.
    files: Vec<(PathBuf, Option<SystemTime>, u64)>,
}

/// Writes down what was built, where a watch has asked for it.
///
/// # Errors
/// When it can't be written.
pub(crate) fn note(outcome: &Outcome) -> Result<()> {
    let Some(place) = std::env::var_os(NOTE_VARIABLE) else { return Ok(()) };
    let files = outcome.files().into_iter().map(|file| {
        let metadata = file.metadata().ok();
        let modified = metadata.as_ref().and_then(|m| m.modified().ok());
        (file, modified, metadata.map_or(0, |m| m.len()))
    });
    let note = Note { folder: outcome.folder.clone(), hosts: outcome.hosts.clone(), files: files.collect() };
    let json = serde_json::to_vec(&note).doing("note what was built")?;
    crate::files::write_whole(Path::new(&place), &json)
}

/// Runs until a signal ends it. Returns the exit code.
///
/// # Errors
/// When the workspace can't be read at the beginning, or files can't be watched.
pub(crate) fn run(arguments: &WatchArguments) -> Result<i32> {
    let (sender, events) = channel();
    notice::signals(sender.clone())?;
    let selected = Selected::read(arguments)?;
    let notices = Notices::new(sender.clone(), arguments.poll)?;
    let place = tempfile::tempdir().doing("make a folder for notes")?;
    let mut watch = Watch {
        arguments,
        selected,
        notices,
        note: place.path().join("outcome.json"),
        sender,
        events,
        waiting: VecDeque::new(),
        numbers: 0,
        seen: Seen::default(),
        build: None,
        host: None,
        runs: Vec::new(),
    };
    let signal = watch.begin().and_then(|()| watch.go());
    // Nothing is left, whatever it was that ended the watch.
    watch.stop_build();
    watch.stop_host();
    // As shells have it for programs that a signal ended.
    signal.map(|signal| 128 + signal)
}

struct Watch<'a> {
    arguments: &'a WatchArguments,
    selected: Selected,
    notices: Notices,
    note: PathBuf,
    sender: Sender<Event>,
    events: Receiver<Event>,
    /// What came while something else was waited for.
    waiting: VecDeque<Event>,
    /// How many programs were started.
    numbers: u64,
    /// The sources as they were when the last build began.
    seen: Seen,
    build: Option<Kept>,
    host: Option<Kept>,
    /// The products that run.
    runs: Vec<(PathBuf, Option<SystemTime>, u64)>,
}

impl Watch<'_> {
    fn begin(&mut self) -> Result<()> {
        let seen = self.selected.sources.look();
        self.notices.follow(seen.folders())?;
        let (files, packages) = (seen.len(), self.selected.sources.packages.len());
        self.tell("watching", json!({ "files": files, "packages": packages }), || {
            ("Watching", format!("{files} files of {packages} packages"))
        });
        self.start_build(seen, &[])
    }

    /// Returns the signal that ended it.
    fn go(&mut self) -> Result<i32> {
        loop {
            let next = self.waiting.pop_front().or_else(|| self.events.recv().ok());
            match next {
                Some(Event::Signal(signal)) => return Ok(signal),
                Some(Event::MayHaveChanged) => {
                    self.settle();
                    if self.build.is_none() {
                        self.build_if_changed()?;
                    }
                }
                Some(Event::Ended(number, status)) => self.ended(number, status)?,
                None => return Err(Diagnostic::error("watch", "nothing tells of changes any more").into()),
            }
        }
    }

    /// Waits until nothing has changed for a while: people save several files, and editors write one in several steps.
    fn settle(&mut self) {
        let delay = Duration::from_millis(self.arguments.delay);
        let end = Instant::now() + 10 * delay;
        while Instant::now() < end {
            match self.events.recv_timeout(delay) {
                Ok(Event::MayHaveChanged) => {}
                Ok(other) => self.waiting.push_back(other),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
    }

    fn build_if_changed(&mut self) -> Result<()> {
        let seen = self.selected.sources.look();
        self.notices.follow(seen.folders())?;
        let changed = seen.changed_since(&self.seen);
        if changed.is_empty() {
            return Ok(());
        }
        // Packages come and go; what can't be read is said by the build.
        let is_manifest = |path: &PathBuf| path.extension().is_some_and(|e| e == "toml" || e == "lock");
        if changed.iter().any(is_manifest)
            && let Ok(selected) = Selected::read(self.arguments)
        {
            self.selected = selected;
            let seen = self.selected.sources.look();
            self.notices.follow(seen.folders())?;
            return self.start_build(seen, &changed);
        }
        self.start_build(seen, &changed)
    }

    fn start_build(&mut self, seen: Seen, changed: &[PathBuf]) -> Result<()> {
        self.seen = seen;
        if self.arguments.clear && self.is_for_people() && std::io::stderr().is_terminal() {
            terminal::say("\x1b[2J\x1b[H");
        }
        self.tell("building", json!({ "changed": changed }), || match changed {
            [] => ("Building", String::new()),
            [one] => ("Changed", one.display().to_string()),
            [one, others @ ..] => ("Changed", format!("{} and {} more", one.display(), others.len())),
        });
        let mut command = Command::new(std::env::current_exe().doing("find this program")?);
        command.args(self.arguments.build.words(&self.selected.packages));
        command.env(NOTE_VARIABLE, &self.note);
        // What an earlier build noted is no word of this one.
        let _ = std::fs::remove_file(&self.note);
        self.build = Some(self.start(&command)?);
        Ok(())
    }

    fn start(&mut self, command: &Command) -> Result<Kept> {
        self.numbers += 1;
        let (number, sender) = (self.numbers, self.sender.clone());
        Kept::start(command, Duration::from_secs(self.arguments.grace), number, move |status| {
            // The watch may be at its end.
            let _ = sender.send(Event::Ended(number, status));
        })
    }

    fn ended(&mut self, number: u64, status: ExitStatus) -> Result<()> {
        if self.build.as_ref().is_some_and(|build| build.number == number) {
            self.build = None;
            if status.success() {
                self.built()?;
            } else {
                let goes_on = self.host.is_some();
                self.tell("failed", json!({ "code": status.code(), "host_goes_on": goes_on }), || {
                    let host = if goes_on { "; the host goes on as it was built before" } else { "" };
                    ("Failed", format!("waiting for a change{host}"))
                });
            }
            // What changed meanwhile may not be in it.
            return self.build_if_changed();
        }
        if self.host.as_ref().is_some_and(|host| host.number == number) {
            self.host = None;
            self.tell_stopped(status, false);
        }
        Ok(())
    }

    fn built(&mut self) -> Result<()> {
        let bytes = std::fs::read(&self.note).unwrap_or_default();
        let note: Note = serde_json::from_slice(&bytes).unwrap_or_default();
        let changed = note.files.is_empty() || note.files != self.runs;
        self.tell("built", json!({ "differs": changed, "folder": note.folder }), || match changed {
            true => ("Built", note.folder.display().to_string()),
            false => ("Built", "nothing is another".to_owned()),
        });
        if self.arguments.no_run || (!changed && self.host.is_some()) {
            self.runs = note.files;
            return Ok(());
        }
        let command = match (&self.arguments.exec, &self.selected.host) {
            (Some(line), _) => Some((shell(line), line.clone())),
            (None, Some(settings)) => {
                let outcome = Outcome::of_hosts(note.folder.clone(), note.hosts.clone());
                let file = outcome.the_host(self.arguments.bin.as_deref())?;
                let mut command = settings.program(&file);
                command.args(&self.arguments.arguments);
                Some((command, file.display().to_string()))
            }
            (None, None) => None,
        };
        self.runs = note.files;
        let Some((mut command, name)) = command else { return Ok(()) };
        self.stop_host();
        crate::environment::clean(&mut command);
        command.env("DYNPLUG_PLUGINS", note.folder.join("plugins"));
        self.tell("started", json!({ "program": name }), || ("Running", name.clone()));
        self.host = Some(self.start(&command)?);
        Ok(())
    }

    fn stop_host(&mut self) {
        if let Some(host) = self.host.take()
            && let Some(status) = self.wait_for(host)
        {
            self.tell_stopped(status, true);
        }
    }

    fn stop_build(&mut self) {
        if let Some(build) = self.build.take() {
            self.wait_for(build);
        }
    }

    /// Ends a program, and waits until it has ended.
    fn wait_for(&mut self, mut program: Kept) -> Option<ExitStatus> {
        program.end();
        let is_it = |event: &Event| matches!(event, Event::Ended(number, _) if *number == program.number);
        loop {
            if let Some(at) = self.waiting.iter().position(is_it)
                && let Some(Event::Ended(_, status)) = self.waiting.remove(at)
            {
                return Some(status);
            }
            match self.events.recv() {
                Ok(event) => self.waiting.push_back(event),
                Err(_) => return None,
            }
        }
    }

    fn tell_stopped(&self, status: ExitStatus, asked: bool) {
        let facts = json!({ "code": status.code(), "signal": signal(status), "asked": asked });
        self.tell("stopped", facts, || match asked {
            true => ("Stopped", "the host".to_owned()),
            false => ("Ended", format!("by itself ({status}), waiting for a change")),
        });
    }

    fn is_for_people(&self) -> bool {
        !self.arguments.build.messages.json()
    }

    /// Says what happens, to people or programs.
    fn tell(&self, event: &str, facts: serde_json::Value, line: impl FnOnce() -> (&'static str, String)) {
        if self.is_for_people() {
            if !self.arguments.build.messages.quiet {
                let (verb, what) = line();
                terminal::status(verb, &what);
            }
            return;
        }
        let mut message = json!({ "reason": "dynplug-watch", "event": event });
        if let (Some(message), serde_json::Value::Object(facts)) = (message.as_object_mut(), facts) {
            message.extend(facts);
        }
        line!("{message}");
    }
}

#[cfg(unix)]
fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    command
}

#[cfg(not(unix))]
fn shell(line: &str) -> Command {
    let mut command = Command::new("cmd");
    command.args(["/C", line]);
    command
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_status: ExitStatus) -> Option<i32> {
    None
}
