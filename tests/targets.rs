//! Building for another target than this machine, by cargo's own configuration; and with a std that cargo compiles.

use crate::harness::{CALLS_F, Call, Fixture, Kind, shared_target, skipped, target};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

const PLUGIN: &str = "#[dynplug::export]\npub fn f() { println!(\"f of the plugin\") }\n";

/// Another target, with its linker.
const OTHER: &str = "aarch64-unknown-linux-gnu";
const LINKER: &str = "aarch64-linux-gnu-gcc";
const RUNNER: &str = "qemu-aarch64";

/// Another system, with its linker.
const WINDOWS: &str = "x86_64-pc-windows-gnu";
const LINKER_FOR_WINDOWS: &str = "x86_64-w64-mingw32-gcc";

fn host() -> String {
    let said = Command::new("rustc").arg("-vV").output().expect("rustc is there");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    text.lines().find_map(|line| line.strip_prefix("host: ")).expect("it says what it is").to_owned()
}

fn is_there(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

/// Whether this machine can build for a target.
fn builds_for(target: &str, linker: &str) -> bool {
    let said = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
    let folder = said.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned()).unwrap_or_default();
    if !Path::new(&folder).is_dir() || !is_there(linker) {
        skipped(&format!("there is no std for {target}, or no {linker}"));
        return false;
    }
    true
}

/// A build whose outcome lies where it does if nobody says where.
fn build(fixture: &Fixture) -> Call {
    fixture.bare_tool().args(["build", "--target-dir"]).arg(fixture.root().join("made"))
}

fn plugin_in(fixture: &Fixture, target: &str) -> PathBuf {
    fixture.root().join("made/dynplug").join(target).join("debug/plugins/libhello.so")
}

#[test]
fn what_is_built_for_another_machine_is_read_here_refused_here_and_runs_there() {
    if target().named().is_some() || !builds_for(OTHER, LINKER) {
        return;
    }
    let fixture = Fixture::usual("other-machine", PLUGIN);
    fixture.root_file(
        ".cargo/config.toml",
        &format!(
            "[target.{OTHER}]\nlinker = '{LINKER}'\nrunner = ['{RUNNER}', '-L', '/usr/aarch64-linux-gnu']\n"
        ),
    );
    fixture.build().args(["--target", OTHER]).go().ok();
    let plugin = fixture.root().join("plugin of the other");
    std::fs::copy(fixture.plugin_file("hello"), &plugin).expect("the plugin can be copied");
    fixture.bare_tool().arg("inspect").arg(&plugin).go().ok().says("plugin hello 0.1.0").says(OTHER);
    let json = fixture.bare_tool().args(["inspect", "--json"]).arg(&plugin).go();
    json.ok().says("\"machine\":\"aarch64\"");
    match is_there(RUNNER) {
        true => {
            let ran = fixture.tool("run").args(["--target", OTHER]).go();
            ran.ok().prints("f of the plugin");
        }
        false => skipped(&format!("there is no {RUNNER}")),
    }

    // Both targets from one target folder, and neither takes what the other has.
    fixture.build().go().ok();
    fixture.app().go().ok().prints("f of the plugin");
    std::fs::copy(&plugin, fixture.plugin_file("hello")).expect("the plugin can be copied");
    fixture.app().go().fails_with(1).says("aarch64").does_not_say("f of the plugin");
}

#[test]
fn the_program_for_processes_of_another_machine_is_asked_for_once_and_found_from_then_on() {
    if target().named().is_some() || !builds_for(OTHER, LINKER) {
        return;
    }
    let fixture = Fixture::empty("processes of another machine");
    let feature = "dynplug = { workspace = true, features = [\"process\"] }";
    fixture.package("app-api", Kind::Api, &[feature], "pub use dynplug;\n").host(CALLS_F);
    fixture.root_file(".cargo/config.toml", &format!("[target.{OTHER}]\nlinker = '{LINKER}'\n"));
    let cache = fixture.root().join("a cache");
    let build = || fixture.build().args(["--target", OTHER]).env("DYNPLUG_CACHE", &cache).go();
    let ran = build();
    ran.ok().says("dynplug::no-runner").says(&format!("for `{OTHER}`")).says("cargo install cargo-dynplug");
    let (_, command) = ran.stderr.split_once("--root '").expect("the command says where");
    let (root, _) = command.split_once('\'').expect("the path ends");
    assert!(Path::new(root).starts_with(&cache), "{ran}");
    let placed = fixture.outcome("dynplug-runner");
    assert!(!placed.exists());
    // As `cargo install` does.
    std::fs::create_dir_all(Path::new(root).join("bin")).unwrap();
    std::fs::write(Path::new(root).join("bin/dynplug-runner"), "for the other").unwrap();
    build().ok().does_not_say("no-runner");
    assert_eq!(std::fs::read_to_string(placed).unwrap(), "for the other");
}

#[test]
fn what_is_built_for_windows_is_inspected_and_compared_on_another_system() {
    if target().named().is_some() || !builds_for(WINDOWS, LINKER_FOR_WINDOWS) {
        return;
    }
    let fixture = Fixture::usual("windows-from-elsewhere", PLUGIN);
    let config = format!("[target.{WINDOWS}]\nlinker = '{LINKER_FOR_WINDOWS}'\n");
    fixture.root_file(".cargo/config.toml", &config);
    fixture.build().args(["--target", WINDOWS]).go().ok();
    let plugin = fixture.outcome("plugins/hello.dll");
    let said = fixture.bare_tool().arg("inspect").arg(&plugin).go();
    said.ok().says("plugin hello 0.1.0").says(WINDOWS).says("fn f()");

    // Nothing about a plugin is in its name; the API library's says which build it is, so that Windows refuses another.
    let plugin_says = inspected(&fixture, &plugin);
    for (what, value) in
        [("kind", "plugin"), ("format", "PE"), ("machine", "x86_64"), ("soname", "hello.dll")]
    {
        assert_eq!(plugin_says[what], value, "{what}");
    }
    let identity = &plugin_says["api"]["identity"];
    let library = format!("app_api-{}.dll", &identity.as_str().expect("it is said")[..16]);
    assert_eq!(plugin_says["api"]["soname"], *library);
    let app = fixture.outcome("app.exe");
    for user in [&plugin_says, &inspected(&fixture, &app)] {
        assert!(user["needed"].as_array().is_some_and(|all| all.contains(&library.clone().into())), "{user}");
    }
    let library_says = inspected(&fixture, &fixture.outcome(&library));
    assert_eq!((&library_says["id"], &library_says["soname"]), (identity, &library.clone().into()));

    let check = |plugin: &Path| fixture.bare_tool().arg("check").arg(plugin).arg("--host").arg(&app).go();
    check(&plugin).ok().says("fits");
    let older = fixture.root().join("older.dll");
    std::fs::copy(&plugin, &older).expect("the plugin can be copied");
    fixture.file("app-api/src/lib.rs", "pub use dynplug;\npub struct New(pub u8);\n");
    fixture.build().args(["--target", WINDOWS]).go().ok();
    check(&plugin).ok().says("fits");
    check(&older).fails_with(1).says("app-api").says("[identity]");
}

/// What `inspect` says of a product.
fn inspected(fixture: &Fixture, file: &Path) -> serde_json::Value {
    let said = fixture.bare_tool().args(["inspect", "--json"]).arg(file).go();
    serde_json::from_str(&said.ok().stdout).expect("it is JSON")
}

#[test]
fn the_target_of_cargos_configuration_is_built_for_in_a_folder_of_its_name() {
    if target().named().is_some() {
        return;
    }
    let fixture = Fixture::usual("configured-target", PLUGIN);
    let host = host();
    fixture.root_file(".cargo/config.toml", &format!("[build]\ntarget = '{host}'\n"));
    build(&fixture).go().ok();
    assert!(plugin_in(&fixture, &host).is_file());
    let several = format!("[build]\ntarget = ['{host}', '{OTHER}']\n");
    fixture.root_file(".cargo/config.toml", &several);
    build(&fixture).go().fails_with(2).says("dynplug::several-targets").says(OTHER).says("--target TRIPLE");
    // What is said counts.
    build(&fixture).args(["--target", "host-tuple"]).go().ok();
    assert!(plugin_in(&fixture, &host).is_file());
}

#[test]
fn targets_that_can_not_work_are_told_before_anything_is_compiled() {
    let fixture = Fixture::usual("no-target", PLUGIN);
    let build = |target: &str| fixture.bare_tool().args(["build", "--target", target, "--target-dir"]);
    let build = |target: &str| build(target).arg(shared_target()).go();
    build("x86_64-unknown-linux-musl")
        .fails_with(2)
        .says("dynplug::static-target")
        .says("-C target-feature=-crt-static")
        .says("cargo dynplug link");
    build("own.json").fails_with(2).says("dynplug::target-file");
    // One that the Rust project compiles no std for.
    let ran = build("aarch64-unknown-netbsd");
    ran.fails_with(1).says("dynplug::target-without-std").says("rustup target add").says("-Z build-std");
}

/// A compiler with the source of its std, and cargo, as variables; none if there is none.
static WITH_SOURCE: LazyLock<Option<Vec<(&str, String)>>> = LazyLock::new(|| {
    let source = |rustc: &str, words: &[&str]| {
        let said = Command::new(rustc).args(words).args(["--print", "sysroot"]).output().ok()?;
        let sysroot = PathBuf::from(String::from_utf8_lossy(&said.stdout).trim());
        sysroot.join("lib/rustlib/src/rust/library/Cargo.lock").is_file().then_some(())
    };
    // Debian's packages `rustc-web` and `rust-web-src`.
    let debians = || source("/usr/bin/rustc", &[]).map(|()| vec![("RUSTC", "/usr/bin/rustc".to_owned())]);
    let nightly =
        || source("rustc", &["+nightly"]).map(|()| vec![("RUSTUP_TOOLCHAIN", "nightly".to_owned())]);
    debians().or_else(nightly)
});

#[test]
fn a_std_that_cargo_compiles_is_in_the_api_library_and_plugins_take_it_from_there() {
    if target().named().is_some() {
        return;
    }
    let Some(variables) = &*WITH_SOURCE else {
        return skipped("there is no compiler with the source of its std");
    };
    let with = |call: Call| variables.iter().fold(call, |call, (name, value)| call.env(name, value));
    let fixture = Fixture::empty("compiled-std").own_target();
    fixture.root_manifest("[profile.dev]\ndebug = false\n");
    let plugin = "#[dynplug::export]\npub fn f() {\n\
                  let caught = std::panic::catch_unwind(|| app_api::fail());\n\
                  println!(\"{:?} {:?}\", caught.is_err(), app_api::LIST.lock().unwrap());\n}\n";
    fixture
        .api(
            "pub use dynplug;\npub static LIST: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());\n\
             pub fn fail() { LIST.lock().unwrap().push(\"failed\".to_owned()); std::panic::resume_unwind(Box::new(1)) }\n",
        )
        .host(CALLS_F)
        .plugin("hello", plugin);
    with(fixture.build()).args(["-Z", "build-std"]).env("RUSTC_BOOTSTRAP", "1").takes_long().go().ok();
    fixture.app().go().ok().prints("true [\"failed\"]");
    let inspected = fixture.bare_tool().arg("inspect").arg(fixture.library()).go();
    inspected.ok().says("    std 0.0.0").says("    core 0.0.0");
    // A second std would be larger by far than all of this.
    let size = std::fs::metadata(fixture.plugin_file("hello")).expect("the plugin is built").len();
    assert!(size < 200_000, "the plugin has {size} bytes");

    // Whoever has the SDK compiles no std, and needs no nightly compiler. Packing it would take long, and make it no other.
    let made = fixture.root().join("target folder/dynplug/build/sdk/debug");
    let mut made = std::fs::read_dir(made).expect("the SDK is made on the way");
    let sdk = made.next().expect("the SDK is there").expect("the folder can be read").path();
    let elsewhere = fixture.root().join("elsewhere");
    let ran = with(fixture.bare_tool()).args(["build", "-p", "hello", "--sdk"]).arg(&sdk);
    let ran = ran.arg("--target-dir").arg(&elsewhere).go();
    ran.ok().does_not_say("Compiling core");
    let built = elsewhere.join("dynplug/debug/plugins/libhello.so");
    std::fs::copy(built, fixture.plugin_file("hello")).expect("the plugin can be copied");
    fixture.app().go().ok().prints("true [\"failed\"]");
}
