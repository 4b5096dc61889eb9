//! C code that calls back into Rust from threads of its own.

use std::cell::Cell;
use std::ffi::{c_int, c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

unsafe extern "C" {
    fn call_from_threads(
        threads: c_uint,
        calls: c_uint,
        f: extern "C" fn(*mut c_void, c_uint, c_uint),
        data: *mut c_void,
    ) -> c_int;
}

/// How many thread-locals were dropped: one for each thread that called.
#[dynplug::export]
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// What a thread has counted.
struct Calls(Cell<u32>);

impl Drop for Calls {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

thread_local! {
    static CALLS: Calls = const { Calls(Cell::new(0)) };
}

/// What is called in the end; it gets the thread, the call, and how often the thread has called before.
type Seen<'a> = &'a (dyn Fn(u32, u32, u32) + Sync);

struct Data<'a> {
    f: Seen<'a>,
    panics: Mutex<Vec<String>>,
}

extern "C" fn called(data: *mut c_void, thread: c_uint, call: c_uint) {
    // SAFETY: `from_threads` passes it, and waits for all threads.
    let data: &Data<'_> = unsafe { &*data.cast() };
    let before = CALLS.with(|calls| calls.0.replace(calls.0.get() + 1));
    // A panic must not go through C.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (data.f)(thread, call, before))) {
        let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
        data.panics.lock().unwrap().push(text);
    }
}

/// Has C call this from so many threads at once. Gives what panicked in them.
#[dynplug::export]
fn from_threads(threads: u32, calls: u32, f: Seen<'_>) -> Vec<String> {
    let mut data = Data { f, panics: Mutex::default() };
    // SAFETY: the data outlives the call, which ends when all threads have; and it can be shared by them.
    let failed = unsafe { call_from_threads(threads, calls, called, (&raw mut data).cast()) };
    assert_eq!(failed, 0, "threads can be made");
    let mut panics = data.panics.into_inner().unwrap();
    panics.sort();
    panics
}
