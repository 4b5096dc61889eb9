//! A plugin whose functions wait for each other.

use app_api as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Condvar, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

static HERE: (Mutex<u32>, Condvar) = (Mutex::new(0), Condvar::new());
static OPEN: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU32 = AtomicU32::new(0);

#[dynplug::export]
fn greet(name: &str) -> String {
    format!("Hello, {name}")
}

/// Returns when so many are here.
#[dynplug::export]
fn meet(count: u32) -> u32 {
    let mut here = HERE.0.lock().expect("nobody panics here");
    *here += 1;
    HERE.1.notify_all();
    drop(HERE.1.wait_while(here, |here| *here < count).expect("nobody panics here"));
    count
}

#[dynplug::export]
fn sleep(ms: u64) -> u32 {
    std::thread::sleep(Duration::from_millis(ms));
    std::process::id()
}

#[dynplug::export]
fn count(more: u32, ms: u64) -> u32 {
    let counted = COUNT.fetch_add(more, Ordering::Relaxed) + more;
    std::thread::sleep(Duration::from_millis(ms));
    counted
}

#[dynplug::export]
fn abort() {
    std::process::abort();
}

#[dynplug::export]
fn open() {
    OPEN.store(true, Ordering::Relaxed);
}

/// Is ready once somebody has called `open`.
#[dynplug::export]
async fn opened(name: &str) -> String {
    struct Opened;
    impl Future for Opened {
        type Output = ();
        fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
            if OPEN.load(Ordering::Relaxed) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            std::thread::yield_now();
            Poll::Pending
        }
    }
    Opened.await;
    format!("{name} is open")
}
