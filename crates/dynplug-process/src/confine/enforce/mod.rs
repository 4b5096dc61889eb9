//! Putting a confinement in force, by the process that is confined.

use super::{Confinement, Report};
use std::{fmt, io, path::PathBuf};

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod calls;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod files;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod filter;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod limits;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod steps;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod threads;

/// A process that is confined, and can still load the plugin.
#[derive(Debug)]
#[must_use = "until `loaded` is called, code of further files can be mapped"]
pub struct Stage {
    // Without a sandbox there is never one.
    #[cfg_attr(
        not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))),
        allow(dead_code)
    )]
    confinement: Confinement,
    report: Report,
}

impl Stage {
    /// What is in force.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Takes away what only loading the plugin has needed, from all threads. Libraries can't be loaded any more.
    ///
    /// # Errors
    ///
    /// The system can't put that in force. The process has to end then.
    pub fn loaded(self) -> Result<Report, EnforceError> {
        #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
        return steps::loaded(self);
        #[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
        Err(EnforceError::Unsupported)
    }
}

impl Confinement {
    /// Puts this in force for this process, for good, before it maps anything of a plugin. The [module](super) says what that is.
    ///
    /// It has to have no other thread, and already all that it gets from the host:
    /// [`Served::from_stdin`](crate::channel::Served::from_stdin) comes before this and
    /// [`serve`](crate::channel::Served::serve), with its threads, after it. What a plugin shouldn't have has to be closed. `/proc` has
    /// to be there.
    ///
    /// ```no_run
    /// # use dynplug_process::{channel::Served, confine::Confinement};
    /// let confinement = Confinement::from_args(std::env::args_os().skip(1))?;
    /// let served = Served::from_stdin()?;
    /// let stage = confinement.enforce()?;
    /// // The plugin is loaded here, from `/proc/self/fd/…`.
    /// let report = stage.loaded()?;
    /// served.serve(4, |asked, answer| 0)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Something can't be put in force; without [`lenient`](Self::lenient), also where this system can't do it. Part of it is in force
    /// all the same, and the process has to end.
    ///
    /// # Platform-specific behaviour
    ///
    /// Linux on x86_64 and aarch64. Elsewhere it is an error, lenient or not.
    pub fn enforce(&self) -> Result<Stage, EnforceError> {
        #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
        return steps::enforce(self);
        #[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
        Err(EnforceError::Unsupported)
    }
}

/// Why a confinement isn't in force.
#[derive(Debug)]
#[non_exhaustive]
pub enum EnforceError {
    /// There is no sandbox for this system.
    Unsupported,
    /// The process has other threads, which would not be confined.
    Threads {
        /// How many it has in all.
        have: usize,
    },
    /// Something of `/proc` can't be read.
    Proc {
        /// What.
        path: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A file that may be read isn't there, or can't be looked at.
    Path {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// This system can't put all of it in force.
    Missing {
        /// What is in force, what isn't, and why.
        report: Report,
    },
}

impl fmt::Display for EnforceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EnforceError::Unsupported => f.write_str(
                "a process can't be confined on this system; Linux on x86_64 and aarch64 can do that",
            ),
            EnforceError::Threads { have } => write!(
                f,
                "the process has {have} threads, and is confined while it has one; confine it before it starts others"
            ),
            EnforceError::Proc { path, .. } => {
                write!(f, "can't read {path}, without which a process can't be confined")
            }
            EnforceError::Path { path, .. } => {
                write!(f, "`{}` is listed as a file that may be read, and can't be looked at", path.display())
            }
            EnforceError::Missing { report } => {
                f.write_str("this system can't put all of the confinement in force:")?;
                for (measure, why) in report.missing() {
                    write!(f, "\n  {measure}: {why}")?;
                }
                f.write_str("\nleave that out, or accept to go without it with `lenient(true)`")
            }
        }
    }
}

impl std::error::Error for EnforceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            EnforceError::Proc { source, .. } | EnforceError::Path { source, .. } => Some(source),
            _ => None,
        }
    }
}
