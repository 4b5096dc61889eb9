//! Calling cargo: its arguments and environment, and the messages that come back.

use crate::cli::MessageFormat;
use crate::context::CONTEXT_VARIABLE;
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::terminal;
use cargo_metadata::Message;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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
}

impl Cargo {
    /// Begins a call of `cargo <command>` with these flags for rustc.
    pub fn new(command: &str, rustflags: Vec<String>) -> Self {
        let name = command;
        let mut command = crate::environment::cargo();
        command.arg(name);
        // Without it cargo gives libraries that are both kinds one file name whatever the flags, so that the builds
        // of two plugins would take turns in replacing each other.
        command.env("__CARGO_DEFAULT_LIB_METADATA", "dynplug");
        Cargo { command, rustflags }
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
        names.into_iter().map(str::to_owned)
    }

    /// Lets cargo call this program in place of rustc.
    pub fn wrapper(&mut self, program: &Path, context: &Path) {
        self.command.env("RUSTC_WRAPPER", program).env(CONTEXT_VARIABLE, context);
    }

    /// Runs it with this program's own input and output. Returns its exit code.
    ///
    /// # Errors
    /// When cargo can't be run.
    pub fn run_before_the_user(mut self) -> Result<i32> {
        self.command.env("CARGO_ENCODED_RUSTFLAGS", self.rustflags.join("\u{1f}")).env_remove("RUSTFLAGS");
        Ok(self.command.status().doing("run cargo")?.code().unwrap_or(101))
    }

    /// Runs it. `each` sees every message.
    ///
    /// # Errors
    /// When cargo can't be run, or fails; it has said why.
    pub fn run(mut self, format: MessageFormat, mut each: impl FnMut(Message)) -> Result<()> {
        self.command.env("CARGO_ENCODED_RUSTFLAGS", self.rustflags.join("\u{1f}")).env_remove("RUSTFLAGS");
        self.command.arg(match format {
            MessageFormat::Human => "--message-format=json-render-diagnostics",
            MessageFormat::Json => "--message-format=json",
        });
        self.command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = self.command.spawn().doing("run cargo")?;
        if let Some(stdout) = child.stdout.take() {
            for line in BufReader::new(stdout).lines() {
                let line = line.doing("read what cargo says")?;
                if format == MessageFormat::Json {
                    terminal::print_line(&line);
                }
                if let Ok(message) = serde_json::from_str::<Message>(&line) {
                    each(message);
                }
            }
        }
        let status = child.wait().doing("wait for cargo")?;
        if status.success() {
            return Ok(());
        }
        Err(Diagnostic { exit: 1, ..Diagnostic::error(FAILED, "cargo build failed") }.into())
    }
}

/// The code of the error after which nothing more need be said: cargo has said it.
pub const FAILED: &str = "cargo-failed";
