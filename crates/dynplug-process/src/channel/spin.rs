//! Looking at a word for a while before sleeping on it.

use super::{bell::Look, system};
use std::{
    hint,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

/// How often looking has to fail, more than it helps, until it becomes short.
const PATIENCE: u32 = 8;

#[derive(Debug)]
pub(super) struct Spin {
    budget: Duration,
    score: AtomicU32,
    looking: AtomicU32,
    /// How many may look at once, so that those that are looked for find a processor.
    most: u32,
}

impl Spin {
    pub(super) fn new(budget: Duration) -> Self {
        let processors = system::processors();
        Spin {
            budget: if processors < 2 { Duration::ZERO } else { budget },
            score: AtomicU32::new(PATIENCE),
            looking: AtomicU32::new(0),
            most: (processors / 2).max(1),
        }
    }
}

impl Look for Spin {
    /// Looks until `done`, or the time is over. A deadline that lies within that time is not looked at.
    fn look(&self, mut done: impl FnMut() -> bool) {
        if self.budget.is_zero() {
            return;
        }
        if self.looking.fetch_add(1, Relaxed) >= self.most {
            self.looking.fetch_sub(1, Relaxed);
            return;
        }
        let score = self.score.load(Relaxed);
        let budget = if score == 0 { self.budget / 16 } else { self.budget };
        let mut begin = None;
        let found = 'found: loop {
            for _ in 0..64 {
                if done() {
                    break 'found true;
                }
                hint::spin_loop();
            }
            // Whoever is looked for may wait for this very processor.
            thread::yield_now();
            let begin = *begin.get_or_insert_with(Instant::now);
            if begin.elapsed() >= budget {
                break false;
            }
        };
        self.looking.fetch_sub(1, Relaxed);
        let new = if found { (score + 1).min(PATIENCE) } else { score.saturating_sub(1) };
        if new != score {
            self.score.store(new, Relaxed);
        }
    }

    /// Had it looked for all of its time, it would have seen what it was woken for, if that came soon enough. Without this, two sides
    /// that once look for a short time only would wake each other for every call.
    fn slept(&self, time: Duration) {
        if time < self.budget {
            self.score.store(PATIENCE, Relaxed);
        }
    }
}
