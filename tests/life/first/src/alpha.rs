#[dynplug::init]
fn alpha() {
    app_api::log("first alpha");
}
