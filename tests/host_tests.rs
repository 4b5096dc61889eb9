//! `cargo dynplug test` in a host's workspace: tests that are hosts, and find the workspace's plugins.

use crate::harness::{Fixture, Kind, TOOL, skipped, target};

const API: &str = r#"
//! What host and plugins share.
pub use dynplug;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// The one of the process.
pub static COUNTER: AtomicI64 = AtomicI64::new(0);

/// Adds one.
///
/// ```
/// assert_eq!(app_api::count(), 1);
/// ```
///
/// Each documentation test is a process of its own:
///
/// ```
/// assert_eq!(app_api::count(), 1);
/// ```
pub fn count() -> i64 {
    COUNTER.fetch_add(1, Relaxed) + 1
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_counts_from_one() {
        assert_eq!(super::count(), 1);
    }
}
"#;

const API_TEST: &str = r#"
use app_api::dynplug::Loader;

#[test]
fn the_api_crates_own_test_finds_plugins() {
    // SAFETY: the build made it.
    let plugin = unsafe { Loader::new().beside_program().open("hello") }.unwrap();
    let bump: fn() -> i64 = plugin.lookup("bump").unwrap();
    let before = bump();
    assert_eq!(app_api::count(), before + 1);
}
"#;

const HELLO: &str = r#"
#[dynplug::export]
pub fn bump() -> i64 { app_api::count() }
#[dynplug::export]
pub fn greeting() -> &'static str { "hello" }
#[cfg(test)]
mod tests {
    #[test]
    fn the_plugins_own_test() { assert!(super::bump() >= 1); }
}
"#;

const LIB: &str = r#"
//! The host.
use app_api::dynplug::{Loader, Plugin};

/// Opens the plugin.
///
/// ```
/// let plugin = app::hello();
/// let bump: fn() -> i64 = plugin.lookup("bump").unwrap();
/// let before = bump();
/// assert_eq!(app_api::count(), before + 1);
/// println!("a documentation test opened {}", plugin.name());
/// ```
pub fn hello() -> &'static Plugin {
    // SAFETY: the build made it.
    unsafe { Loader::new().beside_program().open("hello") }.unwrap()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_unit_test_shares_a_static_with_the_plugin() {
        let bump: fn() -> i64 = super::hello().lookup("bump").unwrap();
        let before = bump();
        assert_eq!(app_api::count(), before + 1);
    }
}
"#;

const MAIN: &str = r#"
fn main() {
    let greeting: fn() -> &'static str = app::hello().lookup("greeting").unwrap();
    println!("{} {:?}", greeting(), std::env::args().skip(1).collect::<Vec<_>>());
}
#[cfg(test)]
mod tests {
    #[test]
    fn a_unit_test_of_the_executable() {
        assert!(!app::hello().is_linked_in());
    }
}
"#;

const OPENS: &str = r#"
#[test]
fn an_integration_test_shares_a_static_with_the_plugin() {
    let bump: fn() -> i64 = app::hello().lookup("bump").unwrap();
    let before = bump();
    assert_eq!(app_api::count(), before + 1);
}
#[test]
fn what_is_said_by_the_plugin_is_seen() {
    let greeting: fn() -> &'static str = app::hello().lookup("greeting").unwrap();
    println!("it says {}", greeting());
}
#[test]
fn nothing_of_the_build_is_in_the_environment() {
    let names = ["RUSTC_WRAPPER", "CARGO_ENCODED_RUSTFLAGS", "DYNPLUG_CONTEXT", "RUSTDOC"];
    assert!(names.iter().all(|name| std::env::var_os(name).is_none()));
}
"#;

const STARTS: &str = r#"
// It names neither the API crate nor the host's library.
#[test]
fn the_executable_is_started_as_the_host_that_it_is() {
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_app"))
        .arg("one").env_clear().output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "hello [\"one\"]\n");
}
"#;

/// A workspace with an API crate, two plugins and a host, all with tests.
fn workspace(name: &str) -> Fixture {
    let fixture = Fixture::empty(name);
    fixture.api(API).plugin("hello", HELLO);
    fixture.file("app-api/tests/finds.rs", API_TEST);
    fixture
        .package("app", Kind::Program, &["app-api"], MAIN)
        .file("app/src/lib.rs", LIB)
        .file("app/tests/opens.rs", OPENS)
        .file("app/tests/starts.rs", STARTS);
    fixture
}

#[test]
fn tests_of_a_host_are_hosts_that_find_the_plugins() {
    let fixture = workspace("host-tests");
    let ran = fixture.tool("test").go();
    ran.ok()
        .says("test tests::it_counts_from_one ... ok")
        .says("test the_api_crates_own_test_finds_plugins ... ok")
        .says("test tests::the_plugins_own_test ... ok")
        .says("test tests::a_unit_test_shares_a_static_with_the_plugin ... ok")
        .says("test tests::a_unit_test_of_the_executable ... ok")
        .says("test an_integration_test_shares_a_static_with_the_plugin ... ok")
        .says("test nothing_of_the_build_is_in_the_environment ... ok")
        .says("test the_executable_is_started_as_the_host_that_it_is ... ok")
        .says("Doc-tests app_api")
        .says("Doc-tests app")
        .says_in_lines(3, "(line ");

    // What is asked for, in cargo's words.
    let only = |words: &[&str], count: usize| {
        let call = words.iter().fold(fixture.tool("test"), |call, word| call.arg(word));
        let ran = call.go();
        ran.ok();
        let lines = ran.stdout.lines().filter(|l| l.starts_with("test ") && l.ends_with(" ... ok"));
        assert_eq!(lines.count(), count, "{words:?}\n{ran}");
    };
    only(&["-p", "hello"], 1);
    only(&["--test", "opens"], 3);
    only(&["--test", "o*", "--test", "starts"], 4);
    only(&["--bin", "app", "--lib"], 4);
    only(&["-p", "app", "--tests"], 6);
    only(&["-p", "app", "--doc"], 1);
    only(&["-p", "app", "--all-targets", "--no-run"], 0);
    only(&["an_integration", "--", "--exact"], 0);
    let ran = fixture.tool("test").args(["--test", "nothing"]).go();
    ran.fails_with(2).says("error[dynplug::unknown-target]").says("there are: finds, opens, starts");

    let ran = fixture.tool("clippy").args(["-p", "app", "--all-targets", "--", "-D", "warnings"]).go();
    ran.ok();
    fixture.tool("doc").args(["-p", "app"]).go().ok();
    // Several packages are several calls of cargo, and read as one.
    for subcommand in ["clippy", "doc"] {
        let ran = fixture.tool(subcommand).go();
        ran.ok().says_in_lines(1, "Finished").says("hello");
    }

    // The plugin is built anew, and what fails is told by cargo's exit code.
    fixture.replace("hello/src/lib.rs", "\"hello\"", "\"good day\"");
    let opens = || fixture.tool("test").args(["-p", "app", "--test", "opens", "said_by"]);
    opens().args(["--", "--nocapture"]).go().ok().says("it says good day");
    let ran = fixture.tool("test").args(["-p", "app"]).go();
    ran.fails_with(101)
        .says("left: \"good day")
        .says("to rerun pass `-p app --test starts`")
        .does_not_say("Doc-tests");
    let ran = fixture.tool("test").args(["-p", "app", "--no-fail-fast"]).go();
    ran.fails_with(101).says("Doc-tests app");
}

/// Builds the workspace that it is a test of, in the target folder in which it was built itself.
const BUILDS: &str = r#"
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[test]
fn it_builds_its_own_workspace() {
    let set = |name: &str| std::env::var_os(name).unwrap();
    let mut build = Command::new(set("TOOL"))
        .args(["dynplug", "build", "--manifest-path"]).arg(set("MANIFEST"))
        .arg("--target-dir").arg(set("FOLDER")).arg("--out-dir").arg(set("OUT"))
        .stderr(Stdio::piped()).spawn().unwrap();
    for line in BufReader::new(build.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if line.contains("waiting for another build") {
            build.kill().unwrap();
            panic!("{line}");
        }
    }
    assert!(build.wait().unwrap().success());
    assert_eq!(set("AROUND"), "the tests");
    // What the others are to find is as it was.
    let bump: fn() -> i64 = app::hello().lookup("bump").unwrap();
    bump();
}
"#;

#[test]
fn a_test_may_build_where_it_was_built() {
    if target().named().is_some() {
        return skipped("a program of another machine can't start the tool");
    }
    // Elsewhere others may hold the lock.
    let fixture = workspace("host-builds").own_target();
    // The user's own runner is around it.
    let runner = "[target.'cfg(all())']\nrunner = [\"env\", \"AROUND=the tests\"]\n";
    fixture.root_file(".cargo/config.toml", runner).file("app/tests/builds.rs", BUILDS);
    let test = |words: &[&str]| {
        let call = words.iter().fold(fixture.tool("test"), |call, word| call.arg(word));
        call.env("TOOL", TOOL)
            .env("MANIFEST", fixture.root().join("Cargo.toml"))
            .env("FOLDER", fixture.root().join("target folder"))
            .env("OUT", fixture.outcome(""))
            .go()
    };
    let ran = test(&["-p", "app", "--test", "builds", "--test", "opens"]);
    ran.ok()
        .says("test it_builds_its_own_workspace ... ok")
        .says("test what_is_said_by_the_plugin_is_seen ... ok");
    fixture.app().go().ok();

    // All is compiled before anything is run.
    fixture.replace("app/tests/starts.rs", "ran.status", "ran.statu");
    let ran = test(&["--tests"]);
    ran.fails_with(101).says("error[E0609]").does_not_say("running 1 test");
    let ran = test(&["--tests", "--no-run"]);
    ran.fails_with(101);
    fixture.replace("app/tests/starts.rs", "ran.statu", "ran.status");

    // What fails is told as cargo tells it.
    fixture.file("app/tests/opens.rs", "#[test]\nfn it_ends() { std::process::exit(7) }\n");
    fixture.replace("app/tests/starts.rs", "\"one\"", "\"two\"");
    let ran = test(&["-p", "app", "--tests"]);
    ran.fails_with(7)
        .says("to rerun pass `-p app --test opens`")
        .says("exit status: 7")
        .does_not_say("Running tests/starts.rs");
    let ran = test(&["-p", "app", "--tests", "--no-fail-fast"]);
    ran.fails_with(101)
        .says("Running tests/starts.rs")
        .says("error[dynplug::test-failed]: 2 targets failed")
        .says("`-p app --test starts`");

    // What tests find is what there is: a plugin that is gone is gone there too.
    let found = |name: &str| {
        let ran = test(&["-p", "app", "--lib", "--no-run"]);
        let line = ran.ok().stderr.lines().find(|line| line.contains("Executable")).unwrap();
        let file = line.rsplit_once('(').unwrap().1.trim_end_matches(')');
        fixture.root().join(file).with_file_name("plugins").join(format!("lib{name}.so")).exists()
    };
    fixture.plugin("second", "#[dynplug::export]\npub fn f() { println!(\"{}\", app_api::count()) }\n");
    assert!(found("second"));
    std::fs::remove_dir_all(fixture.path("second")).unwrap();
    assert!(found("hello") && !found("second"));
}

#[test]
fn what_only_tests_depend_on_leaves_the_api_library_alone() {
    let fixture = Fixture::empty("host-dev");
    fixture
        .package("shade", Kind::Library, &["", "[features]", "extra = []"], "pub const EXTRA: bool = cfg!(feature = \"extra\");")
        .package(
            "app-api",
            Kind::Api,
            &["dynplug", "shade", "", "[features]", "testing = [\"shade/extra\"]"],
            "pub use dynplug;\npub use shade::EXTRA;\n",
        )
        .plugin("hello", "#[dynplug::export]\npub fn extra() -> bool { app_api::EXTRA }\n")
        .package("helper", Kind::Library, &["app-api"], "pub fn opened() -> bool {\n    let loader = app_api::dynplug::Loader::new().beside_program();\n    // SAFETY: the build made it.\n    let plugin = unsafe { loader.open(\"hello\") }.unwrap();\n    let extra: fn() -> bool = plugin.lookup(\"extra\").unwrap();\n    extra()\n}\n");
    let program = "fn main() { println!(\"{}\", app_api::EXTRA) }\n#[test]\nfn it_opens() { println!(\"extra: {}\", helper::opened()) }\n";
    let helper = "helper = { path = \"../helper\" }";
    fixture.package("app", Kind::Program, &["app-api", "", "[dev-dependencies]", helper], program).package(
        "other",
        Kind::Program,
        &["app-api", "", "[dev-dependencies]", helper],
        program,
    );
    fixture.build().go().ok();
    let library = fixture.library();
    let ran = fixture.tool("test").args(["--", "--nocapture"]).go();
    // Both hosts.
    ran.ok().says_in_lines(2, "extra: false");

    // With a feature that the API library lacks, there would be a second build of the crate.
    let shade = "helper = { path = \"../helper\" }\nshade = { path = \"../shade\", features = [\"extra\"] }";
    fixture.replace("other/Cargo.toml", helper, shade);
    let ran = fixture.tool("test").go();
    ran.fails_with(1)
        .says("error[dynplug::missing-feature]: the host `other` wants `shade` with the feature `extra`")
        .says("`cargo dynplug test --features app-api/NAME`")
        .says_in_lines(1, "error");
    fixture.build().go().ok();
    assert_eq!(fixture.library(), library, "a dev-dependency changed the API library");
    let ran = fixture.tool("test").args(["--features", "app-api/testing", "--", "--nocapture"]).go();
    ran.ok().says_in_lines(2, "extra: true");
}
