//! A plugin whose files are spoilt. Whatever of it runs says so.

#[used]
#[cfg_attr(windows, unsafe(link_section = ".CRT$XCU"))]
#[cfg_attr(not(windows), unsafe(link_section = ".init_array"))]
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

/// Pages that nobody has looked at before [`far`] does.
static FAR: [[u8; 4096]; 4] = [[7; 4096]; 4];

/// Code and data far from what ran when the plugin was opened.
#[dynplug::export]
pub fn far() -> u64 {
    FAR.iter().map(|page| u64::from(std::hint::black_box(page)[1234])).sum()
}
