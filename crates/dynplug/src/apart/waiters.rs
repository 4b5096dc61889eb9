//! Threads that wait for the results of calls for which nobody's own thread waits.
//!
//! A future has no thread, and what tells of a result is a word in shared memory on which only threads can sleep. So each such call has a
//! thread here as long as it is under way. There are at most as many as calls can be under way; further calls stand in line, and one whose
//! deadline passes there is ended by a clock. Threads that had nothing to do for a while end. Nothing here belongs to an async runtime.

use super::CallError;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// How long a thread has nothing to do until it ends.
const IDLE: Duration = Duration::from_secs(10);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What becomes of a call, for the future that waits for it.
#[derive(Debug, Default)]
pub(super) struct Outcome(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    answer: Option<Result<Vec<u8>, CallError>>,
    waker: Option<Waker>,
    /// Nobody waits any more.
    is_dropped: bool,
}

impl Outcome {
    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<Result<Vec<u8>, CallError>> {
        let mut told = lock(&self.0);
        match told.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                let old = told.waker.replace(context.waker().clone());
                drop(told);
                // Its code is foreign, and none runs under a lock.
                drop(old);
                Poll::Pending
            }
        }
    }

    /// Nobody waits any more.
    pub(super) fn give_up(&self) {
        let mut told = lock(&self.0);
        told.is_dropped = true;
        let waker = told.waker.take();
        drop(told);
        drop(waker);
    }

    fn is_wanted(&self) -> bool {
        !lock(&self.0).is_dropped
    }

    fn put(&self, answer: Result<Vec<u8>, CallError>) {
        let mut told = lock(&self.0);
        told.answer = Some(answer);
        let waker = told.waker.take();
        drop(told);
        if let Some(waker) = waker {
            // Code of a runtime. The thread has others to wait for.
            let _ = panic::catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
    }
}

/// A call to be made.
pub(super) struct Job {
    pub(super) deadline: Option<Instant>,
    pub(super) call: Box<dyn FnOnce() -> Result<Vec<u8>, CallError> + Send>,
    pub(super) outcome: Arc<Outcome>,
}

impl Job {
    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }

    fn run(self) {
        if self.is_late() {
            self.outcome.put(Err(CallError::Deadline));
        } else if self.outcome.is_wanted() {
            let call = panic::catch_unwind(AssertUnwindSafe(self.call));
            self.outcome
                .put(call.unwrap_or_else(|_| Err(CallError::Result("waiting for it panicked".to_owned()))));
        }
    }
}

/// The threads for the calls of one plugin.
pub(super) struct Waiters(Arc<Shared>);

impl fmt::Debug for Waiters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiters").field("most", &self.0.most).finish_non_exhaustive()
    }
}

struct Shared {
    most: usize,
    line: Mutex<Line>,
    /// Somebody stands in line.
    called: Condvar,
    /// Somebody may have to stand in line for long.
    clock: Condvar,
}

#[derive(Default)]
struct Line {
    jobs: VecDeque<Job>,
    threads: usize,
    /// How many of them sleep, or were just woken.
    idle: usize,
    has_clock: bool,
}

impl Waiters {
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    /// At most so many threads; none yet.
    pub(super) fn new(most: usize) -> Waiters {
        let (line, called, clock) = (Mutex::default(), Condvar::new(), Condvar::new());
        Waiters(Arc::new(Shared { most: most.max(1), line, called, clock }))
    }

    /// Makes the call as soon as a thread has time.
    pub(super) fn call(&self, job: Job) {
        let outcome = job.outcome.clone();
        let mut line = lock(&self.0.line);
        line.jobs.push_back(job);
        if line.jobs.len() <= line.idle {
            self.0.called.notify_one();
            return;
        }
        if line.threads < self.0.most {
            match self.0.start("dynplug-waiter", Shared::work) {
                Ok(()) => {
                    line.threads += 1;
                    return;
                }
                Err(error) if line.threads == 0 => {
                    // A thread ends only when nobody stands in line, so there is this job alone.
                    let jobs = std::mem::take(&mut line.jobs);
                    drop(line);
                    drop(jobs);
                    outcome.put(Err(CallError::NoThread(error.to_string())));
                    return;
                }
                // One of those that are there comes to it.
                Err(_) => {}
            }
        }
        match line.has_clock {
            true => self.0.clock.notify_one(),
            // Where there is none to be had, it waits until a thread comes to it.
            false => line.has_clock = self.0.start("dynplug-clock", Shared::look).is_ok(),
        }
    }
}

impl Shared {
    fn start(self: &Arc<Self>, name: &str, run: fn(&Shared)) -> io::Result<()> {
        let shared = self.clone();
        let thread = thread::Builder::new().name(name.to_owned()).stack_size(256 << 10);
        thread.spawn(move || run(&shared)).map(drop)
    }

    /// What a thread does.
    fn work(&self) {
        let mut line = lock(&self.line);
        loop {
            while let Some(job) = line.jobs.pop_front() {
                drop(line);
                job.run();
                line = lock(&self.line);
            }
            line.idle += 1;
            let waited = self.called.wait_timeout_while(line, IDLE, |line| line.jobs.is_empty());
            line = waited.unwrap_or_else(PoisonError::into_inner).0;
            line.idle -= 1;
            if line.jobs.is_empty() {
                line.threads -= 1;
                return;
            }
        }
    }

    /// What the clock does, until nobody in line has a deadline.
    fn look(&self) {
        let mut line = lock(&self.line);
        loop {
            let (late, rest): (VecDeque<Job>, _) =
                std::mem::take(&mut line.jobs).into_iter().partition(|job| job.is_late());
            line.jobs = rest;
            if !late.is_empty() {
                drop(line);
                late.into_iter().for_each(|job| job.outcome.put(Err(CallError::Deadline)));
                line = lock(&self.line);
                continue;
            }
            let Some(next) = line.jobs.iter().filter_map(|job| job.deadline).min() else {
                line.has_clock = false;
                return;
            };
            let rest = next.saturating_duration_since(Instant::now());
            line = self.clock.wait_timeout(line, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::task::Wake;

    struct Unpark(thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    fn wait(outcome: &Outcome) -> Result<Vec<u8>, CallError> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        loop {
            match outcome.poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(answer) => return answer,
                Poll::Pending => thread::park(),
            }
        }
    }

    fn job(
        within: Option<Duration>,
        call: impl FnOnce() -> Result<Vec<u8>, CallError> + Send + 'static,
    ) -> (Job, Arc<Outcome>) {
        let outcome = Arc::new(Outcome::default());
        let deadline = within.map(|within| Instant::now() + within);
        (Job { deadline, call: Box::new(call), outcome: outcome.clone() }, outcome)
    }

    #[test]
    fn as_many_calls_as_there_may_be_threads_run_at_once_and_all_run() {
        let waiters = Waiters::new(4);
        let meeting = Arc::new(std::sync::Barrier::new(4));
        let outcomes: Vec<_> = (0..400_u32)
            .map(|number| {
                let meeting = meeting.clone();
                let (job, outcome) = job(None, move || {
                    meeting.wait();
                    Ok(number.to_le_bytes().to_vec())
                });
                waiters.call(job);
                outcome
            })
            .collect();
        for (number, outcome) in (0..400_u32).zip(outcomes) {
            assert_eq!(wait(&outcome).unwrap(), number.to_le_bytes());
        }
        assert!(lock(&waiters.0.line).threads <= 4);
    }

    #[test]
    fn who_stands_in_line_is_late_in_time_and_whoever_left_is_not_called() {
        let waiters = Waiters::new(1);
        let (go, gone) = mpsc::channel::<()>();
        let (first, first_outcome) = job(None, move || {
            let _ = gone.recv();
            Ok(vec![1])
        });
        waiters.call(first);
        let (late, late_outcome) = job(Some(Duration::from_millis(20)), || unreachable!("it is late"));
        waiters.call(late);
        let (left, left_outcome) = job(None, || unreachable!("nobody waits"));
        waiters.call(left);
        left_outcome.give_up();
        assert!(matches!(wait(&late_outcome), Err(CallError::Deadline)));
        let (last, last_outcome) = job(Some(Duration::from_secs(1000)), || Ok(vec![2]));
        waiters.call(last);
        go.send(()).unwrap();
        assert_eq!(wait(&first_outcome).unwrap(), [1]);
        assert_eq!(wait(&last_outcome).unwrap(), [2]);
    }
}
