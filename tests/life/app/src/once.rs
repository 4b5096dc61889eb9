//! One plugin, whoever opens it.

use crate::{Scenario, logged, open};
use app_api::dynplug::{LookupError, OpenError, Plugin};
use app_api::{file, meeting, script};
use std::any::TypeId;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

pub const SCENARIOS: &[Scenario] = &[
    ("two-hundred-threads", two_hundred_threads),
    ("many-by-many", many_by_many),
    ("by-a-plugin", by_a_plugin),
    ("private-copies", private_copies),
    ("late-crate", late_crate),
];

fn two_hundred_threads() {
    let threads: Vec<_> = (0..200)
        .map(|_| {
            thread::spawn(|| {
                meeting::at("start", 200);
                std::ptr::from_ref(open("scripted")).addr()
            })
        })
        .collect();
    let pointers: BTreeSet<usize> = threads.into_iter().map(|t| t.join().unwrap()).collect();
    assert_eq!(pointers.len(), 1);
    assert_eq!(script::played("scripted"), 1);
    let count: &AtomicU64 = open("scripted").lookup("COUNT").unwrap();
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

/// Two hundred threads, each of which opens twenty plugins in its own order and looks into them.
fn many_by_many() {
    let threads: Vec<_> = (0..200)
        .map(|thread| {
            thread::spawn(move || {
                meeting::at("start", 200);
                for at in 0..20 {
                    let number = (at * 7 + thread) % 20;
                    let plugin = open(&format!("copy{number}"));
                    let count: &AtomicU64 = plugin.lookup("COUNT").unwrap();
                    count.fetch_add(1, Ordering::Relaxed);
                    let guest: fn(&str) -> Box<dyn app_api::Guest> = plugin.lookup("guest").unwrap();
                    assert_eq!(guest("x").name(), "x");
                    assert_eq!(plugin.symbols().len(), 5);
                    assert!(matches!(plugin.lookup::<fn()>("gest"), Err(LookupError::NotFound { .. })));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    for number in 0..20 {
        let count: &AtomicU64 = open(&format!("copy{number}")).lookup("COUNT").unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 201, "the init and each thread");
    }
}

fn by_a_plugin() {
    use script::Step;
    // From its init, before the host knows of it.
    script::set("copy0", vec![Step::Need("first".to_owned())]);
    let zero = open("copy0");
    // From a function.
    let by_plugin: fn(&str) -> Result<&'static Plugin, OpenError> = zero.lookup("open").unwrap();
    let first = by_plugin("first").unwrap();
    assert!(std::ptr::eq(first, open("first")));
    assert!(std::ptr::eq(by_plugin("copy1").unwrap(), open("copy1")));
    let lines = logged();
    assert_eq!(lines.iter().filter(|l| *l == "first zeta").count(), 1, "{lines:?}");
    assert_eq!(script::played("copy1"), 1);
}

type Late = fn() -> (u64, usize, TypeId);

fn private_copies() {
    let (first, second) = (open("first"), open("second"));
    let late = |plugin: &Plugin| plugin.lookup::<Late>("late").unwrap()();
    let (one, two) = (late(first), late(second));
    assert_eq!((one.0, two.0), (1, 1), "each copy is initialised once");
    assert_ne!(one.1, two.1, "each has a counter of its own");
    assert_ne!(one.2, two.2, "each has types of its own");
}

/// Run in a process of its own each time: what is new is new only once.
fn late_crate() {
    let threads = ["first", "second"].map(|name| {
        thread::spawn(move || {
            assert!(file(name).exists());
            meeting::at("start", 2);
            open(name).lookup::<Late>("late").unwrap()().0
        })
    });
    for thread in threads {
        assert_eq!(thread.join().unwrap(), 1);
    }
    let lines = logged();
    assert_eq!(lines.iter().filter(|l| *l == "late").count(), 2, "{lines:?}");
}
