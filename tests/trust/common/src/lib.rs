//! A library that plugins share among themselves and the host does without.

#[dynplug::init]
fn start() {
    println!("common ran");
}

/// Something to call.
#[inline(never)]
pub fn number() -> u32 {
    7
}
