//! Calls from a host to a process that it has started, through memory that the two share.
//!
//! The host makes a [`Channel`] together with the process. [`Channel::request`] gives a place for the arguments, which are
//! serialised straight into shared memory; [`Request::call`] has the function run by one of the threads of the other
//! process and copies out what it says. There, [`Served`] takes the calls.
//!
//! # What the host believes
//!
//! Nothing. The other process may be taken over by whoever wrote the plugin.
//!
//! - There are two memories, and each has one writer. The host maps the answers read-only and never reads the requests, so
//!   what it knows of its slots, it knows from its own heap.
//! - Both are sealed in their size before the other process exists: no length changes, and no access is ever a `SIGBUS`.
//! - A word of the other side is read once, by an atomic access, and checked. The bytes of an answer are copied out by
//!   atomic accesses before anything looks at them. There is no reference to bytes that the other side can write.
//! - A slot's answer can hold two values: that of the call before, and that of this one. Anything else is a [`Lie`], and with
//!   the first lie the channel is at an end, for all.
//! - A call whose deadline passes leaves its slot to the other side until that gives it back, so no late answer reaches
//!   another call. If all slots are lost that way, calls end with [`CallError::Busy`], which says how many are.
//! - Who sleeps looks again after a while, even if nobody wakes it: the other side can move those that sleep on its words to
//!   where no waking reaches them.
//! - Whether the process lives, the kernel says (`pidfd`, and the end of a socket that has no other use).
//!
//! The other process, on its part, trusts the host, and reads arguments where they lie.
//!
//! # What a call costs
//!
//! Who waits looks at a word for some microseconds, and then sleeps on it (`futex`). Who writes wakes only those that sleep, so a
//! call that follows on another has no system call. Looking is left out where there is one processor and where the other
//! side had to be woken, and becomes short where it did not help. Who looks for longer than
//! an instant lets others have the processor in between. Of the threads of the other process one looks, and the others
//! sleep.
//!
//! Slots are large and their memory is sparse: what was never written takes nothing, and what a large message leaves above
//! [`Config::keep`] is given back a moment after the last one. Whatever is larger than a slot is an error that says both sizes. A memory for each large
//! message, handed over the socket, would have no such limit. But then the other process would need system calls that make
//! and send memory, a sandbox would have to allow them, and it could fill the machine with it. This way it can fill
//! `slots × region`, and needs `futex` and `sched_yield` alone.
//!
//! # Why none that exists
//!
//! `iceoryx2` (0.9) copies less. It is for processes that trust each other: its memories are files in `/dev/shm` with names, found
//! through files in `/tmp/iceoryx2`, which a sandboxed process can't open, and by its FAQ it has no rights below those of the
//! user; what is sent is mapped read-only, but both sides write to the queues beside it; and samples are references into memory
//! that others can write. `ipc-channel` (0.23) sends every message through a socket, so each call has four system calls, and
//! large messages are copied into the kernel and out of it in each direction. Who receives allocates what the message claims and
//! panics where a descriptor is missing, and its shared memories are unsealed and handed out as slices. `shmem-ipc` (0.3) is
//! close in spirit (sealed memories, sides that don't trust each other), but is a ring with one reader and one writer, woken by
//! descriptors: it has no calls, deadlines or death.

#[cfg(all(target_os = "linux", any(test, fuzzing)))]
#[cfg_attr(fuzzing, doc(hidden))]
pub mod attack;
mod bell;
mod error;
mod host;
mod layout;
#[cfg(target_os = "linux")]
mod linux;
mod slots;
mod spin;
#[cfg(not(target_os = "linux"))]
mod unsupported;
mod watch;
mod worker;

pub use {
    error::{CallError, Error, Lie},
    host::{Channel, Request},
    worker::{Answer, Asked, Notice, Served},
};

#[cfg(unix)]
pub use worker::luggage;

/// An empty vector with room for so many bytes. Memory for what is large is asked for in large pages where the system has them, since
/// getting it page by page takes longer than what is done with it.
///
/// # Errors
///
/// There is no memory for them.
pub fn room(bytes: usize) -> Result<Vec<u8>, std::collections::TryReserveError> {
    system::room(bytes)
}

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use unsupported as system;

use std::time::Duration;

/// How large a channel is, and how patient.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// How many calls can be under way at once: 1 to 64. Ordinarily 8.
    pub slots: u32,
    /// How many bytes the arguments or the result of one call can have. Ordinarily 128 MiB; what isn't used takes no memory.
    pub region: usize,
    /// How many bytes of a slot stay allocated, in each direction, some time after a message that was larger. Ordinarily 1 MiB.
    pub keep: usize,
    /// For how long either side looks before it sleeps. Ordinarily 50 µs.
    pub spin: Duration,
    /// What [`Channel::set_notice`] sets, as it is before the process starts. Ordinarily 0.
    pub notice: u32,
}

impl Default for Config {
    fn default() -> Self {
        Config { slots: 8, region: 128 << 20, keep: 1 << 20, spin: Duration::from_micros(50), notice: 0 }
    }
}

impl Config {
    /// The ordinary one, to change its fields.
    pub fn new() -> Self {
        Self::default()
    }
}
