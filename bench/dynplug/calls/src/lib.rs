//! The plugin whose functions are called.

use bench_api::{Counter, Item};

#[dynplug::export]
pub fn number(x: u64) -> u64 {
    bench_runner::loops::step(x)
}

#[dynplug::export]
pub fn text(name: &str) -> String {
    ["Hello, ", name].concat()
}

struct Seven(u64);

impl Counter for Seven {
    fn count(&self, x: u64) -> u64 {
        x.wrapping_add(self.0)
    }
}

#[dynplug::export]
pub fn counter() -> Box<dyn Counter> {
    Box::new(Seven(7))
}

#[dynplug::export]
pub fn list(mut items: Vec<Item>) -> Vec<Item> {
    if let Some(first) = items.first_mut() {
        first.id = first.id.wrapping_add(1);
    }
    items
}
