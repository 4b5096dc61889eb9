//! The attributes, proved from what a binary says about itself: its own entries are read back.

#![cfg(target_os = "linux")]

use std::any::TypeId;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Waker};

use dynplug::__private::record::{Fields, Kind, OBSTACLES_UNKNOWN};
use dynplug::__private::{Entry, InitEntry};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Says hello.
///
///     to whom it is told
#[dynplug::export]
fn greet(name: &str) -> String {
    format!("Hello, {name}")
}

/** Counts.
 * Up and down.
 */
#[dynplug::export]
pub static COUNT: AtomicI64 = AtomicI64::new(3);

#[dynplug::export]
static NAMES: Mutex<Vec<&str>> = Mutex::new(Vec::new());

#[doc = concat!("The ", "second")]
/// of two.
#[dynplug::export(name = "second ✓")]
fn pick<'a>((_, second): (&'a str, &'a str), mut _n: u32) -> &'a str {
    _n += 1;
    second
}

#[dynplug::export]
#[unsafe(no_mangle)]
unsafe extern "C" fn dynplug_test_read(address: *const u8) -> u8 {
    // SAFETY: the caller's promise.
    unsafe { *address }
}

#[dynplug::export]
const fn r#type(first: &str, second: &mut u8, keep: fn(&str) -> &str) -> (u8,) {
    _ = (first, keep);
    *second += 1;
    (*second,)
}

#[dynplug::export]
#[dynplug::export(name = "alias", crate = ::dynplug)]
pub(crate) fn boxed(list: Box<dyn Iterator<Item = u32> + '_>) -> Vec<u32> {
    list.collect()
}

#[dynplug::export]
#[expect(mismatched_lifetime_syntaxes, clippy::needless_lifetimes)]
fn named<'a>(first: &'a str) -> &str {
    first
}

#[dynplug::export]
async fn nothing() {}

#[dynplug::export]
async fn join(first: &str, second: &mut String, with: &(dyn Fn(&str) -> String + Sync)) -> usize {
    second.push_str(&with(first));
    std::future::ready(()).await;
    second.len()
}

#[dynplug::export]
async unsafe fn longer<'a, 'b>(
    first: &'a [&'b str],
    _second: std::slice::Iter<'_, u8>,
) -> Option<&'a &'b str> {
    first.first()
}

mod inner {
    #[dynplug::export]
    fn in_a_module() -> u32 {
        1
    }
}

#[dynplug::export]
#[cfg(any())]
fn left_out(_: Missing) {}

#[dynplug::export]
#[cfg_attr(all(), cfg(any()), doc = "never there")]
fn left_out_too(_: Missing) {}

macro_rules! exported {
    ($(#[$attribute:meta])* $name:ident, $ty:ty) => {
        $(#[$attribute])*
        #[dynplug::export]
        fn $name(value: $ty) -> $ty {
            value
        }
    };
}

exported! {
    /// From a macro.
    from_a_macro, &'static [u8]
}

#[dynplug::init]
fn start() {}

/// Fails.
#[dynplug::init]
fn fail() -> Result<(), String> {
    Err("not today".into())
}

#[dynplug::init(crate = dynplug)]
fn fail_too() -> Result<(), std::num::ParseIntError> {
    "x".parse::<u8>().map(drop)
}

#[allow(dead_code)]
fn with_items_inside() {
    #[dynplug::export]
    fn in_a_function(x: u8) -> u8 {
        x
    }
    let _ = in_a_function(1);
}

/// Everything that this binary has in a section.
macro_rules! section {
    ($start:ident .. $stop:ident of $ty:ty) => {{
        unsafe extern "C" {
            static $start: u8;
            static $stop: u8;
        }
        let start = (&raw const $start).cast::<$ty>();
        let stop = (&raw const $stop).cast::<$ty>();
        // SAFETY: the linker defines both around the section, which holds values of this type and nothing else.
        unsafe { std::slice::from_raw_parts(start, stop.offset_from_unsigned(start)) }
    }};
}

fn entries() -> &'static [&'static Entry] {
    section!(__start_dp_sym .. __stop_dp_sym of &'static Entry)
}

fn init_entries() -> &'static [&'static InitEntry] {
    section!(__start_dp_init .. __stop_dp_init of &'static InitEntry)
}

#[track_caller]
fn entry(name: &str) -> (&'static Entry, Fields<'static>) {
    let mut found = entries().iter().filter_map(|entry| {
        let fields = Fields::decode(entry.meta()).unwrap();
        (fields.name == name).then_some((*entry, fields))
    });
    let entry = found.next().unwrap_or_else(|| panic!("no entry `{name}`"));
    assert!(found.next().is_none(), "two entries `{name}`");
    entry
}

/// What a lookup does: the type is compared, then the address is taken for a value of it.
#[track_caller]
fn value<T: Copy + 'static>(name: &str) -> T {
    let (entry, _) = entry(name);
    assert_eq!(entry.type_id(), TypeId::of::<T>(), "`{name}` is a `{}`", entry.type_name());
    assert_eq!(size_of::<T>(), size_of::<*const ()>());
    let address = entry.address();
    // SAFETY: the entry says that its address is a value of this type.
    unsafe { std::mem::transmute_copy(&address) }
}

/// The result of a future that never waits.
fn finished<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future waits"),
    }
}

#[test]
fn every_item_is_there_once_and_nothing_else() {
    let mut names: Vec<&str> =
        entries().iter().map(|entry| Fields::decode(entry.meta()).unwrap().name).collect();
    names.sort_unstable();
    let expected = [
        "COUNT",
        "NAMES",
        "alias",
        "boxed",
        "dynplug_test_read",
        "from_a_macro",
        "greet",
        "in_a_function",
        "in_a_module",
        "join",
        "longer",
        "named",
        "nothing",
        "second ✓",
        "type",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_record_says_where_the_item_is_and_what_it_is() {
    let (_, fields) = entry("greet");
    let expected = Fields {
        kind: Kind::Function,
        flags: 0,
        line: fields.line,
        column: 1,
        obstacles: if cfg!(feature = "process") { 0 } else { OBSTACLES_UNKNOWN },
        name: "greet",
        signature: "fn greet(name: &str) -> String",
        docs: "Says hello.\n\n    to whom it is told",
        package: "dynplug",
        version: env!("CARGO_PKG_VERSION"),
        module: "entries",
        file: file!(),
        below: "",
    };
    assert_eq!(fields, expected);
    let source = include_str!("entries.rs");
    let line = source.lines().nth(fields.line as usize - 1);
    assert_eq!(line, Some("#[dynplug::export]"), "the line is that of the attribute");

    assert_eq!(entry("COUNT").1.kind, Kind::Static);
    assert_eq!(entry("COUNT").1.docs, "Counts.\nUp and down.");
    assert_eq!(entry("second ✓").1.docs, "The second\nof two.");
    assert_eq!(entry("from_a_macro").1.docs, "From a macro.");
    assert_eq!(entry("in_a_module").1.module, "entries::inner");
    assert_eq!(entry("in_a_function").1.docs, "");
}

#[test]
fn a_signature_is_the_one_that_was_written() {
    let signatures = [
        ("COUNT", "static COUNT: AtomicI64"),
        ("NAMES", "static NAMES: Mutex<Vec<&str>>"),
        ("second ✓", "fn pick<'a>((_, second): (&'a str, &'a str), _n: u32) -> &'a str"),
        ("dynplug_test_read", "unsafe extern \"C\" fn dynplug_test_read(address: *const u8) -> u8"),
        ("type", "const fn r#type(first: &str, second: &mut u8, keep: fn(&str) -> &str) -> (u8,)"),
        ("alias", "fn boxed(list: Box<dyn Iterator<Item = u32> + '_>) -> Vec<u32>"),
        ("nothing", "async fn nothing()"),
        (
            "join",
            "async fn join(first: &str, second: &mut String, with: &(dyn Fn(&str) -> String + Sync)) -> usize",
        ),
        ("from_a_macro", "fn from_a_macro(value: &'static [u8]) -> &'static [u8]"),
    ];
    for (name, signature) in signatures {
        assert_eq!(entry(name).1.signature, signature);
    }
}

#[test]
fn a_record_tells_async_and_unsafe() {
    let flags = |name| (entry(name).1.is_async(), entry(name).1.is_unsafe());
    assert_eq!(flags("greet"), (false, false));
    assert_eq!(flags("dynplug_test_read"), (false, true));
    assert_eq!(flags("nothing"), (true, false));
    assert_eq!(flags("longer"), (true, true));
}

#[test]
fn a_function_has_its_pointer_type_and_its_own_address() {
    assert_eq!(value::<fn(&str) -> String>("greet")("you"), "Hello, you");
    assert_eq!(value::<for<'a> fn((&'a str, &'a str), u32) -> &'a str>("second ✓")(("a", "b"), 0), "b");
    let read = value::<unsafe extern "C" fn(*const u8) -> u8>("dynplug_test_read");
    assert_eq!(read as *const (), dynplug_test_read as *const ());
    // SAFETY: the address is that of a byte.
    assert_eq!(unsafe { read(&7) }, 7);
    type Add = fn(&str, &mut u8, fn(&str) -> &str) -> (u8,);
    let add: Add = value("type");
    assert_eq!(add("", &mut 1, |text| text), (2,));
    let collect: fn(Box<dyn Iterator<Item = u32> + '_>) -> Vec<u32> = value("boxed");
    assert_eq!(collect(Box::new([1, 2].iter().copied())), [1, 2]);
    assert_eq!(
        collect as *const (),
        value::<fn(Box<dyn Iterator<Item = u32> + '_>) -> Vec<u32>>("alias") as _
    );
    assert_eq!(value::<fn(&str) -> &str>("named")("x"), "x");
    assert_eq!(value::<fn() -> u32>("in_a_module")(), 1);
    assert_eq!(value::<fn(u8) -> u8>("in_a_function")(2), 2);
    assert_eq!(value::<fn(&'static [u8]) -> &'static [u8]>("from_a_macro")(b"x"), b"x");
}

#[test]
fn another_lifetime_is_another_type() {
    assert_ne!(entry("greet").0.type_id(), TypeId::of::<fn(&'static str) -> String>());
    assert_ne!(entry("from_a_macro").0.type_id(), TypeId::of::<fn(&[u8]) -> &[u8]>());
}

#[test]
fn a_type_has_a_name_for_people() {
    assert_eq!(entry("in_a_module").0.type_name(), "fn() -> u32");
    assert!(entry("COUNT").0.type_name().starts_with('&'), "{}", entry("COUNT").0.type_name());
}

#[test]
fn a_static_is_a_reference_to_itself() {
    let count: &'static AtomicI64 = value("COUNT");
    assert!(std::ptr::eq(count, &COUNT));
    count.fetch_add(1, Ordering::Relaxed);
    assert_eq!(COUNT.load(Ordering::Relaxed), 4);
    assert!(std::ptr::eq(value::<&'static Mutex<Vec<&'static str>>>("NAMES"), &NAMES));
}

#[test]
fn an_async_function_is_one_that_boxes_its_future() {
    finished(value::<fn() -> Boxed<'static, ()>>("nothing")());

    type Join = for<'a> fn(&'a str, &'a mut String, &'a (dyn Fn(&str) -> String + Sync)) -> Boxed<'a, usize>;
    let join: Join = value("join");
    let mut text = String::from("a");
    assert_eq!(finished(join("b", &mut text, &str::to_uppercase)), 2);
    assert_eq!(text, "aB");

    type Longer =
        for<'a> unsafe fn(&'a [&'a str], std::slice::Iter<'a, u8>) -> Boxed<'a, Option<&'a &'a str>>;
    let longer: Longer = value("longer");
    // SAFETY: it asks for nothing.
    assert_eq!(finished(unsafe { longer(&["x"], [].iter()) }), Some(&"x"));
}

#[test]
fn init_functions_are_listed_with_what_they_come_to() {
    let mut outcomes: Vec<_> = init_entries()
        .iter()
        .map(|entry| {
            let fields = Fields::decode(entry.meta()).unwrap();
            assert_eq!(fields.kind, Kind::Init);
            (fields.name, fields.signature, fields.docs, entry.run().err().map(|error| error.to_string()))
        })
        .collect();
    outcomes.sort_unstable();
    let parse_error = "x".parse::<u8>().unwrap_err().to_string();
    let expected = [
        ("fail", "fn fail() -> Result<(), String>", "Fails.", Some("not today".to_string())),
        ("fail_too", "fn fail_too() -> Result<(), std::num::ParseIntError>", "", Some(parse_error)),
        ("start", "fn start()", "", None),
    ];
    assert_eq!(outcomes, expected);
}

#[test]
fn all_records_can_be_read_from_one_section() {
    let section = section!(__start_dp_exp .. __stop_dp_exp of u8);
    let records = dynplug::__private::record::Records::new(section).collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(records.len(), entries().len() + init_entries().len());
}
