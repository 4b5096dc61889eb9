//! Processes that are kept: started, watched, their output read, and started anew when they end.
//!
//! A [`Keeper`] has one process or several of the same program, and gives each call to one that is free. Whatever becomes of a
//! process, the calls that it had end with an error that says what: how it ended, and what it wrote last. Then it is started again, by
//! a stated policy ([`Restart`]), with everything that starting means.
//!
//! For each process there is one thread of the host's. It starts the process, reads what that writes, waits for its end, and
//! so leaves no zombie. The process ends with that thread at the latest, however the host ends.

mod ending;
mod lines;
#[cfg(target_os = "linux")]
mod process;
mod restart;
#[cfg(not(target_os = "linux"))]
mod unsupported;

pub use ending::{Cause, Ending, How};
pub use lines::Stream;
pub use restart::Restart;

use crate::channel;
use crate::records::Records;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

#[cfg(target_os = "linux")]
pub use process::Keeper;
#[cfg(not(target_os = "linux"))]
pub use unsupported::Keeper;

/// What is started.
#[derive(Debug)]
pub struct Program {
    /// The runner.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Variables that it gets, beside those of this process or in place of them.
    pub variables: Vec<(OsString, OsString)>,
    /// Whether it gets the variables of this process.
    pub inherits: bool,
    /// Files that it takes out of the channel.
    #[cfg(unix)]
    pub files: Vec<std::os::fd::OwnedFd>,
}

/// What is done with a line that a process writes.
pub type OnLine = Arc<dyn Fn(Stream, &str) + Send + Sync>;

/// How processes are kept.
#[derive(Clone)]
pub struct Options {
    /// How many processes there are.
    pub processes: usize,
    /// When a process that has ended is started again.
    pub restart: Restart,
    /// Whether a process is killed when a call misses its deadline. If it isn't, the function may run on, and what it holds stays
    /// held.
    pub kill_when_late: bool,
    /// How long a process may take to end when it is asked to, until it is killed.
    pub grace: Duration,
    /// How large the channel is.
    pub channel: channel::Config,
    /// What is done with the lines that a process writes.
    pub on_line: OnLine,
    /// What is done with the records that it sends. Where there is nobody for them, it gets no pipe to send any.
    pub records: Option<Arc<dyn Records>>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Options { processes, restart, kill_when_late, grace, channel, on_line: _, records: _ } = self;
        f.debug_struct("Options")
            .field("processes", processes)
            .field("restart", restart)
            .field("kill_when_late", kill_when_late)
            .field("grace", grace)
            .field("channel", channel)
            .finish_non_exhaustive()
    }
}

/// Why a call has no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure<E> {
    /// What is sent could not be written.
    Written(E),
    /// The process has ended.
    Ended(Arc<Ending>),
    /// There is no process any more: it ended too often.
    GivenUp(Arc<Ending>),
    /// No process could be started again within the deadline.
    NotStarted(Arc<Ending>),
    /// The keeper was closed.
    Closed,
    /// Something else; the process is there.
    Call(channel::CallError),
}
