//! A plugin that brings a C library along.

unsafe extern "C" {
    safe fn extra() -> i32;
}

#[dynplug::init]
fn start() {
    println!("needy ran");
}

/// Calls the library.
#[dynplug::export]
pub fn f() {
    println!("extra has the number {}", extra());
}
