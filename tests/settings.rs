//! Profiles, flags and wrappers.

use crate::harness::{Fixture, repository};
use std::os::unix::fs::PermissionsExt;

// B14
#[test]
fn what_only_an_exported_item_reaches_survives_stripping_and_optimisation() {
    let plugin = r#"
        mod deep {
            pub static TABLE: [fn(u32) -> u32; 2] = [|n| n + 1, double];
            fn double(n: u32) -> u32 { n * 2 }
            pub trait Word { fn word(&self) -> &'static str; }
            pub struct Reached;
            impl Word for Reached { fn word(&self) -> &'static str { "reached" } }
        }
        use deep::Word;
        #[dynplug::export]
        pub static WORD: &(dyn Word + Sync) = &deep::Reached;
        #[dynplug::export]
        pub fn f() {
            let n: u32 = std::hint::black_box(20);
            println!("{} {}", WORD.word(), deep::TABLE.iter().fold(n, |n, f| f(n)));
        }
    "#;
    let fixture = Fixture::usual("stripped", plugin);
    fixture.root_manifest("[profile.release]\nstrip = true\nopt-level = \"z\"\n");
    fixture.build().arg("--release").go().ok();
    fixture.app().go().ok().prints("reached 42");
    let image = std::fs::read(fixture.plugin_file("hello")).unwrap();
    assert!(!image.windows(7).any(|w| w == b".symtab"), "it is stripped");
}

#[test]
fn lto_and_aborting_panics_are_overridden_with_one_line_each() {
    let plugin = "#[dynplug::export]\npub fn f() {\n    let caught = std::panic::catch_unwind(|| panic!(\"oh\"));\n    \
                  println!(\"{} {}\", caught.is_err(), cfg!(panic = \"unwind\"));\n}\n";
    let fixture = Fixture::usual("fat", plugin);
    fixture.root_manifest("[profile.dev]\nlto = \"fat\"\npanic = \"abort\"\n");
    let ran = fixture.build().go();
    ran.ok().says_in_lines(1, "`lto = \"fat\"`").says_in_lines(1, "`panic = \"abort\"`");
    fixture.app().go().ok().prints("true true");
}

/// A plugin and a host that say whether a cfg was set when they were compiled.
fn with_cfg(name: &str) -> Fixture {
    let fixture =
        Fixture::usual(name, "#[dynplug::export]\npub fn f() { println!(\"plugin {}\", cfg!(flag)) }\n");
    fixture.replace("app/src/main.rs", "    f();", "    println!(\"host {}\", cfg!(flag));\n    f();");
    fixture
}

/// Sets that cfg. The same everywhere, so that what the fixtures have in common is compiled once.
const FLAGS: [&str; 2] = ["--cfg=flag", "--check-cfg=cfg(flag)"];

#[test]
fn rustflags_in_the_environment_reach_host_and_plugin() {
    let fixture = with_cfg("flags");
    fixture.build().env("RUSTFLAGS", FLAGS.join(" ")).go().ok();
    fixture.app().go().ok().prints("host true\nplugin true");
}

#[test]
fn rustflags_in_the_configuration_reach_host_and_plugin() {
    for (name, table) in [("flags-build", "build"), ("flags-target", "target.'cfg(unix)'")] {
        let fixture = with_cfg(name);
        fixture.root_file(".cargo/config.toml", &format!("[{table}]\nrustflags = {FLAGS:?}\n"));
        fixture.build().go().ok();
        fixture.app().go().ok().prints("host true\nplugin true");
    }
}

#[test]
fn the_users_own_rustc_wrapper_is_called() {
    let fixture = Fixture::usual("wrapped", "#[dynplug::export]\npub fn f() { println!(\"wrapped\") }\n");
    let (wrapper, log) = (fixture.root().join("wrapper.sh"), fixture.root().join("log"));
    fixture.root_file("wrapper.sh", "#!/bin/sh\necho \"$@\" >> \"$WRAPPER_LOG\"\nexec \"$@\"\n");
    std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o755)).unwrap();
    fixture.build().env("RUSTC_WRAPPER", &wrapper).env("WRAPPER_LOG", &log).go().ok();
    fixture.app().go().ok().prints("wrapped");
    let calls = std::fs::read_to_string(&log).unwrap();
    for name in ["app_api", "app", "hello"] {
        let call = format!("--crate-name {name} ");
        assert!(
            calls.lines().any(|l| l.contains(&call) && l.contains("rustc")),
            "no call for {name}:\n{calls}"
        );
    }
}

#[test]
fn a_small_plugin_and_its_api_library_are_small() {
    let fixture = Fixture::empty("sizes");
    let manifest = repository().join("examples/hello/Cargo.toml");
    let build = fixture.build().arg("--release").arg("--manifest-path").arg(manifest);
    build.env("CARGO_PROFILE_RELEASE_STRIP", "true").go().ok();
    let size = |path| std::fs::metadata(path).expect("it was built").len();
    let plugin = size(fixture.plugin_file("hello"));
    assert!(plugin <= 12 * 1024, "the plugin has {plugin} bytes");
    let library = size(fixture.library());
    assert!(library <= 1_600_000, "the API library has {library} bytes");
    fixture.run(&fixture.outcome("hello-host")).go().ok().prints("Hello, number 7");
}
