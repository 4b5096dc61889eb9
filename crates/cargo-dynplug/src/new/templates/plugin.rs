//! A plugin for hosts that have the API crate [`@api@`].
//!
//! A host finds what is exported by its name. For which names it looks, and what their types are, is up to the host.

/// Greets somebody.
///
/// ```
/// assert_eq!(@plugin@::greet("you"), "Hello, you. This is @package@.");
/// ```
#[dynplug::export]
pub fn greet(whom: &str) -> String {
    format!("Hello, {whom}. This is {}.", env!("CARGO_PKG_NAME"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_greets_by_name() {
        assert!(greet("you").starts_with("Hello, you."));
    }
}
