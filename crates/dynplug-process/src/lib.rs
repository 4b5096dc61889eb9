//! Plugins in processes of their own. [`channel`] is how a host calls functions of the other process, and [`confine`] what that
//! process may do.
//!
//! # Platform-specific behaviour
//!
//! Linux only, for now. Elsewhere everything compiles, and says [`Error::Unsupported`](channel::Error::Unsupported) when it
//! is asked for a channel or to confine itself.

pub mod channel;
pub mod confine;
