//! A plugin that says when anything of it runs.

#[used]
#[cfg_attr(windows, unsafe(link_section = ".CRT$XCU"))]
#[cfg_attr(not(windows), unsafe(link_section = ".init_array"))]
static CONSTRUCTOR: extern "C" fn() = constructor;

extern "C" fn constructor() {
    println!("the constructor of hello ran");
}

/// Says that it was called.
#[dynplug::export]
pub fn f() {
    println!("f of hello ran");
}
