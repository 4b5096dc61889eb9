//! A program that starts itself a second time and calls what runs there.

use bench_runner::apart::{self, Calls};
use bench_runner::{Answer, Peer};
use rustix::process::{Signal, set_parent_process_death_signal};
use std::io::{Read, Result, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The first word of the command line of the program that is called.
const ROLE: &str = "serve";

/// The process that is called.
#[derive(Debug)]
pub struct Other {
    child: Child,
    /// A name for a socket, or for whatever the two meet at.
    pub place: PathBuf,
}

impl Other {
    /// Starts it, with this as its standard input, and waits until it is [`ready`].
    ///
    /// # Errors
    ///
    /// When it can't be started.
    pub fn start(input: Stdio, place: PathBuf) -> Result<Other> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.arg(ROLE).arg(&place).stdin(input).stdout(Stdio::piped()).spawn()?;
        if let Some(output) = &mut child.stdout {
            output.read_exact(&mut [0])?;
        }
        Ok(Other { child, place })
    }

    /// A name that no other process has, for a socket.
    pub fn socket() -> PathBuf {
        std::env::temp_dir().join(format!("dynplug-bench-{}", std::process::id()))
    }

    /// The process's number.
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.place);
    }
}

/// Where the two meet, if this is the process that is called. It ends with the one that calls.
///
/// # Errors
///
/// When the system doesn't promise that.
pub fn serves() -> Result<Option<PathBuf>> {
    let mut words = std::env::args_os().skip(1);
    if words.next().is_none_or(|word| word != ROLE) {
        return Ok(None);
    }
    set_parent_process_death_signal(Some(Signal::KILL))?;
    Ok(Some(words.next().unwrap_or_default().into()))
}

/// Tells the process that calls that it can be called.
///
/// # Errors
///
/// When that process is gone.
pub fn ready() -> Result<()> {
    let mut out = std::io::stdout();
    out.write_all(b"\n")?;
    out.flush()
}

/// One that calls, as the driver sees it.
#[derive(Debug)]
pub struct Host<C>(pub C);

impl<C: Calls> Peer for Host<C> {
    fn answer(&mut self, what: &str, count: u64, _: &str) -> Answer {
        match what {
            // It is there since the program has begun.
            "load" => Ok(1.0),
            _ => apart::answer(&mut self.0, what, count),
        }
    }
}
