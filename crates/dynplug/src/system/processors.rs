//! On which processor a thread runs.

use std::os::unix::thread::JoinHandleExt;
use std::thread::JoinHandle;

/// Has a thread that was begun just now run on another processor than this one, where there is one that it may run on.
///
/// Linux puts a new thread on any processor that seems idle, and that is often the one of the thread that made it, whose time
/// it has just begun to count anew. There it waits until that thread sleeps: two milliseconds, when both have work.
pub(crate) fn run_elsewhere<T>(thread: &JoinHandle<T>) {
    // SAFETY: zeros are an empty set.
    let mut processors: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let size = size_of_val(&processors);
    // SAFETY: the call fills a set of that size. On a machine with more processors it fails.
    if unsafe { libc::sched_getaffinity(0, size, &raw mut processors) } != 0 {
        return;
    }
    // SAFETY: the call takes nothing.
    let Ok(own) = usize::try_from(unsafe { libc::sched_getcpu() }) else { return };
    if own >= size * 8 {
        return;
    }
    // SAFETY: the number is that of a bit in the set.
    unsafe { libc::CPU_CLR(own, &mut processors) };
    // Where that leaves none, the call fails, and the thread stays where it is.
    // SAFETY: the thread can still be joined, so its handle is good, and the set is one of that size.
    let _ = unsafe {
        // A number or a pointer, as the C library has it.
        let thread = thread.as_pthread_t() as libc::pthread_t;
        libc::pthread_setaffinity_np(thread, size, &raw const processors)
    };
}
