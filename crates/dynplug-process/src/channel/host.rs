//! The host's side: calls.

use super::{
    CallError, Config, Error, Lie,
    bell::{Memories, Memory},
    layout::{self, Layout},
    slots::Slots,
    spin::Spin,
    system::{self, Alarm, Files, Mapping, Process, Socket, Writable},
    watch::Watch,
};
use std::{
    io,
    process::{Child, Command},
    sync::{
        Arc, OnceLock,
        atomic::{
            AtomicU32, AtomicU64,
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
    memories: Memories<Writable, Mapping>,
    files: Files,
    pub(super) socket: Socket,
    keep: usize,
    slots: Slots,
    spin: Spin,
    /// Why there are no calls any more.
    end: OnceLock<CallError>,
    /// A bit for each slot that a large message was in since the watch has looked.
    large: AtomicU64,
    /// Has the watch look, after a while.
    pub(super) alarm: Alarm,
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
        Self::start_command(command, config, |_| Ok(()))
    }

    /// Starts the command with a channel, and with up to 250 files for [`luggage`](super::luggage) to take out. They are
    /// not inherited by what the command starts in its turn.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn), and when there are more files.
    #[cfg(unix)]
    pub fn spawn_with(
        command: &mut Command,
        config: &Config,
        files: &[std::os::fd::BorrowedFd<'_>],
    ) -> Result<(Channel, Child), Error> {
        Self::start_command(command, config, |socket| socket.send_luggage(files))
    }

    fn start_command(
        command: &mut Command,
        config: &Config,
        send: impl FnOnce(&Socket) -> Result<(), Error>,
    ) -> Result<(Channel, Child), Error> {
        let (desk, theirs) = Desk::new(config, send)?;
        let (child, process) = system::spawn(command, theirs)?;
        match Channel::start(desk, Some(process)) {
            Ok(channel) => Ok((channel, child)),
            Err(error) => Err(system::give_up(child, error)),
        }
    }

    pub(super) fn start(desk: Desk, process: Option<Process>) -> Result<Channel, Error> {
        let desk = Arc::new(desk);
        let watch = Watch::start(desk.clone(), process)?;
        Ok(Channel { desk, _watch: watch })
    }

    /// A place for the arguments of a call. Where all are taken, this waits for one until the deadline.
    ///
    /// # Errors
    ///
    /// [`CallError::Busy`], [`CallError::Ended`], [`CallError::Broken`].
    pub fn request(&self, function: u32, deadline: Option<Instant>) -> Result<Request<'_>, CallError> {
        let desk = &*self.desk;
        desk.check()?;
        let answered =
            |slot| desk.memories.answered(slot).load(Acquire) == desk.slots.asked(slot).load(Relaxed);
        let Some(slot) = desk.slots.take(deadline, answered, || desk.end.get().is_some()) else {
            desk.check()?;
            return Err(CallError::Busy { slots: desk.memories.layout.slots, stuck: desk.slots.stuck() });
        };
        Ok(Request { desk, slot, function, written: 0, deadline, sent: false })
    }

    /// Sets a word that the other process can read at any time ([`Notice`](super::Notice)).
    pub fn set_notice(&self, notice: u32) {
        let word = self.desk.memories.requests.word(layout::NOTICE);
        // Others look at this line of memory, and it seldom changes.
        if word.load(Relaxed) != notice {
            word.store(notice, Relaxed);
        }
    }

    /// Lets the other process know that there will be no more calls, and ends those that wait. An honest process ends then.
    pub fn close(&self) {
        self.desk.socket.hang_up();
    }

    /// Why there can be no calls any more, if there can't.
    pub fn ended(&self) -> Option<CallError> {
        self.desk.end.get().cloned()
    }
}

impl Desk {
    /// All that a channel needs but the other process, and the end of the socket for that.
    /// What `send` sends comes before the channel.
    pub(super) fn new(
        config: &Config,
        send: impl FnOnce(&Socket) -> Result<(), Error>,
    ) -> Result<(Desk, Socket), Error> {
        let layout = Layout::new(config)?;
        let files = Files::new(layout)?;
        let map = || Error::system::<io::Error>("map memory to be shared");
        let requests = Writable::new(&files.requests, layout.size()).map_err(map())?;
        let answers = Mapping::new(&files.answers, layout.size()).map_err(map())?;
        requests.word(layout::NOTICE).store(config.notice, Relaxed);
        let (socket, theirs) = Socket::pair()?;
        send(&socket)?;
        socket.send(&files, layout, config.spin)?;
        let desk = Desk {
            memories: Memories { layout, requests, answers },
            files,
            socket,
            keep: config.keep,
            slots: Slots::new(layout.slots),
            spin: Spin::new(config.spin),
            end: OnceLock::new(),
            large: AtomicU64::new(0),
            alarm: Alarm::new()?,
            sleeping: AtomicU32::new(0),
        };
        Ok((desk, theirs))
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

    /// Wakes all that sleep on an answer, and says whether there were any. One that was just about to sleep is missed, so
    /// this is called until there are none.
    pub(super) fn wake_sleepers(&self) -> bool {
        let some = self.sleeping.load(SeqCst) != 0;
        if some {
            self.memories.wake_all();
        }
        some
    }

    fn lie(&self, lie: Lie) -> CallError {
        self.end(CallError::Broken(lie));
        // The other process sees it, and so does the watch, which wakes the other calls.
        self.socket.hang_up();
        CallError::Broken(lie)
    }

    /// Asks, and waits for the answer.
    fn ask(&self, slot: u32, call: u32, deadline: Option<Instant>) -> Result<(), CallError> {
        let woke = self.memories.ask(slot, call);
        // Who was woken takes longer to come than looking is worth, and may have to run where this thread looks.
        let look = (!woke).then_some(&self.spin);
        let rest = || {
            self.check()?;
            match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                Some(rest) if rest.is_zero() => Err(CallError::Deadline),
                rest => Ok(rest),
            }
        };
        match self.memories.wait(slot, call.wrapping_sub(1), look, &self.sleeping, rest)? {
            have if have == call => Ok(()),
            have => Err(self.lie(Lie::Answer { slot, have, want: call })),
        }
    }

    /// What the other side says, after it has answered. Each word is read once.
    fn read(&self, slot: u32, into: &mut Vec<u8>) -> Result<(u32, usize), CallError> {
        let Memories { layout, answers, .. } = &self.memories;
        let at = layout.slot(slot);
        let word = |offset| answers.word(at + offset).load(Relaxed);
        let (status, bytes, kind) = (word(layout::STATUS), word(layout::LENGTH), word(layout::KIND));
        let room = layout.region;
        match kind {
            layout::ANSWERED => {
                let len = usize::try_from(bytes).unwrap_or(usize::MAX);
                if len > room {
                    return Err(self.lie(Lie::Length { slot, bytes, room }));
                }
                answers
                    .copy_out(layout.bytes(slot), len, into)
                    .map_err(|()| CallError::Memory { bytes: len })?;
                Ok((status, len))
            }
            layout::TOO_LARGE => Err(CallError::AnswerTooLarge { bytes: bytes.into(), room }),
            layout::PANICKED => Err(CallError::Panicked),
            have => Err(self.lie(Lie::Kind { slot, have })),
        }
    }

    /// Notes that a slot has had a message of so many bytes.
    fn used(&self, slot: u32, bytes: usize) {
        if bytes > self.keep && self.large.fetch_or(1 << slot, SeqCst) == 0 {
            self.alarm.ring();
        }
    }

    /// Gives back what these slots have beyond what is kept, except for those that had a large message since this was called
    /// last, or have a call now. Gives these: they are to be asked for the next time.
    pub(super) fn shrink(&self, large: u64) -> u64 {
        let fresh = self.large.swap(0, SeqCst);
        let mut left = fresh;
        for slot in (0..self.memories.layout.slots).filter(|slot| large & !fresh & 1 << slot != 0) {
            if !self.slots.take_this(slot) {
                left |= 1 << slot;
                continue;
            }
            let (from, bytes) = self.memories.layout.above(slot, self.keep);
            if bytes != 0 {
                system::give_back(&self.files.requests, from, bytes);
                system::give_back(&self.files.answers, from, bytes);
            }
            self.slots.give(slot);
        }
        left
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
        let Memories { layout, requests, .. } = &self.desk.memories;
        if end <= layout.region as u64 {
            requests.copy_in(layout.bytes(self.slot) + self.written as usize, bytes);
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
        let room = desk.memories.layout.region;
        if self.written > room as u64 {
            return Err(CallError::TooLarge { bytes: self.written, room });
        }
        desk.check()?;
        let asked = desk.slots.asked(slot);
        let before = asked.load(Relaxed);
        let have = desk.memories.answered(slot).load(Acquire);
        if have != before {
            return Err(desk.lie(Lie::Answer { slot, have, want: before }));
        }
        let call = before.wrapping_add(1);
        asked.store(call, Relaxed);
        let at = desk.memories.layout.slot(slot);
        desk.memories.requests.word(at + layout::FUNCTION).store(self.function, Relaxed);
        desk.memories.requests.word(at + layout::LENGTH).store(self.written as u32, Relaxed);
        self.sent = true;
        if let Err(error) = desk.ask(slot, call, self.deadline) {
            desk.slots.leave(slot);
            // What a late answer takes is given back when it has come.
            desk.used(slot, room);
            return Err(error);
        }
        let read = desk.read(slot, answer);
        let answered = match &read {
            Ok((_, len)) => *len,
            Err(_) => room,
        };
        desk.used(slot, answered.max(self.written as usize));
        desk.slots.give(slot);
        read.map(|(status, _)| status)
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        if !self.sent {
            let used = usize::try_from(self.written).unwrap_or(usize::MAX);
            self.desk.used(self.slot, used);
            self.desk.slots.give(self.slot);
        }
    }
}
