#[dynplug::init]
fn zeta() {
    app_api::log("first zeta");
}
