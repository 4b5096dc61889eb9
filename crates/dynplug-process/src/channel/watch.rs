//! Sees the other process end, and ends the calls that wait for it.
//!
//! One thread for each channel. Calls sleep on words of the other side's, which nobody changes any
//! more when it is dead. So this thread wakes them, until none sleeps.
//! It gives back what large messages have taken, too, some time after the last one.

use super::{CallError, Error, host::Desk, system::Process};
use std::{
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

/// For how long memory stays that a large message has taken. The next one would take as long again to get it as to write it.
const LINGER: Duration = Duration::from_secs(1);

/// Why a wait for the end is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "nothing wakes where there is nothing to wait for")
)]
pub(super) enum Woken {
    /// Somebody hung up, or the process has ended.
    End,
    /// A large message has come.
    Alarm,
    Time,
}

#[derive(Debug)]
pub(super) struct Watch {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub(super) fn start(desk: Arc<Desk>, process: Option<Process>) -> Result<Self, Error> {
        let theirs = desk.clone();
        let thread = thread::Builder::new()
            .name("dynplug-watch".into())
            .stack_size(128 << 10)
            .spawn(move || watch(&theirs, process.as_ref()))
            .map_err(Error::system("start a thread"))?;
        Ok(Watch { desk, thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.desk.socket.hang_up();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn watch(desk: &Desk, process: Option<&Process>) {
    let mut large = 0;
    let mut most = None;
    loop {
        match desk.socket.wait_for_end(process, Some(&desk.alarm), most) {
            Woken::End => break,
            Woken::Alarm => most = Some(LINGER),
            Woken::Time => {
                large = desk.shrink(large);
                most = (large != 0).then_some(LINGER);
            }
        }
    }
    desk.end(CallError::Ended);
    while desk.wake_sleepers() {
        thread::sleep(Duration::from_micros(200));
    }
}
