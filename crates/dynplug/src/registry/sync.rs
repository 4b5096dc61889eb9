//! What the state machine synchronises with: std's locks; in tests such that every order of the threads' steps can be
//! tried, by [`explore`](super::explore) or by `loom`.

#[cfg(not(test))]
pub(super) use std::{
    sync::{Condvar, Mutex, MutexGuard},
    thread::{ThreadId, current},
};

#[cfg(all(not(loom), test))]
pub(super) use {
    super::explore::{Condvar, Mutex, MutexGuard, pause, saw},
    std::thread::{ThreadId, current},
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

/// Loom has points of its own.
#[cfg(all(loom, test))]
pub(super) fn pause() {}

/// Loom remembers by itself how far a thread is.
#[cfg(all(loom, test))]
pub(super) fn saw(_: impl std::fmt::Debug) {}
