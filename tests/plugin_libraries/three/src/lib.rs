//! A plugin with a library that has a library, and whose code names nothing else.

/// Counts in the lower library.
#[dynplug::export]
pub fn count() -> u32 {
    upper::twice()
}
