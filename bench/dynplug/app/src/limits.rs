//! What the plugin does, in the host itself: the limits of what a call can cost. None is inlined.

use bench_api::{Counter, Item};

#[inline(never)]
pub fn number(x: u64) -> u64 {
    bench_runner::loops::step(x)
}

#[inline(never)]
pub fn text(name: &str) -> String {
    ["Hello, ", name].concat()
}

pub struct Seven(pub u64);

impl Counter for Seven {
    #[inline(never)]
    fn count(&self, x: u64) -> u64 {
        x.wrapping_add(self.0)
    }
}

#[inline(never)]
pub fn list(mut items: Vec<Item>) -> Vec<Item> {
    if let Some(first) = items.first_mut() {
        first.id = first.id.wrapping_add(1);
    }
    items
}
