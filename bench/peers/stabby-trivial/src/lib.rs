//! The smallest plugin.

#[stabby::export]
pub extern "C" fn number(x: u64) -> u64 {
    x.wrapping_add(1)
}
