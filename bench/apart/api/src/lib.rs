//! What host and plugin share.

pub use dynplug;
pub use serde_bytes::ByteBuf;
