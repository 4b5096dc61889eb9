#[dynplug::init]
fn start() {
    app_api::journal::log("two alpha");
}
