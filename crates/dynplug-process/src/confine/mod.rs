//! What a process may do that runs a plugin: the host says it, and the process does it to itself before anything of the
//! plugin is mapped.
//!
//! A [`Confinement`] is a [`Level`] and limits. It is plain data on every system. The host makes it and hands it over as
//! arguments of a command line ([`Confinement::to_args`]); the program that runs plugins, a *runner*, reads them
//! ([`Confinement::from_args`]) and, with the cargo feature `runner`, puts them in force, with `Confinement::enforce`. What
//! is in force then is a [`Report`].
//!
//! ```
//! use dynplug_process::confine::{Confinement, Level};
//!
//! let confinement = Confinement::new(Level::ComputeOnly).memory(256 << 20).processor_time(30);
//! assert_eq!(Confinement::from_args(confinement.to_args())?, confinement);
//! # Ok::<(), dynplug_process::confine::ArgsError>(())
//! ```
//!
//! # The levels
//!
//! | | [`LimitsOnly`](Level::LimitsOnly) | [`ReadOnly`](Level::ReadOnly) | [`ComputeOnly`](Level::ComputeOnly) |
//! |---|---|---|---|
//! | the limits that were set | yes | yes | yes |
//! | more privileges by running a program (`setuid`) | no | no | no |
//! | what root may do beyond others (capabilities) | as before | none | none |
//! | files | as before | reading those that are listed, and the system's libraries | none |
//! | names, sizes and times of files | as before | as before | none |
//! | writing, creating, removing, renaming files; their rights and times | as before | none | none |
//! | network, local sockets | as before | none, but pairs of streams within the process | none |
//! | other programs, other processes (`exec`, `fork`) | as before | none | none |
//! | signals | as before | to itself | to itself |
//! | reading, tracing, steering other processes | as before | none | none |
//! | memory that is made executable | as before | none | none |
//! | libraries | as before | until the plugin is loaded | those that are in memory files, until the plugin is loaded |
//! | `io_uring`, `bpf`, `userfaultfd`, keys, namespaces, mounts, memory files | as before | none | none |
//! | system calls that are newer than this crate | as before | none | none |
//! | threads, time, random numbers, descriptors that are open already, pipes | as before | as before | as before |
//!
//! The two strict levels list the system calls that are allowed, with the arguments that are, and everything else is refused.
//!
//! # What a plugin is told
//!
//! A call that is refused gives `EPERM`, a file that isn't listed `EACCES`, and the process lives on. A plugin that asks for what
//! it doesn't need in earnest, as many do (is there a configuration file? a terminal? a cache?), gets the error that it would get on
//! a system where it has no right, and goes on without. Were it killed instead, harmless plugins would fail by something that their
//! authors never thought of, and nobody would be told what it was. A call that a C library tries first and can do without
//! (`clone3`), and numbers that are newer than this crate, give `ENOSYS`, as on an older kernel.
//!
//! The host is told what is in force, by the [`Report`], and by what signal the process has ended. Of single calls that were refused
//! it is told by the plugin or not at all.
//!
//! # Two stages
//!
//! A plugin is mapped after the sandbox is in force, and mapping it needs what it must not have later. So `enforce` gives a
//! stage in which files can still be mapped with their code, and everything else is in force; and once the plugin is loaded,
//! the stage's `loaded` takes that away too, and at [`Level::ComputeOnly`] opening and asking for files altogether. The plugin's
//! constructors run in between. They can map code from what can be opened then: at `ReadOnly` from the files that are listed and the
//! system's libraries, at `ComputeOnly` from descriptors that the process has. They can skip the second stage as well, since they run
//! in the process that is to call it. So the second stage holds against those who exploit an honest plugin, and the first one against
//! a plugin that is hostile itself. Nothing but the second stage keeps a constructor of a `ComputeOnly` plugin from asking for
//! names, sizes and times of files.
//!
//! At `ComputeOnly`, a library of the system that a plugin needs has to be in the process before `enforce`, or the plugin isn't
//! loaded, and the loader says which one it can't open. libc, libm and what else the runner has itself are there.
//!
//! # What no level stops
//!
//! - What the process has already: its memory, its environment and arguments, every descriptor that is open. A socket to the host
//!   can be written to, a file that is open for writing can be written. Descriptors that the plugin shouldn't have have to be closed
//!   before.
//! - Telling time, and with it whatever can be learned by measuring (caches of the processor, load).
//! - Using up the processor, the memory and the threads that no limit takes away, and memory that the kernel keeps for the process,
//!   which no limit counts: tables of pages, pipes, timers.
//! - Errors of the kernel in the calls that are allowed, and of the processor.
//! - Reading as root what root may read: levels take capabilities away, but not the user. `ReadOnly` paths are for whoever the
//!   user of the process is.
//! - Other processes of the same user: these are not confined, and may read and stop this one.
//! - Programs of another architecture: a 32-bit system call on a 64-bit system isn't refused but ends the process.
//!
//! # Platform-specific behaviour
//!
//! The description is there on every system. It is put in force on Linux on x86_64 and aarch64, by Landlock (Linux 5.13), seccomp,
//! `no_new_privs` and `setrlimit`; elsewhere `enforce` is an error. musl sends a process's signals to itself by a call that
//! reaches any process, which is refused: at the strict levels `abort` ends a program of musl's by `SIGSEGV`.

mod args;
#[cfg(feature = "runner")]
mod enforce;
mod report;

pub use args::ArgsError;
#[cfg(feature = "runner")]
pub use enforce::{EnforceError, Stage};
pub use report::{Measure, Report, ReportError, State};

use std::path::PathBuf;

/// What a process may do at all. The [module](self) has the table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Level {
    /// All that the user may do, within the limits. For plugins that are trusted and may have errors. Running a program doesn't give
    /// more privileges (`no_new_privs`).
    LimitsOnly,
    /// Reading some files, and computing. No network, no other programs and processes, no writing.
    ReadOnly {
        /// Files, and folders with all that is below them. A path that isn't there is an error when the confinement is put in
        /// force. A relative one starts where the runner stands. Links are followed then, once.
        ///
        /// The folders of the system's libraries needn't be listed.
        read: Vec<PathBuf>,
    },
    /// Computing on what it is given. No files, no network, no other programs and processes.
    ComputeOnly,
}

/// What a process may do, and how much of everything. What isn't limited is as it was.
///
/// A limit holds to the end of the process. None is ever raised above what the process has from its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Confinement {
    level: Level,
    memory: Option<u64>,
    processor_time: Option<u64>,
    threads: Option<u32>,
    open_files: Option<u32>,
    file_size: Option<u64>,
    core_dumps: bool,
    lenient: bool,
}

impl Confinement {
    /// That level, without limits and without core dumps. All of it has to be in force.
    pub fn new(level: Level) -> Self {
        Confinement {
            level,
            memory: None,
            processor_time: None,
            threads: None,
            open_files: None,
            file_size: None,
            core_dumps: false,
            lenient: false,
        }
    }

    /// How many bytes of memory it may get beyond what it has when this is put in force.
    ///
    /// What counts is memory that can be written and is the process's own (`RLIMIT_DATA`), when it is asked for and not when it is
    /// used: the heap, and stacks of threads, 2 MiB each unless the program says otherwise. Memory that is mapped from files, or shared
    /// with the host, doesn't count. The main thread's stack is limited by itself, to the same number or 8 MiB, whichever is more. At
    /// the strict levels there is no other kind to be had; at [`Level::LimitsOnly`] a program can still get around it with anonymous
    /// shared memory. Beyond the limit an allocation fails, which by default ends a Rust program with `SIGABRT`.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// How many seconds of processor time it may use from when this is put in force, all threads together, and up to a second more,
    /// since the kernel counts whole ones. Then it is ended by `SIGXCPU`, and a second later by `SIGKILL` if it caught that.
    pub fn processor_time(mut self, seconds: u64) -> Self {
        self.processor_time = Some(seconds);
        self
    }

    /// How many threads and processes it may have at once beside the thread that puts this in force. One more fails with `EAGAIN`.
    ///
    /// The kernel counts by user and not by process (`RLIMIT_NPROC`), so the process gets a user namespace of its own, where it is
    /// the only one that is counted. Where there are none for ordinary users, and for root, whom the kernel doesn't count, the
    /// limit can't be in force.
    pub fn threads(mut self, most: u32) -> Self {
        self.threads = Some(most);
        self
    }

    /// How many descriptors it may open beside those that are open when this is put in force. One more fails with `EMFILE`. Loading a
    /// plugin takes one for a moment.
    pub fn open_files(mut self, most: u32) -> Self {
        self.open_files = Some(most);
        self
    }

    /// How large a file may become by being written, standard output included if it is a file. Beyond that the process is ended by
    /// `SIGXFSZ`.
    pub fn file_size(mut self, bytes: u64) -> Self {
        self.file_size = Some(bytes);
        self
    }

    /// Whether the system may keep its memory when it crashes. It may not, unless this says so.
    pub fn core_dumps(mut self, yes: bool) -> Self {
        self.core_dumps = yes;
        self
    }

    /// Whether to go on where this system can't put something in force. Then [`Report::missing`] says what that is; otherwise it
    /// is an error.
    pub fn lenient(mut self, yes: bool) -> Self {
        self.lenient = yes;
        self
    }

    /// What it may do at all.
    pub fn level(&self) -> &Level {
        &self.level
    }
}
