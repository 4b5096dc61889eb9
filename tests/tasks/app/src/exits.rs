//! Ends while a plugin is at work.

use crate::{Scenario, open};
use app_api::tokio;

pub const SCENARIOS: &[Scenario] = &[
    ("return", at_work),
    ("exit", || {
        at_work();
        std::process::exit(0)
    }),
    ("tasks-at-exit", tasks_at_exit),
    ("runtime-left-running", runtime_left_running),
    ("panic", || {
        at_work();
        panic!("the host panics")
    }),
];

fn at_work() {
    let plugin = open("exiting");
    plugin.lookup::<fn()>("start").unwrap()();
    plugin.lookup::<fn()>("last_words").unwrap()();
}

type Task = fn() -> tokio::task::JoinHandle<()>;

fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let task: Task = open("exiting").lookup("task").unwrap();
    runtime.block_on(async {
        task();
        task();
    });
    runtime
}

fn tasks_at_exit() {
    drop(runtime());
    at_work();
}

fn runtime_left_running() {
    std::mem::forget(runtime());
    at_work();
}
