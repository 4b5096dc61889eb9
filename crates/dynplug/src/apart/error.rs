//! Why a plugin could not be started in a process of its own, and why a call has no result.

use crate::error::OpenError;
use dynplug_process::channel;
use dynplug_process::keeper::Ending;
use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Why a plugin was not started.
///
/// `Debug` prints the same text as `Display`, for hosts whose `main` returns it.
#[non_exhaustive]
pub enum StartError {
    /// It can't be opened: in the host's own process, or because the file is no plugin.
    Open(OpenError),
    /// Neither the program itself nor its folder has the runner, in which plugins run.
    NoRunner {
        /// Where it was looked for.
        searched: Vec<PathBuf>,
    },
    /// The API library that the plugin was built with is nowhere.
    NoLibrary {
        /// The plugin.
        path: PathBuf,
        /// The API library's file name.
        library: String,
        /// Where it was looked for.
        searched: Vec<PathBuf>,
    },
    /// A file can't be read.
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The process can't be started.
    Process(channel::Error),
    /// The process ended before the plugin could be called.
    Ended {
        /// The plugin.
        path: PathBuf,
        /// How it ended, and what it wrote last.
        ending: Arc<Ending>,
    },
    /// The plugin was not ready in time: an init function may hang.
    Late {
        /// The plugin.
        path: PathBuf,
        /// How long it had.
        within: Duration,
    },
    /// The process said what can't be understood.
    Answer {
        /// The plugin.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Open(error) => error.fmt(f),
            StartError::NoRunner { searched } => {
                write!(f, "there is no `{}`, in which plugins run", super::RUNNER)?;
                list(f, searched)?;
                f.write_str(
                    "\nto fix: `cargo dynplug build` puts it beside the host where the API crate's `dynplug` has the feature `process`; or name it with `OwnProcess::runner`",
                )
            }
            StartError::NoLibrary { path, library, searched } => {
                write!(
                    f,
                    "{}: the API library that it was built with, `{library}`, is nowhere",
                    path.display()
                )?;
                list(f, searched)?;
                f.write_str("\nto fix: put it beside the plugin; whoever built the plugin has it")
            }
            StartError::Read { path, source } => write!(f, "{} can't be read: {source}", path.display()),
            StartError::Process(error) => {
                write!(f, "{error}")?;
                error.source().map_or(Ok(()), |source| write!(f, ": {source}"))
            }
            StartError::Ended { path, ending } => write!(f, "{}: {ending}", path.display()),
            StartError::Late { path, within } => {
                write!(f, "{}: the plugin was not ready within {within:?}", path.display())
            }
            StartError::Answer { path, what } => {
                write!(f, "{}: the plugin's process gave no answer that makes sense: {what}", path.display())
            }
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, searched: &[PathBuf]) -> fmt::Result {
    searched.iter().try_for_each(|path| write!(f, "\n    not {}", path.display()))
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            StartError::Open(error) => error.source(),
            StartError::Read { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<OpenError> for StartError {
    fn from(error: OpenError) -> StartError {
        StartError::Open(error)
    }
}

/// Why a call of a function in another process has no result.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum CallError {
    /// The arguments can't be written, or are too large. Nothing was called.
    Arguments(String),
    /// The other side has another idea of the arguments or the result. Nothing was called.
    Shape(String),
    /// There was no result before the deadline.
    Deadline,
    /// The process ended meanwhile. Whether the function has run, nobody knows.
    Ended(Arc<Ending>),
    /// There is no process, and none could be started again in time, or none will be. Nothing was called.
    NotRunning(Arc<Ending>),
    /// The function panicked.
    Panicked,
    /// The function has run, and its result can't be had: it can't be written or read, or is too large.
    Result(String),
    /// The plugin was closed.
    Closed,
    /// The system gives no thread that could wait for the result of a call that is awaited, and says why. Nothing was called.
    NoThread(String),
    /// Something else.
    Channel(channel::CallError),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Arguments(what) | CallError::Shape(what) => write!(f, "{what}; nothing was called"),
            CallError::Deadline => f.write_str("the deadline passed before there was a result"),
            CallError::Ended(ending) => ending.fmt(f),
            CallError::NotRunning(ending) => write!(f, "no process runs the plugin: {ending}"),
            CallError::Panicked => {
                f.write_str("the function panicked; what it says stands in the plugin's standard error")
            }
            CallError::Result(what) => write!(f, "{what}; the function has run"),
            CallError::NoThread(why) => {
                write!(f, "there is no thread that could wait for the result: {why}; nothing was called")
            }
            CallError::Closed => f.write_str("the plugin was closed"),
            CallError::Channel(error) => error.fmt(f),
        }
    }
}

impl Error for CallError {}
