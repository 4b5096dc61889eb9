//! What is put in force in which order: each step needs what a later one takes away.

use super::{EnforceError, Stage, calls, files, filter, limits, threads};
use crate::confine::{Confinement, Level, Measure, Report, State};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs};
use std::{fmt, fs, path::PathBuf};

pub(super) fn enforce(confinement: &Confinement) -> Result<Stage, EnforceError> {
    // By its fields, so that a new one doesn't compile until it is put in force.
    let Confinement { level, memory, processor_time, threads, open_files, file_size, core_dumps, lenient: _ } =
        confinement;
    alone()?;
    // Before any is opened for a while.
    let path = "/proc/self/fd";
    let open = limits::descriptors().map_err(|source| EnforceError::Proc { path, source })?;
    let mut report = Report::default();
    let mut step = |measure, done: Result<(), String>| {
        let in_force = done.is_ok();
        report.set(measure, done.map_or_else(|why| State::Missing { why }, |()| State::InForce));
        in_force
    };

    // While files can be opened.
    let rules = match level {
        Level::LimitsOnly => None,
        Level::ReadOnly { read } => Some(files::rules(Some(read.iter().map(PathBuf::as_path)))?),
        Level::ComputeOnly => Some(files::rules(None::<[_; 0]>)?),
    };
    // While it may do what it may, and no limit is in the way of a thread.
    let namespace = threads.is_some_and(|most| step(Measure::Threads, threads::limit(most)));
    step(Measure::Privileges, set_no_new_privs(true).map_err(text));
    if rules.is_some() || namespace {
        // A new user namespace comes with all capabilities in it, which nobody has asked for.
        step(Measure::Capabilities, no_capabilities());
    }
    if !core_dumps {
        step(Measure::CoreDumps, limits::core_dumps());
    }
    if let Some(bytes) = *file_size {
        step(Measure::FileSize, limits::file_size(bytes));
    }
    if let Some(seconds) = *processor_time {
        step(Measure::ProcessorTime, limits::processor_time(seconds));
    }
    if let Some(more) = *open_files {
        step(Measure::OpenFiles, limits::open_files(open, more));
    }
    // While /proc can be read.
    if let Some(bytes) = *memory {
        step(Measure::Memory, limits::memory(bytes));
    }
    if let Some(rules) = rules {
        // While Landlock can be called.
        step(Measure::Files, rules.and_then(files::here));
        let filtered = step(Measure::Calls, filters(level));
        let code = match filtered {
            true => State::OnceLoaded,
            false => State::Missing { why: "system calls can't be filtered".into() },
        };
        report.set(Measure::Code, code);
    }
    complete(confinement, report).map(|report| Stage { confinement: confinement.clone(), report })
}

pub(super) fn loaded(stage: Stage) -> Result<Report, EnforceError> {
    let Stage { confinement, mut report } = stage;
    if report.measures().any(|(measure, state)| (measure, state) == (Measure::Code, &State::OnceLoaded)) {
        // Constructors of the plugin may have started threads.
        let done =
            filter::without(&calls::taken(reads(&confinement.level))).and_then(|it| filter::everywhere(&it));
        let state = done.map_or_else(|error| State::Missing { why: text(error) }, |()| State::InForce);
        report.set(Measure::Code, state);
    }
    complete(&confinement, report)
}

fn complete(confinement: &Confinement, report: Report) -> Result<Report, EnforceError> {
    let whole = report.missing().next().is_none();
    if whole || confinement.lenient { Ok(report) } else { Err(EnforceError::Missing { report }) }
}

fn reads(level: &Level) -> bool {
    matches!(level, Level::ReadOnly { .. })
}

fn filters(level: &Level) -> Result<(), String> {
    let install = || {
        let only = filter::only(&calls::allowed(reads(level)))?;
        let absent = filter::absent(&calls::absent())?;
        filter::here(&only)?;
        filter::here(&absent)
    };
    install().map_err(text)
}

/// That there is no other thread, which would not be confined.
fn alone() -> Result<(), EnforceError> {
    let path = "/proc/self/task";
    match fs::read_dir(path) {
        Err(source) => Err(EnforceError::Proc { path, source }),
        Ok(threads) => match threads.count() {
            0 | 1 => Ok(()),
            have => Err(EnforceError::Threads { have }),
        },
    }
}

fn no_capabilities() -> Result<(), String> {
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .map_err(text)
}

fn text(error: impl fmt::Display) -> String {
    error.to_string()
}
