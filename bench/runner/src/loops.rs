//! The loops around what is measured: one for each kind of work, the same for whoever calls.

use std::hint::black_box;
use std::time::Instant;

/// Nanoseconds since then.
pub fn since(began: Instant) -> f64 {
    began.elapsed().as_nanos() as f64
}

/// Calls that depend on each other: what one gives, the next one takes.
#[inline(always)]
pub fn numbers(count: u64, call: impl Fn(u64) -> u64) -> f64 {
    let mut x = black_box(1_u64);
    let began = Instant::now();
    for _ in 0..count {
        x = call(x);
    }
    let took = since(began);
    black_box(x);
    took
}

/// Calls with a text, of which each gives a text that is dropped.
#[inline(always)]
pub fn texts<T>(count: u64, call: impl Fn(&'static str) -> T) -> f64 {
    let name = black_box("the quick brown fox");
    let began = Instant::now();
    for _ in 0..count {
        black_box(call(black_box(name)));
    }
    since(began)
}

/// Calls that take a list and give one, which the next call takes.
#[inline(always)]
pub fn lists<T>(count: u64, list: T, call: impl Fn(T) -> T) -> f64 {
    let mut list = black_box(list);
    let began = Instant::now();
    for _ in 0..count {
        list = call(list);
    }
    let took = since(began);
    black_box(list);
    took
}

/// One thing after the other, begun anew when all were done.
#[inline(always)]
pub fn each<'a, T: 'a>(
    count: u64,
    of: impl Iterator<Item = &'a T> + Clone,
    mut act: impl FnMut(&'a T) -> Result<(), Box<dyn std::error::Error>>,
) -> crate::Answer {
    let began = Instant::now();
    for item in of.cycle().take(usize::try_from(count)?) {
        act(item)?;
    }
    Ok(since(began))
}

/// How many elements are in a list that is passed there and back.
pub const ELEMENTS: u64 = 10_000;

/// What the measured function makes of a number.
#[inline(always)]
pub fn step(x: u64) -> u64 {
    x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
}
