//! A plugin's records, told to the host's logger.

use super::super::{Record, Severity};
use super::Recipient;

/// The most that the host's logger takes.
pub(super) fn log_wants() -> Option<Severity> {
    Some(match log::max_level() {
        log::LevelFilter::Off => return None,
        log::LevelFilter::Error => Severity::Error,
        log::LevelFilter::Warn => Severity::Warn,
        log::LevelFilter::Info => Severity::Info,
        log::LevelFilter::Debug => Severity::Debug,
        log::LevelFilter::Trace => Severity::Trace,
    })
}

impl Recipient {
    pub(super) fn log(&self, record: &Record<'_>) {
        let level = match record.severity {
            Severity::Error => log::Level::Error,
            Severity::Warn => log::Level::Warn,
            Severity::Info => log::Level::Info,
            Severity::Debug => log::Level::Debug,
            Severity::Trace => log::Level::Trace,
        };
        let metadata = log::Metadata::builder().level(level).target(&record.target).build();
        let logger = log::logger();
        if level > log::max_level() || !logger.enabled(&metadata) {
            return;
        }
        let own = [("plugin", self.plugin.as_str())];
        let pairs: Vec<(&str, &str)> =
            own.into_iter().chain(record.fields.iter().map(|(name, value)| (&**name, &**value))).collect();
        logger.log(
            &log::Record::builder()
                .metadata(metadata)
                .args(format_args!("{}", record.message))
                .module_path(record.module.as_deref())
                .file(record.file.as_deref())
                .line(record.line)
                .key_values(&&pairs[..])
                .build(),
        );
    }
}
