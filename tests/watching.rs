//! `cargo dynplug watch`, followed by what it tells.

use crate::harness::{Call, Fixture};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Longer than any build takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);

/// A watch that runs.
struct Watch {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Watch {
    fn start(call: Call) -> Watch {
        let mut child = call.command().stderr(Stdio::inherit()).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Watch { child, lines, seen: Vec::new() }
    }

    /// The next line; none at the end of the output, when nobody has it any more.
    fn line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(LIMIT) {
            Ok(line) => {
                self.seen.push(line.clone());
                Some(line)
            }
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => None,
            Err(_) => panic!("nothing more comes\n{}", self.seen.join("\n")),
        }
    }

    /// The next event.
    fn event(&mut self) -> Value {
        loop {
            let Some(line) = self.line() else { panic!("it has ended\n{}", self.seen.join("\n")) };
            let Ok(value) = serde_json::from_str::<Value>(&line) else { continue };
            if value["reason"] == "dynplug-watch" {
                return value;
            }
        }
    }

    /// The next event, which is this one.
    #[track_caller]
    fn is(&mut self, event: &str) -> Value {
        let next = self.event();
        assert_eq!(next["event"], event, "{next}\n{}", self.seen.join("\n"));
        next
    }

    /// The next line that is no JSON: the host's.
    fn says(&mut self) -> String {
        loop {
            let Some(line) = self.line() else { panic!("it has ended\n{}", self.seen.join("\n")) };
            if !line.starts_with('{') {
                return line;
            }
        }
    }

    fn send(&self, signal: &str) {
        let ran = Command::new("kill").args([signal, "--", &self.child.id().to_string()]).status();
        assert!(ran.unwrap().success());
    }

    /// Reads until nobody has the output any more: neither the watch, nor the host, nor what that has started.
    fn ends(mut self) -> Option<i32> {
        while self.line().is_some() {}
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // What it keeps ends with it. A watch that is gone is no concern.
        let _ = self.child.kill();
        let _ = self.child.wait();
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
    assert_eq!(run.is("built")["changed"], true);
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
    assert_eq!(run.is("built")["changed"], false);
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
    run.send("-INT");
    assert_eq!(run.ends(), Some(130));

    let mut run = watch();
    while run.event()["event"] != "started" {}
    run.says();
    assert_eq!(run.says(), "says four Some(\"word\")");
    run.send("-KILL");
    assert_eq!(run.ends(), None);
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
    run.send("-TERM");
    assert_eq!(run.ends(), Some(143));
}
