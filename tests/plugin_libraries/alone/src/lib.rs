//! A plugin that has a crate for itself which the library has too.

/// The number of a value of its own copy.
#[dynplug::export]
pub fn made() -> u32 {
    inner::Value::new().number()
}

/// The type of its own copy.
#[dynplug::export]
pub fn types() -> [std::any::TypeId; 1] {
    [std::any::TypeId::of::<inner::Value>()]
}
