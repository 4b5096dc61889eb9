//! B16: a library that plugins share among themselves, and the host does without. `plugin_libraries/` is the workspace,
//! whose host plays the scenario that its first argument names.

use crate::harness::{CALLS_F, Fixture, Kind, Ran, shared_target, target};
use std::path::PathBuf;
use std::sync::LazyLock;

static BUILT: LazyLock<(Fixture, Ran)> = LazyLock::new(|| {
    let fixture = Fixture::empty("plugin libraries");
    let ran = fixture.copy("plugin_libraries").build().go();
    (fixture, ran)
});

#[track_caller]
fn built() -> &'static Fixture {
    let (fixture, build) = &*BUILT;
    build.ok();
    fixture
}

/// The libraries in the outcome, by the starts of their names.
fn libraries(start: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = (std::fs::read_dir(built().outcome("plugins")).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(start))
        .collect();
    found.sort();
    found
}

fn the_library() -> PathBuf {
    let mut found = libraries("libcommon-");
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// A folder with these files of the outcome's plugins.
fn folder(name: &str, files: &[PathBuf]) -> PathBuf {
    let folder = built().root().join(name);
    std::fs::create_dir(&folder).unwrap();
    for file in files {
        std::fs::copy(file, folder.join(file.file_name().unwrap())).unwrap();
    }
    folder
}

// B16
#[test]
fn a_library_of_plugins_is_one_and_initialised_once() {
    built().app().arg("together").go().ok().says("together: done");
}

// B16
#[test]
fn the_api_crate_is_that_of_the_hosts_also_where_only_plugins_are_named() {
    let out = built().root().join("plugins alone");
    let build = built().bare_tool().args(["build", "-p", "one", "-p", "alone"]);
    // One of them knows the shared library, the other doesn't.
    build.arg("--target-dir").arg(shared_target()).arg("--out-dir").arg(&out).go().ok();
    for plugin in ["one", "alone"] {
        assert!(out.join("plugins").join(target().library(plugin)).is_file(), "{plugin}");
    }
}

// B16
#[test]
fn plugins_that_are_opened_at_once_wait_for_their_library() {
    for _ in 0..10 {
        built().app().arg("at-once").go().ok().says("at-once: done");
    }
}

// B16
#[test]
fn a_copy_of_the_library_in_another_folder_is_the_same_library() {
    let other = folder("another folder", &[built().plugin_file("two"), the_library()]);
    built().app().arg("two-folders").arg(other).go().ok().says("two-folders: done");
}

// B16
#[test]
fn a_library_that_does_not_start_keeps_its_plugins_out() {
    built().app().arg("library-fails").env("COMMON_FAILS", "not now").go().ok().says("library-fails: done");
}

// B16, E5
#[test]
fn libraries_are_no_plugins_to_a_loader_and_one_that_is_missing_is_told() {
    let ran = built().app().arg("discover").go();
    ran.ok().says("libraries: 2\n").says("opened: 4\n").does_not_say("refused").does_not_say("fits: false");
    let files: Vec<PathBuf> = (std::fs::read_dir(built().outcome("")).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    let elsewhere = folder("a host without a library", &files);
    std::fs::create_dir(elsewhere.join("plugins")).unwrap();
    for name in ["three", "alone"] {
        let to = elsewhere.join("plugins").join(format!("lib{name}.so"));
        std::fs::copy(built().plugin_file(name), to).unwrap();
    }
    let upper = libraries("libupper-").remove(0);
    std::fs::copy(&upper, elsewhere.join("plugins").join(upper.file_name().unwrap())).unwrap();
    // What is there needs what is not.
    let ran = built().run(&elsewhere.join("app")).arg("discover").go();
    ran.ok().says("needs the library of `common` beside it").says("libraries: 1\n").says("opened: 0\n");
}

// B16
#[test]
fn a_plugin_without_its_library_is_refused_before_it_runs() {
    let alone = folder("without a library", &[built().plugin_file("one")]);
    let ran = built().app().arg("try").arg(alone.join("libone.so")).go();
    ran.ok().says("needs the library of `common` beside it").says("ran []");
}

// B16
#[test]
fn another_build_of_the_library_is_refused_before_it_runs() {
    let other = folder("another build", &[built().plugin_file("one")]);
    // Under the name that the plugin asks for.
    let upper = libraries("libupper-").remove(0);
    std::fs::copy(upper, other.join(the_library().file_name().unwrap())).unwrap();
    let ran = built().app().arg("try").arg(other.join("libone.so")).go();
    ran.ok().says("is another build of the library").says("ran []");

    let damaged = folder("a damaged library", &[built().plugin_file("one")]);
    let bytes = std::fs::read(the_library()).unwrap();
    let half = &bytes[..bytes.len() / 2];
    std::fs::write(damaged.join(the_library().file_name().unwrap()), half).unwrap();
    built()
        .app()
        .arg("try")
        .arg(damaged.join("libone.so"))
        .go()
        .ok()
        .says("the file ends after")
        .says("ran []");
}

// B16
#[test]
fn inspect_and_check_know_libraries_of_plugins() {
    let (library, plugin) = (the_library(), built().plugin_file("one"));
    let ran = built().bare_tool().arg("inspect").arg(&library).arg(&plugin).go();
    ran.ok().says("plugin library common 0.1.0").says_in_order([
        "plugin one 0.1.0",
        "library",
        "common 0.1.0",
    ]);
    let host = built().outcome("");
    built().bare_tool().arg("check").arg(&plugin).arg(&library).arg("--host").arg(host).go().ok();
}

// B16
#[test]
fn a_library_that_changes_is_built_again_with_the_plugins_above_it() {
    let fixture = Fixture::empty("a library changes");
    let library = |n: u32| format!("pub fn number() -> u32 {{ {n} }}\n");
    let plugin = "#[dynplug::export]\npub fn f() { println!(\"number {}\", common::number()); }\n";
    fixture
        .api("pub use dynplug;\n")
        .host(CALLS_F)
        .package("common", Kind::Api, &[], &library(1))
        .package("hello", Kind::Plugin, &["dynplug", "app-api", "common"], plugin)
        .package("other", Kind::Plugin, &["dynplug", "app-api", "common"], plugin);
    let names = || {
        let files = std::fs::read_dir(fixture.outcome("plugins")).unwrap();
        let mut names: Vec<_> = files.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    fixture.build().go().ok();
    fixture.app().go().ok().prints("number 1");
    let before = names();
    assert_eq!(before.len(), 3, "{before:?}");
    fixture.build().go().ok().does_not_say("Compiling");
    let old = std::fs::read(fixture.plugin_file("hello")).unwrap();
    let host = std::fs::read(fixture.program("app")).unwrap();

    fixture.file("common/src/lib.rs", &library(2)).build().go().ok();
    fixture.app().go().ok().prints("number 2");
    let after = names();
    assert!(after.len() == 3 && after != before, "the old library is gone: {after:?}");
    assert!(std::fs::read(fixture.program("app")).unwrap() == host, "the host has nothing to do with it");
    std::fs::write(fixture.plugin_file("hello"), old).unwrap();
    fixture.app().go().fails_with(1).says("needs the library of `common` beside it");
    // One by one: the library comes along.
    std::fs::remove_dir_all(fixture.outcome("plugins")).unwrap();
    fixture.build().args(["-p", "hello"]).go().ok();
    fixture.app().go().ok().prints("number 2");
}

// B16
#[test]
fn plain_cargo_links_the_library_in() {
    built().cargo("check").arg("--workspace").go().ok();
}
