//! `cargo dynplug new`: what it makes works as it is, and where it makes nothing, nothing is left. Plugins made with an
//! SDK are in `sdk.rs`.

use crate::harness::{Call, Fixture};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// A folder with the new workspace `greeter` in it.
static GREETER: LazyLock<Mutex<Fixture>> = LazyLock::new(|| {
    let fixture = Fixture::folder("new");
    new(&fixture, &["greeter", "--host"]).go().ok().says("Created the host `greeter`");
    Mutex::new(fixture)
});

fn greeter() -> MutexGuard<'static, Fixture> {
    GREETER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `cargo dynplug new` with these arguments, in the fixture's folder.
fn new(fixture: &Fixture, arguments: &[&str]) -> Call {
    arguments.iter().fold(fixture.bare_tool().arg("new"), |call, word| call.arg(word))
}

/// Everything in a folder, with the contents of the files.
fn all(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(all(&path));
            found.push((path, Vec::new()));
        } else {
            found.push((path.clone(), std::fs::read(path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_new_host_runs_and_plain_cargo_works_on_it() {
    let fixture = greeter();
    let root = fixture.root().join("greeter");
    let run = fixture.tool("run").folder(&root).go();
    run.ok().says_in_order(["Hello, world", "counted: "]);
    for subcommand in ["check", "doc"] {
        let ran = fixture.cargo(subcommand).arg("--workspace").folder(&root).go();
        ran.ok().does_not_say("warning");
    }
    let ran = fixture.cargo("test").arg("--workspace").folder(&root).go();
    ran.ok().says("test tests::it_says_hello ... ok").says("test plugins/hello/src/lib.rs - greet");
    fixture.cargo("fmt").args(["--all", "--check"]).folder(&root).go().ok();
    let clippy = fixture.cargo("clippy").args(["--workspace", "--all-targets", "--", "-D", "warnings"]);
    clippy.folder(&root).go().ok();
}

#[test]
fn a_new_plugin_in_a_hosts_workspace_is_a_member_and_the_host_opens_it() {
    let fixture = greeter();
    let root = fixture.root().join("greeter");
    let before = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    // One that the workspace's `members` speak of already, from within a folder of it, and one that they don't.
    let made = fixture.bare_tool().args(["new", "second"]).folder(&root.join("plugins")).go();
    made.ok().says("Created the plugin `second` for hosts with the API crate `greeter-api 0.1.0`");
    made.does_not_say("Changed");
    assert_eq!(std::fs::read_to_string(root.join("Cargo.toml")).unwrap(), before);
    let made = new(&fixture, &["greeter/more/deep/3rd", "--name", "third", "--message-format", "json"]).go();
    let made: serde_json::Value = serde_json::from_str(made.ok().stdout.trim()).unwrap();
    let folder = root.join("more/deep/3rd");
    assert_eq!(made["reason"], "dynplug-new");
    assert_eq!((&made["kind"], &made["name"]), (&"plugin".into(), &"third".into()));
    assert_eq!(made["folder"], folder.to_str().unwrap());
    assert_eq!(made["changed"][0], root.join("Cargo.toml").to_str().unwrap());
    assert_eq!(made["packages"][0]["manifest_path"], folder.join("Cargo.toml").to_str().unwrap());

    let run = fixture.tool("run").folder(&root).go();
    run.ok().says("Hello, world. This is second.").says("Hello, world. This is third.");
    let test = fixture.tool("test").args(["-p", "third"]).folder(&root).go();
    test.ok().says("tests::it_greets_by_name ... ok").says_in_lines(1, "src/lib.rs - greet");
    std::fs::remove_dir_all(root.join("plugins/second")).unwrap();
    std::fs::remove_dir_all(root.join("more")).unwrap();
    std::fs::write(root.join("Cargo.toml"), before).unwrap();
}

#[test]
fn what_a_workspace_says_of_its_members_holds_for_a_new_plugin() {
    let fixture = Fixture::empty("new-member");
    fixture.root_manifest(
        "[workspace.package]\nedition = \"2021\"\n\n[workspace.lints.rust]\nmissing_docs = \"deny\"\n",
    );
    fixture.api("//! The API.\n\npub use dynplug;\n").host("fn main() {}\n");
    // The API crate is no dependency of the workspace's, and is found by its path.
    let made = new(&fixture, &["new-member/newcomer"]).go();
    made.ok();
    let manifest = std::fs::read_to_string(fixture.path("newcomer/Cargo.toml")).unwrap();
    for line in
        ["dynplug.workspace = true", "app-api = { path = \"../app-api\" }", "edition.workspace = true"]
    {
        assert!(manifest.contains(line), "{line}: {manifest}");
    }
    assert!(manifest.contains("[lints]\nworkspace = true"), "{manifest}");
    fixture.cargo("check").args(["-p", "newcomer"]).go().ok().does_not_say("warning");
}

#[test]
fn nothing_is_made_where_something_is_there() {
    let fixture = Fixture::folder("new-taken");
    fixture.root_file("full/file", "mine").root_file("a file", "mine");
    std::fs::create_dir(fixture.root().join("empty")).unwrap();
    let before = all(fixture.root());
    new(&fixture, &["full", "--host"]).go().fails_with(2).says("full is there already, and is not empty");
    new(&fixture, &["a file", "--host"]).go().fails_with(2).says("a file is there already, and is no folder");
    new(&fixture, &["a file/below", "--host", "--name", "x"]).go().fails_with(1);
    assert_eq!(all(fixture.root()), before);
    // An empty folder is as good as none, also for who stands in it.
    let made = fixture.bare_tool().args(["new", ".", "--host"]).folder(&fixture.root().join("empty")).go();
    made.ok().says("the host `empty`");
    assert!(fixture.root().join("empty/plugins/hello/src/lib.rs").is_file());
}

#[test]
fn a_name_that_is_none_is_an_error_that_says_what_may_have_been_meant() {
    let fixture = Fixture::folder("new-names");
    for (folder, why, meant) in [
        ("My Plugin", "invalid character ` `", "my-plugin"),
        ("3d", "cannot start with a digit", "plugin-3d"),
        ("fn", "it is a Rust keyword", "fn-plugin"),
        ("test", "test", "test-plugin"),
        ("dynplug", "the crates of the project itself", "dynplug-plugin"),
    ] {
        let ran = new(&fixture, &[&format!("not/yet/there/{folder}"), "--host"]).go();
        ran.fails_with(2).says(why).says(&format!("--name {meant}"));
    }
    assert_eq!(all(fixture.root()), []);

    let fixture = greeter();
    let before = all(&fixture.root().join("greeter/plugins"));
    new(&fixture, &["greeter/plugins/Second One"]).go().fails_with(2).says("did you mean `second-one`?");
    let taken = new(&fixture, &["greeter/plugins/greeter_api"]).go();
    taken.fails_with(2).says("`greeter-api` is among the packages of the workspace");
    assert_eq!(all(&fixture.root().join("greeter/plugins")), before);
}

#[test]
fn without_a_host_the_ways_to_have_one_are_said() {
    let fixture = Fixture::folder("new-hostless");
    let ways = [
        "cargo dynplug new PATH --sdk FILE",
        "inside of the host's workspace",
        "cargo dynplug new PATH --host",
    ];
    let ran = new(&fixture, &["lonely"]).go();
    ran.fails_with(2).says("is not inside of a workspace");
    for way in ways {
        ran.says(way);
    }
    fixture.root_file("other/Cargo.toml", "[workspace]\nmembers = [\"a\"]\n");
    fixture.root_file("other/a/Cargo.toml", "[package]\nname = \"a\"\nversion = \"0.1.0\"\n");
    fixture.root_file("other/a/src/lib.rs", "");
    let ran = new(&fixture, &["other/lonely"]).go();
    ran.fails_with(2).says("has no API crate and names no SDK");
    for way in ways {
        ran.says(way);
    }
    let ran = new(&fixture, &["other/lonely", "--message-format", "json"]).go();
    let said: serde_json::Value = serde_json::from_str(ran.fails_with(2).stdout.trim()).unwrap();
    assert_eq!(said["code"], "no-host");
    // A host is a workspace of its own, wherever it is, unless the one around it wants it for a member.
    new(&fixture, &["other/hosting", "--host"]).go().ok();
    fixture.root_file("other/Cargo.toml", "[workspace]\nmembers = [\"hosts/*\"]\n");
    std::fs::create_dir(fixture.root().join("other/hosts")).unwrap();
    std::fs::rename(fixture.root().join("other/a"), fixture.root().join("other/hosts/a")).unwrap();
    let ran = new(&fixture, &["other/hosts/first", "--host"]).go();
    ran.fails_with(2).says("first is a workspace's").says("multiple workspace roots");
    assert!(!fixture.root().join("other/hosts/first").exists());
}

#[test]
fn the_runtime_is_where_the_user_says() {
    let fixture = Fixture::folder("new-runtime");
    let repository = crate::harness::repository();
    for (name, path) in [("package", "crates/dynplug"), ("repository", ".")] {
        let path = repository.join(path);
        new(&fixture, &[name, "--host", "--dynplug", path.to_str().unwrap()]).go().ok();
        let manifest = std::fs::read_to_string(fixture.root().join(name).join("Cargo.toml")).unwrap();
        let line = format!("dynplug = {{ path = \"{}\" }}", repository.join("crates/dynplug").display());
        assert!(manifest.contains(&line), "{manifest}");
    }
    let ran = new(&fixture, &["nowhere", "--host", "--dynplug", "package"]).go();
    ran.fails_with(2).says("holds no `dynplug`");
    fixture.root_file("other/Cargo.toml", "[package]\nname = \"dynplug\"\nversion = \"9.1.0\"\n");
    fixture.root_file("other/src/lib.rs", "");
    let ran = new(&fixture, &["nowhere", "--host", "--dynplug", "other"]).go();
    ran.fails_with(2).says("have 9.1.0, want");
    assert!(!fixture.root().join("nowhere").exists());
}

#[test]
fn a_new_project_begins_with_the_history_that_is_wanted() {
    let fixture = Fixture::folder("new-history");
    new(&fixture, &["with", "--host"]).go().ok();
    assert!(fixture.root().join("with/.git").is_dir());
    assert_eq!(std::fs::read_to_string(fixture.root().join("with/.gitignore")).unwrap().trim(), "/target");
    new(&fixture, &["without", "--host", "--vcs", "none"]).go().ok();
    assert!(!fixture.root().join("without/.git").exists());
    // Within a history there is none of its own.
    new(&fixture, &["with/within", "--host"]).go().ok();
    assert!(!fixture.root().join("with/within/.git").exists());
    new(&fixture, &["nowhere", "--host", "--vcs", "diary"]).go().fails_with(2).says("diary");
}

#[test]
fn a_plugin_that_was_made_with_an_sdk_is_linked_into_the_host() {
    let fixture = greeter();
    let root = fixture.root().join("greeter");
    let sdk = fixture.root().join("greeter.sdk.tar.zst");
    fixture.tool("sdk").folder(&root).arg("-o").arg(&sdk).go().ok();
    new(&fixture, &["apart", "--sdk", "greeter.sdk.tar.zst"]).go().ok();
    let program = fixture.root().join("greeter with apart");
    // Its copies of the API crate and of the runtime give way to the host's.
    let link = fixture.bare_tool().args(["link", "--with", "apart=../apart", "--with", "greeter-hello"]);
    let link = link.arg("--target-dir").arg(crate::harness::shared_target().join("plain"));
    link.arg("-o").arg(&program).folder(&root).go().ok();
    let ran = fixture.run(&program).empty_environment().go();
    ran.ok().says("Hello, world. This is apart.").says("Hello, world\n").says("counted: 1");
}
