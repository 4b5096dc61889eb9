//! A plugin with a library in common with others.

use common::{COUNTER, LOCAL, Shared};
use std::any::{Any, TypeId};

#[dynplug::init]
fn start() {
    app_api::log("one");
}

/// Counts in the library.
#[dynplug::export]
pub fn count() -> u32 {
    common::count()
}

/// Counts in C code below the library.
#[dynplug::export]
pub fn counted() -> i32 {
    common::inner::counted()
}

/// The number of a value that is made below the library.
#[dynplug::export]
pub fn made() -> u32 {
    inner::Value::new().number()
}

/// Adds to the library's thread-local.
#[dynplug::export]
pub fn local() -> u32 {
    LOCAL.with(|cell| {
        cell.set(cell.get() + 1);
        cell.get()
    })
}

/// The address of the library's counter.
#[dynplug::export]
pub fn address() -> usize {
    (&raw const COUNTER).addr()
}

/// The types that the plugins share.
#[dynplug::export]
pub fn types() -> [TypeId; 2] {
    [TypeId::of::<Shared>(), TypeId::of::<inner::Value>()]
}

/// A value for another plugin.
#[dynplug::export]
pub fn make() -> Box<dyn Any + Send> {
    Box::new(Shared("from one".to_owned()))
}

/// Takes a value of another plugin.
#[dynplug::export]
pub fn take(value: Box<dyn Any + Send>) -> String {
    value.downcast::<Shared>().map_or("unknown".to_owned(), |shared| shared.0)
}
