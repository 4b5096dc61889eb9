//! A system without libraries that could be loaded: programs for WASI, which Node.js runs.

use crate::harness::{Call, Fixture, Kind, repository, skipped, target};
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-wasip1";

const PLUGIN: &str = "
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

#[dynplug::export]
pub static V: AtomicU32 = AtomicU32::new(0);

#[dynplug::export]
pub fn f() -> String { format!(\"number {}, and {} of the API crate\", V.load(Relaxed), app_api::COUNT.load(Relaxed)) }

#[dynplug::init]
fn start() -> Result<(), String> {
    app_api::COUNT.fetch_add(1, Relaxed);
    Ok(())
}
";

const API: &str = "
pub use dynplug;
pub static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(10);
";

const HOST: &str = r#"
use app_api::dynplug::{Loader, OpenError, Plugin};
use hello as _;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

fn main() {
    // SAFETY: what is opened is linked in, or not opened.
    let plugin = unsafe { Plugin::open(format!("plugins/{DLL_PREFIX}hello{DLL_SUFFIX}")) }.unwrap();
    // SAFETY: as above.
    let again = unsafe { Loader::new().open("hello") }.unwrap();
    assert!(std::ptr::eq(plugin, again));
    let v: &AtomicU32 = plugin.lookup("V").unwrap();
    let f: fn() -> String = plugin.lookup("f").unwrap();
    v.store(7, Relaxed);
    println!("{}", f());
    println!("{}", plugin.lookup::<fn()>("f").unwrap_err());
    for file in std::env::args().skip(1) {
        // SAFETY: as above.
        match unsafe { Plugin::open(&file) } {
            Err(error @ OpenError::Unsupported { .. }) => println!("{error}"),
            other => println!("{other:?}"),
        }
    }
}
"#;

/// Whether programs of the target can be built and run here.
fn is_here() -> bool {
    let said = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    let folder = said.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned()).unwrap_or_default();
    if !Path::new(&folder).is_dir() {
        skipped(&format!("there is no std for {TARGET}"));
        return false;
    }
    let runs = Command::new("node").args(["--no-warnings", "-e", "require('node:wasi')"]).output();
    if !runs.is_ok_and(|ran| ran.status.success()) {
        skipped("there is no Node.js to run programs for WASI");
        return false;
    }
    true
}

/// Lets plain cargo build a program for the target, in the profile in a folder of this name.
fn built(fixture: &Fixture, package: &str, profile: &str) -> PathBuf {
    let folder = fixture.root().join("target folder");
    let name = if profile == "debug" { "dev" } else { profile };
    let cargo = fixture.cargo("build").args(["--target", TARGET, "-p", package, "--profile", name]);
    cargo.env("CARGO_TARGET_DIR", &folder).go().ok();
    folder.join(TARGET).join(profile).join(format!("{package}.wasm"))
}

fn run(fixture: &Fixture, program: &Path) -> Call {
    fixture.system(&repository().join("tests/wasi/run")).arg(program)
}

// A9
#[test]
fn where_nothing_can_be_loaded_an_open_says_so_and_linked_in_plugins_work() {
    if target().named().is_some() || !is_here() {
        return;
    }
    let fixture = Fixture::empty("unsupported");
    fixture.api(API).plugin("hello", PLUGIN);
    fixture.package("app", Kind::Program, &["app-api", "hello"], HOST);
    fixture.root_file("libother.so", "whatever it is");
    let file = fixture.root().join("libother.so");
    fixture.root_manifest("[profile.release]\nlto = \"fat\"\n");
    for profile in ["debug", "release"] {
        let program = built(&fixture, "app", profile);
        let ran = run(&fixture, &program).arg(&file).arg("/nowhere/libother.so").go();
        ran.ok().says("number 7, and 11 of the API crate\n").says("`fn() -> alloc::string::String`").says_in_lines(
            2,
            "on this system: WebAssembly has no libraries that could be loaded while a program runs; link it into",
        );
    }
}

// A9
#[test]
fn where_nothing_can_be_loaded_the_crate_costs_nothing() {
    if target().named().is_some() || !is_here() {
        return;
    }
    let fixture = Fixture::empty("costs nothing");
    let greets = "fn main() { println!(\"hello\") }\n";
    fixture.package("with", Kind::Program, &["dynplug"], &format!("use dynplug as _;\n{greets}"));
    fixture.package("sans", Kind::Program, &[], greets);
    fixture.root_manifest("[profile.dev]\nopt-level = 1\ndebug = false\nstrip = true\n");
    let size = |package: &str| {
        let program = built(&fixture, package, "debug");
        run(&fixture, &program).go().ok().prints("hello");
        std::fs::metadata(&program).expect("it is built").len()
    };
    assert_eq!(size("with"), size("sans"));
}
