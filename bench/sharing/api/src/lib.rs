//! What host and plugins share.

pub use {dynplug, regex, serde, serde_json, tokio};
