//! Sees the other process end, and ends the calls that wait for it.
//!
//! One thread for each channel. Calls sleep on words of the other side's, which nobody changes any
//! more when it is dead. So this thread wakes them, until none sleeps.

use super::{CallError, Error, host::Desk, system::Process};
use std::{
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
    desk.socket.wait_for_end(process);
    desk.end(CallError::Ended);
    while desk.wake_sleepers() {
        thread::sleep(Duration::from_micros(200));
    }
}
