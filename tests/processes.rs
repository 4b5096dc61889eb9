//! Plugins in processes of their own: what an export needs for it, and what a file says about that.

use crate::harness::{Call, Fixture, Kind, Ran, copy, repository, shared_target};
use crate::second_compiler::compilers;
use std::path::PathBuf;
use std::sync::LazyLock;

static BUILT: LazyLock<(Fixture, Ran)> = LazyLock::new(|| {
    let fixture = Fixture::empty("processes own");
    fixture.copy("processes");
    let ran = fixture.build().go();
    (fixture, ran)
});

/// The dependency of an API crate whose plugins may run in processes of their own.
const PROCESS: &str = "dynplug = { workspace = true, features = [\"process\"] }";

/// The same with a later version of the API crate.
static NEW: LazyLock<(Fixture, Ran)> = LazyLock::new(|| {
    let fixture = Fixture::empty("processes new");
    fixture.copy("processes");
    fixture.replace("app-api/src/lib.rs", "// A later version has more.", "/// When.\n    pub hour: u8,");
    fixture.replace("app-api/src/lib.rs", "way: Way::Nowhere }", "way: Way::Nowhere, hour: 7 }");
    let ran = fixture.build().go();
    (fixture, ran)
});

/// The host of the later version with a plugin of the earlier one, in a folder of its own.
fn mixed(name: &str, old: &Fixture) -> Fixture {
    let (new, build) = &*NEW;
    build.ok();
    let mixed = Fixture::empty(name);
    copy(&new.outcome(""), &mixed.outcome(""));
    std::fs::copy(old.plugin_file("worker"), mixed.plugin_file("worker")).unwrap();
    mixed
}

/// Puts the API library there that the plugin was built with.
fn bring_library(mixed: &Fixture, old: &Fixture) {
    let library = old.library();
    let name = library.file_name().unwrap();
    std::fs::copy(&library, mixed.plugin_file("worker").with_file_name(name)).unwrap();
}

/// The host of `processes/`, which does what the words say.
#[track_caller]
fn host(words: &str) -> Ran {
    call(words).go()
}

#[track_caller]
fn call(words: &str) -> Call {
    let (fixture, build) = &*BUILT;
    build.ok();
    fixture.app().words(words)
}

const WORKED: [&str; 11] = [
    "Hello, you\n",
    "total 42\n",
    "Ok(Order { name: \"me\", items: {\"tea\": 2}, way: By { it: Some(To(\"there\", 3)) } })\n",
    "Err(\"me orders nothing\")\n",
    "counted [1, 2, 3]\n",
    "known: true\n",
    "large: true\n",
    "the symbol `greet` of the plugin `worker` has the type `fn(&'_ str) -> alloc::string::String`, not `fn(u8)`\n",
    "the plugin `worker` exports no symbol `great`; the nearest are `greet`",
    "out: something\n",
    "worked\n",
];

#[test]
fn a_plugin_works_in_its_own_process_as_it_does_in_the_hosts() {
    let ran = host("start worker work");
    ran.ok().says("started worker 0.1.0 there\n").says_in_order(WORKED).says("in the host: false\n");
    ran.says("`with_closure` can't be reached: serde can't carry argument 1, `&dyn Fn(u32)`; let it run in");
    let ran = host("host start worker work");
    ran.ok().says("started worker 0.1.0 here\n").says_in_order(WORKED).says("in the host: true\n");
    ran.says("closures are here\n");
    // What fits runs in the host's process.
    host("fits start worker").ok().says("started worker 0.1.0 here\n");
}

#[test]
fn whatever_a_plugin_does_the_host_lives_on_and_the_plugin_is_started_again() {
    for (how, says) in [
        ("abort", "abort: the process was ended by signal 6 (SIGABRT); it wrote last:\n    about to abort\n"),
        ("exit", "exit: the process ended with exit code 7; it wrote last:\n    about to exit\n"),
        (
            "fault",
            "fault: the process was ended by signal 11 (SIGSEGV); it wrote last:\n    about to fault\n",
        ),
        (
            "overflow",
            "overflow: the process was ended by signal 11 (SIGSEGV); it wrote last:\n    about to overflow\n",
        ),
    ] {
        let ran = host(&format!("start worker misbehave {how}"));
        ran.ok().says(says).says(&format!("after {how}: Hello, again\n"));
        assert_eq!(ran.stdout.matches("worker starts\n").count(), 2, "{ran}");
    }
    let ran = host("start worker misbehave panic");
    ran.ok().says("panic: the function panicked; what it says stands in").says("after panic: Hello, again\n");
    assert_eq!(ran.stdout.matches("worker starts\n").count(), 1, "{ran}");
    for how in ["hang", "sleep"] {
        let ran = host(&format!("ms 300 start worker misbehave {how}"));
        ran.ok().says(&format!("{how}: the deadline passed")).says(&format!("after {how}: Hello, again\n"));
        assert_eq!(ran.stdout.matches("worker starts\n").count(), 2, "{ran}");
    }
    let ran = host("never start worker misbehave abort");
    ran.ok().says("after abort: no process runs the plugin: the process was ended by signal 6 (SIGABRT)");
}

#[test]
fn a_process_that_loses_its_channel_is_not_left_over() {
    let ran = host("start worker misbehave close");
    ran.ok().says("after close: Hello, again\n");
}

#[test]
fn a_plugin_works_in_a_sandbox_and_gets_nothing_else() {
    let (fixture, build) = &*BUILT;
    build.ok();
    fixture.file("readable/text", "read me").file("secret/text", "don't");
    let (readable, secret) = (fixture.path("readable/text"), fixture.path("secret/text"));
    let (readable, secret) = (readable.to_str().unwrap(), secret.to_str().unwrap());
    let run = |words: &[&str]| words.iter().fold(fixture.app(), |call, word| call.arg(word)).go();
    let ran = run(&["compute", "start", "worker", "work", "read", readable]);
    ran.ok().says_in_order(WORKED).says("in the host: false\n").says("read: Err(\"Operation not permitted");
    let folder = fixture.path("readable");
    let ran = run(&[
        "reading",
        folder.to_str().unwrap(),
        "start",
        "worker",
        "work",
        "read",
        readable,
        "read",
        secret,
    ]);
    ran.ok().says_in_order(WORKED).says("read: Ok(\"read me\")\n").says("read: Err(\"Permission denied");
    let ran = run(&["start", "worker", "read", secret]);
    ran.ok().says("read: Ok(\"don't\")\n");
    let ran = host("limits 256 start worker misbehave memory");
    ran.ok().says("memory: the process was ended by signal 6 (SIGABRT); it wrote last:\n    about to memory\n    memory allocation of");
    ran.says("after memory: Hello, again\n");
}

#[test]
fn a_plugin_of_another_version_of_the_api_crate_runs_with_the_library_that_it_was_built_with() {
    let (old, build) = &*BUILT;
    build.ok();
    let new = mixed("processes mixed", old);
    let start = || new.app().arg("fits").arg("start").arg("worker").arg("mixed");
    let library = old.library();
    let name = library.file_name().unwrap();
    start()
        .go()
        .says("refused: ")
        .says("the API library that it was built with, `")
        .says(name.to_str().unwrap());
    bring_library(&new, old);
    let ran = start().go();
    ran.ok().says("started worker 0.1.0 there\n").says("Hello, you\n").says("By { it: None }\n");
    // The result is compared first, as that needs no arguments.
    ran.says("not turned: the result, variant `Ok`: the host has the field `hour`, and the plugin has no more fields; nothing was called\n");
    ran.says("not ordered: argument 1: the host has the field `hour`, and the plugin has no more fields; nothing was called\n");
    // In the host's own process it doesn't fit at all.
    new.app()
        .arg("host")
        .arg("start")
        .arg("worker")
        .go()
        .says("refused: ")
        .says("does not fit this host")
        .does_not_say("started");
}

#[test]
fn a_plugin_of_another_compiler_and_of_another_version_of_the_api_crate_serves_the_host() {
    let old = Fixture::empty("processes of another compiler");
    old.copy("processes");
    let Some((_, second)) = compilers(&old) else { return };
    old.build().env("RUSTC", &second.path).go().ok();
    let new = mixed("processes mixed compilers", &old);
    bring_library(&new, &old);
    let ran = new.app().arg("fits").arg("start").arg("worker").arg("mixed").go();
    ran.ok().says("started worker 0.1.0 there\n").says("Hello, you\n").says("By { it: None }\n");
    ran.says("not turned: the result, variant `Ok`: the host has the field `hour`, and the plugin has no more fields; nothing was called\n");
    // All that it does, where host and plugin mean the same.
    let same = Fixture::empty("processes of two compilers");
    let (own, build) = &*BUILT;
    build.ok();
    copy(&own.outcome(""), &same.outcome(""));
    std::fs::copy(old.plugin_file("worker"), same.plugin_file("worker")).unwrap();
    bring_library(&same, &old);
    let work = |place| same.app().arg(place).arg("start").arg("worker").arg("work").go();
    work("fits").ok().says("started worker 0.1.0 there\n").says_in_order(WORKED).says("in the host: false\n");
    work("host").says("refused: ").says(&second.version).does_not_say("started worker");
}

#[test]
fn what_keeps_a_plugin_from_starting_is_told() {
    let ran = host("never fails because start worker");
    ran.ok().says("refused: ").says("ended with exit code 3; it wrote last:\n").says("because");
    host("start wurker").ok().says("refused: ").says("wurker");
    let ran = host("runner /nowhere/runner never start worker");
    ran.ok()
        .says("refused: ")
        .says("could not be started: can't start the process: No such file or directory");
    // A program that is no runner.
    host("runner /bin/true never start worker").ok().says("refused: ").says("ended with exit code 0");
}

#[test]
fn whatever_a_runner_says_the_host_lives_on_and_says_what_is_wrong() {
    let liar = Fixture::empty("liar");
    liar.copy("liar");
    let path = repository().join("crates/dynplug-process");
    liar.root_manifest(&format!("dynplug-process = {{ path = '{}' }}\n", path.display()));
    liar.cargo("build").go().ok();
    let runner = shared_target().join("plain/debug/liar");
    let (old, build) = &*BUILT;
    build.ok();
    // Where both were built with one API library no shapes are asked for.
    let other = mixed("processes with a liar", old);
    bring_library(&other, old);
    let hear = |host: &Fixture, lie: &str| {
        let call = host.app().arg("runner").arg(&runner).arg("lie").arg(lie);
        call.arg("start").arg("worker").arg("greet").go()
    };
    for (lie, says) in [
        ("says nothing of itself", ""),
        ("says noise of itself", ""),
        ("has exports without end", ""),
        ("has a name without end", ""),
        ("answers with an unknown status", "the status 77"),
    ] {
        let ran = hear(old, lie);
        ran.says("refused: ").says("the plugin's process gave no answer that makes sense: ").says(says);
        ran.says("it was started");
    }
    for (lie, says) in [
        ("is honest", "Ok(\"Hello\")"),
        ("has a shape without end", "the result can't be read"),
        ("has shapes without end", "the result can't be read"),
        ("names types that are nowhere", "the host has a text, and the plugin has `nowhere`"),
        ("has no shapes", "the plugin doesn't say what its function gives"),
        ("gives a text without end", "the result can't be read"),
        ("gives nothing", "the result can't be read"),
        ("gives what is no text", "the result can't be read"),
        ("gives an error that is no text", "the function has run"),
        ("gives more than was asked for", "there are 64 bytes more than it has"),
        ("ends", "the process ended with exit code 9"),
        ("can do nothing", "it can't; nothing was called"),
    ] {
        hear(&other, lie).ok().says("greeting: ").says(says);
    }
}

#[test]
fn a_host_that_panics_where_it_is_told_of_lines_has_its_plugin_all_the_same() {
    let ran = host("panics start worker misbehave abort close greet");
    ran.ok().says("told of worker starts").says("after abort: Hello, again\n");
    ran.says("abort: the process was ended by signal 6 (SIGABRT); it wrote last:\n    about to abort\n");
    ran.says("greeting: Err(\"the plugin was closed\")\n");
}

#[test]
fn libraries_that_plugins_share_go_with_each_of_them() {
    let fixture = Fixture::empty("processes with libraries");
    fixture.copy("plugin_libraries").file("app/src/main.rs", LIBRARIES_HOST);
    fixture.replace("app-api/Cargo.toml", "dynplug.workspace = true", PROCESS);
    fixture.build().go().ok();
    let start = |how: &str| fixture.app().arg(how).go();
    for how in ["freely", "confined"] {
        start(how).ok().says("three: Ok(2)\nthree: Ok(4)\none: Ok(1)\ncounted: Ok(1)\nthree: Ok(6)\n");
    }
    let is_common = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("libcommon-");
    let mut files = std::fs::read_dir(fixture.outcome("plugins")).unwrap().map(|entry| entry.unwrap().path());
    let library = files.find(is_common).unwrap();
    let name = library.file_name().unwrap().to_str().unwrap();
    let whole = std::fs::read(&library).unwrap();
    std::fs::write(&library, &whole[..whole.len() / 2]).unwrap();
    start("freely").says("refused: ").says(name).says("common").does_not_say("three");
    std::fs::copy(fixture.plugin_file("one"), &library).unwrap();
    start("freely").says("refused: ").says(name).says("it is the plugin of `one`").does_not_say("three");
    std::fs::remove_file(&library).unwrap();
    start("freely").says("refused: ").says(name).says("common").does_not_say("three");
}

/// Starts plugins that share libraries, each in its own process.
const LIBRARIES_HOST: &str = r#"
use app_api::dynplug::Loader;
use app_api::dynplug::apart::{Confinement, Level, OwnProcess, RunIn, Started};

fn main() {
    let mut options = OwnProcess::new();
    if std::env::args().any(|word| word == "confined") {
        options = options.confine(Confinement::new(Level::ComputeOnly));
    }
    let loader = Loader::new().beside_program().run_in(RunIn::OwnProcess).own_process(options);
    let start = |name: &str| {
        // SAFETY: the build made it.
        unsafe { loader.start(name) }.unwrap_or_else(|error| {
            println!("refused: {error}");
            std::process::exit(1)
        })
    };
    let count = |plugin: &Started| {
        let count = plugin.function::<fn() -> u32>("count").expect("it has it");
        println!("{}: {:?}", plugin.name(), count.call(()));
    };
    let (one, three) = (start("one"), start("three"));
    count(&three);
    count(&three);
    count(&one);
    println!("counted: {:?}", one.function::<fn() -> i32>("counted").expect("it has it").call(()));
    count(&three);
}
"#;

#[test]
fn a_closed_plugin_has_no_process_and_its_functions_say_so() {
    host("start worker close").ok().says("closed: Err(\"the plugin was closed\")\n");
}

#[test]
fn deaths_in_the_midst_of_calls_leave_nothing_behind() {
    let words = "soon limits 128 start worker close note start worker storm 1000 close note";
    let ran = call(words).takes_long().go();
    ran.ok().says("in the end: Hello, you\n").says_in_lines(3, "calls: true good, true not");
    let left: Vec<&str> = ran.stdout.lines().filter(|line| line.starts_with("left: ")).collect();
    assert!(left.len() == 2 && left[0] == left[1], "{left:?}");
    assert!(left[0].contains(" 0 processes, 0 shared mappings, "), "{left:?}");
}

#[test]
fn nothing_is_left_when_the_host_is_killed() {
    let (fixture, build) = &*BUILT;
    build.ok();
    let mut running = fixture.app().arg("start").arg("worker").arg("wait").start();
    running.line_with("started worker");
    // Each thread has those that it has started.
    let threads = std::fs::read_dir(format!("/proc/{}/task", running.id())).unwrap();
    let children: Vec<String> = threads
        .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("children")).ok())
        .flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert_eq!(children.len(), 1, "{children:?}");
    running.signal("KILL");
    running.end();
    let process = format!("/proc/{}/stat", children[0]);
    let began = std::time::Instant::now();
    // Whoever adopts it reaps it, sooner or later; a zombie runs no more.
    while std::fs::read_to_string(&process).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(began.elapsed().as_secs() < 20, "it lives on");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn what_can_be_called_from_another_process_and_what_is_in_the_way_stands_in_the_file() {
    let fixture = Fixture::empty("processes");
    fixture.package("app-api", Kind::Api, &[PROCESS], "pub use dynplug;\n").plugin(
        "hello",
        "#[dynplug::export]\npub fn greet(name: &str) -> String { name.to_owned() }\n\
         #[dynplug::export]\npub fn each(_times: u8, _action: &dyn Fn(u8)) -> std::rc::Rc<()> { todo!() }\n\
         #[dynplug::export]\npub static COUNT: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);\n",
    );
    fixture.build().go().ok();
    let file = fixture.plugin_file("hello");
    let ran = fixture.bare_tool().arg("inspect").arg(&file).go();
    ran.ok().says_in_order([
        "each   fn each(_times: u8, _action: &dyn Fn(u8)) -> std::rc::Rc<()>\n",
        "only in the host's process: serde can't carry argument 2, `&dyn Fn(u8)`\n",
        "only in the host's process: serde can't carry the result, `std::rc::Rc<()>`\n",
        "greet  fn greet(name: &str) -> String\n",
    ]);
    assert_eq!(ran.stdout.matches("only in the host's process").count(), 2, "{ran}");
    let ran = fixture.bare_tool().args(["inspect", "--message-format", "json"]).arg(&file).go();
    let served = r#""other_process":{"is_served":true,"obstacles":[]}"#;
    assert_eq!(ran.ok().stdout.matches(served).count(), 2, "{ran}");
    ran.says(r#"{"is_served":false,"obstacles":[{"number":1,"type":"&dyn Fn(u8)","what":"argument"}"#);
}
