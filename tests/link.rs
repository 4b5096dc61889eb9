//! `cargo dynplug link`: what it takes, what it makes, and what it says.

use crate::harness::{Fixture, Kind};
use std::process::Command;

/// A host whose `main` is in its library, as programs with plugins linked in want it.
const HOST: &str = "\
use app_api::dynplug::linked_in;

/// The program.
pub fn main() {
    for plugin in linked_in() {
        let plugin = plugin.open().unwrap_or_else(|error| panic!(\"{error}\"));
        println!(\"{}: {}\", plugin.name(), plugin.lookup::<fn() -> u32>(\"number\").unwrap()());
    }
}
";

fn plugin(number: u32) -> String {
    format!("/// A number.\n#[dynplug::export]\npub fn number() -> u32 {{ {number} }}\n")
}

fn workspace(name: &str) -> Fixture {
    let fixture = Fixture::empty(name);
    fixture
        .api("pub use dynplug;\n")
        .package("app", Kind::Library, &["app-api"], HOST)
        .file("app/src/main.rs", "fn main() {\n    app::main()\n}\n")
        .plugin("one", &plugin(1))
        .plugin("two", &plugin(2));
    fixture
}

#[test]
fn members_folders_and_repositories_are_linked_in_and_listed() {
    let fixture = workspace("link");
    // A repository that has the runtime, as a project's would, and a plugin.
    let elsewhere = fixture.root().with_file_name("link and its repository");
    for name in ["dynplug", "dynplug-macros", "dynplug-manifest"] {
        let path = std::path::Path::new("crates").join(name);
        crate::harness::copy(&crate::harness::repository().join(&path), &elsewhere.join(&path));
    }
    let write = |path: &str, text: &str| {
        let path = elsewhere.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let workspace = std::fs::read_to_string(crate::harness::repository().join("Cargo.toml")).unwrap();
    write(
        "Cargo.toml",
        &workspace.replace("members = [\"crates/*\"]", "members = [\"crates/*\", \"three\"]"),
    );
    write(
        "three/Cargo.toml",
        "[package]\nname = \"three\"\nversion = \"0.3.0\"\nedition = \"2024\"\n\
         [lib]\ncrate-type = [\"lib\", \"cdylib\"]\n[dependencies]\ndynplug.workspace = true\n",
    );
    write("three/src/lib.rs", &plugin(3));
    let address = format!("file://{}", elsewhere.display());
    let dependency = format!("dynplug = {{ git = '{address}', branch = \"main\" }}");
    let members = "[workspace]\nresolver = \"3\"\nmembers = [\"link/*\"]\n";
    fixture.root_file("Cargo.toml", &format!("{members}\n[workspace.dependencies]\n{dependency}\n"));
    let git = |words: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]).args(words);
        assert!(git.current_dir(&elsewhere).output().unwrap().status.success(), "git {words:?}");
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "a plugin"]);

    let target = crate::harness::shared_target().join("plain");
    let link = || {
        let link = fixture.bare_tool().arg("link").arg("--target-dir").arg(&target).args(["--with", "one"]);
        link.arg("--with").arg(format!("two={}", fixture.path("two").display()))
    };
    let project = fixture.root().join("project");
    let program = fixture.root().join("with all three");
    let repository = format!("three={address}?branch=main");
    let call = link().arg("--with").arg(repository).arg("--project").arg(&project).arg("-o").arg(&program);
    call.arg("--list").of_somebody_else(&fixture).go().ok().says_in_order([
        "one 0.1.0",
        "number  fn number() -> u32",
        "two 0.1.0",
        "three 0.3.0",
        "number  fn number() -> u32",
    ]);
    fixture.run(&program).empty_environment().go().ok().prints("one: 1\nthree: 3\ntwo: 2");
    // What was made can be read, kept and built by plain cargo.
    let main = std::fs::read_to_string(project.join("src/main.rs")).unwrap();
    assert!(main.contains("use plugin_one as _;\n") && main.contains("    host::main()\n"), "{main}");
    let manifest = std::fs::read_to_string(project.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("path = \"../link/app\""), "paths can be moved with the workspace: {manifest}");
    fixture.cargo("check").folder(&project).of_somebody_else(&fixture).go().ok();

    let json = link().args(["--message-format", "json", "-o"]).arg(&program).of_somebody_else(&fixture).go();
    json.ok().says("\"reason\":\"dynplug-linked\"").says("\"exports\":[\"number\"]");
    for line in json.stdout.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|e| panic!("{line}: {e}"));
    }
    std::fs::remove_dir_all(elsewhere).unwrap();
}

#[test]
fn what_cannot_be_linked_is_said_before_anything_is_compiled() {
    let fixture = workspace("link refuses");
    fixture.replace("two/Cargo.toml", "[\"lib\", \"cdylib\"]", "[\"cdylib\"]");
    let says = |words: &[&str], texts: &[&str]| {
        let link = fixture.bare_tool().arg("link").env("CARGO_TARGET_DIR", fixture.root().join("target"));
        let ran = words.iter().fold(link, |call, word| call.arg(word)).go();
        ran.fails_with(2).does_not_say("Compiling");
        for text in texts {
            ran.says(text);
        }
    };
    says(&["--with", "two"], &["can't be linked into another crate", "crate-type = [\"lib\", \"cdylib\"]"]);
    says(&["--with", "one", "--with", "one"], &["`one` is named twice"]);
    says(&["--with", "./nowhere"], &["names no plugin", "there is no "]);
    says(&["--with", "nobody"], &["no member of that name", "--with nobody@*"]);
    says(&["--with", "one@1..2"], &["`1..2` is no version"]);
    says(&["--with", "other=link refuses/one"], &["the package there is `one`"]);
    says(&["--with", "https://a.example/x"], &["the name of the package is missing"]);
    says(&["-p", "nobody"], &["no package `nobody`"]);
    std::fs::remove_file(fixture.path("app/src/lib.rs")).unwrap();
    says(&["--with", "one"], &["`app` has no library", "pub fn main()"]);
}
