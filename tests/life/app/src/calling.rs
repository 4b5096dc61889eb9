//! Stacks of host and plugin frames, and calls from threads that C code made.

use crate::{Scenario, open};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

pub const SCENARIOS: &[Scenario] = &[
    ("deep-stacks", deep_stacks),
    ("overflow", overflow),
    ("backtrace", backtrace),
    ("panic", || open("stack").lookup::<fn()>("panics").unwrap()()),
    ("callbacks", callbacks),
];

type ThereAndBack = fn(u32, &dyn Fn(u32) -> u64) -> u64;

fn with_stack<T: Send + 'static>(megabytes: usize, f: impl FnOnce() -> T + Send + 'static) -> T {
    thread::Builder::new().stack_size(megabytes << 20).spawn(f).unwrap().join().unwrap()
}

fn deep_stacks() {
    let plugin = open("stack");
    let wide: fn() -> u64 = plugin.lookup("wide").unwrap();
    assert_eq!(wide(), 4096, "on the stack of the main thread");
    assert_eq!(with_stack(16, wide), 4096);
    let deep: fn(u32) -> u64 = plugin.lookup("deep").unwrap();
    assert_eq!(with_stack(256, move || deep(200_000)), 200_001);
    // Frames of host and plugin in turn, and a panic that goes through all of them.
    let there: ThereAndBack = plugin.lookup("there_and_back").unwrap();
    assert_eq!(with_stack(256, move || in_turn(there, 20_000, &Cell::new(0))), 20_000);
    let there: ThereAndBack = plugin.lookup("there_and_panic").unwrap();
    let dropped = with_stack(256, move || {
        let dropped = Cell::new(0);
        let panic = catch_unwind(AssertUnwindSafe(|| in_turn(there, 2_000, &dropped))).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"the bottom"));
        dropped.get()
    });
    assert_eq!(dropped, 2_001, "each level of the host's was unwound");
}

struct Level<'a>(&'a Cell<u32>);

impl Drop for Level<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

fn in_turn(there: ThereAndBack, levels: u32, dropped: &Cell<u32>) -> u64 {
    let _level = Level(dropped);
    there(levels, &|below| in_turn(there, below, dropped))
}

fn overflow() {
    let without_end: fn(u64) -> u64 = open("stack").lookup("without_end").unwrap();
    let thread = thread::Builder::new().name("climber".to_owned()).spawn(move || without_end(0));
    thread.unwrap().join().unwrap();
}

#[inline(never)]
fn calls_trace(trace: fn() -> (String, u32)) -> (String, u32) {
    trace()
}

fn backtrace() {
    let trace: fn() -> (String, u32) = open("stack").lookup("trace").unwrap();
    let (text, line) = calls_trace(trace);
    let place = format!("stack/src/lib.rs:{line}");
    let (inner, outer) = (text.find("stack::trace"), text.find("app::calling::calls_trace"));
    assert!(text.contains(&place), "{place} is not in\n{text}");
    assert!(text.contains("app/src/calling.rs:"), "{text}");
    assert!(inner.is_some() && inner < outer, "{text}");
    // From a thread, when other plugins have come.
    open("first");
    let (text, _) = thread::spawn(trace).join().unwrap();
    assert!(text.contains(&place), "{place} is not in\n{text}");
}

type FromThreads = fn(u32, u32, &(dyn Fn(u32, u32, u32) + Sync)) -> Vec<String>;

fn callbacks() {
    const THREADS: u32 = 8;
    const CALLS: u32 = 500;
    let plugin = open("callbacks");
    let from_threads: FromThreads = plugin.lookup("from_threads").unwrap();
    let main = thread::current().id();
    let seen = Mutex::new(BTreeSet::new());
    let threads = Mutex::new(std::collections::HashSet::new());
    let panics = from_threads(THREADS, CALLS, &|thread, call, before| {
        assert_eq!(call, before, "each thread has its own thread-locals");
        assert_ne!(thread::current().id(), main);
        threads.lock().unwrap().insert(thread::current().id());
        // What is made here is freed elsewhere.
        seen.lock().unwrap().insert(format!("{thread}.{call}"));
        assert!(call != 7, "{thread} panics");
    });
    assert_eq!(seen.into_inner().unwrap().len(), (THREADS * CALLS) as usize);
    assert_eq!(threads.into_inner().unwrap().len(), THREADS as usize);
    let wanted: Vec<String> = (0..THREADS).map(|thread| format!("{thread} panics")).collect();
    assert_eq!(panics, wanted);
    let dropped: &AtomicU64 = plugin.lookup("DROPPED").unwrap();
    assert_eq!(dropped.load(Ordering::Relaxed), u64::from(THREADS));
    // And open plugins.
    let panics = from_threads(THREADS, 1, &|_, _, _| assert!(std::ptr::eq(open("callbacks"), plugin)));
    assert!(panics.is_empty(), "{panics:?}");
}
