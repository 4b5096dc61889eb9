//! Private to the plugin `one`, and depends on none of its crates.

#[dynplug::init]
fn start() {
    app_api::journal::log("bb-loose");
}
