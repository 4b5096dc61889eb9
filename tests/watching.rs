//! `cargo dynplug watch`, followed by what it tells.

use crate::harness::{Call, Fixture, Ran, Running};
use serde_json::Value;
use std::path::Path;

/// A watch that runs.
struct Watch(Running);

impl Watch {
    fn start(call: Call) -> Watch {
        Watch(call.start())
    }

    #[track_caller]
    fn line(&mut self) -> String {
        self.0.line().unwrap_or_else(|| panic!("it has ended\n{}", self.0.said()))
    }

    /// The next event.
    #[track_caller]
    fn event(&mut self) -> Value {
        loop {
            let Ok(value) = serde_json::from_str::<Value>(&self.line()) else { continue };
            if value["reason"] == "dynplug-watch" {
                return value;
            }
        }
    }

    /// The next event, which is this one.
    #[track_caller]
    fn is(&mut self, event: &str) -> Value {
        let next = self.event();
        assert_eq!(next["event"], event, "{next}\n{}", self.0.said());
        next
    }

    /// The next line that is no JSON: the host's.
    #[track_caller]
    fn says(&mut self) -> String {
        loop {
            let line = self.line();
            if !line.starts_with('{') {
                return line;
            }
        }
    }

    /// Sends it a signal, and waits until nobody has its output any more: neither the watch, nor the host, nor what that
    /// has started.
    #[track_caller]
    fn ends_by(self, signal: &str) -> Ran {
        self.0.signal(signal);
        self.0.end()
    }
}

/// A host that has started another program, says what the plugin says, and waits for ever.
const HOST: &str = r#"
use app_api::dynplug::Loader;
use std::io::Write;
fn main() {
    // SAFETY: the build made it.
    let plugin = unsafe { Loader::new().beside_program().open("hello") }.unwrap();
    let text: fn() -> &'static str = plugin.lookup("text").unwrap();
    let _child = std::process::Command::new("sleep").arg("100000").spawn().unwrap();
    println!("pid {}", std::process::id());
    println!("says {} {:?}", text(), std::env::args().nth(1));
    std::io::stdout().flush().unwrap();
    if text() == "crash" {
        std::process::exit(3);
    }
    loop { std::thread::park() }
}
"#;

fn plugin(text: &str) -> String {
    format!("#[dynplug::export]\npub fn text() -> &'static str {{ {text:?} }}\n")
}

/// Whether the host that said who it is runs.
fn is_there(said: &str) -> bool {
    let pid = said.strip_prefix("pid ").unwrap();
    Path::new("/proc").join(pid).exists()
}

#[test]
fn a_change_is_built_and_the_host_started_anew_and_nothing_is_left_at_the_end() {
    let fixture = Fixture::empty("watching");
    fixture.api("pub use dynplug;\n").host(HOST).plugin("hello", &plugin("one"));
    let watch = || {
        let call = fixture.tool("watch").args(["-p", "hello", "--message-format", "json"]);
        Watch::start(call.args(["--delay", "20", "--", "word"]))
    };
    let source = "hello/src/lib.rs";
    let mut run = watch();
    run.is("watching");
    run.is("building");
    run.is("built");
    run.is("started");
    run.says();
    assert_eq!(run.says(), "says one Some(\"word\")");

    fixture.file(source, &plugin("two"));
    let building = run.is("building");
    let changed = building["changed"].as_array().unwrap();
    assert!(changed.len() == 1 && changed[0].as_str().unwrap().ends_with(source), "{building}");
    assert_eq!(run.is("built")["differs"], true);
    assert_eq!(run.is("stopped")["asked"], true);
    run.is("started");
    let two = run.says();
    assert_eq!(run.says(), "says two Some(\"word\")");

    // What can't be built leaves the host alone, and so does what makes no difference.
    fixture.file(source, "what is this?\n");
    run.is("building");
    assert_eq!(run.is("failed")["host_goes_on"], true);
    assert!(is_there(&two), "{two}");
    fixture.file(source, &plugin("two"));
    run.is("building");
    assert_eq!(run.is("built")["differs"], false);
    assert!(is_there(&two), "{two}");

    // What changes while it is built is built after it.
    fixture.file(source, &plugin("three"));
    run.is("building");
    fixture.file(source, &plugin("crash"));
    let said = loop {
        let said = run.says();
        if said.contains("crash") {
            break said;
        }
        assert!(said.contains("three") || said.starts_with("pid "), "{said}");
    };
    assert_eq!(said, "says crash Some(\"word\")");
    // A host that ends by itself is told of.
    let ended = loop {
        let event = run.event();
        if event["event"] == "stopped" && event["asked"] == false {
            break event;
        }
    };
    assert_eq!(ended["code"], 3, "{ended}");
    fixture.file(source, &plugin("four"));
    run.says();
    assert_eq!(run.says(), "says four Some(\"word\")");

    // Ctrl-C.
    run.ends_by("INT").fails_with(130);

    let mut run = watch();
    while run.event()["event"] != "started" {}
    run.says();
    assert_eq!(run.says(), "says four Some(\"word\")");
    assert_eq!(run.ends_by("KILL").signal(), Some(9));
}

#[test]
fn a_command_is_run_after_each_build_and_files_are_looked_at_where_nobody_tells_of_changes() {
    let fixture = Fixture::usual("watching-command", &plugin("one"));
    let call = fixture.tool("watch").args(["-p", "hello", "--message-format", "json", "--poll"]);
    let mut run = Watch::start(call.args(["--exec", "ls $DYNPLUG_PLUGINS; exit 4"]));
    for event in ["watching", "building", "built", "started"] {
        run.is(event);
    }
    assert_eq!(run.says(), "libhello.so");
    assert_eq!(run.is("stopped")["code"], 4);
    fixture.file("hello/src/lib.rs", &plugin("two"));
    run.is("building");
    run.is("built");
    run.is("started");
    assert_eq!(run.is("stopped")["asked"], false);
    run.ends_by("TERM").fails_with(143);
}
