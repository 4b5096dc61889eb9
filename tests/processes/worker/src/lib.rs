//! A plugin that does its work, and what plugins do that have gone wrong.

use app_api::{Order, Way};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How often something was counted.
#[dynplug::export]
pub static COUNT: AtomicU32 = AtomicU32::new(0);

#[dynplug::init]
fn start() -> Result<(), String> {
    println!("worker starts");
    match std::env::var("WORKER_FAILS") {
        Ok(why) => Err(why),
        Err(_) => Ok(()),
    }
}

#[dynplug::export]
fn greet(name: &str) -> String {
    format!("Hello, {name}")
}

#[dynplug::export]
fn total(numbers: &[u64], factor: u64) -> u64 {
    numbers.iter().sum::<u64>() * factor
}

#[dynplug::export]
fn turned(mut order: Order, turns: &Option<Way>) -> Result<Order, String> {
    if let Some(way) = turns {
        order.way = way.clone();
    }
    order.items.retain(|_, count| *count > 0);
    if order.items.is_empty() { Err(format!("{} orders nothing", order.name)) } else { Ok(order) }
}

#[dynplug::export]
fn ordered(order: &Order) -> u32 {
    order.items.values().sum()
}

#[dynplug::export]
fn way(way: Way) -> Way {
    way
}

#[dynplug::export]
fn count() -> u32 {
    COUNT.fetch_add(1, Ordering::Relaxed) + 1
}

#[dynplug::export]
fn process() -> u32 {
    std::process::id()
}

#[dynplug::export]
fn echo(bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

#[dynplug::export]
fn with_closure(each: &dyn Fn(u32)) {
    each(1);
}

#[dynplug::export]
fn say(text: &str) {
    println!("out: {text}");
    eprintln!("error: {text}");
}

#[dynplug::export]
fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

/// Does what nobody wants of a plugin.
#[dynplug::export]
fn misbehave(how: &str) -> u32 {
    eprintln!("about to {how}");
    match how {
        "abort" => std::process::abort(),
        "exit" => std::process::exit(7),
        // SAFETY: none; the process is there for this.
        "fault" => unsafe { std::ptr::null_mut::<u32>().write_volatile(1) },
        "panic" => panic!("that was too much"),
        "hang" => loop {
            std::hint::spin_loop();
        },
        "sleep" => std::thread::sleep(Duration::from_secs(3600)),
        "memory" => {
            let mut all = Vec::new();
            loop {
                all.push(std::hint::black_box(vec![1_u8; 1 << 20]));
            }
        }
        "overflow" => return deep(1),
        "close" => {
            // SAFETY: none; the process is there for this.
            for file in 3..100 {
                drop(unsafe { <std::os::fd::OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(file) });
            }
        }
        _ => {}
    }
    0
}

fn deep(depth: u32) -> u32 {
    let room = std::hint::black_box([depth; 1000]);
    deep(depth + 1) + room[0]
}
