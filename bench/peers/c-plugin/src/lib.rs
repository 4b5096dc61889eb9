//! The plugin of `libloading` and `dlopen2`, with a C interface.

use c_api::{Counter, Item, Piece};
use std::ffi::c_void;

#[unsafe(no_mangle)]
pub extern "C" fn number(x: u64) -> u64 {
    bench_runner::loops::step(x)
}

#[unsafe(no_mangle)]
pub extern "C" fn text(start: *const u8, length: usize) -> Piece<u8> {
    // SAFETY: the host passes a text.
    let name = unsafe { std::slice::from_raw_parts(start, length) };
    Piece::of([b"Hello, ", name].concat())
}

#[unsafe(no_mangle)]
pub extern "C" fn free_text(text: Piece<u8>) {
    // SAFETY: the host gives back what `text` gave.
    drop(unsafe { Vec::from_raw_parts(text.start, text.length, text.capacity) });
}

extern "C" fn count(data: *mut c_void, x: u64) -> u64 {
    // SAFETY: the data is that of the counter, which is never freed.
    x.wrapping_add(unsafe { *data.cast::<u64>() })
}

#[unsafe(no_mangle)]
pub extern "C" fn counter() -> Counter {
    Counter { data: Box::into_raw(Box::new(7_u64)).cast(), count }
}

#[unsafe(no_mangle)]
pub extern "C" fn list(items: Piece<Item>) -> Piece<Item> {
    if items.length > 0 {
        // SAFETY: the host passes a list.
        unsafe { (*items.start).id = (*items.start).id.wrapping_add(1) };
    }
    items
}
