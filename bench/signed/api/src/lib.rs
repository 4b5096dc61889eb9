//! What the host and its plugin share.

pub use dynplug;
