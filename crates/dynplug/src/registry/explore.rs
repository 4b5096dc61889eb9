//! Every order that the steps of some threads can have, one after the other: the state machine's locks, with a scheduler
//! that says whose turn it is.
//!
//! A thread runs from one *point* to the next: where it takes the lock, where it wakes others, and where a script says
//! so. Between two points nobody else runs. All that the threads share lies behind the lock, or is touched next to a
//! point, so the orders of these stretches are all the orders there are.
//!
//! The orders are too many to be run one by one, but what matters of them is few: what the machine holds, and how far each
//! thread is. That is the *picture* of a moment. What comes after a moment depends on its picture alone, so a moment with
//! a picture that was seen before needs no second look. With this, three threads take seconds, without any bound.
//!
//! A thread that isn't explored finds std's locks here.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt::Debug;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar as Wakeup, LockResult, Mutex as Lock, PoisonError};
use std::thread::{JoinHandle, ThreadId, spawn};

/// As std's, with a point before it is taken.
pub(crate) struct Mutex<T>(Lock<T>);

pub(crate) struct MutexGuard<'a, T> {
    /// None only while its thread waits.
    held: Option<std::sync::MutexGuard<'a, T>>,
    of: &'a Mutex<T>,
}

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Mutex(Lock::new(value))
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        pause();
        Ok(self.look())
    }

    /// Takes the lock without a point.
    pub(crate) fn look(&self) -> MutexGuard<'_, T> {
        MutexGuard { held: Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)), of: self }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.held.as_ref().expect("it doesn't wait")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.held.as_mut().expect("it doesn't wait")
    }
}

/// As std's. An explored world has one of them.
pub(crate) struct Condvar(Wakeup);

impl Condvar {
    pub(crate) const fn new() -> Self {
        Condvar(Wakeup::new())
    }

    pub(crate) fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        match explored() {
            Some((run, me)) => {
                guard.held = None;
                run.pass(me, At::Waits);
                Ok(guard.of.look())
            }
            None => {
                guard.held =
                    guard.held.take().map(|held| self.0.wait(held).unwrap_or_else(PoisonError::into_inner));
                Ok(guard)
            }
        }
    }

    pub(crate) fn notify_all(&self) {
        pause();
        match explored() {
            Some((run, _)) => run.wake(),
            None => self.0.notify_all(),
        }
    }
}

/// Here others may run.
pub(crate) fn pause() {
    if let Some((run, me)) = explored() {
        run.pass(me, At::Ready);
    }
}

/// What this thread has seen: with this and the number of points since, it is told how far it is.
pub(crate) fn saw(what: impl Debug) {
    if let Some((run, me)) = explored() {
        let mut turns = run.turns();
        let thread = &mut turns.threads[me];
        thread.saw.push_str(&format!("{what:?};"));
        thread.points = 0;
    }
}

/// Where a thread stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum At {
    /// It goes on when it is its turn.
    Ready,
    /// It goes on when it is woken.
    Waits,
    Ended,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Thread {
    at: At,
    saw: String,
    points: usize,
}

/// A moment of a run at which one of several threads was chosen.
struct Choice {
    chosen: usize,
    /// Those that were not tried.
    others: Vec<usize>,
}

/// What is remembered from run to run.
#[derive(Default)]
struct Explored {
    /// The way to where the next run is to go.
    way: Vec<Choice>,
    pictures: HashSet<(String, Vec<Thread>)>,
}

struct Turns {
    threads: Vec<Thread>,
    turn: Option<usize>,
    explored: Explored,
    /// How many choices were made in this run.
    chosen: usize,
    /// Whether all that comes now has been seen.
    is_known: bool,
    /// The threads in the order of their turns.
    order: Vec<usize>,
    stuck: bool,
}

struct Run {
    turns: Lock<Turns>,
    changed: Wakeup,
    picture: Box<dyn Fn() -> String + Send + Sync>,
}

thread_local! {
    static EXPLORED: RefCell<Option<(Arc<Run>, usize)>> = const { RefCell::new(None) };
}

fn explored() -> Option<(Arc<Run>, usize)> {
    EXPLORED.with_borrow(Clone::clone)
}

impl Run {
    fn turns(&self) -> std::sync::MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        for thread in &mut self.turns().threads {
            if thread.at == At::Waits {
                thread.at = At::Ready;
            }
        }
    }

    /// Gives the turn to whoever is next, and waits until it comes back.
    fn pass(&self, me: usize, at: At) {
        let mut turns = self.turns();
        if turns.stuck {
            return;
        }
        turns.threads[me].at = at;
        turns.threads[me].points += usize::from(at == At::Ready);
        let next = turns.choose(me, &self.picture);
        turns.turn = next;
        if next == Some(me) {
            return;
        }
        self.changed.notify_all();
        while at != At::Ended && turns.turn != Some(me) {
            if turns.stuck {
                drop(turns);
                // Nobody will ever wake this thread.
                resume_unwind(Box::new("stuck"));
            }
            turns = self.changed.wait(turns).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Turns {
    fn choose(&mut self, me: usize, picture: &dyn Fn() -> String) -> Option<usize> {
        // Who had the turn keeps it if it can, since that costs least.
        let can = |thread: &usize| self.threads[*thread].at == At::Ready;
        let others = (0..self.threads.len()).filter(|thread| *thread != me);
        let ready: Vec<usize> = std::iter::once(me).chain(others).filter(can).collect();
        let Some(first) = ready.first().copied() else {
            self.stuck = self.threads.iter().any(|thread| thread.at == At::Waits);
            return None;
        };
        let mut next = first;
        if ready.len() > 1 && !self.is_known {
            if let Some(choice) = self.explored.way.get(self.chosen) {
                next = choice.chosen;
                self.chosen += 1;
            } else if self.explored.pictures.insert((picture(), self.threads.clone())) {
                self.explored.way.push(Choice { chosen: first, others: ready[1..].to_vec() });
                self.chosen += 1;
            } else {
                self.is_known = true;
            }
        }
        self.order.push(next);
        Some(next)
    }
}

impl Explored {
    /// Goes back to the last choice that could have been another. None is left when this gives false.
    fn turn_back(&mut self) -> bool {
        while let Some(last) = self.way.last_mut() {
            if let Some(other) = last.others.pop() {
                last.chosen = other;
                return true;
            }
            self.way.pop();
        }
        false
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// Threads that are used for one run after the other.
struct Crew {
    threads: Vec<(Sender<Job>, JoinHandle<()>)>,
}

impl Crew {
    fn new(count: usize) -> Crew {
        let start = |_| {
            let (sender, receiver) = channel::<Job>();
            (sender, spawn(move || receiver.into_iter().for_each(|job| job())))
        };
        Crew { threads: (0..count).map(start).collect() }
    }

    fn ids(&self) -> Vec<ThreadId> {
        self.threads.iter().map(|(_, handle)| handle.thread().id()).collect()
    }
}

/// Lets threads do what they do in every order. For each order there is a new world; `work` is what each thread does with
/// it, `picture` is all that there is in it, and `judge` sees what came of it. Gives the number of orders that were run
/// and that of the pictures.
///
/// # Panics
///
/// When `judge` or a thread panics, and when threads wait and none is left to wake them; the order is printed.
pub(super) fn every_order<W, R>(
    threads: usize,
    make: impl Fn() -> W,
    work: impl Fn(&W, usize) -> R + Copy + Send + 'static,
    picture: impl Fn(&W, &dyn Fn(ThreadId) -> usize) -> String + Copy + Send + Sync + 'static,
    judge: impl Fn(&W, Vec<R>),
) -> (usize, usize)
where
    W: Send + Sync + 'static,
    R: Send + 'static,
{
    let crew = Crew::new(threads);
    let mut explored = Explored::default();
    let mut runs = 0;
    loop {
        runs += 1;
        let world = Arc::new(make());
        let (seen, ids) = (Arc::clone(&world), crew.ids());
        let thread = Thread { at: At::Ready, saw: String::new(), points: 0 };
        let run = Arc::new(Run {
            turns: Lock::new(Turns {
                threads: vec![thread; threads],
                turn: None,
                explored: std::mem::take(&mut explored),
                chosen: 0,
                is_known: false,
                order: Vec::new(),
                stuck: false,
            }),
            changed: Wakeup::new(),
            picture: Box::new(move || {
                picture(&seen, &|id| ids.iter().position(|i| *i == id).unwrap_or(usize::MAX))
            }),
        });
        let (sender, receiver) = channel();
        for (me, (job, _)) in crew.threads.iter().enumerate() {
            let (run, world, sender) = (Arc::clone(&run), Arc::clone(&world), sender.clone());
            let begun = move || {
                let mut turns = run.turns();
                while turns.turn != Some(me) {
                    turns = run.changed.wait(turns).unwrap_or_else(PoisonError::into_inner);
                }
                drop(turns);
                EXPLORED.set(Some((Arc::clone(&run), me)));
                let outcome = catch_unwind(AssertUnwindSafe(|| work(&world, me)));
                EXPLORED.set(None);
                drop(world);
                run.pass(me, At::Ended);
                let _ = sender.send((me, outcome));
            };
            job.send(Box::new(begun)).expect("the thread is there");
        }
        drop(sender);
        // Which of them comes first is a choice like the others.
        {
            let mut turns = run.turns();
            turns.turn = turns.choose(0, &run.picture);
            run.changed.notify_all();
        }
        let mut outcomes: Vec<_> = receiver.iter().collect();
        outcomes.sort_by_key(|(me, _)| *me);
        let mut turns = run.turns();
        let panicked = outcomes.iter().any(|(_, outcome)| outcome.is_err());
        let order = std::mem::take(&mut turns.order);
        if turns.stuck || panicked {
            panic!(
                "{} after the turns {order:?}",
                if turns.stuck { "threads wait for ever" } else { "a panic" }
            );
        }
        let results = outcomes.into_iter().filter_map(|(_, outcome)| outcome.ok()).collect();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| judge(&world, results))) {
            eprintln!("after the turns {order:?}");
            resume_unwind(panic);
        }
        explored = std::mem::take(&mut turns.explored);
        drop(turns);
        if !explored.turn_back() {
            return (runs, explored.pictures.len());
        }
    }
}
