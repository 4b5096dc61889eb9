//! What the plugin tells `log` and `tracing` in a process of its own, on its way to the host's logger and subscriber.
//!
//! In the process a logger and a subscriber are there before the plugin is ([`logger`], [`subscriber`]). What is wanted is asked of a word of the
//! host's ([`Wanted`]), so what nobody takes is never written. The rest goes as [`Record`]s through a pipe, in the order in which it was told.
//! The host ([`host`]) believes nothing of it but that it came from this plugin.

#[cfg(feature = "log")]
mod logger;
#[cfg(feature = "tracing")]
mod subscriber;

mod host;

pub(super) use host::{Recipient, lines};

use dynplug_process::channel::Notice;
use dynplug_process::records::{LONGEST, Sender};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::fs::File;
use std::os::fd::OwnedFd;

/// A message's first byte: what it is about. Those that aren't known are of a later version, and left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Log = 1,
    Event = 2,
}

/// From the one that is always to be told, to the one that seldom is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Severity {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// What was told, after the kind. A later version may have more behind it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Record<'a> {
    severity: Severity,
    target: Cow<'a, str>,
    module: Option<Cow<'a, str>>,
    file: Option<Cow<'a, str>>,
    line: Option<u32>,
    message: Cow<'a, str>,
    fields: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The spans around it, from the outermost to the innermost.
    spans: Vec<Span<'a>>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Span<'a> {
    name: Cow<'a, str>,
    fields: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// What the host wants to be told of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    log: Option<Severity>,
    tracing: Option<Severity>,
    /// Whether the host has a subscriber of `tracing`'s. Without one the process has none either, and what `tracing` makes records of `log` then
    /// becomes such here too.
    has_subscriber: bool,
}

impl Wanted {
    fn to_word(self) -> u32 {
        let number = |severity: Option<Severity>| severity.map_or(0, |severity| severity as u32 + 1);
        number(self.log) | number(self.tracing) << 4 | u32::from(self.has_subscriber) << 8
    }

    fn from_word(word: u32) -> Wanted {
        let severity = |number: u32| match number & 0xf {
            0 => None,
            1 => Some(Severity::Error),
            2 => Some(Severity::Warn),
            3 => Some(Severity::Info),
            4 => Some(Severity::Debug),
            _ => Some(Severity::Trace),
        };
        Wanted { log: severity(word), tracing: severity(word >> 4), has_subscriber: word >> 8 & 1 != 0 }
    }
}

/// In the process: where records go.
#[derive(Debug)]
struct Outlet {
    sender: Sender,
    notice: Notice,
}

impl Outlet {
    fn wanted(&self) -> Wanted {
        Wanted::from_word(self.notice.get())
    }

    fn send(&self, kind: Kind, record: &Record<'_>) {
        // It is written to memory, and has room for whatever `Room` has left.
        if let Ok(message) = postcard::to_extend(record, vec![kind as u8]) {
            self.sender.send(&message);
        }
    }
}

/// In the process, before the plugin is opened: has `log` and `tracing` tell the host. Who sets a logger or subscriber later gets
/// the error that there is one.
pub(super) fn install(pipe: OwnedFd, notice: Notice) {
    let outlet: &'static Outlet =
        Box::leak(Box::new(Outlet { sender: Sender::new(File::from(pipe)), notice }));
    #[cfg(feature = "log")]
    logger::install(outlet);
    #[cfg(feature = "tracing")]
    if outlet.wanted().has_subscriber {
        subscriber::install(outlet);
    }
}

/// How much room a record has left, in bytes: what says too much is cut, and ends with `…`.
struct Room(usize);

impl Room {
    /// What one text has at most, but a message.
    const TEXT: usize = 2 << 10;
    const MESSAGE: usize = 24 << 10;
    /// Beside the texts of a field: their lengths.
    const ENTRY: usize = 16;

    fn new() -> Room {
        Room(LONGEST - (8 << 10))
    }

    fn message(&mut self, text: impl fmt::Display) -> String {
        self.text(Self::MESSAGE, text)
    }

    fn name(&mut self, text: impl fmt::Display) -> String {
        self.text(Self::TEXT, text)
    }

    fn text(&mut self, most: usize, text: impl fmt::Display) -> String {
        let mut cut = Cut { text: String::new(), most: most.min(self.0), is_cut: false };
        // It takes everything, and what a value's own code can't write is left out.
        let _ = write!(cut, "{text}");
        if cut.is_cut {
            cut.text.push('…');
        }
        self.0 = self.0.saturating_sub(cut.text.len() + Self::ENTRY);
        cut.text
    }

    fn field(
        &mut self,
        fields: &mut Vec<(Cow<'_, str>, Cow<'_, str>)>,
        name: &str,
        value: impl fmt::Display,
    ) {
        if self.0 > 0 {
            let name = self.name(name).into();
            fields.push((name, self.name(value).into()));
        }
    }
}

/// Takes so many bytes, and forgets what comes after.
struct Cut {
    text: String,
    most: usize,
    is_cut: bool,
}

impl fmt::Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.most.saturating_sub(self.text.len());
        let end = text.floor_char_boundary(room);
        if !self.is_cut {
            self.text.push_str(&text[..end]);
        }
        self.is_cut |= end < text.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
