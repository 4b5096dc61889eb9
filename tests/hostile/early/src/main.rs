//! A host that opens plugins before `main`: those that `EARLY` names, with colons between.

use app_api::attempt;
use app_api::dynplug::Load;
use std::path::Path;

#[used]
#[cfg_attr(windows, unsafe(link_section = ".CRT$XCU"))]
#[cfg_attr(not(windows), unsafe(link_section = ".init_array"))]
static BEFORE_MAIN: extern "C" fn() = before_main;

extern "C" fn before_main() {
    let paths = std::env::var("EARLY").expect("it says what to open");
    for path in paths.split(':') {
        attempt(Path::new(path), Load::PrivateCopy);
    }
}

fn main() {
    println!("main");
}
