//! A plugin that does not start, until its author changes one word.

/// Whether it starts.
const STARTS: bool = false;

#[dynplug::init]
fn start() -> Result<(), String> {
    if STARTS { Ok(()) } else { Err("it is broken".to_owned()) }
}

/// Says that it was called.
#[dynplug::export]
pub fn f() {
    println!("f of mending ran");
}
