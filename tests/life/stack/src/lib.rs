//! Large frames, deep recursion, and backtraces.

use std::backtrace::Backtrace;
use std::hint::black_box;

/// Calls whoever calls it, one level deeper.
pub type Back<'a> = &'a dyn Fn(u32) -> u64;

/// Has two megabytes in one frame, and touches each of its pages.
#[dynplug::export]
fn wide() -> u64 {
    let mut frame = black_box([0_u8; 2 << 20]);
    frame.iter_mut().step_by(512).for_each(|byte| *byte = 1);
    black_box(&frame).iter().map(|byte| u64::from(*byte)).sum()
}

/// Calls itself so many times, with a frame of more than a hundred bytes each, and something to drop on each level.
#[dynplug::export]
fn deep(levels: u32) -> u64 {
    let held = black_box(Box::new([u64::from(levels); 16]));
    let below = if levels == 0 { 0 } else { deep(levels - 1) };
    below + u64::from(held[7] == u64::from(levels))
}

/// Calls itself by way of the host.
#[dynplug::export]
fn there_and_back(levels: u32, back: Back<'_>) -> u64 {
    if levels == 0 { 0 } else { 1 + back(levels - 1) }
}

/// Panics at the bottom.
#[dynplug::export]
fn there_and_panic(levels: u32, back: Back<'_>) -> u64 {
    assert!(levels > 0, "the bottom");
    1 + back(levels - 1)
}

/// Calls itself until there is no stack any more.
#[dynplug::export]
fn without_end(level: u64) -> u64 {
    black_box([level; 64])[1] + without_end(black_box(level + 1))
}

/// The stack as it is here, and the line of that.
#[dynplug::export]
#[inline(never)]
fn trace() -> (String, u32) {
    let (line, trace) = (line!(), Backtrace::force_capture());
    (trace.to_string(), line)
}

/// Panics, and says in which line.
#[dynplug::export]
fn panics() {
    println!("panics in line {}", line!() + 1);
    panic!("it was asked for");
}
