//! The processes themselves.

use super::ending::signal_name;
use super::lines::{Lines, Tail};
use super::{Cause, Ending, Failure, How, Options, Program, Stream};
use crate::channel::{self, CallError, Channel};
use crate::records::{self, Messages, Records};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::panic::{self, AssertUnwindSafe};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Processes of one program, for calls from any number of threads.
pub struct Keeper {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").field("program", &self.shared.program.path).finish_non_exhaustive()
    }
}

struct Shared {
    program: Program,
    options: Options,
    desk: Mutex<Desk>,
    /// Whenever a place changes.
    changed: Condvar,
}

struct Desk {
    places: Vec<Place>,
    closing: bool,
    /// How many processes were started.
    started: u64,
}

/// What there is of one of the processes.
enum Place {
    /// It is being started for the first time.
    New,
    Running(Arc<Live>),
    /// It has ended, and will be started again.
    Resting(Arc<Ending>),
    GivenUp(Arc<Ending>),
}

/// A process that was started.
struct Live {
    channel: Channel,
    process: OwnedFd,
    /// Rings when somebody wants the process to end.
    bell: OwnedFd,
    /// How many calls it has.
    busy: AtomicUsize,
    cause: OnceLock<Cause>,
    ending: Mutex<Option<Arc<Ending>>>,
    ended: Condvar,
}

/// A call that is counted, until it is over: code of the host's that writes arguments may panic.
struct Busy<'a>(&'a AtomicUsize);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// How long a call waits at most to learn how a process ended of which its channel says that it has.
const END: Duration = Duration::from_secs(5);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Keeper {
    /// Starts the processes. They may still be starting when this returns; a first call waits for that.
    ///
    /// # Errors
    ///
    /// The system has no threads to give.
    pub fn start(program: Program, options: Options) -> Result<Keeper, channel::Error> {
        let count = options.processes.max(1);
        let places = (0..count).map(|_| Place::New).collect();
        let desk = Mutex::new(Desk { places, closing: false, started: 0 });
        let shared = Arc::new(Shared { program, options, desk, changed: Condvar::new() });
        let keeper = Keeper { shared, threads: Mutex::new(Vec::with_capacity(count)) };
        for place in 0..count {
            let shared = keeper.shared.clone();
            // Dropping the keeper ends those that were begun.
            let thread = thread::Builder::new()
                .name("dynplug-keeper".into())
                // Whoever takes lines and records runs in it, too.
                .stack_size(1 << 20)
                .spawn(move || shared.keep(place))
                .map_err(|source| channel::Error::System { what: "start a thread", source })?;
            lock(&keeper.threads).push(thread);
        }
        Ok(keeper)
    }

    /// Calls a function in the process that has the fewest calls. `write` writes the arguments.
    ///
    /// # Errors
    ///
    /// All of [`Failure`].
    pub fn call<E>(
        &self,
        function: u32,
        deadline: Option<Instant>,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
        answer: &mut Vec<u8>,
    ) -> Result<u32, Failure<E>> {
        let live = self.shared.take(deadline)?;
        let busy = Busy(&live.busy);
        if let Some(records) = &self.shared.options.records {
            live.channel.set_notice(records.wanted());
        }
        let called = live.call(function, deadline, write, answer);
        drop(busy);
        match called {
            Ok(status) => Ok(status),
            Err(Failure::Call(error)) => Err(self.shared.failed(&live, error, deadline)),
            Err(other) => Err(other),
        }
    }

    /// How many processes were started so far, those that were started again included.
    pub fn started(&self) -> u64 {
        lock(&self.shared.desk).started
    }

    /// The numbers of the processes that run.
    pub fn processes(&self) -> Vec<u32> {
        // The descriptor says whose it is only in a text; the keeper has no other use for the number.
        let desk = lock(&self.shared.desk);
        let running = desk.places.iter().filter_map(|place| match place {
            Place::Running(live) => Some(live.number()),
            _ => None,
        });
        running.flatten().collect()
    }

    /// Ends all processes and waits until they have ended: they are told, and killed when the grace of the options is over. Calls
    /// under way end with an error.
    pub fn close(&self) {
        let mut desk = lock(&self.shared.desk);
        desk.closing = true;
        for place in &desk.places {
            if let Place::Running(live) = place {
                live.end(Cause::Closed, false);
            }
        }
        drop(desk);
        self.shared.changed.notify_all();
        for thread in lock(&self.threads).drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.close();
    }
}

impl Live {
    fn call<E>(
        &self,
        function: u32,
        deadline: Option<Instant>,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
        answer: &mut Vec<u8>,
    ) -> Result<u32, Failure<E>> {
        let mut request = self.channel.request(function, deadline).map_err(Failure::Call)?;
        write(&mut request).map_err(Failure::Written)?;
        request.call(answer).map_err(Failure::Call)
    }

    /// Whether it can take calls, as far as anybody knows.
    fn is_good(&self) -> bool {
        self.cause.get().is_none() && self.channel.ended().is_none()
    }

    /// The process's number.
    fn number(&self) -> Option<u32> {
        use std::os::fd::AsRawFd;
        let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", self.process.as_raw_fd())).ok()?;
        text.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok())
    }

    /// Ends the process; the first cause is the one that is told.
    fn end(&self, cause: Cause, at_once: bool) {
        let _ = self.cause.set(cause);
        self.channel.close();
        if at_once {
            self.kill();
        }
        self.ring();
    }

    /// Has the thread that watches the process see that it should end.
    fn ring(&self) {
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }

    fn kill(&self) {
        let _ = pidfd_send_signal(&self.process, Signal::KILL);
    }

    /// How it ended, once that is known.
    fn ending(&self, deadline: Option<Instant>) -> Option<Arc<Ending>> {
        let rest =
            deadline.map_or(END, |deadline| deadline.saturating_duration_since(Instant::now()).min(END));
        let wait = self.ended.wait_timeout_while(lock(&self.ending), rest, |ending| ending.is_none());
        wait.map_or_else(|poisoned| poisoned.into_inner().0.clone(), |(ending, _)| ending.clone())
    }
}

impl Shared {
    /// The process that has the fewest calls, with one more.
    fn take<E>(&self, deadline: Option<Instant>) -> Result<Arc<Live>, Failure<E>> {
        let mut desk = lock(&self.desk);
        loop {
            if desk.closing {
                return Err(Failure::Closed);
            }
            let running = desk.places.iter().filter_map(|place| match place {
                Place::Running(live) if live.is_good() => Some(live),
                _ => None,
            });
            if let Some(live) = running.min_by_key(|live| live.busy.load(Relaxed)) {
                live.busy.fetch_add(1, Relaxed);
                return Ok(live.clone());
            }
            let is_given_up = desk.places.iter().all(|place| matches!(place, Place::GivenUp(_)));
            let last = desk.places.iter().find_map(|place| match place {
                Place::GivenUp(ending) | Place::Resting(ending) => Some(ending.clone()),
                _ => None,
            });
            if let (true, Some(ending)) = (is_given_up, &last) {
                return Err(Failure::GivenUp(ending.clone()));
            }
            desk = match deadline {
                None => self.changed.wait(desk).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let rest = deadline.saturating_duration_since(Instant::now());
                    if rest.is_zero() {
                        return Err(match last {
                            Some(ending) => Failure::NotStarted(ending),
                            None => Failure::Call(CallError::Deadline),
                        });
                    }
                    let waited = self.changed.wait_timeout(desk, rest);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// What a failed call has to say, and what it means for the process.
    fn failed<E>(&self, live: &Live, error: CallError, deadline: Option<Instant>) -> Failure<E> {
        match error {
            // It may live on without its channel.
            CallError::Ended => live.ring(),
            CallError::Broken(_) => live.end(Cause::Lied, true),
            CallError::Deadline | CallError::Busy { .. } if self.options.kill_when_late => {
                live.end(Cause::Late, true);
                return Failure::Call(error);
            }
            other => return Failure::Call(other),
        }
        match live.ending(deadline) {
            Some(ending) if ending.cause == Cause::Closed => Failure::Closed,
            Some(ending) => Failure::Ended(ending),
            None => {
                let cause = live.cause.get().copied().unwrap_or(Cause::Itself);
                Failure::Ended(Arc::new(Ending { how: How::Unknown, cause, last_lines: Vec::new() }))
            }
        }
    }

    fn put(&self, at: usize, place: Place) {
        if let Some(old) = lock(&self.desk).places.get_mut(at) {
            *old = place;
        }
        self.changed.notify_all();
    }

    /// Keeps one process, until the keeper is closed or the policy ends it.
    fn keep(&self, at: usize) {
        let mut row = 0;
        loop {
            let began = Instant::now();
            let ending = Arc::new(match self.spawn() {
                Ok((live, child, records)) => {
                    let live = Arc::new(live);
                    {
                        let mut desk = lock(&self.desk);
                        desk.started += 1;
                        if desk.closing {
                            live.end(Cause::Closed, false);
                        }
                    }
                    self.put(at, Place::Running(live.clone()));
                    self.watch(&live, child, records)
                }
                Err(error) => {
                    let mut why = error.to_string();
                    if let Some(source) = std::error::Error::source(&error) {
                        why = format!("{why}: {source}");
                    }
                    Ending { how: How::NotStarted(why), cause: Cause::Itself, last_lines: Vec::new() }
                }
            });
            row = if began.elapsed() >= self.options.restart.steady { 0 } else { row };
            let Some(pause) = self.options.restart.pause(row) else {
                return self.put(at, Place::GivenUp(ending));
            };
            row += 1;
            self.put(at, Place::Resting(ending));
            let until = Instant::now() + pause;
            let mut desk = lock(&self.desk);
            while !desk.closing {
                let rest = until.saturating_duration_since(Instant::now());
                if rest.is_zero() {
                    break;
                }
                desk = self.changed.wait_timeout(desk, rest).unwrap_or_else(PoisonError::into_inner).0;
            }
            if desk.closing {
                return;
            }
        }
    }

    fn spawn(&self) -> Result<(Live, Child, Option<File>), channel::Error> {
        let Program { path, arguments, variables, inherits, files } = &self.program;
        let mut command = Command::new(path);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        if !inherits {
            command.env_clear();
        }
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        let mut files: Vec<_> = files.iter().map(AsFd::as_fd).collect();
        let mut config = self.options.channel.clone();
        let mut records = None;
        if let Some(takes) = &self.options.records {
            config.notice = takes.wanted();
            let pipe = records::pipe();
            records = Some(pipe.map_err(|source| channel::Error::System { what: "make a pipe", source })?);
        }
        files.extend(records.iter().map(|(_, write)| write.as_fd()));
        let (channel, mut child) = Channel::spawn_with(&mut command, &config, &files)?;
        // The process's end is its own alone.
        let records = records.map(|(read, _)| read);
        let process = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(Errno::SRCH);
        let files = process.and_then(|process| {
            Ok((pidfd_open(process, PidfdFlags::empty())?, eventfd(0, EventfdFlags::CLOEXEC)?))
        });
        match files {
            Ok((process, bell)) => Ok((
                Live {
                    channel,
                    process,
                    bell,
                    busy: AtomicUsize::new(0),
                    cause: OnceLock::new(),
                    ending: Mutex::new(None),
                    ended: Condvar::new(),
                },
                child,
                records,
            )),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(channel::Error::System { what: "watch the process", source: error.into() })
            }
        }
    }

    /// Reads what the process writes until it has ended, and says how that was.
    fn watch(&self, live: &Live, mut child: Child, records: Option<File>) -> Ending {
        let mut tail = Tail::default();
        let mut output = Stream::Output.of(child.stdout.take().map(OwnedFd::from));
        let mut errors = Stream::Error.of(child.stderr.take().map(OwnedFd::from));
        let mut records = Receiving { file: records, messages: Messages::default() };
        let mut asked: Option<Instant> = None;
        loop {
            let wait = asked.map(|since| self.options.grace.saturating_sub(since.elapsed()));
            if wait.is_some_and(|wait| wait.is_zero()) {
                live.kill();
            }
            let wait = wait.map(|wait| wait.max(Duration::from_millis(1)));
            let (has_ended, is_asked) = {
                // A bell that has rung is not looked at any more.
                let bell = if asked.is_none() { PollFlags::IN } else { PollFlags::empty() };
                let mut files =
                    vec![PollFd::new(&live.process, PollFlags::IN), PollFd::new(&live.bell, bell)];
                files.extend(output.file.iter().map(|file| PollFd::new(file, PollFlags::IN)));
                files.extend(errors.file.iter().map(|file| PollFd::new(file, PollFlags::IN)));
                files.extend(records.file.iter().map(|file| PollFd::new(file, PollFlags::IN)));
                let timeout = wait.and_then(|wait| wait.try_into().ok());
                match poll(&mut files, timeout.as_ref()) {
                    Ok(_) => (!files[0].revents().is_empty(), !files[1].revents().is_empty()),
                    Err(Errno::INTR) => (false, false),
                    Err(_) => (true, false),
                }
            };
            records.read(self.options.records.as_deref());
            output.read(&self.options, None);
            errors.read(&self.options, Some(&mut tail));
            if has_ended {
                break;
            }
            if is_asked {
                asked = Some(Instant::now());
            }
        }
        output.end(&self.options, None);
        errors.end(&self.options, Some(&mut tail));
        let how = match child.wait() {
            Ok(status) => how(status),
            Err(error) => How::NotStarted(error.to_string()),
        };
        let cause = live.cause.get().copied().unwrap_or(Cause::Itself);
        let ending = Ending { how, cause, last_lines: tail.take() };
        *lock(&live.ending) = Some(Arc::new(ending.clone()));
        live.ended.notify_all();
        ending
    }
}

fn how(status: ExitStatus) -> How {
    match (status.code(), status.signal()) {
        (Some(code), _) => How::Exited(code),
        (None, signal) => {
            let signal = signal.unwrap_or_default();
            How::Signalled { signal, name: signal_name(signal) }
        }
    }
}

/// One of the streams of a process.
struct Reading {
    stream: Stream,
    file: Option<File>,
    lines: Lines,
}

impl Stream {
    fn of(self, file: Option<OwnedFd>) -> Reading {
        if let Some(file) = &file
            && let Ok(flags) = fcntl_getfl(file)
        {
            // Where this fails the thread waits in `read` instead of `poll`, until the process ends.
            let _ = fcntl_setfl(file, flags | OFlags::NONBLOCK);
        }
        Reading { stream: self, file: file.map(Into::into), lines: Lines::default() }
    }
}

impl Reading {
    /// Reads what is there, but not so much that the other stream would have to wait for long.
    fn read(&mut self, options: &Options, mut tail: Option<&mut Tail>) {
        let mut bytes = [0; 16 << 10];
        for _ in 0..16 {
            let Some(file) = &mut self.file else { return };
            match file.read(&mut bytes) {
                Ok(0) => self.file = None,
                Ok(count) => {
                    let read = bytes.get(..count).unwrap_or_default();
                    self.lines.add(read, |line| tell(options, self.stream, line, tail.as_deref_mut()));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.file = None,
            }
        }
    }

    /// Reads what a process left behind. Others that it has started may still hold the stream, and aren't waited for.
    fn end(&mut self, options: &Options, mut tail: Option<&mut Tail>) {
        self.read(options, tail.as_deref_mut());
        self.lines.end(|line| tell(options, self.stream, line, tail.as_deref_mut()));
    }
}

/// The records of a process.
struct Receiving {
    file: Option<File>,
    messages: Messages,
}

impl Receiving {
    /// Reads what is there, but not so much that the streams would have to wait for long. All that is in a pipe is less.
    fn read(&mut self, records: Option<&dyn Records>) {
        let mut bytes = [0; 16 << 10];
        for _ in 0..16 {
            let (Some(file), Some(records)) = (&mut self.file, records) else { return };
            match file.read(&mut bytes) {
                Ok(0) => self.file = None,
                Ok(count) => {
                    let read = bytes.get(..count).unwrap_or_default();
                    let added = self
                        .messages
                        .add(read, |message| foreign(|| records.record(message)).unwrap_or(Ok(())));
                    if let Err(broken) = added {
                        foreign(|| records.broken(&broken.to_string()));
                        self.file = None;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.file = None,
            }
        }
    }
}

fn tell(options: &Options, stream: Stream, line: &str, tail: Option<&mut Tail>) {
    if let Some(tail) = tail {
        tail.add(line);
    }
    foreign(|| (options.on_line)(stream, line));
}

/// Runs code of the host's that knows nothing of processes. One that panics has said so by the panic hook, and the process has to be
/// watched on.
fn foreign<T>(run: impl FnOnce() -> T) -> Option<T> {
    panic::catch_unwind(AssertUnwindSafe(run)).ok()
}
