//! The smallest plugin.

#[unsafe(no_mangle)]
pub extern "C" fn number(x: u64) -> u64 {
    x.wrapping_add(1)
}
