//! What the attributes make for calls from another process, proved from what a binary says about itself.

#![cfg(target_os = "linux")]

use dynplug::__private::Entry;
use dynplug::__private::record::{Fields, OBSTACLE_ITEM, OBSTACLE_RESULT};
use dynplug::__private::wire::{Error, Input, Output, Shapes};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Item<'a> {
    name: Cow<'a, str>,
    count: u32,
    kind: Kind,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
enum Kind {
    Plain,
    Sized(u8, u8),
    Named { name: String },
    Below(Box<Kind>),
}

#[derive(Serialize, Deserialize)]
struct Once(u32);

struct Opaque;

type Name = &'static str;

#[derive(Serialize, Deserialize)]
struct View<'a> {
    text: &'a str,
}

#[dynplug::export]
fn nothing() {}

#[dynplug::export]
fn add(left: u64, right: u64) -> u64 {
    left + right
}

#[dynplug::export]
fn greet(name: &str) -> String {
    format!("Hello, {name}")
}

#[dynplug::export]
fn count<'a>(items: &[Item<'a>], first: Item<'_>, kind: &'a Kind, bytes: &[u8]) -> BTreeMap<String, u32> {
    assert_eq!(kind, &Kind::Below(Box::new(Kind::Sized(1, 2))));
    let all = items.iter().chain([&first]);
    let mut counts: BTreeMap<String, u32> = all.map(|item| (item.name.to_string(), item.count)).collect();
    counts.insert("bytes".to_owned(), bytes.iter().map(|&byte| u32::from(byte)).sum());
    counts
}

#[dynplug::export]
fn once(one: &Once, more: &[Once], path: &Path, text: &CStr) -> (u32, String) {
    let sum = one.0 + more.iter().map(|once| once.0).sum::<u32>();
    (sum, format!("{} {}", path.display(), text.to_string_lossy()))
}

#[dynplug::export]
fn text_of(view: View<'_>) -> usize {
    view.text.len()
}

/// What it wants to keep for ever can't come from a message, and nobody sees that here.
#[dynplug::export]
fn keep(name: Name) -> usize {
    static KEPT: Mutex<Vec<&str>> = Mutex::new(Vec::new());
    KEPT.lock().unwrap().push(name);
    name.len()
}

#[dynplug::export]
fn constant() -> &'static str {
    "always the same"
}

#[dynplug::export]
fn parse(text: &str) -> Result<i32, String> {
    text.parse().map_err(|error: std::num::ParseIntError| error.to_string())
}

#[dynplug::export]
async fn later(name: &str, times: usize) -> String {
    /// Is ready when it has been asked twice, and wakes whoever asks before.
    struct Twice(bool);
    impl Future for Twice {
        type Output = ();
        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
            if std::mem::replace(&mut self.0, true) {
                return Poll::Ready(());
            }
            let waker = context.waker().clone();
            std::thread::spawn(move || waker.wake());
            Poll::Pending
        }
    }
    Twice(false).await;
    name.repeat(times)
}

#[dynplug::export]
extern "C" fn double(value: i32) -> i32 {
    2 * value
}

#[dynplug::export]
static COUNT: AtomicI64 = AtomicI64::new(0);

#[dynplug::export]
static OPAQUE: Mutex<Option<fn()>> = Mutex::new(None);

#[dynplug::export]
fn opaque(_: Opaque, _: u8, _: &Opaque, _: &dyn Fn(), _: &[Opaque], _: fn(&str)) -> Opaque {
    Opaque
}

#[dynplug::export]
fn change(list: &mut Vec<u8>) {
    list.push(1);
}

#[dynplug::export]
fn forever(_: u8, name: &'static str) -> usize {
    name.len()
}

#[dynplug::export]
unsafe fn promise(_: u8) {}

#[dynplug::export]
fn never() -> ! {
    std::process::abort()
}

fn entry(name: &str) -> (&'static Entry, Fields<'static>) {
    unsafe extern "C" {
        static __start_dp_sym: u8;
        static __stop_dp_sym: u8;
    }
    let (start, end) = (&raw const __start_dp_sym, &raw const __stop_dp_sym);
    let count = (end.addr() - start.addr()) / size_of::<&Entry>();
    // SAFETY: the linker's names for the section of this binary, in which are references to entries.
    let entries = unsafe { std::slice::from_raw_parts(start.cast::<&'static Entry>(), count) };
    let mut all = entries.iter().map(|entry| (*entry, Fields::decode(entry.meta()).unwrap()));
    all.find(|(_, fields)| fields.name == name).unwrap()
}

/// Calls an item with arguments as a tuple, as another process does it.
fn call<R: for<'de> Deserialize<'de>>(name: &str, arguments: impl Serialize) -> Result<R, Error> {
    let (entry, fields) = entry(name);
    assert_eq!(fields.obstacles, 0, "{name}");
    let bytes = postcard::to_stdvec(&arguments).unwrap();
    let (mut input, mut out) = (Input::new(&bytes), Vec::new());
    (entry.wire().unwrap().serve)(&mut input, &mut Output::new(&mut out))?;
    assert_eq!(input.rest(), 0, "{name} takes all of its arguments");
    Ok(postcard::from_bytes(&out).unwrap())
}

#[test]
fn what_serde_carries_is_called_with_bytes() {
    call::<()>("nothing", ()).unwrap();
    assert_eq!(call::<u64>("add", (3_u64, 1_u64 << 40)).unwrap(), (1 << 40) + 3);
    assert_eq!(call::<String>("greet", ("world",)).unwrap(), "Hello, world");
    assert_eq!(call::<i32>("double", (21,)).unwrap(), 42);
    assert_eq!(call::<Result<i32, String>>("parse", ("7",)).unwrap(), Ok(7));
    assert!(call::<Result<i32, String>>("parse", ("x",)).unwrap().is_err());
    assert_eq!(call::<String>("constant", ()).unwrap(), "always the same");
    assert_eq!(call::<String>("later", ("ab", 3_usize)).unwrap(), "ababab");
}

#[test]
fn arguments_are_lent_and_held_as_the_function_wants_them() {
    let item = |name: &'static str, count| Item {
        name: name.into(),
        count,
        kind: Kind::Named { name: name.into() },
    };
    let items = [item("a", 1), item("b", 2)];
    let kind = Kind::Below(Box::new(Kind::Sized(1, 2)));
    let counts: BTreeMap<String, u32> =
        call("count", (&items[..], item("c", 3), &kind, &[4_u8, 5][..])).unwrap();
    let expected = [("a", 1), ("b", 2), ("bytes", 9), ("c", 3)].map(|(name, count)| (name.to_owned(), count));
    assert_eq!(counts, BTreeMap::from(expected));
    let more = [Once(2), Once(3)];
    let (sum, text) = call::<(u32, String)>("once", (Once(1), &more[..], Path::new("/x"), c"y")).unwrap();
    assert_eq!((sum, &*text), (6, "/x y"));
    assert_eq!(call::<usize>("text_of", (View { text: "four" },)).unwrap(), 4);
}

#[test]
fn what_would_be_kept_for_ever_is_not_taken_from_a_message() {
    assert!(matches!(call::<usize>("keep", ("a",)), Err(Error::Arguments(_))));
}

#[test]
fn bytes_that_are_not_the_arguments_are_an_error() {
    assert!(matches!(call::<u64>("add", ()), Err(Error::Arguments(_))));
    assert!(matches!(call::<String>("greet", (&[0xff_u8, 0xfe][..],)), Err(Error::Arguments(_))));
}

#[test]
fn the_value_of_a_static_is_read() {
    COUNT.store(5, Ordering::Relaxed);
    assert_eq!(call::<i64>("COUNT", ()).unwrap(), 5);
}

#[test]
fn what_serde_cannot_carry_says_what_stands_in_the_way() {
    let obstacles = |name| {
        let (entry, fields) = entry(name);
        assert!(entry.wire().is_none(), "{name}");
        (0..64).filter(|bit| fields.obstacles >> bit & 1 != 0).collect::<Vec<u32>>()
    };
    assert_eq!(obstacles("opaque"), [0, 2, 3, 4, 5, OBSTACLE_RESULT]);
    assert_eq!(obstacles("change"), [0]);
    assert_eq!(obstacles("forever"), [1]);
    assert_eq!(obstacles("promise"), [OBSTACLE_ITEM]);
    assert_eq!(obstacles("never"), [OBSTACLE_RESULT]);
    assert_eq!(obstacles("OPAQUE"), [OBSTACLE_RESULT]);
    let _ = (&OPAQUE, change, forever, never, opaque, promise as unsafe fn(u8));
}

#[test]
fn the_shape_of_arguments_and_result_is_told() {
    let (entry, _) = entry("count");
    let described = Shapes::of(entry.wire().unwrap().shape).unwrap();
    assert_eq!(described.shapes.len(), 5);
    let text = format!("{described:?}");
    for part in ["Item", "\"count\"", "\"Sized\"", "\"Below\"", "Map"] {
        assert!(text.contains(part), "{part} is in {text}");
    }
}
