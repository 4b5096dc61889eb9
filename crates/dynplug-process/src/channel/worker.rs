//! The other side: takes calls and answers them.

use super::{
    Config, Error,
    layout::{self, Layout},
    setup,
    shared::{self, Mapping, Writable},
    spin::Spin,
};
use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{Mode, OFlags, open},
    io::{Errno, fcntl_dupfd_cloexec},
    stdio::{dup2_stdin, stdin},
};
use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{
            AtomicBool, AtomicU32,
            Ordering::{Acquire, Relaxed, SeqCst},
        },
    },
    thread,
    time::Duration,
};

/// The channel, seen from the process that the host has started.
#[derive(Debug)]
pub struct Served {
    socket: OwnedFd,
    counter: Counter,
}

#[derive(Debug)]
struct Counter {
    layout: Layout,
    requests: Mapping,
    answers: Writable,
    /// The last call of each slot that a thread took on.
    taken: Vec<AtomicU32>,
    spin: Spin,
    closed: AtomicBool,
}

impl Served {
    /// Takes the channel that [`Channel::spawn`](super::Channel::spawn) has put in place of the standard input, and puts an
    /// empty one there. To be called first of all, before anything reads from there or starts a process.
    ///
    /// # Errors
    ///
    /// There is no channel, or it is one of another version.
    pub fn from_stdin() -> Result<Self, Error> {
        let socket = fcntl_dupfd_cloexec(stdin(), 3).map_err(setup::system("take the socket"))?;
        let null = open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(setup::system("open /dev/null"))?;
        dup2_stdin(&null).map_err(setup::system("give up the standard input"))?;
        let (files, layout) = setup::Files::receive(&socket)?;
        let mapped = setup::system::<io::Error>;
        let requests =
            Mapping::new(&files.requests, layout.size()).map_err(mapped("map the shared memory"))?;
        let answers =
            Writable::new(&files.answers, layout.size()).map_err(mapped("map the shared memory"))?;
        let taken = (0..layout.slots).map(|_| AtomicU32::new(0)).collect();
        let spin = Spin::new(Config::default().spin);
        let counter = Counter { layout, requests, answers, taken, spin, closed: AtomicBool::new(false) };
        Ok(Served { socket, counter })
    }

    /// Has `threads` threads call `function` for every call of the host's, until the host is gone. `function` gives the
    /// status. When this returns, threads may still be in `function`, so the process should end.
    ///
    /// # Errors
    ///
    /// A thread can't be started.
    pub fn serve<F>(self, threads: usize, function: F) -> Result<(), Error>
    where
        F: Fn(Asked<'_>, &mut Answer<'_>) -> u32 + Send + Sync + 'static,
    {
        let shared = Arc::new((self.counter, function));
        for number in 0..threads.max(1) {
            let shared = shared.clone();
            thread::Builder::new()
                .name(format!("dynplug-call-{number}"))
                .spawn(move || shared.0.work(&shared.1))
                .map_err(setup::system("start a thread"))?;
        }
        let counter = &shared.0;
        while let Err(Errno::INTR) = poll(&mut [PollFd::new(&self.socket.as_fd(), PollFlags::empty())], None)
        {
        }
        counter.closed.store(true, SeqCst);
        // One that was just about to sleep misses the first.
        for _ in 0..50 {
            if counter.answers.word(layout::SLEEPERS).load(SeqCst) == 0 {
                break;
            }
            shared::wake(counter.requests.word(layout::BELL), u32::MAX);
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

impl Counter {
    fn asks(&self, slot: u32) -> Option<(u32, u32)> {
        // In this order: if nobody takes the slot in between, what it asks can't change either.
        let taken = self.taken[slot as usize].load(SeqCst);
        let asked = self.requests.word(self.layout.ask(slot)).load(SeqCst);
        (asked != taken).then_some((taken, asked))
    }

    fn take(&self) -> Option<(u32, u32)> {
        (0..self.layout.slots).find_map(|slot| {
            let (taken, asked) = self.asks(slot)?;
            let word = &self.taken[slot as usize];
            word.compare_exchange(taken, asked, SeqCst, SeqCst).ok().map(|_| (slot, asked))
        })
    }

    fn work(&self, function: &impl Fn(Asked<'_>, &mut Answer<'_>) -> u32) {
        let bell = self.requests.word(layout::BELL);
        let (sleepers, lookers) = (self.answers.word(layout::SLEEPERS), self.answers.word(layout::LOOKERS));
        while !self.closed.load(Acquire) {
            let seen = bell.load(SeqCst);
            if let Some((slot, call)) = self.take() {
                // The host wakes nobody while somebody looks, and who looked is busy now.
                if sleepers.load(SeqCst) != 0 && (0..self.layout.slots).any(|slot| self.asks(slot).is_some())
                {
                    shared::wake(bell, 1);
                }
                self.answer(slot, call, function);
                continue;
            }
            if self.spin.begin() {
                lookers.fetch_add(1, SeqCst);
                self.spin.until(|| bell.load(Relaxed) != seen);
                lookers.fetch_sub(1, SeqCst);
            }
            sleepers.fetch_add(1, SeqCst);
            if bell.load(SeqCst) == seen && !self.closed.load(SeqCst) {
                shared::sleep(bell, seen, None);
            }
            sleepers.fetch_sub(1, SeqCst);
        }
    }

    fn answer(&self, slot: u32, call: u32, function: &impl Fn(Asked<'_>, &mut Answer<'_>) -> u32) {
        let at = self.layout.slot(slot);
        let len = self.requests.word(at + layout::LENGTH).load(Relaxed) as usize;
        let asked = Asked {
            function: self.requests.word(at + layout::FUNCTION).load(Relaxed),
            // SAFETY: The host writes to a slot only before it asks and after it is answered (`Channel::request` gives a slot
            // to one request, and `Slots::leave` keeps one that is not answered); it sends lengths within the slot, which is
            // checked too. This process has the memory mapped read-only.
            bytes: unsafe { self.requests.bytes(self.layout.bytes(slot), len.min(self.layout.region)) },
        };
        let mut answer = Answer { counter: self, slot, written: 0 };
        let status = catch_unwind(AssertUnwindSafe(|| function(asked, &mut answer)));
        let written = answer.written;
        let (kind, len) = match status {
            Err(_) => (layout::PANICKED, 0),
            Ok(_) if written > self.layout.region as u64 => {
                (layout::TOO_LARGE, u32::try_from(written).unwrap_or(u32::MAX))
            }
            Ok(_) => (layout::ANSWERED, written as u32),
        };
        self.answers.word(at + layout::STATUS).store(status.unwrap_or(0), Relaxed);
        self.answers.word(at + layout::LENGTH).store(len, Relaxed);
        self.answers.word(at + layout::KIND).store(kind, Relaxed);
        let word = self.answers.word(at + layout::ANSWER);
        word.store(call, SeqCst);
        if self.requests.word(at + layout::WAITING).load(SeqCst) != 0 {
            shared::wake(word, 1);
        }
    }
}

/// A call, as it arrives.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Asked<'a> {
    /// Which function is called.
    pub function: u32,
    /// The arguments, where the host has written them.
    pub bytes: &'a [u8],
}

/// What is answered: what is written here is written to memory of both processes.
#[derive(Debug)]
pub struct Answer<'a> {
    counter: &'a Counter,
    slot: u32,
    written: u64,
}

impl Answer<'_> {
    /// Forgets what was written.
    pub fn clear(&mut self) {
        self.written = 0;
    }
}

impl io::Write for Answer<'_> {
    /// Takes all bytes, always. That there are too many is what the host is told, with the number.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let end = self.written.saturating_add(bytes.len() as u64);
        if end <= self.counter.layout.region as u64 {
            self.counter.answers.copy_in(self.counter.layout.bytes(self.slot) + self.written as usize, bytes);
        }
        self.written = end;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
