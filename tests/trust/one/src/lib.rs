//! A plugin with a library in common with others.

#[dynplug::init]
fn start() {
    println!("one ran");
}

/// Calls the library.
#[dynplug::export]
pub fn f() {
    println!("common has the number {}", common::number());
}
