//! Forks: a child finds the state machine whole, whatever other threads of its parent were doing.
//!
//! Between `fork` and `exec` of a program with several threads only little is allowed, and opening plugins isn't part of
//! it by the letter of POSIX. It works where the system's allocator and loader can be used in a child, as glibc's can.
//! What is done here is that the machine's lock is held by the forking thread during the fork, so that no other thread
//! of the parent has it in the child; it is held for look-ups only, so a fork never waits for long. A thread never
//! forks while it holds the lock.

use super::machine::{Frozen, Machine};
use super::{REGISTRY, Real};
use std::cell::UnsafeCell;

/// The lock, between the two halves of a fork.
struct Held(UnsafeCell<Option<Frozen<'static, Real>>>);

// SAFETY: only the thread that has the lock touches what is inside: `prepare` writes it after it got the lock, and
// `parent` or `child` takes it before the lock is given back. Both run in the thread that forks, which in the child is
// the same thread of execution.
unsafe impl Sync for Held {}

static HELD: Held = Held(UnsafeCell::new(None));

/// Has the system call the functions below around every fork.
pub(super) fn watch() {
    // SAFETY: the functions are never unmapped, since they stand in this very library or program, and they keep to what
    // `Held` says. When memory runs out nothing is registered, and forks are as they would be without this.
    unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
}

unsafe extern "C" fn prepare() {
    let machine: &'static Machine<Real> = &REGISTRY;
    let frozen = machine.freeze();
    // SAFETY: the lock is ours.
    unsafe { *HELD.0.get() = Some(frozen) };
}

unsafe extern "C" fn parent() {
    // SAFETY: the lock is ours since `prepare`.
    drop(unsafe { (*HELD.0.get()).take() });
}

unsafe extern "C" fn child() {
    REGISTRY.was_forked();
    // SAFETY: the lock is ours since `prepare`.
    drop(unsafe { (*HELD.0.get()).take() });
}
