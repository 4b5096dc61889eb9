//! A crate with C code and a `links` key.

unsafe extern "C" {
    fn bundled_add(number: i32) -> i32;
}

/// Adds to a sum that the C code keeps.
#[inline]
pub fn add(number: i32) -> i32 {
    // SAFETY: the C code does nothing but add; only tests call it, one after the other.
    unsafe { bundled_add(number) }
}
