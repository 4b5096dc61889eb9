//! What the state machine synchronises with: std's, or those of `loom` when its model is checked.

#[cfg(not(all(loom, test)))]
pub(super) use std::{
    sync::{Condvar, Mutex, MutexGuard},
    thread::{ThreadId, current},
};

#[cfg(all(loom, test))]
pub(super) use loom::{
    sync::{Condvar, Mutex, MutexGuard},
    thread::{ThreadId, current},
};

/// The thread that runs this.
pub(super) fn this_thread() -> ThreadId {
    current().id()
}
