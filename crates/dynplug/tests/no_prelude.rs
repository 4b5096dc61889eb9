//! The attributes work where no name means what it usually does.

#![no_implicit_prelude]
#![allow(dead_code, non_camel_case_types, unused_macros, clippy::upper_case_acronyms)]

mod std {}
mod core {}
mod alloc {}
struct u8;
struct u16;
struct u32;
struct str;
struct usize;
struct Option;
struct Result;
struct Box;
struct Send;
struct META;
struct Entry;
type f = ();
enum Some {}
enum None {}
macro_rules! concat {
    ($($anything:tt)*) => {
        compile_error!("not this one")
    };
}
macro_rules! line {
    ($($anything:tt)*) => {
        compile_error!("not this one")
    };
}
macro_rules! option_env {
    ($($anything:tt)*) => {
        compile_error!("not this one")
    };
}

/// Documented.
#[doc = "twice"]
#[::dynplug::export]
fn exported(_: &i64) -> f {}

#[::dynplug::export]
fn fields(record: ::std::string::String, dynplug: Entry) -> Option {
    _ = (record, dynplug);
    Option
}

#[::dynplug::export]
async fn future(argument0: &i64, argument1: Box) -> i64 {
    _ = argument1;
    *argument0
}

#[::dynplug::export]
static VALUE: i64 = 3;

#[::dynplug::init]
fn start() {}

mod again {
    // Another path to the crate, and none to `::dynplug` needed.
    use ::dynplug as renamed;

    mod inner {
        pub(super) use ::dynplug as api;
    }

    #[renamed::export(crate = renamed)]
    fn through_a_name() {}

    #[renamed::export(name = "through a path", crate = self::inner::api)]
    fn through_a_path() {}

    #[renamed::init(crate = crate::again::inner::api)]
    fn start() {}
}

#[test]
fn it_compiles_and_the_items_are_what_they_were() {
    exported(&VALUE);
    fields(::std::string::String::new(), Entry);
    ::std::mem::drop(future(&1, Box));
}
