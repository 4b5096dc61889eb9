//! Plugins in processes of their own. [`keeper`] is how a host keeps such a process, [`channel`] how it calls functions there,
//! [`records`] how its log comes from there, and [`confine`] what that process may do.
//!
//! # Platform-specific behaviour
//!
//! Linux only, for now. Elsewhere everything compiles, and says [`Error::Unsupported`](channel::Error::Unsupported) when it
//! is asked for a channel or to confine itself.

pub mod channel;
pub mod confine;
pub mod contract;
pub mod keeper;
pub mod records;
#[cfg(all(feature = "runner", target_os = "linux"))]
pub mod runner;
