//! In the process: a subscriber of `tracing`'s that tells the host of events, with the spans around them.

use super::{Kind, Outlet, Record, Room, Severity, Span};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tracing_core::field::{Field, Visit};
use tracing_core::span::{Attributes, Current, Id, Record as Values};
use tracing_core::{Dispatch, Event, Interest, Level, Metadata, Subscriber, dispatcher};

pub(super) fn install(outlet: &'static Outlet) {
    let spans = Spans { outlet, open: Mutex::default(), last: AtomicU64::new(0) };
    // Constructors of the API library may have been first; theirs stays.
    let _ = dispatcher::set_global_default(Dispatch::new(spans));
}

/// How many spans around an event are told of.
const DEEPEST: usize = 32;

struct Spans {
    outlet: &'static Outlet,
    /// The spans that there are. A lock for all: none is held while foreign code runs.
    open: Mutex<HashMap<u64, Open>>,
    last: AtomicU64,
}

struct Open {
    metadata: &'static Metadata<'static>,
    fields: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    parent: Option<u64>,
    /// How many handles and spans within it hold it.
    holders: usize,
}

thread_local! {
    /// The spans that this thread is in.
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

fn innermost() -> Option<u64> {
    // A thread that ends may have no list any more.
    ENTERED.try_with(|entered| entered.borrow().last().copied()).ok().flatten()
}

impl Spans {
    fn open(&self) -> MutexGuard<'_, HashMap<u64, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The spans around what is in this one, and it, from the outermost.
    fn around(&self, mut span: Option<u64>, room: &mut Room) -> Vec<Span<'static>> {
        let open = self.open();
        let mut spans = Vec::new();
        while let Some(Open { metadata, fields, parent, .. }) = span.and_then(|id| open.get(&id)) {
            if spans.len() == DEEPEST || room.0 == 0 {
                break;
            }
            let mut told = Span { name: room.name(metadata.name()).into(), fields: Vec::new() };
            for (name, value) in fields {
                room.field(&mut told.fields, name, value);
            }
            spans.push(told);
            span = *parent;
        }
        spans.reverse();
        spans
    }
}

impl Subscriber for Spans {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // What the host wants changes.
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.outlet.wanted().tracing.is_some_and(|most| severity(metadata.level()) <= most)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let id = self.last.fetch_add(1, Relaxed) + 1;
        let mut fields = Fields::new();
        span.record(&mut fields);
        let parent = match span.parent() {
            Some(parent) => Some(parent.into_u64()),
            None if span.is_contextual() => innermost(),
            None => None,
        };
        let mut open = self.open();
        if let Some(parent) = parent.and_then(|parent| open.get_mut(&parent)) {
            parent.holders += 1;
        }
        let Fields { fields, .. } = fields;
        open.insert(id, Open { metadata: span.metadata(), fields, parent, holders: 1 });
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Values<'_>) {
        let mut fields = Fields::new();
        values.record(&mut fields);
        if let Some(open) = self.open().get_mut(&span.into_u64()) {
            for (name, value) in fields.fields {
                match open.fields.iter_mut().find(|(have, _)| *have == name) {
                    Some((_, old)) => *old = value,
                    None => open.fields.push((name, value)),
                }
            }
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut fields = Fields::new();
        event.record(&mut fields);
        let Fields { mut room, message, fields } = fields;
        let span = match event.parent() {
            Some(parent) => Some(parent.into_u64()),
            None if event.is_contextual() => innermost(),
            None => None,
        };
        let record = Record {
            severity: severity(metadata.level()),
            target: room.name(metadata.target()).into(),
            module: metadata.module_path().map(|module| room.name(module).into()),
            file: metadata.file().map(|file| room.name(file).into()),
            line: metadata.line(),
            message: message.into(),
            fields,
            spans: self.around(span, &mut room),
        };
        self.outlet.send(Kind::Event, &record);
    }

    fn enter(&self, span: &Id) {
        let _ = ENTERED.try_with(|entered| entered.borrow_mut().push(span.into_u64()));
    }

    fn exit(&self, span: &Id) {
        let _ = ENTERED.try_with(|entered| {
            let mut entered = entered.borrow_mut();
            if let Some(at) = entered.iter().rposition(|id| *id == span.into_u64()) {
                entered.remove(at);
            }
        });
    }

    fn clone_span(&self, span: &Id) -> Id {
        if let Some(open) = self.open().get_mut(&span.into_u64()) {
            open.holders += 1;
        }
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        let mut open = self.open();
        let (mut next, mut has_closed) = (Some(span.into_u64()), false);
        while let Some(id) = next {
            let Some(span) = open.get_mut(&id) else { break };
            span.holders = span.holders.saturating_sub(1);
            if span.holders > 0 {
                break;
            }
            next = open.remove(&id).and_then(|span| span.parent);
            has_closed = true;
        }
        has_closed
    }

    fn current_span(&self) -> Current {
        let open = self.open();
        match innermost().and_then(|id| Some((id, open.get(&id)?))) {
            Some((id, span)) => Current::new(Id::from_u64(id), span.metadata),
            None => Current::none(),
        }
    }
}

fn severity(level: &Level) -> Severity {
    match *level {
        Level::ERROR => Severity::Error,
        Level::WARN => Severity::Warn,
        Level::INFO => Severity::Info,
        Level::DEBUG => Severity::Debug,
        Level::TRACE => Severity::Trace,
    }
}

struct Fields {
    room: Room,
    message: String,
    fields: Vec<(Cow<'static, str>, Cow<'static, str>)>,
}

impl Fields {
    fn new() -> Fields {
        Fields { room: Room::new(), message: String::new(), fields: Vec::new() }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message = self.room.message(value),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = self.room.message(format_args!("{value:?}")),
            name => self.room.field(&mut self.fields, name, format_args!("{value:?}")),
        }
    }
}
