//! Forks: a child finds the state machine whole, whatever other threads of its parent were doing.
//!
//! Between `fork` and `exec` of a program with several threads only little is allowed, and opening plugins isn't part of
//! it by the letter of POSIX. It works where the system's allocator and loader can be used in a child, as glibc's can.
//! What is done here is that the forking thread holds the locks of this crate during the fork, so that no other thread
//! of the parent has them in the child. They are held for look-ups only, so a fork never waits for long, and a thread
//! never forks while it holds one of them. The locks of who has the system's loader are not among them: where another
//! thread has it, nothing is opened in the child.
//!
//! What is done once, by whoever comes first, is done before a fork too, so that no child waits for a thread of its
//! parent to end it.

use super::crates;
use super::machine::{Frozen, Machine};
use super::{REGISTRY, Real};
use crate::{process, system};
use std::cell::UnsafeCell;
use std::sync::MutexGuard;

/// The locks, between the two halves of a fork. The machine's is given back last.
type Locks = (MutexGuard<'static, ()>, crates::Frozen, Frozen<'static, Real>);

struct Held(UnsafeCell<Option<Locks>>);

// SAFETY: only the thread that has the machine's lock touches what is inside: `prepare` writes it after it got the lock,
// and `parent` or `child` takes it before the lock is given back. Both run in the thread that forks, which in the child
// is the same thread of execution.
unsafe impl Sync for Held {}

static HELD: Held = Held(UnsafeCell::new(None));

/// Has the system call the functions below around every fork.
pub(super) fn watch() {
    // SAFETY: the functions are never unmapped, since they stand in this very library or program, and they keep to what
    // `Held` says. When memory runs out nothing is registered, and forks are as they would be without this.
    unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
}

unsafe extern "C" fn prepare() {
    let _ = (process::library(), process::program(), process::program_path());
    let machine: &'static Machine<Real> = &REGISTRY;
    let frozen = machine.freeze();
    let crates = crates::freeze();
    let list = system::keep_the_list_free();
    // SAFETY: the lock is ours.
    unsafe { *HELD.0.get() = Some((list, crates, frozen)) };
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
