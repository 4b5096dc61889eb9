//! Private to the plugin `feverish`, and does not start.

#[dynplug::init]
fn start() -> Result<(), &'static str> {
    app_api::journal::log("sick");
    Err("sick today")
}
