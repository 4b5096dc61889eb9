//! A shared crate whose name comes last and that others depend on.

#[dynplug::init]
fn start() {
    journal::log("zz-base");
}
