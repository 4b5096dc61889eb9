//! Why init functions did not run to their end.

use super::OpenError;
use std::any::Any;
use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How an init function failed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum InitFailure {
    /// It panicked, with this message.
    Panic(String),
    /// It returned an error.
    Error(Arc<dyn Error + Send + Sync>),
}

/// Why the init functions of the shared crates did not run to their end. `Debug` prints the same text as `Display`.
#[derive(Clone)]
#[non_exhaustive]
pub enum InitError {
    /// One of them failed.
    Failed {
        /// The package that it is from.
        package: String,
        /// The function.
        function: String,
        /// Where it stands, as `file:line`.
        place: String,
        /// How it failed.
        failure: InitFailure,
    },
    /// One of them waits for their own end.
    Cycle {
        /// Who waits for whom, as in [`OpenError::Cycle`].
        chain: Vec<PathBuf>,
    },
    /// Nobody knows how they ended: this process was forked while another thread ran them.
    Interrupted,
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InitError::Failed { package, function, place, failure } => {
                write!(f, "the init function `{function}` of `{package}` at {place} {failure}")
            }
            InitError::Cycle { chain } => {
                f.write_str("the init functions of the shared crates would wait for themselves: ")?;
                write_chain(f, chain)
            }
            InitError::Interrupted => f.write_str(
                "this process was forked while another thread ran the init functions of the shared crates",
            ),
        }
    }
}

impl fmt::Debug for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl InitError {
    /// The error of a plugin that could not start because of this.
    pub(crate) fn of_plugin(&self, path: &Path) -> OpenError {
        let path = path.to_owned();
        match self.clone() {
            InitError::Failed { package: _, function, place, failure } => {
                OpenError::Init { path, function, place, failure }
            }
            source => OpenError::SharedInit { path, source },
        }
    }
}

impl Error for InitError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            InitError::Failed { failure: InitFailure::Error(source), .. } => Some(&**source),
            _ => None,
        }
    }
}

/// Says who waits for whom.
pub(super) fn write_chain(f: &mut fmt::Formatter<'_>, chain: &[PathBuf]) -> fmt::Result {
    for (place, path) in chain.iter().enumerate() {
        match place {
            0 => write!(f, "{}", path.display())?,
            1 => write!(f, " waits for {}", path.display())?,
            _ => write!(f, ", which waits for {}", path.display())?,
        }
    }
    Ok(())
}

impl fmt::Display for InitFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InitFailure::Panic(message) => write!(f, "panicked: {message}"),
            InitFailure::Error(error) => write!(f, "failed: {error}"),
        }
    }
}

impl InitFailure {
    /// The message of a caught panic.
    pub(crate) fn of_panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().map(|s| (*s).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        InitFailure::Panic(text.unwrap_or_else(|| "with a payload that is no text".to_owned()))
    }
}
