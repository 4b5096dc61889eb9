//! Who waits for whom: found out before a thread waits, so that no wait ever closes a cycle.
//!
//! What one thread does and others wait for is a *task*: opening a plugin, running the shared init functions, mapping.
//! Each has a ticket of its own, and no ticket is used twice. So "thread X waits for ticket N" never comes to mean
//! another wait than the one that was meant, however late X wakes up.
//!
//! A thread waits for one ticket at a time, and each ticket has one thread: from a ticket there is one way onwards, and
//! who follows it and arrives at itself would close a cycle. Edges are added under the machine's lock, each after this
//! check, so there never is a cycle, and the walk ends.

use super::sync::ThreadId;
use std::path::PathBuf;

/// Names one task, never a second one. Later tasks have larger tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Ticket(u64);

/// What a thread does while others wait for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// It opens the plugin at this path.
    Plugin(PathBuf),
    /// It runs the init functions of the shared crates.
    Shared,
    /// It runs those of a crate that is linked in; which, the list of them says.
    Crate(usize),
}

pub(super) struct Task {
    pub(super) ticket: Ticket,
    pub(super) thread: ThreadId,
    pub(super) step: Step,
}

#[derive(Default)]
pub(super) struct Waiting {
    pub(super) last: u64,
    /// In the order of their tickets. No more than what is under way.
    pub(super) tasks: Vec<Task>,
    pub(super) waits: Vec<(ThreadId, Ticket)>,
}

impl Waiting {
    /// The thread begins a task.
    #[inline(never)]
    pub(super) fn begin(&mut self, thread: ThreadId, step: Step) -> Ticket {
        self.last += 1;
        let ticket = Ticket(self.last);
        self.tasks.push(Task { ticket, thread, step });
        ticket
    }

    /// The task is over. Those who wait for it have to be woken by the caller.
    #[inline(never)]
    pub(super) fn end(&mut self, ticket: Ticket) {
        if let Some(place) = self.tasks.iter().position(|task| task.ticket == ticket) {
            self.tasks.remove(place);
        }
    }

    #[inline(never)]
    fn task(&self, ticket: Ticket) -> Option<&Task> {
        self.tasks.iter().find(|task| task.ticket == ticket)
    }

    pub(super) fn lasts(&self, ticket: Ticket) -> bool {
        self.task(ticket).is_some()
    }

    pub(super) fn is_of(&self, ticket: Ticket, thread: ThreadId) -> bool {
        self.task(ticket).is_some_and(|task| task.thread == thread)
    }

    /// Notes that the thread waits for the task; when that would close a cycle, nothing is noted, and the cycle is
    /// given: each step waits for the next, and the last is the first.
    pub(super) fn wait(&mut self, thread: ThreadId, ticket: Ticket) -> Result<(), Vec<Step>> {
        let mut chain: Vec<Step> = Vec::new();
        let mut at = ticket;
        while let Some(holder) = self.task(at).map(|task| task.thread) {
            // What the thread began after this task is what keeps it from ending.
            let inside = self.tasks.iter().filter(|task| task.ticket >= at && task.thread == holder);
            for task in inside {
                if chain.last() != Some(&task.step) {
                    chain.push(task.step.clone());
                }
            }
            if holder == thread {
                // The last is the first, also where a plugin opens itself.
                if chain.len() == 1 || chain.first() != chain.last() {
                    chain.extend(chain.first().cloned());
                }
                return Err(chain);
            }
            match self.waits.iter().find(|(waiting, _)| *waiting == holder) {
                Some((_, next)) => at = *next,
                None => break,
            }
        }
        self.waits.push((thread, ticket));
        Ok(())
    }

    /// The thread waits no longer.
    pub(super) fn woken(&mut self, thread: ThreadId) {
        self.waits.retain(|(waiting, _)| *waiting != thread);
    }

    /// Forgets all threads but this one, since a fork has left them behind.
    pub(super) fn only(&mut self, thread: ThreadId) {
        self.tasks.retain(|task| task.thread == thread);
        self.waits.clear();
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.waits.is_empty()
    }
}
