//! A plugin that nobody spoils, to be opened after one that was refused.

#[used]
#[cfg_attr(windows, unsafe(link_section = ".CRT$XCU"))]
#[cfg_attr(not(windows), unsafe(link_section = ".init_array"))]
static CONSTRUCTOR: extern "C" fn() = constructor;

extern "C" fn constructor() {
    println!("the constructor of good ran");
}

#[dynplug::init]
fn start() {
    println!("the init of good ran");
}

/// Says that it was called.
#[dynplug::export]
pub fn f() {
    println!("f of good ran");
}
