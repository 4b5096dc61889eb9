//! Plugins in processes of their own. [`channel`] is how a host calls functions of the other process.
//!
//! # Platform-specific behaviour
//!
//! Linux only, for now. Elsewhere everything compiles, and says [`Error::Unsupported`](channel::Error::Unsupported) when it
//! is asked for a channel.

pub mod channel;
