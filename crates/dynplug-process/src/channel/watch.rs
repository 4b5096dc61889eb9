//! Sees the other process end, and ends the calls that wait for it.
//!
//! One thread for each channel, which sleeps in `poll`. Calls sleep on words of the other side's, which nobody changes any
//! more when it is dead. So this thread wakes them, until none sleeps.

use super::{CallError, Error, host::Desk, setup};
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
};
use std::{
    os::fd::OwnedFd,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

#[derive(Debug)]
pub(super) struct Watch {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub(super) fn start(desk: Arc<Desk>, process: OwnedFd) -> Result<Self, Error> {
        let theirs = desk.clone();
        let thread = thread::Builder::new()
            .name("dynplug-watch".into())
            .stack_size(128 << 10)
            .spawn(move || watch(&theirs, &process))
            .map_err(setup::system("start a thread"))?;
        Ok(Watch { desk, thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.desk.hang_up();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn watch(desk: &Desk, process: &OwnedFd) {
    loop {
        // Of the socket only its end is asked for, which needs no flag: what the other side sends there is never read.
        let mut files = [PollFd::new(&desk.socket, PollFlags::empty()), PollFd::new(process, PollFlags::IN)];
        match poll(&mut files, None) {
            Err(Errno::INTR) => {}
            _ => break,
        }
    }
    desk.end(CallError::Ended);
    while desk.wake_sleepers() {
        thread::sleep(Duration::from_micros(200));
    }
}
