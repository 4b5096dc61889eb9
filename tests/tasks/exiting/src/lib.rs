//! Is still at work when the program ends.

use app_api::tokio;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

unsafe extern "C" {
    fn atexit(f: extern "C" fn()) -> i32;
}

/// How far the threads have come.
static STEPS: AtomicU64 = AtomicU64::new(0);

static WORDS: Mutex<Option<HashMap<u64, String>>> = Mutex::new(None);

extern "C" fn at_exit() {
    let words = WORDS.lock().map(|words| words.iter().flatten().count()).unwrap_or_default();
    println!("at exit the plugin has {}", if words > 0 { "words" } else { "no words" });
}

/// One that is never dropped, since its thread never ends; and one of the main thread, which is.
struct Local(&'static str);

impl Drop for Local {
    fn drop(&mut self) {
        println!("the thread-local of {} was dropped", self.0);
    }
}

thread_local! {
    static LOCAL: RefCell<Option<Local>> = const { RefCell::new(None) };
}

fn work() {
    for number in 0_u64.. {
        let text = format!("word {number}");
        if let Ok(mut words) = WORDS.lock() {
            words.get_or_insert_default().insert(number % 100, text);
        }
        STEPS.fetch_add(1, Ordering::Relaxed);
    }
}

/// Starts all that goes on for ever, and waits until it does.
#[dynplug::export]
fn start() {
    // SAFETY: the handler is never unloaded.
    unsafe { atexit(at_exit) };
    LOCAL.with_borrow_mut(|local| *local = Some(Local("the main thread")));
    for _ in 0..3 {
        thread::spawn(|| {
            LOCAL.with_borrow_mut(|local| *local = Some(Local("a thread without end")));
            work();
        });
    }
    // Never woken.
    thread::spawn(thread::park);
    while STEPS.load(Ordering::Relaxed) < 1000 {
        thread::yield_now();
    }
}

struct Task;

impl Drop for Task {
    fn drop(&mut self) {
        println!("a task without end was dropped");
    }
}

/// Spawns a task that goes on for ever.
#[dynplug::export]
fn task() -> tokio::task::JoinHandle<()> {
    let task = Task;
    tokio::spawn(async move {
        let _task = task;
        loop {
            tokio::task::yield_now().await;
        }
    })
}

/// Prints without ending the line.
#[dynplug::export]
fn last_words() {
    print!("the last words");
}
