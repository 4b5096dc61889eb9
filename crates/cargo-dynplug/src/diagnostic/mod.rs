//! What the tool says when something is wrong: one shape for the command line, for the rustc wrapper
//! (which speaks through cargo) and for the linker (which speaks through rustc).

mod render;
mod span;

use crate::cli::MessageFormat;
use serde::{Deserialize, Serialize};
pub use span::{Span, value};
use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The build goes on.
    Note,
    /// The build goes on, and the outcome is probably not what was meant.
    Warning,
    /// The build ends.
    Error,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// One thing to say: what is the matter, where, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub level: Level,
    /// A short stable name, for programs and for looking it up.
    pub code: String,
    /// The matter in one sentence, lower case.
    pub message: String,
    /// Facts: where, have, want.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What to do next.
    #[serde(default)]
    pub help: Vec<String>,
    /// The places in source files that it is about.
    #[serde(default)]
    pub spans: Vec<Span>,
    /// The exit code it leads to: 1 when the build failed, 2 when the request can't be carried out as it stands.
    #[serde(default = "one")]
    pub exit: u8,
}

fn one() -> u8 {
    1
}

impl Diagnostic {
    /// An error with the code `code`.
    pub fn error(code: &str, message: impl Into<String>) -> Self {
        Self::new(Level::Error, code, message)
    }

    /// A warning with the code `code`.
    pub fn warning(code: &str, message: impl Into<String>) -> Self {
        Self::new(Level::Warning, code, message)
    }

    /// A note with the code `code`.
    pub fn note_only(code: &str, message: impl Into<String>) -> Self {
        Self::new(Level::Note, code, message)
    }

    fn new(level: Level, code: &str, message: impl Into<String>) -> Self {
        Diagnostic {
            level,
            code: code.to_owned(),
            message: message.into(),
            notes: Vec::new(),
            help: Vec::new(),
            spans: Vec::new(),
            exit: 1,
        }
    }

    /// Adds a fact.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds something to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds a place in a source file, where there is one.
    pub fn span(mut self, span: Option<Span>) -> Self {
        self.spans.extend(span);
        self
    }

    /// Adds what may have been meant, where something is near enough to what was written.
    pub fn did_you_mean<'a>(self, written: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(written, names) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// The text with colours, for a terminal.
    pub fn coloured(&self) -> String {
        render::text(self, true)
    }

    /// Says that the request itself was at fault (exit code 2).
    pub fn usage(mut self) -> Self {
        self.exit = 2;
        self
    }

    /// Prints it: to people, or to programs.
    pub fn print(&self, format: MessageFormat) {
        match format {
            MessageFormat::Human => crate::terminal::diagnostic(self),
            MessageFormat::Json => crate::terminal::print_line(&self.to_message().to_string()),
        }
    }

    /// As a line of rustc's own JSON, which cargo shows like any diagnostic of the compiler. `colours` is whether cargo has
    /// asked for them; it takes them out again where it shows none.
    pub fn to_rustc_json(&self, colours: bool) -> String {
        let child = |level: &str, text: &String| serde_json::json!({ "message": text, "code": null, "level": level, "spans": [], "children": [], "rendered": null });
        let children: Vec<_> = (self.notes.iter().map(|n| child("note", n)))
            .chain(self.help.iter().map(|h| child("help", h)))
            .collect();
        serde_json::json!({
            "$message_type": "diagnostic",
            "message": self.message,
            "code": { "code": format!("dynplug::{}", self.code), "explanation": null },
            "level": self.level.word(),
            "spans": self.spans,
            "children": children,
            "rendered": format!("{}\n", render::text(self, colours)),
        })
        .to_string()
    }

    /// As a line of `--message-format json`.
    pub fn to_message(&self) -> serde_json::Value {
        serde_json::json!({
            "reason": "dynplug-diagnostic",
            "level": self.level.word(),
            "code": self.code,
            "message": self.message,
            "notes": self.notes,
            "help": self.help,
            "spans": self.spans,
        })
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render::text(self, false))
    }
}

impl std::error::Error for Diagnostic {}

/// The name among `names` that is near enough to `written` to have been meant.
pub fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let others = names.into_iter().filter(|name| *name != written);
    let scored = others.map(|name| (name, strsim::jaro_winkler(written, name)));
    let best = scored.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    (best.1 > 0.7).then_some(best.0)
}

/// The result of whatever can end in a [`Diagnostic`].
pub type Result<T, E = Box<Diagnostic>> = std::result::Result<T, E>;

/// Turns a failure of the system into a diagnostic that says what was being done, and with what.
pub trait Doing<T> {
    /// `what` completes "could not …", for example "read the manifest".
    fn doing(self, what: impl fmt::Display) -> Result<T>;
}

impl<T, E: fmt::Display> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|e| {
            Box::new(Diagnostic::error("system", format!("could not {what}")).note(e.to_string()))
        })
    }
}
