//! Below `aa-private`, by way of `mm-middle`.

#[dynplug::init]
fn start() {
    app_api::journal::log("zz-deep");
}
