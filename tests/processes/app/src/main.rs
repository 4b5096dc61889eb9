//! The host: its arguments are words of a small language. The first say where the plugin runs, the others what it does.

use app_api::dynplug::Loader;
use app_api::dynplug::apart::{CallError, Confinement, Level, OwnProcess, Restart, RunIn, Started};
use app_api::{Order, Way};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

fn main() {
    let mut words = std::env::args().skip(1);
    let (mut place, mut options) = (RunIn::OwnProcess, OwnProcess::new().deadline(Duration::from_secs(20)));
    let mut plugin: Option<Started> = None;
    while let Some(verb) = words.next() {
        let mut word = || words.next().expect("the verb takes a word");
        match &*verb {
            "host" => place = RunIn::Host,
            "fits" => place = RunIn::HostIfItFits,
            "runner" => options = options.runner(word()),
            "fails" => options = options.variable("WORKER_FAILS", word()),
            "panics" => options = options.on_line(|_, line| panic!("told of {line}")),
            "lie" => options = options.variable("LIE", word()),
            "greet" => {
                let greet = plugin.as_ref().expect("it was started").function::<fn(&str) -> String>("greet");
                match greet.map(|greet| greet.call(("you",))) {
                    Ok(greeting) => println!("greeting: {:?}", greeting.map_err(|error| error.to_string())),
                    Err(error) => println!("no greeting: {error}"),
                }
            }
            "never" => options = options.restart(Restart::never()),
            "compute" => options = options.confine(Confinement::new(Level::ComputeOnly).memory(512 << 20)),
            "reading" => {
                options = options.confine(Confinement::new(Level::ReadOnly { read: vec![word().into()] }));
            }
            "limits" => {
                let bytes = word().parse::<u64>().expect("a number") << 20;
                options = options.confine(Confinement::new(Level::LimitsOnly).memory(bytes));
            }
            "read" => {
                let plugin = plugin.as_ref().expect("it was started");
                let read = plugin.function::<fn(&str) -> Result<String, String>>("read").expect("it has it");
                println!("read: {:?}", read.call((&word(),)).expect("it answers"));
            }
            "mixed" => mixed(plugin.as_ref().expect("it was started")),
            "soon" => {
                let mut restart = Restart::default();
                restart.longest = Duration::from_millis(2);
                options = options.restart(restart);
            }
            "ms" => options = options.deadline(Duration::from_millis(word().parse().expect("a number"))),
            "start" => {
                let loader = Loader::new().beside_program().run_in(place).own_process(options.clone());
                // SAFETY: the build made it.
                match unsafe { loader.start(word()) } {
                    Ok(started) => {
                        let place = if started.in_host().is_some() { "here" } else { "there" };
                        println!("started {} {} {place}", started.name(), started.version());
                        plugin = Some(started);
                    }
                    Err(error) => println!("refused: {error}"),
                }
            }
            "close" => {
                let plugin = plugin.as_ref().expect("it was started");
                plugin.close();
                let greet = plugin.function::<fn(&str) -> String>("greet").expect("it has it");
                println!("closed: {:?}", greet.call(("you",)).map_err(|error| error.to_string()));
            }
            "work" => work(plugin.as_ref().expect("it was started")),
            "misbehave" => misbehave(plugin.as_ref().expect("it was started"), &word()),
            "storm" => {
                let plugin = plugin.as_ref().expect("it was started");
                storm(plugin, word().parse().expect("a number"));
            }
            "note" => println!("{}", left()),
            "wait" => std::thread::sleep(Duration::from_secs(3600)),
            other => panic!("there is no verb {other}"),
        }
    }
}

fn work(plugin: &Started) {
    let greet = plugin.function::<fn(&str) -> String>("greet").expect("it has it");
    println!("{}", greet.call(("you",)).expect("it greets"));
    let total = plugin.function::<fn(&[u64], u64) -> u64>("total").expect("it has it");
    println!("total {}", total.call((&[1, 2, 3][..], 7)).expect("it counts"));
    let order = Order::tea("me");
    let way = Some(Way::By { it: Some(Box::new(Way::To("there".to_owned(), 3))) });
    let turned = plugin.function::<fn(Order, &Option<Way>) -> Result<Order, String>>("turned").expect("it has it");
    println!("{:?}", turned.call((order.clone(), &way)).expect("it turns"));
    println!("{:?}", turned.call((Order { items: BTreeMap::new(), ..order }, &None)).expect("it turns"));
    let count = plugin.function::<fn() -> u32>("count").expect("it has it");
    let counted: Vec<u32> = (0..3).map(|_| count.call(()).expect("it counts")).collect();
    println!("counted {counted:?}");
    let process = plugin.function::<fn() -> u32>("process").expect("it has it").call(()).expect("it has one");
    println!("in the host: {}", process == std::process::id());
    println!("known: {}", plugin.in_host().is_some() || plugin.processes() == [process]);
    let echo = plugin.function::<fn(&[u8]) -> Vec<u8>>("echo").expect("it has it");
    let large: Vec<u8> = (0..9_000_000).map(|number| number as u8).collect();
    println!("large: {}", echo.call((&large[..],)).expect("it echoes") == large);
    println!("{}", plugin.function::<fn(u8)>("greet").err().map_or_else(String::new, |error| error.to_string()));
    println!("{}", plugin.function::<fn(u8)>("great").err().map_or_else(String::new, |error| error.to_string()));
    match plugin.function::<fn(&dyn Fn(u32))>("with_closure") {
        Ok(_) => println!("closures are here"),
        Err(error) => println!("{error}"),
    }
    let say = plugin.function::<fn(&str)>("say").expect("it has it");
    say.call(("something",)).expect("it says so");
    // From several threads at once.
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let total = &total;
            scope.spawn(move || {
                for number in 0..200 {
                    assert_eq!(total.call((&[number, thread][..], 2)).expect("it counts"), 2 * (number + thread));
                }
            });
        }
    });
    println!("worked");
}

/// Calls what a plugin that was built with another API library may still be able to do.
fn mixed(plugin: &Started) {
    let greet = plugin.function::<fn(&str) -> String>("greet").expect("it has it");
    println!("{}", greet.call(("you",)).expect("it greets"));
    let turned = plugin.function::<fn(Order, &Option<Way>) -> Result<Order, String>>("turned").expect("it has it");
    match turned.call((Order::tea("me"), &Some(Way::To("there".to_owned(), 1)))) {
        Ok(order) => println!("turned {order:?}"),
        Err(error) => println!("not turned: {error}"),
    }
    let way = plugin.function::<fn(Way) -> Way>("way").expect("it has it");
    println!("{:?}", way.call((Way::By { it: None },)).expect("it has a way"));
    let ordered = plugin.function::<fn(&Order) -> u32>("ordered").expect("it has it");
    match ordered.call((&Order::tea("me"),)) {
        Ok(count) => println!("ordered {count}"),
        Err(error) => println!("not ordered: {error}"),
    }
}

fn misbehave(plugin: &Started, how: &str) {
    let misbehave = plugin.function::<fn(&str) -> u32>("misbehave").expect("it has it");
    let began = Instant::now();
    match misbehave.call((how,)) {
        Ok(number) => println!("{how}: {number}"),
        Err(error) => println!("{how}: {error}"),
    }
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    let greet = plugin.function::<fn(&str) -> String>("greet").expect("it has it");
    match greet.call_within(Duration::from_secs(20), ("again",)) {
        Ok(text) => println!("after {how}: {text}"),
        Err(error) => println!("after {how}: {error}"),
    }
}

/// Kills its process so many times in the midst of calls, in all the ways that there are.
fn storm(plugin: &Started, deaths: usize) {
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let total = plugin.function::<fn(&[u64], u64) -> u64>("total").expect("it has it");
                let (mut good, mut bad) = (0_u32, 0_u32);
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let began = Instant::now();
                    match total.call_within(Duration::from_secs(5), (&[1, 2][..], 3)) {
                        Ok(total) => {
                            assert_eq!(total, 9);
                            good += 1;
                        }
                        Err(CallError::Ended(_) | CallError::Deadline | CallError::NotRunning(_)) => bad += 1,
                        Err(other) => panic!("{other}"),
                    }
                    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
                }
                println!("calls: {} good, {} not", good > 0, bad > 0);
            });
        }
        let misbehave = plugin.function::<fn(&str) -> u32>("misbehave").expect("it has it");
        let ways = ["abort", "exit", "fault", "kill", "hang", "memory"];
        for death in 0..deaths {
            let started = plugin.started();
            let way = ways[death % ways.len()];
            if way == "kill" {
                for process in plugin.processes() {
                    let _ = std::process::Command::new("kill").args(["-KILL", &process.to_string()]).status();
                }
            } else {
                let within = Duration::from_millis(if way == "hang" { 20 } else { 10_000 });
                assert!(misbehave.call_within(within, (way,)).is_err());
            }
            let began = Instant::now();
            while plugin.started() == started {
                assert!(began.elapsed() < Duration::from_secs(30), "{way}: it is not started again");
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let greet = plugin.function::<fn(&str) -> String>("greet").expect("it has it");
    println!("in the end: {}", greet.call(("you",)).expect("it greets"));
}

/// What this process has that could be left over: open files, processes that it has started, and memory that it shares.
fn left() -> String {
    let names = |folder: &str| std::fs::read_dir(folder).expect("there is /proc").flatten().map(|entry| entry.path());
    let files = names("/proc/self/fd").count();
    let children = names("/proc/self/task").filter_map(|thread| std::fs::read_to_string(thread.join("children")).ok());
    let children: usize = children.map(|children| children.split_whitespace().count()).sum();
    let maps = std::fs::read_to_string("/proc/self/maps").expect("there is /proc");
    let shared = maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|rights| rights.ends_with('s'))).count();
    let threads = names("/proc/self/task").count();
    format!("left: {files} files, {children} processes, {shared} shared mappings, {threads} threads")
}
