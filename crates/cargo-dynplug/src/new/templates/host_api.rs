//! What the host `@package@` and its plugins share.
//!
//! Each crate that is to be shared is named here, by `pub use`: rustc leaves out of a library what is never named.

use std::sync::atomic::AtomicU32;

pub use dynplug;

/// What a plugin exports under the name `greet`: it greets somebody.
pub type Greet = fn(&str) -> String;

/// How often the plugins have greeted, all together. The host sees what they count.
pub static GREETED: AtomicU32 = AtomicU32::new(0);
