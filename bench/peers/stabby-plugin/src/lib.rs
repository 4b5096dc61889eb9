//! The plugin for `stabby`.

use stabby::boxed::Box;
use stabby::str::Str;
use stabby::string::String;
use stabby::vec::Vec;
use stabby_api::{AnyCounter, Counter, Item};

#[stabby::export]
pub extern "C" fn number(x: u64) -> u64 {
    bench_runner::loops::step(x)
}

#[stabby::export]
pub extern "C" fn text(name: Str<'static>) -> String {
    let mut text = String::from("Hello, ");
    text += name.as_ref();
    text
}

#[stabby::stabby]
struct Seven {
    by: u64,
}

impl Counter for Seven {
    extern "C" fn count(&self, x: u64) -> u64 {
        x.wrapping_add(self.by)
    }
}

#[stabby::export]
pub extern "C" fn counter() -> AnyCounter {
    Box::new(Seven { by: 7 }).into()
}

#[stabby::export]
pub extern "C" fn list(items: Vec<Item>) -> Vec<Item> {
    let mut items = items;
    if let Some(first) = items.first_mut() {
        first.id = first.id.wrapping_add(1);
    }
    items
}
