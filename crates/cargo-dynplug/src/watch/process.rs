//! A program with all that it starts, which ends when it is told to, and when this program ends, however that happens.
//!
//! Between the two stands this program once more, as a keeper in a group of its own: terminals and kills that mean this
//! program don't reach it. It waits for the end of a pipe, whose other side the system closes with this program. A signal
//! that the system sends to children of a dead parent would not reach what those have started.

use crate::diagnostic::{Doing, Result};
use std::ffi::OsString;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

/// The word by which this program is started as a keeper.
pub const KEEPER: &str = "dynplug-keep";

/// A program that runs.
pub(super) struct Kept {
    /// What closes when it is to end.
    pipe: Option<ChildStdin>,
    /// By what its end is told.
    pub(super) number: u64,
}

impl Kept {
    /// Starts it. `ended` is called once, from a thread of its own.
    pub(super) fn start(
        command: &Command,
        grace: Duration,
        number: u64,
        ended: impl FnOnce(ExitStatus) + Send + 'static,
    ) -> Result<Kept> {
        let what = || format!("run {}", command.get_program().to_string_lossy());
        let mut keeper = Command::new(std::env::current_exe().doing("find this program")?);
        keeper.arg(KEEPER).arg(grace.as_millis().to_string());
        keeper.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => keeper.env(name, value),
                None => keeper.env_remove(name),
            };
        }
        own_group(keeper.stdin(Stdio::piped()));
        let mut child = keeper.spawn().doing(what())?;
        let pipe = child.stdin.take();
        std::thread::spawn(move || {
            if let Ok(status) = child.wait() {
                ended(status);
            }
        });
        Ok(Kept { pipe, number })
    }

    /// Tells it to end. It does not wait for that.
    pub(super) fn end(&mut self) {
        self.pipe = None;
    }
}

enum Told {
    /// The program ended.
    Ended(std::io::Result<ExitStatus>),
    /// It is to end.
    End,
}

/// Runs as a keeper: `words` are how long the program is given to end, the program, and its arguments. Returns the exit
/// code of the program; where a signal ended that, the same ends this process.
pub fn main(words: Vec<OsString>) -> i32 {
    let mut words = words.into_iter();
    let grace = words.next().and_then(|w| w.to_str()?.parse().ok()).unwrap_or(0);
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).stdin(Stdio::null());
    let mut child = match own_group(&mut command).spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("could not run {}: {error}", command.get_program().to_string_lossy());
            return 127;
        }
    };
    let group = Group::of(&child);
    let (sender, receiver) = channel();
    let told = sender.clone();
    std::thread::spawn(move || {
        // Nothing is ever written to it.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = told.send(Told::End);
    });
    std::thread::spawn(move || {
        let ended = child.wait();
        let _ = sender.send(Told::Ended(ended));
    });
    let mut ended = None;
    match receiver.recv() {
        Ok(Told::Ended(status)) => ended = Some(status),
        Ok(Told::End) | Err(_) => {
            group.ask();
            if let Ok(Told::Ended(status)) = receiver.recv_timeout(Duration::from_millis(grace)) {
                ended = Some(status);
            }
        }
    }
    // Also what the program has left behind.
    group.kill();
    let status = match ended {
        Some(status) => status,
        None => match receiver.recv() {
            Ok(Told::Ended(status)) => status,
            _ => return 1,
        },
    };
    match status {
        Ok(status) => status.code().unwrap_or_else(|| as_by_its_signal(status)),
        Err(error) => {
            eprintln!("could not wait for {}: {error}", command.get_program().to_string_lossy());
            1
        }
    }
}

#[cfg(unix)]
fn own_group(command: &mut Command) -> &mut Command {
    use std::os::unix::process::CommandExt;
    command.process_group(0)
}

#[cfg(not(unix))]
fn own_group(command: &mut Command) -> &mut Command {
    command
}

/// A program and all that it has started, as far as these stay together.
#[cfg(unix)]
struct Group(Option<rustix::process::Pid>);

#[cfg(unix)]
impl Group {
    fn of(child: &Child) -> Group {
        Group(i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw))
    }

    fn ask(&self) {
        self.send(rustix::process::Signal::TERM);
    }

    fn kill(&self) {
        self.send(rustix::process::Signal::KILL);
    }

    fn send(&self, signal: rustix::process::Signal) {
        if let Some(group) = self.0 {
            // Nobody may be left.
            let _ = rustix::process::kill_process_group(group, signal);
        }
    }
}

/// Where there are no groups, the system's own tool ends a program with its children.
#[cfg(not(unix))]
struct Group(u32);

#[cfg(not(unix))]
impl Group {
    fn of(child: &Child) -> Group {
        Group(child.id())
    }

    fn ask(&self) {}

    fn kill(&self) {
        let mut command = Command::new("taskkill");
        command.args(["/F", "/T", "/PID", &self.0.to_string()]);
        let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

#[cfg(unix)]
fn as_by_its_signal(status: ExitStatus) -> i32 {
    use rustix::process::{Resource, Rlimit, Signal, getpid, kill_process, setrlimit};
    use std::os::unix::process::ExitStatusExt;
    let number = status.signal().unwrap_or_default();
    if let Some(signal) = Signal::from_named_raw(number) {
        // One picture of the memory is enough.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
        let _ = kill_process(getpid(), signal);
    }
    128 + number
}

#[cfg(not(unix))]
fn as_by_its_signal(_status: ExitStatus) -> i32 {
    1
}
