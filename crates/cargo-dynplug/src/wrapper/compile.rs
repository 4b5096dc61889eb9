//! Running rustc: with the user's own wrapper where there is one, and with what our linker had to say in place of
//! rustc's account of a failed linker.

use super::invocation::Invocation;
use super::naming::Naming;
use crate::context::{Context, LINK_VARIABLE, REPORT_VARIABLE};
use crate::diagnostic::{Diagnostic, Doing, Level, Result, Span};
use crate::linker::Link;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// A compilation about to run.
pub(super) struct Compilation {
    pub(super) call: Invocation,
    /// What is linked, where it is a product of ours.
    pub(super) link: Option<Link>,
    /// Names that cargo wants for what is made.
    pub(super) naming: Option<Naming>,
    /// Environment variables for rustc and the proc macros in it.
    pub(super) environment: Vec<(OsString, OsString)>,
}

impl Compilation {
    /// Runs it and returns rustc's exit code.
    pub(super) fn run(self, context: &Context) -> Result<i32> {
        let mut command = command(&self.call, context);
        command.envs(self.environment.iter().map(|(k, v)| (k, v)));
        let report = context.reports.join(format!("{}.json", std::process::id()));
        let _ = std::fs::remove_file(&report);
        match &self.link {
            Some(link) => {
                let json = serde_json::to_string(link).doing("describe what is linked")?;
                command.env(LINK_VARIABLE, json).env(REPORT_VARIABLE, &report);
            }
            // Crates that are linked without a word from us (a build tool in the workspace, say) are linked as ever.
            None => {
                command.env_remove(LINK_VARIABLE);
            }
        }
        if self.link.is_none() && self.naming.is_none() {
            return status(command);
        }
        command.stderr(Stdio::piped());
        let mut child =
            command.spawn().doing(format_args!("run {}", command.get_program().to_string_lossy()))?;
        if let Some(stderr) = child.stderr.take() {
            self.relay(BufReader::new(stderr), &report, context)?;
        }
        let status = child.wait().doing("wait for rustc")?;
        for warning in read_report(&report).into_iter().filter(|d| d.level != Level::Error) {
            eprintln!("{}", warning.to_rustc_json(self.call.wants_colours()));
        }
        let _ = std::fs::remove_file(&report);
        if let (true, Some(naming)) = (status.success(), &self.naming) {
            naming.publish()?;
        }
        Ok(status.code().unwrap_or(101))
    }

    /// Passes rustc's messages on, line by line as they come, since cargo starts the next crates on what it reads there.
    fn relay(&self, lines: impl BufRead, report: &Path, context: &Context) -> Result<()> {
        let mut stderr = std::io::stderr().lock();
        for line in lines.split(b'\n') {
            let Ok(line) = line else { break };
            let text = with_own_paths(String::from_utf8_lossy(&line).into_owned(), context);
            if let Some(naming) = self.naming.as_ref().filter(|n| n.announces(&text)) {
                naming.publish()?;
            }
            let mut said = vec![text];
            if said[0].contains("\"linking with ") {
                let errors: Vec<_> =
                    read_report(report).into_iter().filter(|d| d.level == Level::Error).collect();
                if !errors.is_empty() {
                    said = errors.iter().map(|e| e.to_rustc_json(self.call.wants_colours())).collect();
                }
            } else if said[0].contains("conflicts with global allocator in") {
                said.push(second_allocator().to_rustc_json(self.call.wants_colours()));
            }
            for line in said {
                // cargo has gone when this fails, and with it whoever would read.
                let _ = writeln!(stderr, "{line}");
            }
        }
        Ok(())
    }
}

/// Runs a call that is none of ours.
pub(super) fn hand_through(call: &Invocation, context: &Context) -> Result<i32> {
    status(command(call, context))
}

fn status(mut command: Command) -> Result<i32> {
    let name = command.get_program().to_string_lossy().into_owned();
    Ok(command.status().doing(format_args!("run {name}"))?.code().unwrap_or(101))
}

fn command(call: &Invocation, context: &Context) -> Command {
    let mut words = call.program.iter();
    let mut command = match &context.user_wrapper {
        Some(wrapper) => {
            let mut command = Command::new(wrapper);
            command.args(words.by_ref());
            command
        }
        None => Command::new(words.next().cloned().unwrap_or_else(|| "rustc".into())),
    };
    command.args(words).args(call.arguments());
    command
}

fn read_report(path: &Path) -> Vec<Diagnostic> {
    let bytes = std::fs::read(path).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// A message with the paths of this machine in place of those that are compiled in: people and editors open them.
fn with_own_paths(text: String, context: &Context) -> String {
    if !text.contains("/dynplug/") {
        return text;
    }
    let own = context.remap.iter().filter(|(_, to)| to.starts_with("/dynplug/"));
    own.fold(text, |text, (from, to)| {
        let quoted = serde_json::to_string(from).unwrap_or_default();
        text.replace(&format!("{to}/"), &format!("{}/", quoted.trim_matches('"')))
    })
}

fn second_allocator() -> Diagnostic {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    Diagnostic::error("second-allocator", "one process has one allocator, and the API library has it")
        .span(Span::of_text(Path::new(&folder), "#[global_allocator]"))
        .help("put the `#[global_allocator]` into the API crate: there it serves the host and every plugin")
}
