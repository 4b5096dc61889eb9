//! Calling cargo: its arguments and environment, and the messages that come back.

mod relay;

use crate::cli::MessageFormat;
use crate::context::CONTEXT_VARIABLE;
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::recording::{RECORD_VARIABLE, Start};
use crate::terminal;
use cargo_metadata::Message;
pub use relay::{Relay, Said};
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// A shared library that cargo made.
#[derive(Debug, Clone)]
pub struct Made {
    /// The package.
    pub name: String,
    /// The crate.
    pub crate_name: String,
    /// The version.
    pub version: String,
    /// Where it lies.
    pub file: PathBuf,
}

/// A call of cargo that compiles.
pub struct Cargo {
    command: Command,
    rustflags: Vec<String>,
    /// What stands after `--`.
    last: Vec<OsString>,
    relay: Relay,
}

impl Cargo {
    /// Begins a call of `cargo <command>` with these flags for rustc. What it says goes through the relay.
    pub fn new(command: &str, rustflags: Vec<String>, relay: Relay) -> Self {
        let name = command;
        let mut command = crate::environment::cargo();
        command.arg(name);
        // Without it cargo gives libraries that are both kinds one file name whatever the flags, so that the builds
        // of two plugins would take turns in replacing each other.
        command.env("__CARGO_DEFAULT_LIB_METADATA", "dynplug");
        Cargo { command, rustflags, last: Vec::new(), relay }
    }

    /// Adds an argument.
    pub fn word(&mut self, word: impl AsRef<OsStr>) -> &mut Self {
        self.command.arg(word);
        self
    }

    /// Adds arguments.
    pub fn words(&mut self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Self {
        self.command.args(words);
        self
    }

    /// Adds arguments that aren't cargo's own.
    pub fn last(&mut self, words: &[OsString]) {
        self.last.extend_from_slice(words);
    }

    /// Adds a flag for rustc. cargo keeps the outcome of different flags apart.
    pub fn rustflag(&mut self, flag: String) {
        self.rustflags.push(flag);
    }

    /// Sets environment variables.
    pub fn variables(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        self.command.envs(variables);
    }

    /// The names of the environment variables that are set or taken away for every call.
    pub fn variables_set() -> impl Iterator<Item = String> {
        let names = ["RUSTC_WRAPPER", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "__CARGO_DEFAULT_LIB_METADATA"];
        names.into_iter().chain(relay::VARIABLES).map(str::to_owned)
    }

    /// Lets cargo call this program in place of rustc.
    pub fn wrapper(&mut self, program: &Path, context: &Path) {
        self.command.env("RUSTC_WRAPPER", program).env(CONTEXT_VARIABLE, context);
    }

    /// Runs it with this program's own input and output, since it may start a browser that stays. Returns its exit code.
    ///
    /// # Errors
    /// When cargo can't be run.
    pub fn run_before_the_user(mut self, format: MessageFormat) -> Result<i32> {
        let format = (format == MessageFormat::Json).then_some("--message-format=json");
        self.complete(format);
        Ok(self.command.status().doing("run cargo")?.code().unwrap_or(101))
    }

    /// Runs it with this program's own input and output. What it says of how it goes is said with that of other calls. Returns its
    /// exit code.
    ///
    /// # Errors
    /// When cargo can't be run.
    pub fn run_and_show(mut self, format: MessageFormat) -> Result<i32> {
        let format = (format == MessageFormat::Json).then_some("--message-format=json");
        self.complete(format);
        self.relay.prepare(&mut self.command);
        let mut child = self.command.spawn().doing("run cargo")?;
        if let Some(stderr) = child.stderr.take() {
            self.relay.pass_on(stderr);
        }
        Ok(child.wait().doing("wait for cargo")?.code().unwrap_or(101))
    }

    /// Runs it. `each` sees every message.
    ///
    /// # Errors
    /// When cargo can't be run, or fails; it has said why.
    pub fn run(self, format: MessageFormat, mut each: impl FnMut(Message)) -> Result<()> {
        let status = self.call(format, |line| {
            if let Ok(message) = serde_json::from_str::<Message>(line) {
                each(message);
            }
            false
        })?;
        if status.success() {
            return Ok(());
        }
        Err(Diagnostic { exit: 1, ..Diagnostic::error(FAILED, "cargo build failed") }.into())
    }

    /// Runs `cargo test` with those around tests who tell what they would start. `each` sees every message, and `start` what
    /// is to be started, in cargo's order. Returns cargo's exit code.
    ///
    /// # Errors
    /// When cargo can't be run.
    pub fn record(
        mut self,
        format: MessageFormat,
        mut each: impl FnMut(Message),
        mut start: impl FnMut(Start),
    ) -> Result<i32> {
        self.command.env(RECORD_VARIABLE, "1");
        let status = self.call(format, |line| match Start::told(line) {
            Some(told) => {
                start(told);
                true
            }
            None => {
                if let Ok(message) = serde_json::from_str::<Message>(line) {
                    each(message);
                }
                false
            }
        })?;
        Ok(status.code().unwrap_or(101))
    }

    /// Adds what is known only now, and what stands at the end.
    fn complete(&mut self, format: Option<&str>) {
        self.command.env("CARGO_ENCODED_RUSTFLAGS", self.rustflags.join("\u{1f}")).env_remove("RUSTFLAGS");
        self.command.args(format);
        if !self.last.is_empty() {
            self.command.arg("--").args(&self.last);
        }
    }

    /// Runs it. `take` sees every line of its standard output and says whether it is for this program alone.
    fn call(mut self, format: MessageFormat, mut take: impl FnMut(&str) -> bool) -> Result<ExitStatus> {
        self.complete(Some(match format {
            MessageFormat::Human => "--message-format=json-render-diagnostics",
            MessageFormat::Json => "--message-format=json",
        }));
        self.command.stdin(Stdio::null()).stdout(Stdio::piped());
        self.relay.prepare(&mut self.command);
        let mut child = self.command.spawn().doing("run cargo")?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        std::thread::scope(|scope| {
            let relay = self.relay;
            if let Some(stderr) = stderr {
                scope.spawn(move || relay.pass_on(stderr));
            }
            for line in stdout.into_iter().flat_map(|out| BufReader::new(out).lines()) {
                let line = line.doing("read what cargo says")?;
                if !take(&line) && format == MessageFormat::Json {
                    terminal::print_line(&line);
                }
            }
            Ok(())
        })
        .and_then(|()| child.wait().doing("wait for cargo"))
    }
}

/// The code of the error after which nothing more need be said: cargo has said it.
pub const FAILED: &str = "cargo-failed";
