//! What host and plugins share.

pub use dynplug;

use std::pin::Pin;

/// What an exported `async fn` gives.
pub type Boxed<'a, R> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;
