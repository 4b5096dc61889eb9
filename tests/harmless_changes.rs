//! C13 and B22: what doesn't change the meaning of anything doesn't keep a plugin from being opened, and the same
//! sources make the same bytes wherever they are built.

use crate::changed_api::{Changed, RAN, fill, workspace};
use crate::harness::{Fixture, Ran};
use std::process::Command;

/// Replaces `old` by `new` in one file of what is shared, builds the host alone, in which `compiled` is compiled, and
/// lets it open the plugin of the first build.
#[track_caller]
fn opens_after(path: &str, old: &str, new: &str, compiled: &str) {
    let workspace = workspace();
    let _changed = Changed::member(&workspace, path, old, new);
    let (built, ran) = workspace.build_host(&[]);
    built.says(&format!("Compiling {compiled} "));
    ran.ok().prints(RAN);
}

// C13
#[test]
fn a_comment_in_the_api_crate_moves_its_lines() {
    opens_after("app-api/src/lib.rs", "pub use dynplug;", "// Shared.\n\n\npub use dynplug;", "app-api");
}

// C13
#[test]
fn a_doc_comment_in_the_api_crate() {
    opens_after("app-api/src/lib.rs", "#[inline]", "/// Returns thirty.\n#[inline]", "app-api");
}

// C13
#[test]
fn white_space_in_the_api_crate() {
    let (old, new) =
        ("{ pub width: u32, pub height: u32 }", "{\n    pub width: u32,\n    pub height: u32\n}");
    opens_after("app-api/src/lib.rs", old, new, "app-api");
}

// C13
#[test]
fn tests_in_the_api_crate() {
    let tests = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn it_works() {}\n}\n\npub use dynplug;";
    opens_after("app-api/src/lib.rs", "pub use dynplug;", tests, "app-api");
}

// C13
#[test]
fn a_comment_in_a_crate_below_the_api_crate() {
    opens_after("below/src/lib.rs", "pub fn", "// A comment.\n\npub fn", "below");
}

// C13
#[test]
fn a_comment_in_a_build_script() {
    opens_after("generated/build.rs", "fn main", "// A comment.\nfn main", "generated");
}

// C13
#[test]
fn a_comment_in_c_code_of_a_shared_crate() {
    opens_after("native/src/native.c", "unsigned", "/* A comment. */\n\nunsigned", "native");
}

// C13
#[test]
fn a_comment_in_a_macro() {
    opens_after("making-macro/src/lib.rs", "#[proc_macro]", "// A comment.\n#[proc_macro]", "making-macro");
}

// C13
#[test]
fn the_description_of_the_api_crate() {
    opens_after("app-api/Cargo.toml", "publish", "description = \"What is shared\"\npublish", "app-api");
}

/// Builds the plugin alone, and lets the host of the build before open it.
#[track_caller]
fn plugin_opens_after(path: &str, old: &str, new: &str) {
    let workspace = workspace();
    workspace.build_host(&[]).1.ok();
    let _changed = Changed::member(&workspace, path, old, new);
    workspace.fixture.build().args(["-p", "hello"]).go().ok().says("Compiling hello ");
    workspace.fixture.app().arg(workspace.fixture.plugin_file("hello")).go().ok().prints(RAN);
}

// C13
#[test]
fn a_comment_in_the_plugin() {
    plugin_opens_after("hello/src/lib.rs", "struct Own;", "// Its own.\n\nstruct Own;");
}

// C13
#[test]
fn the_description_of_the_plugin() {
    plugin_opens_after("hello/Cargo.toml", "publish", "description = \"A plugin\"\npublish");
}

// C13
#[test]
fn what_is_only_for_debuggers_is_stripped() {
    let workspace = workspace();
    workspace.build_host(&[]).1.ok();
    for option in ["--strip-debug", "--strip-all"] {
        let stripped = workspace.fixture.root().join(format!("plugin{option}.so"));
        let mut strip = Command::new("strip");
        let status = strip.arg(option).arg("-o").arg(&stripped).arg(&workspace.kept).status();
        if !status.is_ok_and(|s| s.success()) {
            eprintln!("skipped: there is no strip on this machine");
            return;
        }
        assert_ne!(std::fs::read(&stripped).unwrap(), std::fs::read(&workspace.kept).unwrap());
        workspace.fixture.app().arg(&stripped).go().ok().prints(RAN);
    }
}

/// Builds the plugin alone with flags that say how to link, and lets the host of the usual build open it.
#[track_caller]
fn plugin_opens_with(flags: &str) {
    let workspace = workspace();
    workspace.build_host(&[]).1.ok();
    workspace.fixture.build().args(["-p", "hello"]).env("RUSTFLAGS", flags).go().ok();
    let file = workspace.fixture.plugin_file("hello");
    assert_ne!(
        std::fs::read(&file).unwrap(),
        std::fs::read(&workspace.kept).unwrap(),
        "the flags do something"
    );
    workspace.fixture.app().arg(&file).go().ok().prints(RAN);
}

// C13
#[test]
fn the_plugin_is_linked_by_another_linker() {
    plugin_opens_with("-Clink-arg=-fuse-ld=bfd");
}

// C13
#[test]
fn the_plugin_is_stripped_by_the_compiler() {
    plugin_opens_with("-Cstrip=symbols");
}

/// Builds one workspace in two folders, as two users, and compares all that was made.
#[track_caller]
fn same_bytes(name: &str, options: &[&str]) {
    let here = Fixture::empty(name);
    fill(&here);
    let there = here.moved(&format!("another folder for {name}"));
    let build = |fixture: &Fixture| options.iter().fold(fixture.build(), |call, option| call.arg(option));
    build(&here).go().ok();
    build(&there).of_somebody_else(&there).go().ok();
    for (one, other) in [(&here, &there), (&there, &here)] {
        let run: Ran = one.app().arg(other.plugin_file("hello")).go();
        run.ok().prints(RAN);
    }
    let made = |fixture: &Fixture| [fixture.library(), fixture.outcome("app"), fixture.plugin_file("hello")];
    for (one, other) in made(&here).iter().zip(&made(&there)) {
        assert_eq!(one.file_name(), other.file_name());
        let same = std::fs::read(one).unwrap() == std::fs::read(other).unwrap();
        assert!(same, "{} and {} differ", one.display(), other.display());
    }
}

// B22, C13
#[test]
fn two_folders_and_users_make_the_same_bytes() {
    same_bytes("twice", &[]);
}

// B22, C13
#[test]
fn two_folders_and_users_make_the_same_bytes_in_release() {
    same_bytes("twice-released", &["--release"]);
}
