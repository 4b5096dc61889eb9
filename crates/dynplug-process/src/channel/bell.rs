//! How the two sides find each other: who looks at which word, who sleeps on it, and who has to wake whom.
//!
//! A call is lost if somebody goes to sleep who was not seen by the one that should wake it. So each side first writes what the
//! other one looks for, and then looks itself, with a fence between the two:
//!
//! | who | writes | looks at | sleeps on |
//! |---|---|---|---|
//! | the host, with a call | the slot's last call, then the bell | lookers, sleepers | |
//! | a thread that waits for a call | sleepers | the bell | the bell |
//! | a thread that took a call and looks no more | lookers | all slots' last calls | |
//! | the host, waiting for the answer | waiting | the answer | the answer |
//! | a thread with an answer | the answer | waiting | |
//!
//! `bell::model` tries what comes of it. Nothing here believes the other side: whatever it writes, the host looks again after
//! [`AGAIN`] at the latest.

#[cfg(all(loom, test))]
mod model;

use super::{
    layout::{self, Layout},
    system,
};
use std::{
    sync::atomic::{
        AtomicU32,
        Ordering::{AcqRel, Acquire, Release, SeqCst},
        fence,
    },
    time::{Duration, Instant},
};

/// For how long the host sleeps at most. Who has the word in its memory too can move those that sleep on it to where nobody
/// wakes them (`FUTEX_REQUEUE`), and have waking fail.
const AGAIN: Duration = Duration::from_millis(100);

/// A word that both sides have.
pub(super) trait Word {
    fn load(&self) -> u32;
    fn store(&self, value: u32);
    /// Gives what there was before.
    fn add(&self, value: u32) -> u32;
    /// Whether it was `old`, and so is `new` now.
    fn replace(&self, old: u32, new: u32) -> bool;
    /// What was written before and what is read after keep this order for all that have a fence too.
    fn fence();
    /// Sleeps while the word holds `value`, or until somebody wakes it, or some time has passed, or for no reason.
    fn sleep(&self, value: u32, most: Option<Duration>);
    /// Wakes as many as that.
    fn wake(&self, most: u32);
}

impl Word for AtomicU32 {
    fn load(&self) -> u32 {
        self.load(Acquire)
    }

    fn store(&self, value: u32) {
        self.store(value, Release);
    }

    fn add(&self, value: u32) -> u32 {
        self.fetch_add(value, AcqRel)
    }

    fn replace(&self, old: u32, new: u32) -> bool {
        self.compare_exchange(old, new, AcqRel, Acquire).is_ok()
    }

    fn fence() {
        fence(SeqCst);
    }

    fn sleep(&self, value: u32, most: Option<Duration>) {
        system::sleep(self, value, most);
    }

    fn wake(&self, most: u32) {
        system::wake(self, most);
    }
}

/// One of the two memories.
pub(super) trait Memory {
    type Word: Word;

    /// The word at this offset, which [`layout`] tells.
    fn word(&self, at: usize) -> &Self::Word;
}

/// Looking for a while before sleeping.
pub(super) trait Look {
    /// Returns when `done` says so, or sooner.
    fn look(&self, done: impl FnMut() -> bool);
    /// Tells for how long the one slept that had looked in vain.
    fn slept(&self, time: Duration);
}

/// Both memories.
#[derive(Debug)]
pub(super) struct Memories<R, A> {
    pub(super) layout: Layout,
    pub(super) requests: R,
    pub(super) answers: A,
}

impl<W: Word, R: Memory<Word = W>, A: Memory<Word = W>> Memories<R, A> {
    fn bell(&self) -> &W {
        self.requests.word(layout::BELL)
    }

    fn sleepers(&self) -> &W {
        self.answers.word(layout::SLEEPERS)
    }

    fn lookers(&self) -> &W {
        self.answers.word(layout::LOOKERS)
    }

    /// The last call in this slot.
    pub(super) fn asked(&self, slot: u32) -> &W {
        self.requests.word(self.layout.ask(slot))
    }

    /// The last call in this slot that was answered.
    pub(super) fn answered(&self, slot: u32) -> &W {
        self.answers.word(self.layout.slot(slot) + layout::ANSWER)
    }

    fn waiting(&self, slot: u32) -> &W {
        self.requests.word(self.layout.slot(slot) + layout::WAITING)
    }
}

/// The host's side.
impl<W: Word, R: Memory<Word = W>, A: Memory<Word = W>> Memories<R, A> {
    /// Tells the other side of a call, and says whether it had to be woken for that.
    pub(super) fn ask(&self, slot: u32, call: u32) -> bool {
        self.asked(slot).store(call);
        self.bell().add(1);
        W::fence();
        let wakes = self.lookers().load() == 0 && self.sleepers().load() != 0;
        if wakes {
            self.bell().wake(1);
        }
        wakes
    }

    /// Waits until the answer's word is no longer what it was before, and gives what it is. `rest` is asked before each sleep:
    /// for how long to sleep at most, or why not to wait any more. `sleeping` counts who sleeps. Without `look` this sleeps at once.
    pub(super) fn wait<E>(
        &self,
        slot: u32,
        before: u32,
        look: Option<&impl Look>,
        sleeping: &W,
        mut rest: impl FnMut() -> Result<Option<Duration>, E>,
    ) -> Result<u32, E> {
        let answered = self.answered(slot);
        if let Some(look) = look {
            look.look(|| answered.load() != before);
        }
        let have = answered.load();
        if have != before {
            return Ok(have);
        }
        let mut asleep = false;
        let result = loop {
            // What was answered before the end is still good, so the end is looked at first.
            let rest = rest();
            let have = answered.load();
            if have != before {
                break Ok(have);
            }
            let rest = match rest {
                Ok(rest) => rest,
                Err(why) => break Err(why),
            };
            if asleep {
                let begin = Instant::now();
                answered.sleep(before, Some(rest.map_or(AGAIN, |rest| rest.min(AGAIN))));
                look.inspect(|look| look.slept(begin.elapsed()));
            } else {
                // From here on the other side wakes, so it is looked once more.
                asleep = true;
                sleeping.add(1);
                self.waiting(slot).store(1);
                W::fence();
            }
        };
        if asleep {
            self.waiting(slot).store(0);
            sleeping.add(1u32.wrapping_neg());
        }
        result
    }

    /// Wakes all that sleep on an answer. One that was just about to sleep is missed.
    pub(super) fn wake_all(&self) {
        for slot in 0..self.layout.slots {
            self.answered(slot).wake(u32::MAX);
        }
    }
}

/// The other side.
impl<W: Word, R: Memory<Word = W>, A: Memory<Word = W>> Memories<R, A> {
    /// A slot with a call that no thread took, the last one that was taken there, and this one.
    fn untaken(&self, taken: &[W]) -> Option<(u32, u32, u32)> {
        (0..self.layout.slots).zip(taken).find_map(|(slot, taken)| {
            // In this order: if nobody takes the slot in between, what it asks can't change either.
            let taken = taken.load();
            let asked = self.asked(slot).load();
            (asked != taken).then_some((slot, taken, asked))
        })
    }

    /// Waits for a call and takes it, which is noted in `taken`. Gives its slot and its number, or nothing when `closed`.
    pub(super) fn take(&self, taken: &[W], look: &impl Look, closed: &W) -> Option<(u32, u32)> {
        while closed.load() == 0 {
            let seen = self.bell().load();
            while let Some((slot, before, call)) = self.untaken(taken) {
                if !taken[slot as usize].replace(before, call) {
                    continue;
                }
                // The host wakes nobody while somebody looks, and who looked is busy now.
                W::fence();
                if self.sleepers().load() != 0 && self.untaken(taken).is_some() {
                    self.bell().wake(1);
                }
                return Some((slot, call));
            }
            self.lookers().add(1);
            look.look(|| self.bell().load() != seen);
            self.lookers().add(1u32.wrapping_neg());
            self.sleepers().add(1);
            W::fence();
            if self.bell().load() == seen && closed.load() == 0 {
                let begin = Instant::now();
                self.bell().sleep(seen, None);
                look.slept(begin.elapsed());
            }
            self.sleepers().add(1u32.wrapping_neg());
        }
        None
    }

    /// Tells the host of an answer.
    pub(super) fn answer(&self, slot: u32, call: u32) {
        let answered = self.answered(slot);
        answered.store(call);
        W::fence();
        if self.waiting(slot).load() != 0 {
            answered.wake(1);
        }
    }

    /// Has threads return from [`take`](Self::take), and says whether one may sleep still, so that this is to be called again.
    pub(super) fn close(&self, closed: &W) -> bool {
        closed.store(1);
        W::fence();
        let some = self.sleepers().load() != 0;
        if some {
            self.bell().wake(u32::MAX);
        }
        some
    }
}
