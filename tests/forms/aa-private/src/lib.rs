//! Private to the plugin `one`.

pub use mm_middle;

#[dynplug::init]
fn start() {
    app_api::journal::log("aa-private");
}
