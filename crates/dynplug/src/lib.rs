//! Plugins for Rust programs, as Go's package `plugin` has them: open a compiled plugin while the program runs, look up
//! exported functions and variables by name with their types checked, call them at the cost of a function pointer, and
//! share every data structure directly.
//!
//! # What it can't do
//!
//! - A plugin can't be closed: what it handed out may be in use anywhere.
//! - Host and plugins share one build of the *API crate* and everything below it. A plugin that was compiled against
//!   another build is refused; it is compiled again, not adapted.
//! - A plugin can do everything that the host can. A forged file can't be told from an honest one: see
//!   [`Plugin::open`].
//!
//! # How it works
//!
//! `cargo dynplug build` compiles the host's API crate, with std and every crate below it, into one shared library that
//! the host and all plugins use: one allocator, one async runtime, one logger, one of every static. Plain cargo keeps
//! working on the same sources, and links everything statically.
//!
//! A plugin has `crate-type = ["lib", "cdylib"]`, depends on the host's API crate, and exports what it likes:
//!
//! ```
//! use std::sync::atomic::{AtomicI64, Ordering};
//!
//! #[dynplug::export]
//! pub static V: AtomicI64 = AtomicI64::new(0);
//!
//! #[dynplug::export]
//! pub fn f() {
//!     println!("Hello, number {}", V.load(Ordering::Relaxed));
//! }
//! ```
//!
//! The host opens it, by the path of its file, or through a [`Loader`] by its name:
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use dynplug::Plugin;
//! use std::sync::atomic::{AtomicI64, Ordering};
//!
//! // SAFETY: our own build made the file.
//! let plugin = unsafe { Plugin::open("plugins/libhello.so") }?;
//! let v: &AtomicI64 = plugin.lookup("V")?;
//! let f: fn() = plugin.lookup("f")?;
//! v.store(7, Ordering::Relaxed);
//! f(); // Hello, number 7
//! # Ok(())
//! # }
//! ```
//!
//! A program that depends on the plugin and names it (`use hello as _;`) has it linked in, and opens it in the same way;
//! any build makes such a program. See [`linked_in`].

#![cfg_attr(windows, allow(clippy::result_large_err, reason = "a path is a word larger there"))]

mod about;
#[cfg(feature = "trust")]
mod ahead;
#[cfg(feature = "process")]
pub mod apart;
mod discover;
mod error;
mod events;
mod expand;
mod folders;
#[cfg(all(test, not(loom)))]
mod golden;
mod init;
mod linked;
mod loader;
mod names;
mod nearest;
mod open;
mod origin;
mod partial;
mod plugin;
mod process;
mod registry;
mod section;
mod system;
mod terms;
#[cfg(feature = "trust")]
mod trusted;
#[cfg(feature = "process")]
#[doc(hidden)]
pub mod wire;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use about::{About, Build, Exported};
pub use discover::{Discovery, Folder, Found, Place};
pub use dynplug_macros::{export, init};
pub use dynplug_manifest::compare::{Difference, Mismatch, Side};
pub use dynplug_manifest::diagnostics::Code;
pub use dynplug_manifest::{Identity, Product};
pub use error::{InitError, InitFailure, LookupError, NotAPlugin, OpenError, SystemError, WrongType};
pub use init::{InitRecord, init_report};
pub use linked::{LinkedIn, linked_in};
pub use loader::{Load, Loader, NotAllOpened, Opened, Unfit};
pub use plugin::{Plugin, Symbol, SymbolKind};
pub use registry::init;
#[cfg(feature = "trust")]
pub use trusted::TrustedLoader;

/// Whom a host trusts: keys, pinned hashes, and what else may be wanted of a plugin's file before it is let in.
///
/// A [`Policy`](trust::Policy) goes to [`Loader::policy`]; [`Loader::trusted`] makes a loader of it that opens plugins
/// without `unsafe`.
#[cfg(feature = "trust")]
pub mod trust {
    pub use dynplug_trust::{
        Claim, Comment, Digest, DigestError, KeyError, KeyId, Moment, MomentError, OwnerError, Pins,
        PinsError, Policy, PublicKey, SignatureError, Untrusted, Vouched, Voucher, Who,
    };
}

/// Reasons for which the file of a plugin isn't an image that can be loaded.
pub mod image {
    pub use dynplug_manifest::image::{ImageError, LooksLike};
    pub use dynplug_manifest::tables::TablesError;
}

/// Whether this process can open plugins in files: whether it was built by `cargo dynplug` and shares its API library.
///
/// A program that plain cargo built runs as ever and opens the plugins that are [linked in](linked_in). For a file
/// [`Plugin::open`] fails with [`OpenError::HostNotShared`].
///
/// # Examples
///
/// ```
/// // Tests are built by plain cargo.
/// assert!(!dynplug::is_shared());
/// ```
pub fn is_shared() -> bool {
    process::library().is_some()
}
