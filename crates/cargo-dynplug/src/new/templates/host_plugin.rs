//! The first plugin of `@package@`.

use std::sync::atomic::Ordering;

use @api@::GREETED;

/// Greets somebody.
///
/// ```
/// assert_eq!(@plugin@::greet("you"), "Hello, you");
/// ```
#[dynplug::export]
pub fn greet(whom: &str) -> String {
    GREETED.fetch_add(1, Ordering::Relaxed);
    format!("Hello, {whom}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_hello() {
        assert_eq!(greet("world"), "Hello, world");
    }
}
