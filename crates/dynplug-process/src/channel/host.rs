//! The host's side: calls.

use super::{
    CallError, Config, Error, Lie,
    layout::{self, Layout},
    setup,
    shared::{self, Mapping, Writable},
    slots::Slots,
    spin::Spin,
    watch::Watch,
};
use rustix::{
    fs::{FallocateFlags, fallocate},
    net::{Shutdown, shutdown},
};
use std::{
    io,
    os::fd::OwnedFd,
    process::{Child, Command},
    sync::{
        Arc, OnceLock,
        atomic::{
            AtomicU32,
            Ordering::{Acquire, Relaxed, SeqCst},
        },
    },
    time::Instant,
};

/// A process that functions can be called in, from any number of threads.
#[derive(Debug)]
pub struct Channel {
    desk: Arc<Desk>,
    /// Held for its drop, which ends the other side.
    _watch: Watch,
}

/// What calls and the watch have in common.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) layout: Layout,
    requests: Writable,
    answers: Mapping,
    files: setup::Files,
    /// Nothing is read from it. Its end is what counts.
    pub(super) socket: OwnedFd,
    keep: usize,
    slots: Slots,
    spin: Spin,
    /// Why there are no calls any more.
    end: OnceLock<CallError>,
    /// How many calls sleep on an answer.
    sleeping: AtomicU32,
}

impl Channel {
    /// Starts the command with a channel as its standard input, where [`Served::from_stdin`](super::Served::from_stdin)
    /// finds it.
    ///
    /// The channel doesn't end the process. Where the channel is dropped, [`Served::serve`](super::Served::serve) returns there.
    ///
    /// # Errors
    ///
    /// The sizes can't be had, or the system has no memory, descriptors or process to give.
    pub fn spawn(command: &mut Command, config: &Config) -> Result<(Channel, Child), Error> {
        let layout = Layout::new(config)?;
        let files = setup::Files::new(layout)?;
        let requests = Writable::new(&files.requests, layout.size())
            .map_err(setup::system("map memory to be shared"))?;
        let answers =
            Mapping::new(&files.answers, layout.size()).map_err(setup::system("map memory to be shared"))?;
        let (socket, other) = setup::sockets()?;
        files.send(&socket, layout)?;
        let (child, process) = setup::spawn(command, other)?;
        let desk = Arc::new(Desk {
            layout,
            requests,
            answers,
            files,
            socket,
            keep: config.keep,
            slots: Slots::new(layout.slots),
            spin: Spin::new(config.spin),
            end: OnceLock::new(),
            sleeping: AtomicU32::new(0),
        });
        match Watch::start(desk.clone(), process) {
            Ok(watch) => Ok((Channel { desk, _watch: watch }, child)),
            Err(error) => Err(setup::give_up(child, error)),
        }
    }

    /// A place for the arguments of a call. Where all are taken, this waits for one until the deadline.
    ///
    /// # Errors
    ///
    /// [`CallError::Busy`], [`CallError::Ended`], [`CallError::Broken`].
    pub fn request(&self, function: u32, deadline: Option<Instant>) -> Result<Request<'_>, CallError> {
        let desk = &*self.desk;
        desk.check()?;
        let answered = |slot| desk.answer(slot).load(Acquire) == desk.slots.asked(slot).load(Relaxed);
        let Some(slot) = desk.slots.take(deadline, answered, || desk.end.get().is_some()) else {
            desk.check()?;
            return Err(CallError::Busy { slots: desk.layout.slots, stuck: desk.slots.stuck() });
        };
        Ok(Request { desk, slot, function, written: 0, deadline, sent: false })
    }

    /// Why there can be no calls any more, if there can't.
    pub fn ended(&self) -> Option<CallError> {
        self.desk.end.get().cloned()
    }
}

impl Desk {
    fn answer(&self, slot: u32) -> &AtomicU32 {
        self.answers.word(self.layout.slot(slot) + layout::ANSWER)
    }

    fn check(&self) -> Result<(), CallError> {
        match self.end.get() {
            Some(end) => Err(end.clone()),
            None => Ok(()),
        }
    }

    /// Ends all calls, those to come too. The first reason stays.
    pub(super) fn end(&self, why: CallError) {
        let _ = self.end.set(why);
        self.slots.wake_all();
    }

    /// Both ends of the socket hang up: the other process sees it, and so does the watch, which wakes the other calls.
    pub(super) fn hang_up(&self) {
        let _ = shutdown(&self.socket, Shutdown::Both);
    }

    /// Wakes all that sleep on an answer, and says whether there were any. One that was just about to sleep is missed, so
    /// this is called until there are none.
    pub(super) fn wake_sleepers(&self) -> bool {
        let some = self.sleeping.load(SeqCst) != 0;
        if some {
            for slot in 0..self.layout.slots {
                shared::wake(self.answer(slot), u32::MAX);
            }
        }
        some
    }

    fn lie(&self, lie: Lie) -> CallError {
        self.end(CallError::Broken(lie));
        self.hang_up();
        CallError::Broken(lie)
    }

    /// Tells the other side of a call.
    fn ring(&self) {
        let bell = self.requests.word(layout::BELL);
        bell.fetch_add(1, SeqCst);
        let looks = self.answers.word(layout::LOOKERS).load(SeqCst) != 0;
        if !looks && self.answers.word(layout::SLEEPERS).load(SeqCst) != 0 {
            shared::wake(bell, 1);
        }
    }

    fn wait(&self, slot: u32, call: u32, deadline: Option<Instant>) -> Result<(), CallError> {
        let answer = self.answer(slot);
        let before = call.wrapping_sub(1);
        if self.spin.begin() {
            self.spin.until(|| answer.load(Relaxed) != before);
        }
        let waiting = self.requests.word(self.layout.slot(slot) + layout::WAITING);
        let mut asleep = false;
        let result = loop {
            // What was answered before the end is still good, so the end is looked at first.
            let end = self.end.get();
            let have = answer.load(SeqCst);
            if have == call {
                break Ok(());
            }
            if have != before {
                break Err(self.lie(Lie::Answer { slot, have, want: call }));
            }
            if let Some(end) = end {
                break Err(end.clone());
            }
            let rest = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if rest.is_some_and(|rest| rest.is_zero()) {
                break Err(CallError::Deadline);
            }
            if !asleep {
                // From here on the other side wakes, so it is looked once more.
                asleep = true;
                self.sleeping.fetch_add(1, SeqCst);
                waiting.store(1, SeqCst);
                continue;
            }
            shared::sleep(answer, have, rest);
        };
        if asleep {
            waiting.store(0, Relaxed);
            self.sleeping.fetch_sub(1, SeqCst);
        }
        result
    }

    /// What the other side says, after it has answered. Each word is read once.
    fn read(&self, slot: u32, into: &mut Vec<u8>) -> Result<(u32, usize), CallError> {
        let at = self.layout.slot(slot);
        let word = |offset| self.answers.word(at + offset).load(Relaxed);
        let (status, bytes, kind) = (word(layout::STATUS), word(layout::LENGTH), word(layout::KIND));
        let room = self.layout.region;
        match kind {
            layout::ANSWERED => {
                let len = usize::try_from(bytes).unwrap_or(usize::MAX);
                if len > room {
                    return Err(self.lie(Lie::Length { slot, bytes, room }));
                }
                self.answers
                    .copy_out(self.layout.bytes(slot), len, into)
                    .map_err(|()| CallError::Memory { bytes: len })?;
                Ok((status, len))
            }
            layout::TOO_LARGE => Err(CallError::AnswerTooLarge { bytes: bytes.into(), room }),
            layout::PANICKED => Err(CallError::Panicked),
            have => Err(self.lie(Lie::Kind { slot, have })),
        }
    }

    fn give_back(&self, file: &OwnedFd, slot: u32, used: usize) {
        let (from, bytes) = self.layout.above(slot, self.keep);
        if used > self.keep && bytes != 0 {
            // Where this fails, memory stays taken until the channel ends, and nothing else is wrong.
            let holes = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            let _ = fallocate(file, holes, from as u64, bytes as u64);
        }
    }
}

/// Arguments on their way: what is written here is written to memory of both processes. See [`Channel::request`].
#[derive(Debug)]
pub struct Request<'a> {
    desk: &'a Desk,
    slot: u32,
    function: u32,
    /// How many bytes came, though there may be room for less.
    written: u64,
    deadline: Option<Instant>,
    sent: bool,
}

impl io::Write for Request<'_> {
    /// Takes all bytes, always. That there are too many is what [`Request::call`] says, with the number.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let end = self.written.saturating_add(bytes.len() as u64);
        if end <= self.desk.layout.region as u64 {
            self.desk.requests.copy_in(self.desk.layout.bytes(self.slot) + self.written as usize, bytes);
        }
        self.written = end;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Request<'_> {
    /// Calls the function with what was written, and waits for the answer until the deadline. The answer takes the place of what
    /// is in `answer`; a vector that is used again saves the allocation.
    ///
    /// Gives the status that the other side chose.
    ///
    /// # Errors
    ///
    /// All of [`CallError`]. What `answer` holds then is of no meaning.
    pub fn call(mut self, answer: &mut Vec<u8>) -> Result<u32, CallError> {
        let desk = self.desk;
        let slot = self.slot;
        let room = desk.layout.region;
        if self.written > room as u64 {
            return Err(CallError::TooLarge { bytes: self.written, room });
        }
        desk.check()?;
        let asked = desk.slots.asked(slot);
        let before = asked.load(Relaxed);
        let have = desk.answer(slot).load(Acquire);
        if have != before {
            return Err(desk.lie(Lie::Answer { slot, have, want: before }));
        }
        let call = before.wrapping_add(1);
        asked.store(call, Relaxed);
        let at = desk.layout.slot(slot);
        desk.requests.word(at + layout::FUNCTION).store(self.function, Relaxed);
        desk.requests.word(at + layout::LENGTH).store(self.written as u32, Relaxed);
        desk.requests.word(desk.layout.ask(slot)).store(call, SeqCst);
        self.sent = true;
        desk.ring();
        if let Err(error) = desk.wait(slot, call, self.deadline) {
            desk.slots.leave(slot);
            return Err(error);
        }
        let read = desk.read(slot, answer);
        desk.give_back(&desk.files.requests, slot, self.written as usize);
        let used = match &read {
            Ok((_, len)) => *len,
            Err(_) => room,
        };
        desk.give_back(&desk.files.answers, slot, used);
        desk.slots.give(slot);
        read.map(|(status, _)| status)
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        if !self.sent {
            let used = usize::try_from(self.written).unwrap_or(usize::MAX);
            self.desk.give_back(&self.desk.files.requests, self.slot, used);
            self.desk.slots.give(self.slot);
        }
    }
}
