//! What is told to `tracing`, where the feature is on. All of it has the target `dynplug`.
//!
//! Nothing here is called while a lock of this crate is held: a subscriber is foreign code.

use crate::error::OpenError;
use crate::init::InitRecord;
use crate::plugin::Plugin;
use std::path::Path;
use std::time::Duration;

/// How long the steps of an open took.
#[cfg_attr(not(feature = "tracing"), allow(dead_code))]
pub(crate) struct Durations {
    /// Reading and proving the file.
    pub(crate) prove: Duration,
    /// Waiting for the system's loader, and the init functions of the shared crates when this open ran them.
    pub(crate) wait: Duration,
    /// Mapping it, constructors included.
    pub(crate) map: Duration,
    /// Its init functions.
    pub(crate) init: Duration,
}

/// A plugin was opened for the first time.
pub(crate) fn opened(plugin: &Plugin, durations: &Durations) {
    #[cfg(feature = "tracing")]
    tracing::info!(
        target: "dynplug",
        plugin = plugin.name(),
        version = plugin.version(),
        path = %plugin.path().display(),
        prove = ?durations.prove,
        wait = ?durations.wait,
        map = ?durations.map,
        init = ?durations.init,
        "plugin opened"
    );
    #[cfg(not(feature = "tracing"))]
    let _ = (plugin, durations);
}

/// An open failed.
pub(crate) fn refused(path: &Path, error: &OpenError) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "dynplug", path = %path.display(), error = %error, "plugin not opened");
    #[cfg(not(feature = "tracing"))]
    let _ = (path, error);
}

/// An init function has ended.
pub(crate) fn initialised(record: &InitRecord) {
    #[cfg(feature = "tracing")]
    match &record.outcome {
        Ok(()) => tracing::debug!(
            target: "dynplug",
            plugin = record.plugin,
            function = record.function,
            file = record.file,
            line = record.line,
            duration = ?record.duration,
            "init function has run"
        ),
        Err(failure) => tracing::warn!(
            target: "dynplug",
            plugin = record.plugin,
            function = record.function,
            file = record.file,
            line = record.line,
            duration = ?record.duration,
            error = %failure,
            "init function failed"
        ),
    }
    #[cfg(not(feature = "tracing"))]
    let _ = record;
}
