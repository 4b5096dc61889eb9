//! What host and plugins share.

pub use dynplug;
