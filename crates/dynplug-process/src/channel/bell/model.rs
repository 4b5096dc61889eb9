//! Callers and threads that serve them, in every order that their steps can have; loom also tries what one thread may see late
//! of what another wrote. A wake-up that is lost leaves all of them asleep, which loom reports as a deadlock.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p dynplug-process --lib --release model`. `LOOM_MAX_PREEMPTIONS` sets another bound for
//! how often a thread is put aside that could go on.

use super::{
    super::{Config, layout::Layout},
    Look, Memories, Memory,
};
use loom::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{
            AtomicU32,
            Ordering::{AcqRel, Acquire, Release, SeqCst},
            fence,
        },
    },
    thread,
};
use std::{convert::Infallible, time::Duration};

/// What the kernel does with a word that somebody sleeps on: it looks at the value and puts to sleep in one step.
struct Word {
    value: AtomicU32,
    lock: Mutex<()>,
    woken: Condvar,
}

impl Word {
    fn new() -> Self {
        Word { value: AtomicU32::new(0), lock: Mutex::new(()), woken: Condvar::new() }
    }
}

impl super::Word for Word {
    fn load(&self) -> u32 {
        self.value.load(Acquire)
    }

    fn store(&self, value: u32) {
        self.value.store(value, Release);
    }

    fn add(&self, value: u32) -> u32 {
        self.value.fetch_add(value, AcqRel)
    }

    fn replace(&self, old: u32, new: u32) -> bool {
        self.value.compare_exchange(old, new, AcqRel, Acquire).is_ok()
    }

    fn fence() {
        fence(SeqCst);
    }

    /// Time doesn't pass: who isn't woken sleeps for good.
    fn sleep(&self, value: u32, _: Option<Duration>) {
        let guard = self.lock.lock().unwrap();
        if self.value.load(Acquire) == value {
            drop(self.woken.wait(guard).unwrap());
        }
    }

    fn wake(&self, most: u32) {
        let _guard = self.lock.lock().unwrap();
        match most {
            1 => self.woken.notify_one(),
            _ => self.woken.notify_all(),
        }
    }
}

/// A memory with those words that there are.
struct Sheet(Vec<(usize, Word)>);

impl Memory for Sheet {
    type Word = Word;

    fn word(&self, at: usize) -> &Word {
        &self.0.iter().find(|(offset, _)| *offset == at).expect("a word that the layout tells of").1
    }
}

/// Looks once, and lets the others go on before it looks away.
struct Glance;

impl Look for Glance {
    fn look(&self, mut done: impl FnMut() -> bool) {
        if !done() {
            thread::yield_now();
        }
    }

    fn slept(&self, _: Duration) {}
}

struct World {
    memories: Memories<Sheet, Sheet>,
    /// The last call of each slot. Who holds it has the slot.
    last: Vec<Mutex<u32>>,
    taken: Vec<Word>,
    closed: Word,
    sleeping: Word,
}

impl World {
    fn new(slots: u32) -> Self {
        let layout = Layout::new(&Config { slots, region: 1, ..Config::default() }).unwrap();
        let slot = |offset| (0..slots).map(move |slot| layout.slot(slot) + offset);
        let sheet = |offsets: Vec<usize>| Sheet(offsets.into_iter().map(|at| (at, Word::new())).collect());
        use super::layout::{ANSWER, BELL, LOOKERS, SLEEPERS, WAITING};
        let asks = (0..slots).map(|slot| layout.ask(slot));
        World {
            memories: Memories {
                layout,
                requests: sheet([BELL].into_iter().chain(asks).chain(slot(WAITING)).collect()),
                answers: sheet([SLEEPERS, LOOKERS].into_iter().chain(slot(ANSWER)).collect()),
            },
            last: (0..slots).map(|_| Mutex::new(0)).collect(),
            taken: (0..slots).map(|_| Word::new()).collect(),
            closed: Word::new(),
            sleeping: Word::new(),
        }
    }

    fn call(&self, slot: u32) {
        let mut last = self.last[slot as usize].lock().unwrap();
        let before = *last;
        *last += 1;
        let woke = self.memories.ask(slot, *last);
        let rest = || Ok::<_, Infallible>(None);
        let Ok(have) = self.memories.wait(slot, before, (!woke).then_some(&Glance), &self.sleeping, rest);
        assert_eq!(have, *last);
    }

    fn serve_one(&self) -> bool {
        let Some((slot, call)) = self.memories.take(&self.taken, &Glance, &self.closed) else { return false };
        self.memories.answer(slot, call);
        true
    }
}

/// What the model has of each, and how far it goes.
#[derive(Clone, Copy)]
struct Case {
    slots: u32,
    callers: u32,
    /// Of each caller.
    calls: u32,
    servers: u32,
    /// Each server serves one call and is gone, as one whose function never returns; otherwise they serve until the channel ends.
    once: bool,
    /// How often a thread is put aside that could go on.
    preemptions: usize,
}

fn check(case: Case) {
    let mut model = loom::model::Builder::new();
    model.max_branches = 100_000;
    model.preemption_bound = model.preemption_bound.or(Some(case.preemptions));
    model.check(move || {
        let world = Arc::new(World::new(case.slots));
        let serve = |world: Arc<World>| {
            move || match case.once {
                true => u32::from(world.serve_one()),
                false => std::iter::from_fn(|| world.serve_one().then_some(1)).sum(),
            }
        };
        let servers: Vec<_> = (0..case.servers).map(|_| thread::spawn(serve(world.clone()))).collect();
        let call = |world: Arc<World>, caller: u32| {
            move || (0..case.calls).for_each(|_| world.call(caller % case.slots))
        };
        // They are behind the servers, so that these sleep already in the first order that is tried, and one more preemption is left.
        let callers: Vec<_> =
            (0..case.callers).map(|caller| thread::spawn(call(world.clone(), caller))).collect();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        while !case.once && world.memories.close(&world.closed) {
            thread::yield_now();
        }
        let served: u32 = servers.into_iter().map(|server| server.join().unwrap()).sum();
        assert_eq!(served, case.callers * case.calls);
    });
}

const CASE: Case = Case { slots: 1, callers: 1, calls: 1, servers: 1, once: false, preemptions: 2 };

#[test]
fn calls_that_follow_each_other_are_answered() {
    check(Case { calls: 2, ..CASE });
}

#[test]
fn two_callers_share_a_slot() {
    check(Case { callers: 2, preemptions: 1, ..CASE });
}

#[test]
fn two_callers_have_a_slot_each() {
    check(Case { slots: 2, callers: 2, preemptions: 1, ..CASE });
}

#[test]
fn one_of_two_threads_answers_and_both_end() {
    check(Case { servers: 2, preemptions: 1, ..CASE });
}

#[test]
fn two_threads_serve_a_call_each() {
    check(Case { slots: 2, callers: 2, servers: 2, once: true, preemptions: 1, ..CASE });
}

#[test]
fn two_threads_serve_a_call_each_in_one_slot() {
    check(Case { callers: 2, servers: 2, once: true, preemptions: 0, ..CASE });
}
