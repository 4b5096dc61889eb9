//! What can't be opened: init functions that fail, and opens that wait for each other.

use crate::{Scenario, logged, open};
use app_api::dynplug::{OpenError, Plugin};
use app_api::file;
use app_api::script::{self, Step};
use std::sync::atomic::AtomicU64;
use std::thread;

pub const SCENARIOS: &[Scenario] = &[
    ("init-fails", init_fails),
    ("private-init-fails", private_init_fails),
    ("mended", mended),
    ("itself", itself),
    ("each-other", each_other),
    ("each-other-in-two-threads", each_other_in_two_threads),
    ("three", three),
    ("traces", traces),
];

fn refused(name: &str) -> OpenError {
    app_api::open(name).expect_err("it can't be opened")
}

fn init_fails() {
    for (name, step, message) in [
        ("copy0", Step::Panic("made of parts".to_owned()), "made of parts"),
        ("copy1", Step::PanicStatic, "static text"),
        ("copy2", Step::Fail("an error".to_owned()), "an error"),
        ("copy3", Step::PanicNumber, "panicked"),
    ] {
        script::set(name, vec![step]);
        let error = refused(name);
        let OpenError::Init { function, place, .. } = &error else { panic!("{error}") };
        assert_eq!(function, "begin");
        assert!(place.contains("scripted/src/lib.rs:"), "{place}");
        let text = error.to_string();
        assert!(text.contains("begin") && text.contains(message), "{text}");
        // Whatever the script says by now: these bytes have failed.
        script::set(name, vec![]);
        assert_eq!(refused(name).to_string(), text);
        let in_a_thread = thread::spawn(move || refused(name).to_string()).join().unwrap();
        assert_eq!(in_a_thread, text);
        assert_eq!(script::played(name), 1, "it is not tried again");
    }
    // Nothing else is spoilt.
    assert!(open("copy4").lookup::<&AtomicU64>("COUNT").is_ok());
}

fn private_init_fails() {
    let error = refused("first");
    let OpenError::Init { function, place, .. } = &error else { panic!("{error}") };
    assert_eq!(function, "late");
    assert!(place.contains("late/src/lib.rs:"), "{place}");
    assert!(error.to_string().contains("too late"), "{error}");
    assert_eq!(logged(), ["base", "api", "deep", "late"], "what comes after it does not run");
    assert_eq!(refused("first").to_string(), error.to_string());
}

/// A file that failed is replaced by a good one.
fn mended() {
    script::set("mended", vec![Step::Fail("not yet".to_owned())]);
    let folder = std::env::var("LIFE_FOLDER").unwrap();
    let (bad, good, path) =
        (file("copy0"), file("copy1"), std::path::Path::new(&folder).join("libmended.so"));
    std::fs::copy(bad, &path).unwrap();
    assert!(refused("mended").to_string().contains("not yet"));
    std::fs::copy(good, &path).unwrap();
    script::set("mended", vec![]);
    assert!(open("mended").lookup::<&AtomicU64>("COUNT").is_ok());
    assert_eq!(script::played("mended"), 2);
}

fn itself() {
    script::set("copy0", vec![Step::Try("copy0".to_owned())]);
    let plugin = open("copy0");
    let lines = logged();
    assert!(
        lines.iter().any(|l| l.starts_with("copy0: ") && l.matches("libcopy0.so").count() >= 2),
        "{lines:?}"
    );
    assert!(std::ptr::eq(plugin, open("copy0")));
    assert_eq!(script::played("copy0"), 1);
    // And where the plugin insists.
    script::set("copy1", vec![Step::Need("copy1".to_owned())]);
    assert!(matches!(refused("copy1"), OpenError::Init { .. }));
}

fn each_other() {
    script::set("copy0", vec![Step::Try("copy1".to_owned())]);
    script::set("copy1", vec![Step::Try("copy0".to_owned())]);
    open("copy0");
    let lines = logged();
    assert!(lines.iter().any(|l| l.starts_with("copy1: ") && l.contains("libcopy0.so")), "{lines:?}");
    assert!(lines.contains(&"copy0 opened copy1".to_owned()), "{lines:?}");
    assert_eq!((script::played("copy0"), script::played("copy1")), (1, 1));
}

fn each_other_in_two_threads() {
    let step =
        |other: &str| vec![Step::Meet("both are in their init".to_owned(), 2), Step::Try(other.to_owned())];
    script::set("copy0", step("copy1"));
    script::set("copy1", step("copy0"));
    let threads = ["copy0", "copy1"].map(|name| thread::spawn(move || std::ptr::from_ref(open(name)).addr()));
    let [zero, one] = threads.map(|t| t.join().unwrap());
    assert_eq!(zero, std::ptr::from_ref(open("copy0")).addr());
    assert_eq!(one, std::ptr::from_ref(open("copy1")).addr());
    let lines = logged();
    // Whoever came second would have closed the circle; the other waited and got what it wanted.
    let errors = lines.iter().filter(|l| l.contains("libcopy0.so") && l.contains("libcopy1.so")).count();
    let opened = lines.iter().filter(|l| l.contains(" opened copy")).count();
    assert_eq!((errors, opened), (1, 1), "{lines:?}");
}

fn three() {
    for (name, other) in [("copy0", "copy1"), ("copy1", "copy2")] {
        script::set(name, vec![Step::Need(other.to_owned())]);
    }
    script::set("copy2", vec![Step::Try("copy0".to_owned())]);
    open("copy0");
    let lines = logged();
    let line = lines.iter().find(|l| l.starts_with("copy2: ")).unwrap_or_else(|| panic!("{lines:?}"));
    let places: Vec<_> = ["libcopy0.so", "libcopy1.so", "libcopy2.so"].map(|n| line.rfind(n)).into();
    assert!(places.iter().all(Option::is_some), "{line}");
    // Who only waits for one that is being opened is in no circle.
    let meet = Step::Meet("both are in their init".to_owned(), 2);
    script::set("copy3", vec![meet.clone()]);
    script::set("copy4", vec![meet, Step::Need("copy3".to_owned())]);
    let other = thread::spawn(|| open("copy4").path().to_owned());
    open("copy3");
    assert_eq!(other.join().unwrap(), file("copy4"));
    assert!(logged().is_empty());
}

fn traces() {
    let error = refused("traces");
    assert!(matches!(error, OpenError::Init { .. }), "{error}");
    println!("{error}");
    assert_eq!(refused("traces").to_string(), error.to_string());
    // In a thread, whose thread-locals go before the process does.
    thread::spawn(|| assert!(app_api::open("traces").is_err())).join().unwrap();
    let other: &'static Plugin = open("first");
    assert!(other.lookup::<&u32>("VALUE").is_err());
}
