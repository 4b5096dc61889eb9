//! A shared crate that nothing but the API crate depends on.

#[dynplug::init]
fn start() {
    journal::log("aa-free");
}
