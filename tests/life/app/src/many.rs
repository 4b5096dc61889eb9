//! Many plugins.

use crate::forking::{become_true, in_a_child};
use crate::{Scenario, open};
use app_api::script::{self, Step};
use app_api::{Guest, Token, dynplug::Plugin, meeting};
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

pub const SCENARIOS: &[Scenario] = &[("fifty", fifty), ("stress", stress), ("ten-thousand", ten_thousand)];

type MakeGuest = fn(&str) -> Box<dyn Guest>;
type MakeToken = fn(&str) -> Box<dyn Any + Send>;
type Knows = fn(&(dyn Any + Send)) -> bool;

/// One after the other; after each, what all the earlier ones made is still what it was.
fn fifty() {
    let own: Box<dyn Any + Send> = Box::new(Token("host".to_owned()));
    let mut guests: Vec<(String, Box<dyn Guest>)> = Vec::new();
    let mut tokens: Vec<Box<dyn Any + Send>> = Vec::new();
    let mut plugins: Vec<&Plugin> = Vec::new();
    for number in 0..50 {
        let name = format!("copy{number}");
        let plugin = open(&name);
        plugins.push(plugin);
        guests.push((name.clone(), plugin.lookup::<MakeGuest>("guest").unwrap()(&name)));
        tokens.push(plugin.lookup::<MakeToken>("token").unwrap()(&name));
        for (name, guest) in &guests {
            assert_eq!(guest.name(), *name);
        }
        for (at, token) in tokens.iter().enumerate() {
            let token = token.downcast_ref::<Token>().expect("a type of the API crate is one");
            assert_eq!(token.0, format!("copy{at}"));
        }
        for plugin in &plugins {
            let knows: Knows = plugin.lookup("knows").unwrap();
            assert!(knows(&*own) && tokens.iter().all(|t| knows(&**t)));
        }
    }
}

/// What became of a plugin: where it is, or why it isn't.
type Outcome = Result<usize, String>;

/// Two hundred threads over fifty plugins: every fifth fails, and three in ten wait for each other, while this process
/// forks.
fn stress() {
    const THREADS: usize = 200;
    const PLUGINS: usize = 50;
    let threads: usize = std::env::var("LIFE_THREADS").ok().and_then(|t| t.parse().ok()).unwrap_or(THREADS);
    for number in 0..PLUGINS {
        let other = |offset: usize| Step::Try(format!("copy{}", (number + offset) % PLUGINS));
        let steps = match number % 10 {
            0 => vec![Step::Panic(format!("{number} panics"))],
            5 => vec![Step::Fail(format!("{number} fails"))],
            // Circles of three: 1 → 2 → 3 → 1.
            1 | 2 => vec![other(1)],
            3 => vec![Step::Try(format!("copy{}", number - 2))],
            // Through one that fails.
            4 => vec![other(1)],
            _ => vec![],
        };
        script::set(&format!("copy{number}"), steps);
    }
    // Nobody forks while others hold the loader's lock but to become another program, which takes no lock.
    let ended = Arc::new(AtomicBool::new(false));
    let forking = thread::spawn({
        let ended = ended.clone();
        move || {
            let mut forked = 0;
            while !ended.load(Ordering::Relaxed) || forked == 0 {
                assert_eq!(in_a_child(become_true), 0);
                forked += 1;
            }
            forked
        }
    });
    let outcomes: Arc<Mutex<BTreeMap<usize, Outcome>>> = Arc::default();
    let openers: Vec<_> = (0..threads)
        .map(|thread| {
            let outcomes = outcomes.clone();
            thread::spawn(move || {
                meeting::at("start", threads);
                for at in 0..PLUGINS {
                    let number = (at * (1 + thread % 7) + thread) % PLUGINS;
                    let outcome = app_api::open(&format!("copy{number}"));
                    let outcome = outcome.map(|p| std::ptr::from_ref(p).addr()).map_err(|e| e.to_string());
                    let mut outcomes = outcomes.lock().unwrap();
                    let first = outcomes.entry(number).or_insert_with(|| outcome.clone());
                    assert_eq!(*first, outcome, "all get the same");
                }
            })
        })
        .collect();
    for opener in openers {
        opener.join().unwrap();
    }
    ended.store(true, Ordering::Relaxed);
    assert!(forking.join().unwrap() > 0);
    for (number, outcome) in outcomes.lock().unwrap().iter() {
        assert_eq!(script::played(&format!("copy{number}")), 1, "copy{number}: {outcome:?}");
        match number % 10 {
            0 => assert!(outcome.as_ref().unwrap_err().contains(&format!("{number} panics"))),
            5 => assert!(outcome.as_ref().unwrap_err().contains(&format!("{number} fails"))),
            _ => assert!(outcome.is_ok(), "copy{number}: {outcome:?}"),
        }
    }
}

/// This process's memory in bytes.
fn memory() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// Each asked for a symbol, with room for a thousand open files.
fn ten_thousand() {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let files = limits.lines().find(|l| l.starts_with("Max open files")).unwrap();
    assert!(files.split_whitespace().any(|w| w == "1024"), "{files}");
    let mut memories = vec![memory()];
    let mut places = std::collections::BTreeSet::new();
    for number in 0..10_000u64 {
        let count: &AtomicU64 = open(&format!("copy{number}")).lookup("COUNT").unwrap();
        assert_eq!(count.fetch_add(number, Ordering::Relaxed), 1);
        assert!(places.insert(std::ptr::from_ref(count).addr()), "each has its own");
        if (number + 1) % 5_000 == 0 {
            memories.push(memory());
        }
    }
    for number in [0, 1, 4_999, 9_999] {
        let count: &AtomicU64 = open(&format!("copy{number}")).lookup("COUNT").unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 1 + number);
    }
    let (first, second) = (memories[1] - memories[0], memories[2] - memories[1]);
    assert!(second < 2 * first, "the second half takes {second} bytes, the first took {first}");
    println!("{} KB each", (memories[2] - memories[0]) / 10_000 / 1024);
}
