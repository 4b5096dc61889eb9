//! In the process: a logger of `log`'s that tells the host.

use super::{Kind, Outlet, Record, Room, Severity};
use log::kv;
use std::borrow::Cow;

#[derive(Debug)]
struct Logger(&'static Outlet);

pub(super) fn install(outlet: &'static Outlet) {
    // Constructors of the API library may have been first; theirs stays.
    if log::set_boxed_logger(Box::new(Logger(outlet))).is_ok() {
        // What the host wants changes, and is asked each time.
        log::set_max_level(log::LevelFilter::Trace);
    }
}

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        self.0.wanted().log.is_some_and(|most| severity(metadata.level()) <= most)
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut room = Room::new();
        let (target, message) = (room.name(record.target()), room.message(record.args()));
        let mut fields = Fields { room, fields: Vec::new() };
        // It takes all of them.
        let _ = record.key_values().visit(&mut fields);
        let Fields { mut room, fields } = fields;
        let record = Record {
            severity: severity(record.level()),
            target: target.into(),
            module: record.module_path().map(|module| room.name(module).into()),
            file: record.file().map(|file| room.name(file).into()),
            line: record.line(),
            message: message.into(),
            fields,
            spans: Vec::new(),
        };
        self.0.send(Kind::Log, &record);
    }

    fn flush(&self) {}
}

fn severity(level: log::Level) -> Severity {
    match level {
        log::Level::Error => Severity::Error,
        log::Level::Warn => Severity::Warn,
        log::Level::Info => Severity::Info,
        log::Level::Debug => Severity::Debug,
        log::Level::Trace => Severity::Trace,
    }
}

struct Fields {
    room: Room,
    fields: Vec<(Cow<'static, str>, Cow<'static, str>)>,
}

impl kv::VisitSource<'_> for Fields {
    fn visit_pair(&mut self, key: kv::Key<'_>, value: kv::Value<'_>) -> Result<(), kv::Error> {
        self.room.field(&mut self.fields, key.as_str(), value);
        Ok(())
    }
}
