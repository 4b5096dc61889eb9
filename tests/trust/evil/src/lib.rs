//! A plugin that nobody signs. Whatever of it runs ends the process.

#[used]
#[cfg_attr(windows, unsafe(link_section = ".CRT$XCU"))]
#[cfg_attr(not(windows), unsafe(link_section = ".init_array"))]
static CONSTRUCTOR: extern "C" fn() = constructor;

extern "C" fn constructor() {
    println!("evil ran");
    std::process::exit(66);
}

/// What it exports is what others export.
#[dynplug::export]
pub fn f() {}
