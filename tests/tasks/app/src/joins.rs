//! Waits for all that a plugin does.

use crate::{Scenario, open};
use app_api::DROPPED;
use app_api::tokio;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle, Scope};

pub const SCENARIOS: &[Scenario] = &[("threads", threads), ("tasks", tasks)];

type Threads = fn(u64, Sender<(u64, String)>) -> Vec<JoinHandle<u64>>;
type Scoped = for<'scope, 'a> fn(&'scope Scope<'scope, 'a>, &'scope [String]);
type Channel = fn(u64) -> Receiver<Box<dyn Fn(u64) -> u64 + Send>>;

fn threads() {
    let plugin = open("worker");
    let threads: Threads = plugin.lookup("threads").unwrap();
    let (sender, receiver) = channel();
    let handles = threads(20, sender);
    let mut received: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for (number, text) in receiver {
        received.entry(number).or_default().push(text);
    }
    let wanted: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    assert_eq!(received.len(), 20);
    assert!(received.values().all(|texts| *texts == wanted), "each in its order");
    for (number, handle) in (0..).zip(handles) {
        assert_eq!(handle.thread().name(), Some(&*format!("worker {number}")));
        assert_eq!(handle.join().unwrap(), number * 100);
    }
    assert_eq!(DROPPED.load(Ordering::SeqCst), 20, "the thread-local of each thread");

    let scoped: Scoped = plugin.lookup("scoped").unwrap();
    let words = ["borrowed", "from", "here"].map(str::to_owned);
    thread::scope(|scope| scoped(scope, &words));

    let channel: Channel = plugin.lookup("channel_of_its_own").unwrap();
    let products: Vec<u64> = channel(100).into_iter().map(|multiply| multiply(3)).collect();
    assert_eq!(products, (0..100).map(|n| n * 3).collect::<Vec<_>>());
    println!("threads: done");
}

type Tasks = fn(u64, tokio::sync::mpsc::Sender<u64>) -> Vec<tokio::task::JoinHandle<u64>>;

fn tasks() {
    let plugin = open("worker");
    let tasks: Tasks = plugin.lookup("tasks").unwrap();
    let panicking: fn() -> tokio::task::JoinHandle<u64> = plugin.lookup("panicking_task").unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap();
    runtime.block_on(async {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
        let handles = tasks(50, sender);
        let (mut count, mut sum) = (0, 0);
        while let Some(number) = receiver.recv().await {
            (count, sum) = (count + 1, sum + number);
        }
        assert_eq!((count, sum), (50 * 100, 50 * (99 * 100 / 2)));
        for (number, handle) in (0..).zip(handles) {
            assert_eq!(handle.await.unwrap(), number * 100);
        }
        let error = panicking().await.unwrap_err();
        let panic = error.into_panic();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"the task panics"));
    });
    // Waits for all threads of the runtime.
    drop(runtime);
    assert_eq!(DROPPED.load(Ordering::SeqCst), 50, "the thread-local of each that set one, and of each replaced one");
    println!("tasks: done");
}
