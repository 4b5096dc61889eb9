//! Leaves traces in the process before its init fails.

use std::cell::RefCell;

unsafe extern "C" {
    fn atexit(f: extern "C" fn()) -> i32;
}

extern "C" fn at_exit() {
    println!("the exit handler of traces ran");
}

extern "C" fn constructor() {
    println!("the constructor of traces ran");
    // SAFETY: the handler is never unloaded.
    unsafe { atexit(at_exit) };
}

#[used]
#[cfg_attr(windows, unsafe(link_section = ".CRT$XCU"))]
#[cfg_attr(not(windows), unsafe(link_section = ".init_array"))]
static CONSTRUCTOR: extern "C" fn() = constructor;

struct Noisy;

impl Drop for Noisy {
    fn drop(&mut self) {
        println!("the thread-local of traces was dropped");
    }
}

thread_local! {
    static LOCAL: RefCell<Option<Noisy>> = const { RefCell::new(None) };
}

/// Never reachable.
#[dynplug::export]
static VALUE: u32 = 5;

#[dynplug::init]
fn fails() -> Result<(), String> {
    LOCAL.with_borrow_mut(|local| *local = Some(Noisy));
    match std::env::var("LIFE_TRACES").as_deref() {
        Ok("panic") => panic!("traces panics"),
        _ => Err("traces fails".to_owned()),
    }
}
