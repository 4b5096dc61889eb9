//! A plugin with a bit of everything.

use std::sync::atomic::{AtomicI64, Ordering};
use std::task::Poll;

/// The number to greet with.
#[dynplug::export]
pub static V: AtomicI64 = AtomicI64::new(0);

/// Words.
///
/// Three of them.
#[dynplug::export]
pub static WORDS: [&str; 3] = ["a", "b", "c"];

/// Greets `name`.
#[dynplug::export]
pub fn greet(name: &str) -> String {
    format!("Hello, {name}")
}

#[dynplug::export]
pub extern "C" fn add(a: i32, b: i32) -> i32 {
    a + b
}

/// The first byte.
///
/// # Safety
/// There must be one.
#[dynplug::export]
pub unsafe fn first(bytes: *const u8) -> u8 {
    // SAFETY: the caller says so.
    unsafe { *bytes }
}

#[dynplug::export(name = "another-name")]
pub fn renamed() -> u32 {
    12
}

#[dynplug::export]
pub fn get_v() -> i64 {
    V.load(Ordering::SeqCst)
}

#[dynplug::export]
pub fn set_v(value: i64) {
    V.store(value, Ordering::SeqCst);
}

#[dynplug::export]
pub fn any(text: &str) -> usize {
    text.len()
}

#[dynplug::export]
pub fn for_ever(text: &'static str) -> usize {
    text.len()
}

/// One more, later.
#[dynplug::export]
pub async fn later(n: u32) -> u32 {
    let mut asked = false;
    std::future::poll_fn(
        move |_| if std::mem::replace(&mut asked, true) { Poll::Ready(n + 1) } else { Poll::Pending },
    )
    .await
}
