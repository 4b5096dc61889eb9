//! What a plugin says of itself, and functions that are awaited.

use crate::{Scenario, open};
use app_api::dynplug::{LookupError, SymbolKind};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::AtomicI64;
use std::task::{Context, Poll, Waker};

pub const SCENARIOS: &[Scenario] =
    &[("list", list), ("await", await_it), ("own-symbols-only", own_symbols_only)];

fn list() {
    let hello = open("hello");
    for symbol in hello.symbols() {
        println!("{:?} {} | {} | {}", symbol.kind(), symbol.name(), symbol.signature(), symbol.docs());
    }
    assert_eq!(hello.symbols().len(), hello.symbols().count());
    assert!(hello.symbols().is_sorted_by_key(|s| s.name()));
    let v = hello.symbol("V").unwrap();
    assert_eq!(v.kind(), SymbolKind::Static);
    assert!(v.is::<&'static AtomicI64>() && !v.is::<AtomicI64>());
    let (file, line) = v.place();
    assert!(file.ends_with("hello/src/lib.rs") && line > 1, "{file}:{line}");
    let wrong = v.downcast::<fn()>().unwrap_err();
    assert_eq!(LookupError::WrongType(wrong.clone()).to_string(), wrong.to_string());
}

fn await_it() {
    type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
    let later: fn(u32) -> Boxed<u32> = open("hello").lookup("later").unwrap();
    let mut future = pin!(later(20));
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(future.as_mut().poll(&mut context), Poll::Pending);
    assert_eq!(future.as_mut().poll(&mut context), Poll::Ready(21));
}

fn own_symbols_only() {
    let plugin = open("with_dependency");
    let names: Vec<&str> = plugin.symbols().map(|s| s.name()).collect();
    assert_eq!(names, ["mine"]);
    // What the dependency exports for itself works for who calls it.
    assert_eq!(plugin.lookup::<fn() -> u32>("mine").unwrap()(), 42);
}
