//! Mistakes that only the compiler can see: it has to show them where they are, and say them once.

use std::cell::Cell;
use std::rc::Rc;

#[dynplug::export]
async fn not_send(text: &str) -> usize {
    let count = Rc::new(text.len());
    std::future::ready(()).await;
    *count
}

#[dynplug::export]
fn unknown_type(value: Missing) {}

#[dynplug::export]
static NOT_SYNC: Cell<u32> = Cell::new(0);

#[dynplug::export]
fn no_lifetime(first: &str, second: &str) -> &str {
    first
}

struct Holder<'a>(&'a str);

#[dynplug::export]
async fn hidden_lifetime(holder: Holder) -> usize {
    holder.0.len()
}

struct Counter(u32);

impl Counter {
    #[dynplug::export]
    fn associated(by: u32) -> u32 {
        by
    }
}

#[dynplug::export(crate = nowhere::dynplug)]
fn no_such_path() {}

fn main() {}
