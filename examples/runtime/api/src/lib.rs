//! What the host and its plugins share: one tokio, one `tracing`, one `log`, and what is declared here.

// rustc leaves out of a library what is never named, so each crate that is to be shared is named here.
pub use dynplug;
pub use log;
pub use tokio;
pub use tracing;

use std::any::TypeId;
use std::pin::Pin;
use std::sync::atomic::AtomicU64;
use tokio::runtime;

/// How many calls the plugins have answered, all together.
pub static CALLS: AtomicU64 = AtomicU64::new(0);

tokio::task_local! {
    /// The number of the request that a task works for.
    pub static REQUEST: u32;
}

/// A temperature, measured somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Where it was measured.
    pub place: String,
    /// Tenths of a degree Celsius.
    pub tenths: i32,
}

/// What a plugin panics with when a temperature can't be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Impossible {
    /// Tenths of a degree Celsius.
    pub tenths: i32,
}

/// A [`Job`] under way.
pub type Running = Pin<Box<dyn Future<Output = Vec<Reading>> + Send>>;

/// Something that yields readings, made by one side and run by another.
pub trait Job: Send {
    /// What to call it.
    fn name(&self) -> String;

    /// Starts it.
    fn run(self: Box<Self>) -> Running;
}

/// What some code finds around itself; made by [`view!`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The runtime on which it runs.
    pub runtime: runtime::Id,
    /// The name of the thread on which it runs.
    pub thread: String,
    /// The address of the logger.
    pub logger: usize,
    /// The address of [`CALLS`].
    pub calls: usize,
    /// The type of a [`Reading`].
    pub reading: TypeId,
}

/// A [`View`] of the place where this is written. A function would run here, in the API crate, whoever calls it.
#[macro_export]
macro_rules! view {
    () => {
        $crate::View {
            runtime: $crate::tokio::runtime::Handle::current().id(),
            thread: ::std::thread::current().name().unwrap_or_default().to_owned(),
            logger: ::std::ptr::from_ref($crate::log::logger()).addr(),
            calls: ::std::ptr::from_ref(&$crate::CALLS).addr(),
            reading: ::std::any::TypeId::of::<$crate::Reading>(),
        }
    };
}
