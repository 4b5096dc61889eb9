//! A plugin whose files are spoilt. Whatever of it runs says so.

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = constructor;

extern "C" fn constructor() {
    println!("the constructor of victim ran");
}

#[dynplug::init]
fn start() {
    println!("the init of victim ran");
}

/// Says that it was called.
#[dynplug::export]
pub fn f() {
    println!("f of victim ran");
}
