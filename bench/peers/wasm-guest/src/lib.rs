//! The plugin for `wasmtime`. It has a memory of its own, into which the host copies what it passes.

/// An element of the list, as host and guest have agreed to lay it out.
#[repr(C)]
pub struct Item {
    pub id: u64,
    pub weight: f64,
    pub flags: u32,
}

/// Room for the host.
#[unsafe(no_mangle)]
pub extern "C" fn room(size: usize) -> *mut u8 {
    std::mem::ManuallyDrop::new(Vec::<u64>::with_capacity(size.div_ceil(8))).as_mut_ptr().cast()
}

/// Takes the room back.
#[unsafe(no_mangle)]
pub extern "C" fn free(start: *mut u8, size: usize) {
    // SAFETY: the host gives back what `room` gave.
    drop(unsafe { Vec::<u64>::from_raw_parts(start.cast(), 0, size.div_ceil(8)) });
}

#[unsafe(no_mangle)]
pub extern "C" fn number(x: u64) -> u64 {
    x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
}

/// The text's place in the upper half, and its length in the lower.
#[unsafe(no_mangle)]
pub extern "C" fn text(start: *const u8, length: usize) -> u64 {
    // SAFETY: the host passes a text.
    let name = unsafe { std::slice::from_raw_parts(start, length) };
    let size = 7 + length;
    let place = room(size);
    // SAFETY: there is so much room.
    let text = unsafe { std::slice::from_raw_parts_mut(place, size) };
    text[..7].copy_from_slice(b"Hello, ");
    text[7..].copy_from_slice(name);
    (place as u64) << 32 | size as u64
}

#[unsafe(no_mangle)]
pub extern "C" fn list(start: *mut Item, length: usize) {
    // SAFETY: the host passes a list.
    let items = unsafe { std::slice::from_raw_parts_mut(start, length) };
    if let Some(first) = items.first_mut() {
        first.id = first.id.wrapping_add(1);
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn bytes(start: *mut u8, length: usize) {
    // SAFETY: the host passes bytes.
    let bytes = unsafe { std::slice::from_raw_parts_mut(start, length) };
    if let Some(first) = bytes.first_mut() {
        *first = first.wrapping_add(1);
    }
}
