//! What host and plugins share.

pub use dynplug;
pub use log;
pub use tracing;

#[dynplug::init]
fn start() {
    log::info!("the API crate starts");
}
