//! How a process ended.

use std::fmt;

/// How a process ended, and what it wrote last.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ending {
    /// How.
    pub how: How,
    /// Why, where the host knows.
    pub cause: Cause,
    /// The last lines that it wrote to its standard error, as far as they can be text.
    pub last_lines: Vec<String>,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum How {
    /// It ended by itself, with this code.
    Exited(i32),
    /// A signal ended it.
    Signalled {
        /// Its number.
        signal: i32,
        /// Its name, such as `SIGSEGV`.
        name: &'static str,
    },
    /// It could not be started.
    NotStarted(String),
    /// It ended just before the deadline of the call that was to say how.
    Unknown,
}

/// Why a process ended, as far as the host had to do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// By itself.
    Itself,
    /// The host killed it, since a call missed its deadline.
    Late,
    /// The host killed it, since it did what no honest one does.
    Lied,
    /// The host closed it.
    Closed,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause {
            Cause::Itself => write!(f, "the process {}", self.how)?,
            Cause::Late => f.write_str("the process was killed, since a call missed its deadline")?,
            Cause::Lied => f.write_str("the process was killed, since it didn't keep to the protocol")?,
            Cause::Closed => f.write_str("the process was closed")?,
        }
        if !self.last_lines.is_empty() {
            f.write_str("; it wrote last:")?;
        }
        for line in &self.last_lines {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            How::Exited(code) => write!(f, "ended with exit code {code}"),
            How::Signalled { signal, name } => write!(f, "was ended by signal {signal} ({name})"),
            How::NotStarted(why) => write!(f, "could not be started: {why}"),
            How::Unknown => f.write_str("has ended, how was not known before the call's deadline"),
        }
    }
}

impl std::error::Error for Ending {}

/// The name of a signal that ends processes.
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
pub(super) fn signal_name(signal: i32) -> &'static str {
    match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        10 => "SIGUSR1",
        11 => "SIGSEGV",
        12 => "SIGUSR2",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        _ => "a signal without a common name",
    }
}
