//! Works in threads and tasks that others wait for.

use app_api::DROPPED;
use app_api::tokio::sync::mpsc::Sender as TaskSender;
use app_api::tokio::task::JoinHandle as Task;
use app_api::tokio::{self, time};
use std::cell::RefCell;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle, Scope};
use std::time::Duration;

#[dynplug::init]
fn start() -> Result<(), &'static str> {
    app_api::fails("worker")
}

/// A thread-local that prints and counts when its thread ends.
struct Local(String);

impl Drop for Local {
    fn drop(&mut self) {
        println!("the thread-local of {} was dropped", self.0);
        DROPPED.fetch_add(1, Ordering::SeqCst);
    }
}

thread_local! {
    static LOCAL: RefCell<Option<Local>> = const { RefCell::new(None) };
}

fn begin(name: String) {
    LOCAL.with_borrow_mut(|local| *local = Some(Local(name)));
}

/// What each of them sends, one by one, before it returns its sum.
const NUMBERS: u64 = 100;

/// Starts threads that send to the host's channel.
#[dynplug::export]
fn threads(count: u64, to: Sender<(u64, String)>) -> Vec<JoinHandle<u64>> {
    let start = |number| {
        let to = to.clone();
        let work = move || {
            begin(format!("thread {number}"));
            for n in 0..NUMBERS {
                to.send((number, n.to_string())).expect("the host listens");
            }
            println!("thread {number} has worked");
            number * NUMBERS
        };
        thread::Builder::new().name(format!("worker {number}")).spawn(work).expect("threads can be made")
    };
    (0..count).map(start).collect()
}

/// Starts a thread in a scope of the host's, which borrows from the host's stack.
#[dynplug::export]
fn scoped<'scope>(scope: &'scope Scope<'scope, '_>, words: &'scope [String]) {
    scope.spawn(move || {
        begin("a scoped thread".to_owned());
        println!("the host's words: {}", words.join(" "));
    });
}

/// A channel of the plugin's own, fed by a thread of its own.
#[dynplug::export]
fn channel_of_its_own(count: u64) -> Receiver<Box<dyn Fn(u64) -> u64 + Send>> {
    let (sender, receiver) = channel::<Box<dyn Fn(u64) -> u64 + Send>>();
    thread::spawn(move || (0..count).try_for_each(|n| sender.send(Box::new(move |m| n * m))));
    receiver
}

/// Spawns tasks on the host's runtime.
#[dynplug::export]
fn tasks(count: u64, to: TaskSender<u64>) -> Vec<Task<u64>> {
    let start = |number| {
        let to = to.clone();
        tokio::spawn(async move {
            for n in 0..NUMBERS {
                to.send(n).await.expect("the host listens");
                tokio::task::yield_now().await;
            }
            time::sleep(Duration::from_millis(1)).await;
            // On a thread for work that blocks, with a thread-local of this plugin's.
            let blocking = tokio::task::spawn_blocking(move || {
                begin(format!("blocking task {number}"));
                number * NUMBERS
            });
            blocking.await.expect("it doesn't panic")
        })
    };
    (0..count).map(start).collect()
}

/// A task that panics.
#[dynplug::export]
fn panicking_task() -> Task<u64> {
    tokio::spawn(async { panic!("the task panics") })
}
