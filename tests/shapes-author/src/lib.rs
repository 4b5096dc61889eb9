//! A plugin that depends on each shared crate by itself, under names of its own.

use app_api::Record;

unsafe extern "C" {
    fn own_add() -> i32;
}

/// What it finds of the shared crates.
#[dynplug::export]
pub fn facts() -> Vec<String> {
    app_api::facts!(no_std fetched itoa serde_json older optional scripted twice)
}

/// Adds, by C code of its own that calls the shared one.
#[dynplug::export]
pub fn add() -> i32 {
    let inlined = bundled::add(10);
    // SAFETY: it does nothing but add.
    inlined + unsafe { own_add() } * 1000
}

/// Counts.
#[dynplug::export]
pub fn count() -> u32 {
    no_std::count()
}

/// Reads JSON, with types of the host's that macros were applied to.
#[dynplug::export]
pub fn record(value: &serde_json::Value) -> Record {
    #[derive(serde::Serialize, making::Named)]
    struct Own {
        record: Record,
    }
    let own = Own { record: serde_json::from_value(value.clone()).unwrap() };
    assert_eq!(Own::NAME, "Own");
    assert_eq!(serde_json::to_string(&own).unwrap(), r#"{"record":{"number":42}}"#);
    own.record
}
