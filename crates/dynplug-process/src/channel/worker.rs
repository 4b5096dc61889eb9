//! The other side: takes calls and answers them.

use super::{
    Error,
    bell::{Memories, Memory},
    layout,
    spin::Spin,
    system::{Mapping, Socket, Writable},
};
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

/// The channel, seen from the process that the host has started.
#[derive(Debug)]
pub struct Served {
    socket: Socket,
    counter: Arc<Counter>,
}

/// A word that the host sets ([`Channel::set_notice`](super::Channel::set_notice)), as it is now.
#[derive(Debug, Clone)]
pub struct Notice(Arc<Counter>);

impl Notice {
    /// The word.
    pub fn get(&self) -> u32 {
        self.0.memories.requests.word(layout::NOTICE).load(Relaxed)
    }
}

#[derive(Debug)]
struct Counter {
    memories: Memories<Mapping, Writable>,
    /// The last call of each slot that a thread took on.
    taken: Vec<AtomicU32>,
    spin: Spin,
    /// 1 when the host is gone.
    closed: AtomicU32,
}

/// Takes the files that came along with the channel (see [`Channel::spawn_with`](super::Channel::spawn_with)). To be called once,
/// and before [`Served::from_stdin`].
///
/// # Errors
///
/// There is no channel, or no files came with it.
#[cfg(unix)]
pub fn luggage() -> Result<Vec<std::os::fd::OwnedFd>, Error> {
    super::system::luggage()
}

impl Served {
    /// Takes the channel that [`Channel::spawn`](super::Channel::spawn) has put in place of the standard input, and puts an
    /// empty one there. To be called first of all, before anything reads from there or starts a process.
    ///
    /// # Errors
    ///
    /// There is no channel, or it is one of another version.
    pub fn from_stdin() -> Result<Self, Error> {
        let socket = Socket::from_stdin()?;
        let (files, layout, spin) = socket.receive()?;
        let map = || Error::system::<io::Error>("map the shared memory");
        let requests = Mapping::new(&files.requests, layout.size()).map_err(map())?;
        let answers = Writable::new(&files.answers, layout.size()).map_err(map())?;
        let counter = Counter {
            memories: Memories { layout, requests, answers },
            taken: (0..layout.slots).map(|_| AtomicU32::new(0)).collect(),
            spin: Spin::new(spin),
            closed: AtomicU32::new(0),
        };
        Ok(Served { socket, counter: Arc::new(counter) })
    }

    /// The word that the host sets, to be read as long as the process lives.
    pub fn notice(&self) -> Notice {
        Notice(self.counter.clone())
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
        let (counter, function) = (self.counter, Arc::new(function));
        for number in 0..threads.max(1) {
            let (counter, function) = (counter.clone(), function.clone());
            thread::Builder::new()
                .name(format!("dynplug-call-{number}"))
                .spawn(move || counter.work(&*function))
                .map_err(Error::system("start a thread"))?;
        }
        self.socket.wait_for_end(None, None, None);
        // One that was just about to sleep misses the first.
        for _ in 0..50 {
            if !counter.memories.close(&counter.closed) {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

impl Counter {
    fn work(&self, function: &impl Fn(Asked<'_>, &mut Answer<'_>) -> u32) {
        while let Some((slot, call)) = self.memories.take(&self.taken, &self.spin, &self.closed) {
            self.answer(slot, call, function);
        }
    }

    fn answer(&self, slot: u32, call: u32, function: &impl Fn(Asked<'_>, &mut Answer<'_>) -> u32) {
        let Memories { layout, requests, answers } = &self.memories;
        let at = layout.slot(slot);
        let len = requests.word(at + layout::LENGTH).load(Relaxed) as usize;
        let asked = Asked {
            function: requests.word(at + layout::FUNCTION).load(Relaxed),
            // SAFETY: The host writes to a slot only before it asks and after it is answered (`Channel::request` gives a slot
            // to one request, and `Slots::leave` keeps one that is not answered); it sends lengths within the slot, which is
            // checked too. This process has the memory mapped read-only.
            bytes: unsafe { requests.bytes(layout.bytes(slot), len.min(layout.region)) },
        };
        let mut answer = Answer { counter: self, slot, written: 0 };
        let status = catch_unwind(AssertUnwindSafe(|| function(asked, &mut answer)));
        let written = answer.written;
        let (kind, len) = match status {
            Err(_) => (layout::PANICKED, 0),
            Ok(_) if written > layout.region as u64 => {
                (layout::TOO_LARGE, u32::try_from(written).unwrap_or(u32::MAX))
            }
            Ok(_) => (layout::ANSWERED, written as u32),
        };
        answers.word(at + layout::STATUS).store(status.unwrap_or(0), Relaxed);
        answers.word(at + layout::LENGTH).store(len, Relaxed);
        answers.word(at + layout::KIND).store(kind, Relaxed);
        self.memories.answer(slot, call);
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
        let Memories { layout, answers, .. } = &self.counter.memories;
        if end <= layout.region as u64 {
            answers.copy_in(layout.bytes(self.slot) + self.written as usize, bytes);
        }
        self.written = end;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
