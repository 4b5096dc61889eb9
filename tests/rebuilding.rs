//! What is compiled again, and what is left alone.

use crate::harness::{Fixture, Ran};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Two plugins, a host that calls both, and a function of the API crate that they print.
fn fixture(name: &str) -> Fixture {
    let fixture = Fixture::empty(name);
    let host = r#"
        use app_api::dynplug::Plugin;
        fn main() {
            println!("host {}", app_api::version());
            let folder = std::env::current_exe().unwrap().with_file_name("plugins");
            for name in ["one", "two"] {
                // SAFETY: the build made it.
                match unsafe { Plugin::open(folder.join(format!("lib{name}.so"))) } {
                    Ok(plugin) => plugin.lookup::<fn()>("f").unwrap()(),
                    Err(error) => println!("{error}"),
                }
            }
        }
    "#;
    fixture.api("pub use dynplug;\npub fn version() -> u32 { 1 }\n").host(host);
    for name in ["one", "two"] {
        let source =
            format!("#[dynplug::export]\npub fn f() {{ println!(\"{name} {{}}\", app_api::version()) }}\n");
        fixture.plugin(name, &source);
    }
    fixture.build().go().ok();
    fixture.app().go().ok().prints("host 1\none 1\ntwo 1");
    fixture
}

/// When each file below the folder was last written.
fn written(folder: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.metadata().unwrap() {
            data if data.is_dir() => found.extend(written(&entry.path())),
            data => {
                found.insert(entry.path(), data.modified().unwrap());
            }
        }
    }
    found
}

/// The packages that were compiled.
fn compiled(ran: &Ran) -> Vec<String> {
    let mut names: Vec<String> = (ran.stderr.lines())
        .filter_map(|line| line.trim().strip_prefix("Compiling ")?.split(' ').next())
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn a_second_build_compiles_nothing_and_writes_nothing() {
    let fixture = fixture("fresh");
    let before = written(&fixture.outcome(""));
    assert_eq!(before.len(), 4, "a host, a library and two plugins: {before:?}");
    let ran = fixture.build().go();
    ran.ok().does_not_say("Compiling");
    assert_eq!(written(&fixture.outcome("")), before);
}

#[test]
fn a_change_in_the_api_crate_rebuilds_host_and_plugins() {
    let fixture = fixture("api-changed");
    fixture.replace("app-api/src/lib.rs", "{ 1 }", "{ 2 }");
    let ran = fixture.build().go();
    ran.ok();
    let names = compiled(&ran);
    for name in ["app", "app-api", "one", "two"] {
        assert!(names.iter().any(|n| n == name), "{name} was not compiled\n{ran}");
    }
    // What comes after the host is made from the API library, and that isn't called compiling.
    for name in ["dynplug", "libc", "syn"] {
        ran.does_not_say(&format!("Compiling {name} "));
    }
    // For people it is one build, however often cargo was called.
    ran.says_in_lines(1, "Finished `dev` profile [unoptimized + debuginfo] target(s) in ");
    assert_eq!(ran.stderr.lines().filter(|line| line.contains("Compiling")).count(), names.len(), "{ran}");
    fixture.app().go().ok().prints("host 2\none 2\ntwo 2");
    fixture.library();
}

#[test]
fn a_change_in_a_plugin_rebuilds_that_plugin_alone() {
    let fixture = fixture("plugin-changed");
    let before = written(&fixture.outcome(""));
    fixture.replace("two/src/lib.rs", "\"two ", "\"zwei ");
    let ran = fixture.build().go();
    ran.ok();
    assert_eq!(compiled(&ran), ["two"], "{ran}");
    fixture.app().go().ok().prints("host 1\none 1\nzwei 1");
    let after = written(&fixture.outcome(""));
    let changed: Vec<_> = after.iter().filter(|(path, time)| before.get(*path) != Some(time)).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!(changed[0].0, &fixture.plugin_file("two"));
}

#[test]
fn building_a_plugin_leaves_host_and_api_library_alone() {
    let fixture = fixture("plugin-only");
    let before = written(&fixture.outcome(""));
    fixture.replace("two/src/lib.rs", "\"two ", "\"zwei ");
    fixture.build().args(["-p", "two"]).go().ok().does_not_say("warning");
    fixture.app().go().ok().prints("host 1\none 1\nzwei 1");
    // Even when the plugin is built against an API crate that the host doesn't have yet.
    fixture.replace("app-api/src/lib.rs", "{ 1 }", "{ 3 }");
    let ran = fixture.build().args(["-p", "two"]).go();
    ran.ok().says("warning[dynplug::partial-build]").says("made with another API library: app, libone.so");
    let after = written(&fixture.outcome(""));
    let changed: Vec<_> = after.iter().filter(|(path, time)| before.get(*path) != Some(time)).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    let ran = fixture.app().go();
    ran.ok()
        .says("host 1\none 1\n")
        .says("the plugin `two` 0.1.0 does not fit this host")
        .does_not_say("zwei");
    fixture.build().go().ok().does_not_say("warning");
    fixture.app().go().ok().prints("host 3\none 3\nzwei 3");
}

#[test]
fn clean_removes_what_was_built_and_nothing_else() {
    let fixture =
        Fixture::usual("clean", "#[dynplug::export]\npub fn f() { println!(\"called\") }\n").own_target();
    let target = fixture.root().join("target folder");
    let call = |subcommand: &str| fixture.bare_tool().arg(subcommand).arg("--target-dir").arg(&target);
    let plugin = target.join("dynplug/debug/plugins/libhello.so");
    call("clean").go().ok().says("Removed 0 files");
    call("build").go().ok();
    std::fs::write(target.join("of somebody else"), "").unwrap();
    let all = written(&target);
    for words in [&["-n"][..], &["-n", "-p", "hello"], &["--dry-run", "--release"]] {
        words.iter().fold(call("clean"), |call, word| call.arg(word)).go().ok().says("Would remove");
        assert!(all.keys().all(|file| file.exists()), "{words:?} has removed something");
    }
    call("clean").args(["-p", "nothing"]).go().fails_with(2).says("nothing");
    call("clean").arg("--release").go().ok().says("Removed 0 files");

    call("clean").args(["-p", "hello"]).go().ok().says("Removed");
    assert!(!plugin.exists() && target.join("dynplug/debug/app").exists());
    let ran = call("build").go();
    assert_eq!(compiled(ran.ok()), ["hello"], "{ran}");
    assert!(plugin.exists());

    call("clean").go().ok().says("Removed");
    assert!(!target.join("dynplug").exists() && target.join("of somebody else").exists());
}

#[test]
fn what_is_no_member_any_more_goes_from_the_outcome_and_what_others_put_there_stays() {
    let source = "#[dynplug::export]\npub fn f() { println!(\"called\") }\n";
    let fixture = Fixture::usual("gone", source);
    fixture.plugin("second", source).host_named("other", "use app_api as _;\nfn main() {}\n");
    fixture.build().go().ok();
    let foreign = fixture.plugin_file("foreign");
    std::fs::copy(fixture.plugin_file("hello"), &foreign).unwrap();
    for name in ["second", "other"] {
        std::fs::remove_dir_all(fixture.path(name)).unwrap();
    }
    // A part of a build says nothing of the rest.
    fixture.build().args(["-p", "hello"]).go().ok();
    assert!(fixture.plugin_file("second").exists() && fixture.outcome("other").exists());
    fixture.build().go().ok();
    assert!(!fixture.plugin_file("second").exists() && !fixture.outcome("other").exists());
    assert!(foreign.exists() && fixture.plugin_file("hello").exists());
    // Nor is anything taken that somebody has put in a plugin's place.
    fixture.plugin("third", source);
    fixture.build().go().ok();
    std::fs::copy(fixture.outcome("app"), fixture.plugin_file("third")).unwrap();
    std::fs::remove_dir_all(fixture.path("third")).unwrap();
    fixture.build().go().ok();
    assert!(fixture.plugin_file("third").exists());
}
