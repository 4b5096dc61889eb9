//! Which slots are free. The host's own knowledge; nothing of it lies in shared memory.

use std::{
    sync::{
        Condvar, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

/// Nobody tells when a slot is given back whose call has missed its deadline, so who waits for one looks that often.
const LOOK: Duration = Duration::from_millis(2);

#[derive(Debug)]
pub(super) struct Slots {
    count: u32,
    /// A bit for each slot that nobody has.
    free: AtomicU64,
    /// A bit for each slot whose call missed its deadline and was not answered.
    stuck: AtomicU64,
    /// The last call of each slot. Who has a slot changes it.
    asked: Vec<AtomicU32>,
    waiting: AtomicU32,
    lock: Mutex<()>,
    freed: Condvar,
}

impl Slots {
    pub(super) fn new(count: u32) -> Self {
        Slots {
            count,
            free: AtomicU64::new(u64::MAX >> (64 - count)),
            stuck: AtomicU64::new(0),
            asked: (0..count).map(|_| AtomicU32::new(0)).collect(),
            waiting: AtomicU32::new(0),
            lock: Mutex::new(()),
            freed: Condvar::new(),
        }
    }

    pub(super) fn asked(&self, slot: u32) -> &AtomicU32 {
        &self.asked[slot as usize]
    }

    pub(super) fn stuck(&self) -> u32 {
        self.stuck.load(SeqCst).count_ones()
    }

    /// Takes a free slot, or one that was given back late, which `answered` says.
    fn take_now(&self, answered: &impl Fn(u32) -> bool) -> Option<u32> {
        let mut free = self.free.load(SeqCst);
        while free != 0 {
            let slot = free.trailing_zeros();
            match self.free.compare_exchange_weak(free, free & !(1 << slot), SeqCst, SeqCst) {
                Ok(_) => return Some(slot),
                Err(now) => free = now,
            }
        }
        let stuck = self.stuck.load(SeqCst);
        (0..self.count).find(|&slot| {
            let bit = 1 << slot;
            stuck & bit != 0 && answered(slot) && self.stuck.fetch_and(!bit, SeqCst) & bit != 0
        })
    }

    /// Takes a slot, and waits for one as long as `stop` says no and the deadline allows.
    pub(super) fn take(
        &self,
        deadline: Option<Instant>,
        answered: impl Fn(u32) -> bool,
        stop: impl Fn() -> bool,
    ) -> Option<u32> {
        if let Some(slot) = self.take_now(&answered) {
            return Some(slot);
        }
        self.waiting.fetch_add(1, SeqCst);
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = loop {
            if stop() {
                break None;
            }
            if let Some(slot) = self.take_now(&answered) {
                break Some(slot);
            }
            let rest = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if rest.is_some_and(|rest| rest.is_zero()) {
                break None;
            }
            let most = rest.map_or(LOOK, |rest| rest.min(LOOK));
            guard = self.freed.wait_timeout(guard, most).unwrap_or_else(PoisonError::into_inner).0;
        };
        drop(guard);
        self.waiting.fetch_sub(1, SeqCst);
        taken
    }

    /// Takes this slot if it is free.
    pub(super) fn take_this(&self, slot: u32) -> bool {
        let bit = 1 << slot;
        self.free.fetch_and(!bit, SeqCst) & bit != 0
    }

    pub(super) fn give(&self, slot: u32) {
        self.free.fetch_or(1 << slot, SeqCst);
        if self.waiting.load(SeqCst) != 0 {
            drop(self.lock.lock());
            self.freed.notify_one();
        }
    }

    /// Leaves the slot to the other side, until that has answered.
    pub(super) fn leave(&self, slot: u32) {
        self.stuck.fetch_or(1 << slot, SeqCst);
    }

    pub(super) fn wake_all(&self) {
        drop(self.lock.lock());
        self.freed.notify_all();
    }
}
