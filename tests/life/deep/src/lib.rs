//! Below `late`.

#[dynplug::init]
fn deep() {
    app_api::log("deep");
}

/// So that `late` names it.
pub fn touch() {}
