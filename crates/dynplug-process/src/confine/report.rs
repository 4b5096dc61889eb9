//! What of a confinement is in force: as data, as text, and from that text again, since the runner knows it and the host wants to.

use std::{fmt, str::FromStr};

/// Something that a confinement puts in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Measure {
    /// Running a program gives no more privileges (`no_new_privs`).
    Privileges,
    /// What root may do beyond others is taken away.
    Capabilities,
    /// Files, by Landlock.
    Files,
    /// System calls, by seccomp.
    Calls,
    /// No more code is mapped, by seccomp; from when the plugin is loaded.
    Code,
    /// The limit of memory.
    Memory,
    /// The limit of processor time.
    ProcessorTime,
    /// The limit of threads and processes.
    Threads,
    /// The limit of descriptors.
    OpenFiles,
    /// The limit of the size of files.
    FileSize,
    /// There are no core dumps.
    CoreDumps,
}

impl Measure {
    const ALL: [Measure; 11] = [
        Measure::Privileges,
        Measure::Capabilities,
        Measure::Files,
        Measure::Calls,
        Measure::Code,
        Measure::Memory,
        Measure::ProcessorTime,
        Measure::Threads,
        Measure::OpenFiles,
        Measure::FileSize,
        Measure::CoreDumps,
    ];

    fn name(self) -> &'static str {
        match self {
            Measure::Privileges => "no new privileges",
            Measure::Capabilities => "no capabilities",
            Measure::Files => "files",
            Measure::Calls => "system calls",
            Measure::Code => "no more code",
            Measure::Memory => "memory",
            Measure::ProcessorTime => "processor time",
            Measure::Threads => "threads",
            Measure::OpenFiles => "open files",
            Measure::FileSize => "file size",
            Measure::CoreDumps => "no core dumps",
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether something is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It is.
    InForce,
    /// It will be, once the plugin is loaded.
    OnceLoaded,
    /// It isn't: this system can't do it.
    Missing {
        /// Why, in one line.
        why: String,
    },
}

const IN_FORCE: &str = "in force";
const ONCE_LOADED: &str = "once the plugin is loaded";
const MISSING: &str = "missing, ";

/// What of a confinement is in force. Only what was asked for is in it.
///
/// It is printed with a line for each measure, and read again from that.
///
/// ```
/// use dynplug_process::confine::{Measure, Report};
///
/// let report: Report = "files: in force\nthreads: missing, the kernel doesn't count the threads of root".parse()?;
/// assert_eq!(report.missing().collect::<Vec<_>>(), [(Measure::Threads, "the kernel doesn't count the threads of root")]);
/// # Ok::<(), dynplug_process::confine::ReportError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    states: Vec<(Measure, State)>,
}

impl Report {
    /// Each measure that was asked for.
    pub fn measures(&self) -> impl Iterator<Item = (Measure, &State)> {
        self.states.iter().map(|(measure, state)| (*measure, state))
    }

    /// What isn't in force and won't be, and why.
    pub fn missing(&self) -> impl Iterator<Item = (Measure, &str)> {
        self.states.iter().filter_map(|(measure, state)| match state {
            State::Missing { why } => Some((*measure, why.as_str())),
            _ => None,
        })
    }

    /// Whether that measure was asked for and is in force now.
    pub fn in_force(&self, measure: Measure) -> bool {
        self.states.contains(&(measure, State::InForce))
    }

    pub(super) fn set(&mut self, measure: Measure, state: State) {
        match self.states.iter_mut().find(|(known, _)| *known == measure) {
            Some((_, known)) => *known = state,
            None => self.states.push((measure, state)),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (measure, state)) in self.states.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            match state {
                State::InForce => write!(f, "{measure}: {IN_FORCE}"),
                State::OnceLoaded => write!(f, "{measure}: {ONCE_LOADED}"),
                // In one line, whatever the system has said.
                State::Missing { why } => {
                    write!(f, "{measure}: {MISSING}{}", why.replace(char::is_control, " "))
                }
            }?;
        }
        Ok(())
    }
}

impl FromStr for Report {
    type Err = ReportError;

    fn from_str(text: &str) -> Result<Self, ReportError> {
        let mut report = Report::default();
        for line in text.lines() {
            let error = || ReportError { line: line.into() };
            let (name, state) = line.split_once(": ").ok_or_else(error)?;
            let measure =
                Measure::ALL.into_iter().find(|measure| measure.name() == name).ok_or_else(error)?;
            let state = match state {
                IN_FORCE => State::InForce,
                ONCE_LOADED => State::OnceLoaded,
                other => State::Missing { why: other.strip_prefix(MISSING).ok_or_else(error)?.into() },
            };
            if report.states.iter().any(|(known, _)| *known == measure) {
                return Err(error());
            }
            report.set(measure, state);
        }
        Ok(report)
    }
}

/// A line that isn't of a report of this version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportError {
    /// The line.
    pub line: String,
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no line of a report of this version; host and runner have to be of one version of dynplug",
            self.line
        )
    }
}

impl std::error::Error for ReportError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_as_it_was_printed() {
        let mut report = Report::default();
        assert_eq!("".parse(), Ok(report.clone()));
        for (i, measure) in Measure::ALL.into_iter().enumerate() {
            let missing = State::Missing { why: "no: such, thing".into() };
            report.set(measure, [State::InForce, State::OnceLoaded, missing][i % 3].clone());
        }
        assert_eq!(report.to_string().parse(), Ok(report.clone()));
        assert_eq!(report.missing().count(), 3);
        report.set(Measure::Files, State::Missing { why: "two\nlines".into() });
        let read: Report = report.to_string().parse().unwrap();
        assert_eq!(read.missing().next(), Some((Measure::Files, "two lines")));
    }

    #[test]
    fn what_is_no_report_is_refused() {
        for line in ["files", "files: perhaps", "fires: in force", "files: in force\nfiles: in force", "\n"] {
            assert!(line.parse::<Report>().is_err(), "{line:?}");
        }
    }
}
