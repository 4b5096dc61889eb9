//! What the host and its plugins share: so far dynplug itself.

pub use dynplug;
