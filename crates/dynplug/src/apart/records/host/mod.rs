//! In the host: what the plugin told, told to the host's logger and subscriber.
//!
//! Each target begins with the plugin's name, as that of its own code does anyway: before that of any other it is put. So nobody passes for
//! the host or for another plugin, and a filter for the plugin's name is one for all that it tells. The name is a field of each record, too.

#[cfg(feature = "log")]
mod to_log;
#[cfg(feature = "tracing")]
mod to_tracing;

#[cfg(feature = "log")]
use to_log::log_wants;

use super::{Kind, Record, Severity, Span, Wanted};
use crate::apart::{OnLine, Stream};
use dynplug_process::records::Records;
use std::borrow::Cow;
use std::sync::Arc;

/// Who takes what a plugin tells.
pub(in crate::apart) struct Recipient {
    plugin: String,
    /// What targets of the plugin's own code begin with.
    prefix: String,
    /// The subscriber of the thread that has started the plugin, if it has one.
    #[cfg(feature = "tracing")]
    dispatch: Option<tracing_core::Dispatch>,
}

/// What is done with lines where the host doesn't say.
pub(in crate::apart) fn lines(recipient: &Arc<Recipient>) -> OnLine {
    let recipient = recipient.clone();
    Arc::new(move |stream, line| {
        let (severity, name) = match stream {
            Stream::Output => (Severity::Info, "stdout"),
            Stream::Error => (Severity::Warn, "stderr"),
        };
        if !recipient.tell(severity, &format!("{}::{name}", recipient.prefix), line) {
            match stream {
                Stream::Output => println!("{line}"),
                Stream::Error => eprintln!("{line}"),
            }
        }
    })
}

impl Records for Recipient {
    fn wanted(&self) -> u32 {
        Wanted { log: log_wants(), tracing: self.tracing_wants(), has_subscriber: self.has_subscriber() }
            .to_word()
    }

    fn record(&self, message: &[u8]) -> Result<(), String> {
        let Some((kind, rest)) = message.split_first() else {
            return Err("a record without anything".to_owned());
        };
        let kind = match *kind {
            kind if kind == Kind::Log as u8 => Kind::Log,
            kind if kind == Kind::Event as u8 => Kind::Event,
            _ => return Ok(()),
        };
        let (mut record, _) = postcard::take_from_bytes::<Record<'_>>(rest)
            .map_err(|error| format!("a record that can't be read: {error}"))?;
        record.clean();
        record.target = self.target(&record.target).into();
        match kind {
            Kind::Log => self.log(&record),
            Kind::Event => self.event(&record),
        }
        Ok(())
    }

    fn broken(&self, why: &str) {
        let text = format!(
            "the process of the plugin `{}` sent {why}; nothing more of its log is read",
            self.plugin
        );
        if !self.tell(Severity::Error, "dynplug", &text) {
            eprintln!("{text}");
        }
    }
}

impl Recipient {
    pub(in crate::apart) fn new(plugin: &str) -> Recipient {
        Recipient {
            plugin: plugin.to_owned(),
            prefix: plugin.replace('-', "_"),
            #[cfg(feature = "tracing")]
            dispatch: to_tracing::current(),
        }
    }

    fn target(&self, target: &str) -> String {
        match target.strip_prefix(&self.prefix) {
            Some("") => self.prefix.clone(),
            Some(rest) if rest.starts_with("::") => target.to_owned(),
            _ => format!("{}::{target}", self.prefix),
        }
    }

    /// Tells of what the host itself has seen of the process. False, if the host has neither logger nor subscriber.
    fn tell(&self, severity: Severity, target: &str, text: &str) -> bool {
        let mut record = Record {
            severity,
            target: target.into(),
            module: None,
            file: None,
            line: None,
            message: text.into(),
            fields: Vec::new(),
            spans: Vec::new(),
        };
        record.clean();
        if self.has_subscriber() {
            self.event(&record);
        } else if log_wants().is_some() {
            self.log(&record);
        } else {
            return false;
        }
        true
    }
}

/// Texts as they came, but for control characters, with which one could act on a terminal. Lines stay lines.
fn cleaned(text: &mut Cow<'_, str>, has_lines: bool) {
    let is_bad = |c: char| c.is_control() && !(has_lines && matches!(c, '\n' | '\t'));
    if text.contains(is_bad) {
        let mut clean = String::with_capacity(text.len() + 16);
        for c in text.chars() {
            match is_bad(c) {
                true => clean.extend(c.escape_default()),
                false => clean.push(c),
            }
        }
        *text = clean.into();
    }
}

impl Record<'_> {
    fn clean(&mut self) {
        let Record { severity: _, target, module, file, line: _, message, fields, spans } = self;
        cleaned(message, true);
        [target].into_iter().chain(module).chain(file).for_each(|text| cleaned(text, false));
        let each = |fields: &mut Vec<(Cow<'_, str>, Cow<'_, str>)>| {
            for (name, value) in fields {
                cleaned(name, false);
                cleaned(value, true);
            }
        };
        each(fields);
        for Span { name, fields } in spans {
            cleaned(name, false);
            each(fields);
        }
    }
}

#[cfg(not(feature = "log"))]
fn log_wants() -> Option<Severity> {
    None
}

#[cfg(not(feature = "log"))]
impl Recipient {
    fn log(&self, _: &Record<'_>) {}
}

#[cfg(not(feature = "tracing"))]
impl Recipient {
    fn has_subscriber(&self) -> bool {
        false
    }

    fn tracing_wants(&self) -> Option<Severity> {
        None
    }

    fn event(&self, _: &Record<'_>) {}
}
