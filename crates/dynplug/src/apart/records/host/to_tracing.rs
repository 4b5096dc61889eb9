//! A plugin's events, told to the host's subscriber.

use super::super::{Record, Severity, Span};
use super::Recipient;
use std::borrow::Cow;
use std::fmt::Write as _;
use tracing_core::field::{FieldSet, Value, display};
use tracing_core::subscriber::NoSubscriber;
use tracing_core::{Dispatch, Event, Kind, LevelFilter, Metadata, dispatcher};

impl Recipient {
    pub(super) fn has_subscriber(&self) -> bool {
        self.dispatch.is_some() || current().is_some()
    }

    /// The most that the host's subscriber takes.
    pub(super) fn tracing_wants(&self) -> Option<Severity> {
        Some(match LevelFilter::current() {
            LevelFilter::OFF => return None,
            LevelFilter::ERROR => Severity::Error,
            LevelFilter::WARN => Severity::Warn,
            LevelFilter::INFO => Severity::Info,
            LevelFilter::DEBUG => Severity::Debug,
            _ => Severity::Trace,
        })
    }

    pub(super) fn event(&self, record: &Record<'_>) {
        match &self.dispatch {
            Some(dispatch) => self.dispatch(dispatch, record),
            None => dispatcher::get_default(|dispatch| self.dispatch(dispatch, record)),
        }
    }

    fn dispatch(&self, dispatch: &Dispatch, record: &Record<'_>) {
        let metadata = site::of(record.severity);
        let asked = Metadata::new(
            metadata.name(),
            &record.target,
            *metadata.level(),
            record.file.as_deref(),
            record.line,
            record.module.as_deref(),
            FieldSet::new(site::FIELDS, metadata.callsite()),
            Kind::EVENT,
        );
        if !dispatch.enabled(&asked) {
            return;
        }
        let (fields, spans) = (list(&record.fields), path(&record.spans));
        let (message, fields, spans) = (display(&record.message), some(&fields), some(&spans));
        let (fields, spans) = (fields.map(display), spans.map(display));
        let (module, file) = (record.module.as_deref(), record.file.as_deref());
        let names = metadata.fields();
        let mut names = names.iter();
        let values: [Option<&dyn Value>; site::FIELDS.len()] = [
            Some(&message),
            Some(&self.plugin),
            Some(&&*record.target),
            fields.as_ref().map(|fields| fields as &dyn Value),
            spans.as_ref().map(|spans| spans as &dyn Value),
            module.as_ref().map(|module| module as &dyn Value),
            file.as_ref().map(|file| file as &dyn Value),
            record.line.as_ref().map(|line| line as &dyn Value),
        ];
        let fields = values.map(|value| (names.next().expect("as many as values"), value));
        let fields = fields.each_ref().map(|(name, value)| (name, *value));
        dispatch.event(&Event::new(metadata, &metadata.fields().value_set(&fields)));
    }
}

/// The subscriber of this thread, if it has one.
pub(super) fn current() -> Option<Dispatch> {
    dispatcher::get_default(|dispatch| (!dispatch.is::<NoSubscriber>()).then(|| dispatch.clone()))
}

/// `a=1 b=2`
fn list(fields: &[(Cow<'_, str>, Cow<'_, str>)]) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        let space = if text.is_empty() { "" } else { " " };
        // It is a `String`.
        let _ = write!(text, "{space}{name}={value}");
    }
    text
}

/// `outer{a=1}:inner`
fn path(spans: &[Span<'_>]) -> String {
    let mut text = String::new();
    for Span { name, fields } in spans {
        let colon = if text.is_empty() { "" } else { ":" };
        let _ = match fields.is_empty() {
            true => write!(text, "{colon}{name}"),
            false => write!(text, "{colon}{name}{{{}}}", list(fields)),
        };
    }
    text
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

mod site {
    //! Places in the code that events come from, which `tracing` wants to be static: one for each level. What they have in common with the
    //! places in the plugin is in their fields.

    use tracing_core::callsite::Identifier;
    use tracing_core::field::FieldSet;
    use tracing_core::{Callsite, Interest, Kind, Level, Metadata};

    pub(super) const FIELDS: &[&str] =
        &["message", "plugin", "target", "fields", "spans", "module", "file", "line"];

    macro_rules! sites {
        ($($site:ident $metadata:ident $level:ident),*) => {$(
            struct $site;

            static $metadata: Metadata<'static> = Metadata::new(
                "event of a plugin",
                "plugin",
                Level::$level,
                None,
                None,
                None,
                FieldSet::new(FIELDS, Identifier(&$site)),
                Kind::EVENT,
            );

            impl Callsite for $site {
                // It is asked each time, with the target that the plugin gave.
                fn set_interest(&self, _: Interest) {}

                fn metadata(&self) -> &Metadata<'_> {
                    &$metadata
                }
            }
        )*};
    }

    sites!(Error ERROR ERROR, Warn WARN WARN, Info INFO INFO, Debug DEBUG DEBUG, Trace TRACE TRACE);

    pub(super) fn of(severity: super::Severity) -> &'static Metadata<'static> {
        match severity {
            super::Severity::Error => &ERROR,
            super::Severity::Warn => &WARN,
            super::Severity::Info => &INFO,
            super::Severity::Debug => &DEBUG,
            super::Severity::Trace => &TRACE,
        }
    }
}
