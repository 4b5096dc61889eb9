//! What is told to `tracing`.

use crate::{Scenario, file, open, try_open};
use app_api::tracing::field::{Field, Visit};
use app_api::tracing::span::{Attributes, Id, Record};
use app_api::tracing::{self, Event, Level, Metadata, Subscriber};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Mutex;

pub const SCENARIOS: &[Scenario] =
    &[("events", events), ("events-of-a-failure", events_of_a_failure), ("events-of-shared-crates", shared)];

/// An event: level, and fields by their names, the message among them.
type Heard = (Level, BTreeMap<&'static str, String>);

static HEARD: Mutex<Vec<Heard>> = Mutex::new(Vec::new());

/// The events of dynplug since the last time.
fn heard() -> Vec<Heard> {
    std::mem::take(&mut *HEARD.lock().unwrap())
}

struct Listener;

struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "dynplug"
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        let fields = fields.0;
        let is_worker = fields.get("plugin").is_some_and(|p| p == "worker") && fields.contains_key("prove");
        HEARD.lock().unwrap().push((*event.metadata().level(), fields));
        // A subscriber may open plugins itself: nothing is held while it runs.
        if is_worker {
            open("worker");
            open("exiting");
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// What is said of the one event, with its level. Fields that are not named here may be there too.
#[track_caller]
fn is(heard: &Heard, level: Level, message: &str, fields: &[(&str, &str)]) {
    assert_eq!((heard.0, &*heard.1["message"]), (level, message), "{heard:?}");
    for (name, value) in fields {
        assert_eq!(heard.1.get(name).map(|v| &**v), Some(*value), "{name} of {heard:?}");
    }
}

/// A duration is there, and it is one.
#[track_caller]
fn lasted((_, fields): &Heard, name: &str) {
    let text = fields.get(name).unwrap_or_else(|| panic!("no {name} in {fields:?}"));
    let digits = text.trim_end_matches(|c: char| c.is_alphabetic());
    assert!(text.ends_with('s') && digits.parse::<f64>().is_ok_and(|n| n >= 0.0), "{name}: {text}");
}

fn events() {
    tracing::subscriber::set_global_default(Listener).unwrap();
    let plugin = open("worker");
    let all = heard();
    let [shared, start, opened, other] = &all[..] else { panic!("{all:?}") };
    let (function, place) = (plugin.init_report()[0].function, plugin.init_report()[0].file);
    is(shared, Level::DEBUG, "init function has run", &[("plugin", "app-api"), ("function", "shared")]);
    let line = plugin.init_report()[0].line.to_string();
    let fields = [("plugin", "worker"), ("function", function), ("file", place), ("line", &*line)];
    is(start, Level::DEBUG, "init function has run", &fields);
    lasted(start, "duration");
    let path = file("worker").display().to_string();
    let fields = [("plugin", "worker"), ("version", "0.1.0"), ("path", &*path)];
    is(opened, Level::INFO, "plugin opened", &fields);
    ["prove", "wait", "map", "init"].map(|step| lasted(opened, step));
    is(other, Level::INFO, "plugin opened", &[("plugin", "exiting")]);

    assert!(std::ptr::eq(open("worker"), plugin));
    assert!(heard().is_empty(), "what is open is not opened again");

    let text = std::env::current_exe().unwrap();
    for path in [file("none"), text.with_file_name("plugins"), text] {
        // SAFETY: none of them is a plugin.
        let error = unsafe { app_api::dynplug::Plugin::open(&path) }.unwrap_err();
        let [refused] = &heard()[..] else { panic!("one event for each refusal") };
        let (path, error) = (path.display().to_string(), error.to_string());
        is(refused, Level::WARN, "plugin not opened", &[("path", &path), ("error", &error)]);
    }
    println!("events: done");
}

fn events_of_a_failure() {
    tracing::subscriber::set_global_default(Listener).unwrap();
    for round in 0..2 {
        let error = try_open("worker").unwrap_err().to_string();
        let mut all = heard();
        if round == 0 {
            let [_shared, failed] = &all.drain(..2).collect::<Vec<_>>()[..] else { panic!("{all:?}") };
            let why = "failed: it was asked to fail";
            let fields = [("plugin", "worker"), ("function", "start"), ("error", why)];
            is(failed, Level::WARN, "init function failed", &fields);
            lasted(failed, "duration");
        }
        let [refused] = &all[..] else { panic!("{all:?}") };
        is(refused, Level::WARN, "plugin not opened", &[("error", &*error)]);
        assert!(error.contains("`start`") && error.contains("it was asked to fail"), "{error}");
    }
    println!("events-of-a-failure: done");
}

fn shared() {
    tracing::subscriber::set_global_default(Listener).unwrap();
    let error = try_open("worker").unwrap_err().to_string();
    let all = heard();
    let [failed, refused] = &all[..] else { panic!("{all:?}") };
    let fields = [("plugin", "app-api"), ("function", "shared"), ("error", "failed: it was asked to fail")];
    is(failed, Level::WARN, "init function failed", &fields);
    is(refused, Level::WARN, "plugin not opened", &[("error", &*error)]);
    println!("events-of-shared-crates: done");
}
