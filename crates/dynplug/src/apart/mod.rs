//! Plugins in processes of their own, behind the same handle as plugins in the host's process.
//!
//! [`Loader::start`](crate::Loader::start) gives a [`Started`], wherever the plugin runs: in the host's process, where a call is a call of a
//! function pointer, or in a process of its own, where arguments and result are carried by serde. Where, one line of the host
//! says: [`Loader::run_in`](crate::Loader::run_in).

mod call;
mod calling;
mod error;
#[cfg(target_os = "linux")]
mod launch;
#[cfg(target_os = "linux")]
mod libraries;
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
mod message;
#[cfg(all(target_os = "linux", any(feature = "log", feature = "tracing")))]
mod records;
#[cfg(target_os = "linux")]
mod serve;
mod shapes;
mod signature;
#[cfg(target_os = "linux")]
mod start;
mod started;
mod waiters;

pub use call::Call;
pub use calling::{Awaited, Calling};
pub use dynplug_process::channel::Error as ChannelError;
pub use dynplug_process::confine::{Confinement, Level};
pub use dynplug_process::keeper::{Cause, Ending, How, OnLine, Restart, Stream};
pub use error::{CallError, StartError};
pub use started::{Function, Started};

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The runner's file name.
const RUNNER: &str = "dynplug-runner";

/// Where a plugin runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RunIn {
    /// In the process of the host. A call is a call of a function pointer, and everything is shared.
    #[default]
    Host,
    /// In a process of its own. Arguments and results are copied, and whatever the plugin does, the host lives on.
    OwnProcess,
    /// In the process of the host where it fits, and else in its own: one that was built with another compiler, or against another
    /// version of the API crate.
    HostIfItFits,
}

/// How a plugin's own process is kept.
///
/// # Examples
///
/// ```
/// use dynplug::apart::{OwnProcess, Restart};
/// use std::time::Duration;
///
/// let options = OwnProcess::new().processes(2).deadline(Duration::from_secs(5)).restart(Restart::never());
/// ```
#[derive(Clone)]
pub struct OwnProcess {
    pub(crate) runner: Option<PathBuf>,
    pub(crate) processes: usize,
    pub(crate) threads: u32,
    pub(crate) deadline: Option<Duration>,
    pub(crate) ready: Duration,
    pub(crate) restart: Restart,
    pub(crate) kill_when_late: bool,
    pub(crate) variables: Vec<(OsString, OsString)>,
    pub(crate) inherits: bool,
    pub(crate) on_line: Option<OnLine>,
    pub(crate) confinement: Option<Confinement>,
}

impl Default for OwnProcess {
    fn default() -> OwnProcess {
        OwnProcess::new()
    }
}

impl fmt::Debug for OwnProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnProcess")
            .field("runner", &self.runner)
            .field("processes", &self.processes)
            .field("threads", &self.threads)
            .field("deadline", &self.deadline)
            .field("restart", &self.restart)
            .finish_non_exhaustive()
    }
}

impl OwnProcess {
    /// One process that serves four calls at once, without a deadline; it is started again when it ends.
    pub const fn new() -> OwnProcess {
        OwnProcess {
            runner: None,
            processes: 1,
            threads: 4,
            deadline: None,
            ready: Duration::from_secs(30),
            restart: Restart::DEFAULT,
            kill_when_late: true,
            variables: Vec::new(),
            inherits: true,
            on_line: None,
            confinement: None,
        }
    }

    /// The program that the process runs. Ordinarily `dynplug-runner` beside the host, where `cargo dynplug build` puts it.
    #[must_use]
    pub fn runner(mut self, path: impl Into<PathBuf>) -> Self {
        self.runner = Some(path.into());
        self
    }

    /// How many processes there are for one plugin; at least one. Each has statics of its own.
    #[must_use]
    pub fn processes(mut self, count: usize) -> Self {
        self.processes = count.max(1);
        self
    }

    /// How many calls each process works on at once; at least one. Further ones wait.
    #[must_use]
    pub fn threads(mut self, count: u32) -> Self {
        self.threads = count.clamp(1, 64);
        self
    }

    /// How long each call may take, where the call itself doesn't say.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// How long the plugin may take to be ready, init functions included. Ordinarily 30 s.
    #[must_use]
    pub fn ready_within(mut self, time: Duration) -> Self {
        self.ready = time;
        self
    }

    /// When a process that has ended is started again.
    #[must_use]
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }

    /// Lets a process live whose call has missed its deadline. The function may run on there, and holds one of the threads. Ordinarily
    /// it is killed and started again, and its other calls end with an error.
    #[must_use]
    pub fn keep_when_late(mut self) -> Self {
        self.kill_when_late = false;
        self
    }

    /// Sets a variable of the process's environment.
    #[must_use]
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Keeps the host's environment from the process.
    #[must_use]
    pub fn without_environment(mut self) -> Self {
        self.inherits = false;
        self
    }

    /// What the process may do. It is put in force before anything of the plugin is mapped; what can't be is an error, unless the
    /// confinement says otherwise. Ordinarily it may do what the host may.
    ///
    /// A confined process doesn't get the host's environment.
    ///
    /// # Examples
    ///
    /// ```
    /// use dynplug::apart::{Confinement, Level, OwnProcess};
    ///
    /// let options = OwnProcess::new().confine(Confinement::new(Level::ComputeOnly).memory(256 << 20));
    /// ```
    #[must_use]
    pub fn confine(mut self, confinement: Confinement) -> Self {
        self.confinement = Some(confinement);
        self.without_environment()
    }

    /// What is done with each line that the process writes to its standard output and standard error. Ordinarily it is written to the
    /// host's; with the features `log` and `tracing` it is told to the host's logger or subscriber, if there is one.
    ///
    /// As long as this takes, the process waits once it has written more than the system keeps; so it must not call the plugin.
    #[must_use]
    pub fn on_line(mut self, tell: impl Fn(Stream, &str) + Send + Sync + 'static) -> Self {
        self.on_line = Some(Arc::new(tell));
        self
    }
}
