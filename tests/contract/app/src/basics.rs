//! Finding, calling, and what is said when something isn't there or is something else.

use crate::{Scenario, file, open};
use app_api::COUNTER;
use app_api::dynplug::{LookupError, OpenError, Plugin};
use std::sync::Barrier;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};

pub const SCENARIOS: &[Scenario] = &[
    ("found", found),
    ("not-found", not_found),
    ("live-variable", live_variable),
    ("initialised-once", initialised_once),
    ("many-threads", many_threads),
    ("wrong-type", wrong_type),
    ("lifetimes", lifetimes),
    ("relative-path", relative_path),
    ("bare-name", bare_name),
    ("build-values", build_values),
    ("open-argument", open_argument),
];

fn found() {
    let hello = open("hello");
    let greet: fn(&str) -> String = hello.lookup("greet").unwrap();
    assert_eq!(greet("world"), "Hello, world");
    let add: extern "C" fn(i32, i32) -> i32 = hello.lookup("add").unwrap();
    assert_eq!(add(2, 3), 5);
    let first: unsafe fn(*const u8) -> u8 = hello.lookup("first").unwrap();
    // SAFETY: it points to a byte.
    assert_eq!(unsafe { first(b"x".as_ptr()) }, b'x');
    let words: &[&str; 3] = hello.lookup("WORDS").unwrap();
    assert_eq!(*words, ["a", "b", "c"]);
    let renamed: fn() -> u32 = hello.lookup("another-name").unwrap();
    assert_eq!(renamed(), 12);
    assert!(hello.symbol("renamed").is_err());
    assert_eq!((hello.name(), hello.version()), ("hello", "0.1.0"));
}

fn not_found() {
    let error = open("hello").lookup::<fn(&str) -> String>("gret").unwrap_err();
    println!("{error}");
    let LookupError::NotFound { plugin, name, nearest, exports, .. } = error else { panic!("another error") };
    assert_eq!(exports, open("hello").symbols().len());
    assert_eq!((&*plugin, &*name), ("hello", "gret"));
    assert_eq!(nearest[0], "greet");
    let LookupError::NotFound { nearest, first, .. } = open("hello").symbol("zzzzzzzzzzzzzzzzz").unwrap_err() else {
        panic!("another error")
    };
    assert!(nearest.is_empty(), "{nearest:?}");
    assert_eq!(first.len(), 5);
}

fn live_variable() {
    let hello = open("hello");
    let v: &AtomicI64 = hello.lookup("V").unwrap();
    let get: fn() -> i64 = hello.lookup("get_v").unwrap();
    let set: fn(i64) = hello.lookup("set_v").unwrap();
    v.store(7, SeqCst);
    assert_eq!(get(), 7);
    set(-9);
    assert_eq!(v.load(SeqCst), -9);
    assert!(std::ptr::eq(v, hello.lookup::<&AtomicI64>("V").unwrap()));
}

fn initialised_once() {
    let with_main = open("with_main");
    for _ in 0..3 {
        assert!(std::ptr::eq(open("with_main"), with_main));
    }
    let inits: &AtomicU64 = with_main.lookup("INITS").unwrap();
    assert_eq!(inits.load(SeqCst), 1);
}

fn many_threads() {
    let barrier = Barrier::new(32);
    let plugins: Vec<(&'static Plugin, usize)> = std::thread::scope(|scope| {
        let work = |index: usize| {
            let barrier = &barrier;
            move || {
                barrier.wait();
                let plugin = open(["hello", "with_main", "one", "two"][index % 4]);
                for _ in 0..100 {
                    assert!(open("hello").lookup::<fn(&str) -> String>("greet").unwrap()("x").ends_with('x'));
                    assert!(plugin.lookup::<fn()>("nothing of this name").is_err());
                }
                (plugin, index % 4)
            }
        };
        let threads: Vec<_> = (0..32).map(|index| scope.spawn(work(index))).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    for (plugin, index) in plugins {
        assert!(std::ptr::eq(plugin, open(["hello", "with_main", "one", "two"][index])));
    }
    assert_eq!(open("with_main").lookup::<&AtomicU64>("INITS").unwrap().load(SeqCst), 1);
    // 100 at the start, 1 and 10 from the init functions of `one` and `two`.
    assert_eq!(COUNTER.load(SeqCst), 111);
}

fn wrong_type() {
    let hello = open("hello");
    let function = hello.lookup::<fn(String) -> String>("greet").unwrap_err();
    println!("{function}");
    let LookupError::WrongType(wrong) = function else { panic!("another error") };
    assert!(wrong.have.contains(" str) -> "), "{wrong:?}");
    assert!(wrong.want.contains("String) -> "), "{wrong:?}");
    let variable = hello.lookup::<&'static AtomicU64>("V").unwrap_err();
    println!("{variable}");
    let LookupError::WrongType(wrong) = variable else { panic!("another error") };
    assert!(wrong.have.contains("Atomic"), "{wrong:?}");
    assert!(hello.lookup::<fn()>("V").is_err(), "a static is no function");
    assert!(hello.lookup::<&'static fn(&str) -> String>("greet").is_err(), "a function is no static");
    assert!(hello.lookup::<usize>("greet").is_err(), "nor is it a number");
    assert!(hello.lookup::<extern "C" fn(&str) -> String>("greet").is_err(), "the ABI is part of the type");
    assert!(hello.lookup::<unsafe fn(&str) -> String>("greet").is_err(), "and so is its safety");
}

fn lifetimes() {
    let hello = open("hello");
    hello.lookup::<fn(&str) -> usize>("any").unwrap();
    hello.lookup::<fn(&'static str) -> usize>("for_ever").unwrap();
    println!("{}", hello.lookup::<fn(&str) -> usize>("for_ever").unwrap_err());
    hello.lookup::<fn(&'static str) -> usize>("any").unwrap_err();
}

fn relative_path() {
    std::env::set_current_dir(file("hello").parent().unwrap()).unwrap();
    // SAFETY: the build made it.
    let here = unsafe { Plugin::open("libhello.so") }.unwrap();
    assert!(std::ptr::eq(here, open("hello")));
    // SAFETY: as above.
    assert!(std::ptr::eq(here, unsafe { Plugin::open("../plugins/./libhello.so") }.unwrap()));
}

fn bare_name() {
    assert!(std::env::var_os("LD_LIBRARY_PATH").is_some());
    // SAFETY: nothing is there to be opened.
    let error = unsafe { Plugin::open("libhello.so") }.unwrap_err();
    println!("{error}");
    assert!(matches!(error, OpenError::Read { .. }), "{error:?}");
}

fn build_values() {
    let values: fn() -> Vec<(&'static str, String)> = open("late").lookup("values").unwrap();
    for (name, value) in values() {
        println!("{name} = {value}");
    }
}

fn open_argument() {
    let path = std::env::args().nth(2).unwrap();
    // SAFETY: the test says what it is.
    match unsafe { Plugin::open(path) } {
        Ok(plugin) => println!("opened {}", plugin.name()),
        Err(error) => println!("{error}"),
    }
}
