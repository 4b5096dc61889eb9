//! What only Linux has: files in memory, mapping them, sleeping on a word in them, a socket, a process and its end.
//!
//! `unsupported` has the same names for other systems, so that the rest of the channel is written once.

mod setup;
mod shared;

pub(super) use {
    setup::{Alarm, File, Files, Process, Socket, give_up, luggage, spawn},
    shared::{Mapping, Writable, room, sleep, wake},
};

use rustix::{
    fs::{FallocateFlags, fallocate},
    thread::sched_getaffinity,
};

/// How many processors this process may run on.
pub(super) fn processors() -> u32 {
    sched_getaffinity(None).map_or(1, |set| set.count())
}

/// Gives memory back. It is zero when it's next read.
pub(super) fn give_back(file: &File, from: usize, bytes: usize) {
    // Where this fails, memory stays taken until the channel ends, and nothing else is wrong.
    let holes = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    let _ = fallocate(file, holes, from as u64, bytes as u64);
}
