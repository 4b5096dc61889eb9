//! The SDK: made of a host's workspace, it is enough to build plugins elsewhere, which that very host opens.

use crate::harness::{Call, Fixture, Kind, Ran, copy, repository, shared_target};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// `examples/runtime`: a folder with its host in `out`, and its SDK in `given away`.
static RUNTIME: LazyLock<Fixture> = LazyLock::new(|| {
    let fixture = Fixture::folder("sdk-runtime");
    of_the_example(&fixture, "build").go().ok();
    of_the_example(&fixture, "sdk").arg("-o").arg(given_away(&fixture)).go().ok().says("shared crates");
    fixture
});

fn of_the_example(fixture: &Fixture, subcommand: &str) -> Call {
    let manifest = repository().join("examples/runtime/Cargo.toml");
    fixture.tool(subcommand).arg("--manifest-path").arg(manifest)
}

fn given_away(fixture: &Fixture) -> PathBuf {
    let folder = fixture.root().join("given away");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join("runtime-api-0.1.0-x86_64-unknown-linux-gnu.sdk.tar.zst")
}

/// The plugin `summary`, made anew from the SDK by somebody else, with more in it than the example's has.
static SUMMARY: LazyLock<Fixture> = LazyLock::new(|| {
    let author = Fixture::folder("sdk-author");
    let new = author.bare_tool().args(["new", "projects/summary", "--sdk"]).arg(given_away(&RUNTIME));
    new.of_somebody_else(&author).go().ok().says("Created the plugin `summary`");
    let project = author.root().join("projects/summary");
    let own = repository().join("examples/runtime/plugins/summary/src/lib.rs");
    let more = "\npub mod own;\npub use own::sum;\n\n/// How many calls were counted, this one too.\n\
                pub fn counted() -> u64 { CALLS.fetch_add(1, Ordering::Relaxed) + 1 }\n";
    let source = std::fs::read_to_string(own).unwrap() + more;
    std::fs::write(project.join("src/lib.rs"), source).unwrap();
    copy(&repository().join("tests/sdk/summary"), &project);
    let manifest = std::fs::read_to_string(project.join("Cargo.toml")).unwrap();
    let dependencies = "[build-dependencies]\ncc = \"1\"\n\n[dependencies]\n\
                        serde = { version = \"1\", features = [\"derive\"] }\nserde_json = \"1\"\n\
                        tokio = { version = \"1.49\", features = [\"macros\", \"rt\"] }\n";
    std::fs::write(project.join("Cargo.toml"), manifest.replace("[dependencies]\n", dependencies)).unwrap();
    // The versions of this repository for what is the plugin's own; `sync` brings it in step with the host.
    std::fs::copy(repository().join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
    authors(&author, "sync").go().ok();
    author
});

/// The tool in the author's project.
fn authors(author: &Fixture, subcommand: &str) -> Call {
    author.tool(subcommand).of_somebody_else(author).folder(&author.root().join("projects/summary"))
}

/// A folder with the plugin `station` of the example and this one in the place of `summary`; the host's run with it.
fn run_with(summary: &Path, name: &str) -> Ran {
    let folder = RUNTIME.root().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(RUNTIME.plugin_file("station"), folder.join("libstation.so")).unwrap();
    std::fs::copy(summary, folder.join("libsummary.so")).unwrap();
    RUNTIME.run(&RUNTIME.outcome("runtime-host")).arg(folder).go()
}

fn expected() -> String {
    std::fs::read_to_string(repository().join("examples/runtime/expected.txt")).unwrap()
}

/// All that a folder holds, beneath it too.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn a_plugin_that_was_built_with_an_sdk_elsewhere_shares_all_with_the_host() {
    let library = std::fs::read(RUNTIME.library()).unwrap();
    let built = authors(&SUMMARY, "build").go();
    built.ok().says("Outcome");
    let ran = run_with(&SUMMARY.plugin_file("summary"), "with a stranger");
    ran.ok().prints(&expected()).says("own: {\"sum\":42,\"thread\":\"main\"}");
    assert!(std::fs::read(RUNTIME.library()).unwrap() == library, "the host was built anew");
}

#[test]
fn tests_of_all_kinds_clippy_and_documentation_work_with_the_sdk() {
    let ran = authors(&SUMMARY, "test").go();
    ran.ok()
        .says("test own::tests::it_adds ... ok")
        .says("test own::tests::it_runs_in_a_runtime ... ok")
        .says("test tests::the_mean_comes_last ... ok")
        .says("test the_plugin_counts_where_this_test_reads ... ok")
        .says("test src/own.rs - own::sum (line 18) ... ok");
    authors(&SUMMARY, "test").args(["--lib", "it_adds"]).go().ok().says("1 passed").says("3 filtered out");
    let ran = authors(&SUMMARY, "clippy").args(["--all-targets", "--", "-D", "warnings"]).go();
    ran.ok().does_not_say("warning:");
    authors(&SUMMARY, "doc").go().ok().does_not_say("warning:");
    let folder = SUMMARY.root().join("projects/summary");
    let source = std::fs::read_to_string(folder.join("src/own.rs")).unwrap();
    let wrong = source.replace("numbers.len())", "numbers.len() + 0 * 1)");
    std::fs::write(folder.join("src/own.rs"), wrong).unwrap();
    let ran = authors(&SUMMARY, "clippy").args(["--", "-D", "warnings"]).go();
    std::fs::write(folder.join("src/own.rs"), source).unwrap();
    ran.fails_with(1).says("clippy::");
}

#[test]
fn an_sdk_names_no_path_of_the_machine_that_made_it() {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo"))).unwrap();
    let paths = [repository(), shared_target().to_owned(), RUNTIME.root().to_owned(), home];
    let paths = paths.map(|path| path.to_str().unwrap().as_bytes().to_vec());
    let all = unpacked(&given_away(&RUNTIME), &RUNTIME);
    let found = files(&all);
    assert!(found.len() > 30, "{found:?}");
    for file in found {
        let bytes = std::fs::read(&file).unwrap();
        for path in &paths {
            let holds = bytes.windows(path.len()).any(|w| w == path);
            assert!(!holds, "{} holds {}", file.display(), String::from_utf8_lossy(path));
        }
    }
}

/// Unpacks an SDK with the tools that everybody has.
fn unpacked(archive: &Path, fixture: &Fixture) -> PathBuf {
    let folder = fixture.root().join("unpacked");
    let _ = std::fs::remove_dir_all(&folder);
    let mut archive = tar::Archive::new(zstd::Decoder::new(std::fs::File::open(archive).unwrap()).unwrap());
    archive.unpack(&folder).unwrap();
    folder
}

#[test]
fn an_sdk_that_is_made_twice_has_the_same_bytes() {
    let again = RUNTIME.root().join("again.sdk.tar.zst");
    let made = of_the_example(&RUNTIME, "sdk").args(["--message-format", "json", "-o"]).arg(&again).go();
    let last = made.ok().stdout.lines().last().unwrap();
    let last: serde_json::Value = serde_json::from_str(last).unwrap();
    assert_eq!((&last["reason"], &last["package"]), (&"dynplug-sdk".into(), &"runtime-api".into()));
    assert_eq!(last["filename"], again.to_str().unwrap());
    let [one, other] = [given_away(&RUNTIME), again].map(|path| std::fs::read(path).unwrap());
    assert_eq!(last["size"], one.len());
    assert!(one == other, "the two differ");

    // Nothing is packed again that is there as it was packed.
    let again = RUNTIME.root().join("again.sdk.tar.zst");
    let make = || of_the_example(&RUNTIME, "sdk").arg("-o").arg(&again).go();
    make().ok().does_not_say("Packing").says("again.sdk.tar.zst (");
    std::fs::write(&again, "somebody else's").unwrap();
    make().ok().says("Packing");
    assert_eq!(std::fs::read(&again).unwrap(), one);
    std::fs::remove_file(&again).unwrap();
    make().ok().says("Packing");
}

#[test]
fn a_plugin_is_compared_with_the_sdk_of_a_host_that_is_not_at_hand() {
    authors(&SUMMARY, "build").go().ok();
    let check = |file: &Path, sdk: &Path| RUNTIME.bare_tool().arg("check").arg(file).arg("--sdk").arg(sdk);
    let ours = SUMMARY.plugin_file("summary");
    check(&ours, &given_away(&RUNTIME)).go().ok().says("the plugin `summary` 0.1.0 fits");
    let said = check(&ours, &given_away(&RUNTIME)).arg("--json").go();
    let said: serde_json::Value = serde_json::from_str(said.ok().stdout.trim()).unwrap();
    assert_eq!(said["fits"], true, "{said}");
    let other = small();
    let ran = check(&ours, &sdk_of(other)).go();
    ran.fails_with(1).says("does not fit").says("app-api");
    // The author has no workspace that the host is in.
    ran.says("`cargo dynplug build -p summary --sdk FILE`").does_not_say("`cargo dynplug build`");
    check(&ours, Path::new("nothing")).go().fails_with(2).says("there is no SDK at");
}

/// A small host, and its SDK.
pub fn small() -> &'static Fixture {
    static SMALL: LazyLock<Fixture> = LazyLock::new(|| {
        let fixture = Fixture::empty("sdk-small");
        fixture
            .api(API)
            .host(HOST)
            .plugin("inside", "#[dynplug::export]\npub fn f() { println!(\"inside\") }\n");
        fixture.build().go().ok();
        fixture.tool("sdk").arg("-o").arg(sdk_of(&fixture)).go().ok();
        fixture
    });
    &SMALL
}

pub fn sdk_of(fixture: &Fixture) -> PathBuf {
    fixture.root().join("app.sdk.tar.zst")
}

pub const API: &str = "//! What is shared.\n\npub use dynplug;\n\n/// How many calls there were.\n\
                       pub static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);\n";

/// Opens the plugins that its arguments name, and calls each one's `greet` or `f`.
pub const HOST: &str = r#"
use app_api::dynplug::Plugin;
fn main() {
    for file in std::env::args_os().skip(1) {
        // SAFETY: the build made it.
        let plugin = match unsafe { Plugin::open(&file) } {
            Ok(plugin) => plugin,
            Err(error) => {
                println!("{error}");
                std::process::exit(1);
            }
        };
        match plugin.lookup::<fn(&str) -> String>("greet") {
            Ok(greet) => println!("{}", greet("host")),
            Err(_) => plugin.lookup::<fn()>("f").unwrap_or_else(|error| panic!("{error}"))(),
        }
    }
    println!("calls: {}", app_api::CALLS.load(std::sync::atomic::Ordering::Relaxed));
}
"#;

#[test]
fn a_new_plugin_loads_and_plain_cargo_works_on_it() {
    let author = Fixture::folder("sdk-plain");
    let sdk = author.root().join("app.sdk.tar.zst");
    std::fs::copy(sdk_of(small()), &sdk).unwrap();
    author.bare_tool().args(["new", "my-plugin", "--sdk", "app.sdk.tar.zst"]).go().ok();
    let project = author.root().join("my-plugin");
    let manifest = std::fs::read_to_string(project.join("Cargo.toml")).unwrap();
    // Side by side they can be moved together.
    assert!(manifest.contains("sdk = \"../app.sdk.tar.zst\""), "{manifest}");
    let build = author.tool("build").folder(&project).go();
    build.ok();
    let run = small().app().arg(author.plugin_file("my_plugin")).go();
    run.ok().says("Hello, host. This is my-plugin.");

    author.cargo("check").folder(&project).go().ok().does_not_say("warning");
    let test = author.cargo("test").folder(&project).go();
    test.ok().says("tests::it_greets_by_name ... ok").says_in_lines(1, "src/lib.rs - greet");
    author.cargo("doc").folder(&project).go().ok().does_not_say("warning");
    let clippy = author.cargo("clippy").args(["--all-targets", "--", "-D", "warnings"]);
    clippy.folder(&project).go().ok();
    author.cargo("fmt").arg("--check").folder(&project).go().ok();
    // The copies of the SDK's sources are no members, which would be tested and documented along.
    let metadata = author.cargo("metadata").args(["--format-version=1", "--no-deps"]).folder(&project).go();
    let metadata: serde_json::Value = serde_json::from_str(&metadata.ok().stdout).unwrap();
    assert_eq!(metadata["workspace_members"].as_array().unwrap().len(), 1);

    // One more in the same workspace, which knows the SDK by then.
    let another = author.bare_tool().args(["new", "another"]).folder(&project).go();
    another.ok().says("Created the plugin `another`").says("Changed");
    author.tool("build").folder(&project).go().ok();
    let run = small().app().arg(author.plugin_file("another")).arg(author.plugin_file("my_plugin")).go();
    run.ok().says("This is another.").says("This is my-plugin.");
    let json = author.tool("test").args(["--message-format", "json", "-p", "another"]).folder(&project).go();
    json.ok().says("\"reason\":\"compiler-artifact\"").says("tests::it_greets_by_name ... ok");
}

#[test]
fn a_name_that_the_host_shares_is_no_name_for_a_plugin() {
    let author = Fixture::folder("sdk-names");
    for name in ["app-api", "app_api", "libc"] {
        let ran = author.bare_tool().args(["new", name, "--sdk"]).arg(sdk_of(small())).go();
        ran.fails_with(2).says("is among what the host shares").says(&format!("--name {name}-plugin"));
    }
    assert_eq!(std::fs::read_dir(author.root()).unwrap().count(), 0);
}

// C13
#[test]
fn comments_folders_and_users_make_no_difference_to_an_sdk() {
    let here = Fixture::empty("sdk-commented");
    here.api(API).host(HOST);
    here.build().go().ok();
    here.tool("sdk").arg("-o").arg(sdk_of(&here)).go().ok();
    let there = here.moved("another folder for an SDK");
    let moved = there.tool("sdk").arg("-o").arg(sdk_of(&there)).of_somebody_else(&there).go();
    moved.ok();
    let same = std::fs::read(sdk_of(&here)).unwrap() == std::fs::read(sdk_of(&there)).unwrap();
    assert!(same, "the SDKs of two folders and users differ");

    there.replace("app-api/src/lib.rs", "//! What is shared.", "//! What is\n//! shared.\n// And more.");
    there.tool("sdk").arg("-o").arg(sdk_of(&there)).of_somebody_else(&there).go().ok();
    let different = std::fs::read(sdk_of(&here)).unwrap() != std::fs::read(sdk_of(&there)).unwrap();
    assert!(different, "the comment is in no file of the SDK");
    let author = Fixture::folder("sdk-of-comments");
    author.bare_tool().args(["new", "harmless", "--sdk"]).arg(sdk_of(&there)).go().ok();
    author.tool("build").folder(&author.root().join("harmless")).go().ok();
    here.app().arg(author.plugin_file("harmless")).go().ok().says("This is harmless.");
}

/// All files of a project, but not what is built there.
fn contents(project: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let is_source = |path: &PathBuf| !path.starts_with(project.join("target"));
    files(project)
        .into_iter()
        .filter(is_source)
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

#[test]
fn a_newer_sdk_of_the_host_is_followed() {
    let host = Fixture::empty("sdk-growing");
    host.api(API).host(HOST);
    host.tool("sdk").arg("-o").arg(sdk_of(&host)).go().ok();
    let author = Fixture::folder("sdk-following");
    author.bare_tool().args(["new", "follower", "--sdk"]).arg(sdk_of(&host)).go().ok();
    let project = author.root().join("follower");
    let tool = |subcommand: &str| author.tool(subcommand).folder(&project);
    tool("build").go().ok();
    tool("sync").arg("--dry-run").go().ok().says("In step");

    // The API crate has more, of its own and from a new crate, under its old version and then under a new one.
    let more = format!("{API}\n/// New.\npub use extra::more;\n");
    host.package("extra", Kind::Library, &[], "//! New.\n\n/// New.\npub fn more() -> u32 { 6 }\n");
    host.package("app-api", Kind::Api, &["dynplug", "extra"], &more);
    for version in ["0.1.0", "0.2.0"] {
        host.replace("app-api/Cargo.toml", "version = \"0.1.0\"", &format!("version = \"{version}\""));
        host.build().go().ok();
        host.tool("sdk").arg("-o").arg(sdk_of(&host)).go().ok();
        let ran = tool("build").go();
        ran.fails_with(1)
            .says("`cargo dynplug sync`")
            .says("came with another SDK")
            .says_in_lines(1, "error");
        tool("sync").arg("--dry-run").go().fails_with(1).says("Would renew");
        tool("sync").go().ok().says("Renewing").says("sdk/app-api");
        assert!(project.join("sdk/extra/src/lib.rs").is_file());
        let source = "#[dynplug::export]\npub fn f() { println!(\"more: {}\", app_api::more()) }\n";
        std::fs::write(project.join("src/lib.rs"), source).unwrap();
        tool("build").go().ok();
        host.app().arg(author.plugin_file("follower")).go().ok().says("more: 6");
        author.cargo("check").folder(&project).go().ok();
    }

    // An SDK in another place: who takes it over names it from then on.
    let elsewhere = host.path("newest.sdk.tar.zst");
    host.package(
        "app-api",
        Kind::Api,
        &["dynplug"],
        &format!("{API}\n/// Newer.\npub fn more() -> u32 {{ 7 }}\n"),
    );
    host.build().go().ok();
    host.tool("sdk").arg("-o").arg(&elsewhere).go().ok();
    let named = |name: &str| std::fs::read_to_string(project.join("Cargo.toml")).unwrap().contains(name);
    let sync = |words: &[&str]| {
        words.iter().fold(tool("sync"), |call, word| call.arg(word)).arg("--sdk").arg(&elsewhere)
    };
    sync(&["--dry-run"]).go().fails_with(1).says("Would set").says("newest.sdk.tar.zst");
    assert!(!named("newest.sdk.tar.zst"));
    // What doesn't come off changes nothing: neither what is named nor the sources nor the lock file.
    let before = contents(&project);
    let manifest = std::fs::read_to_string(project.join("Cargo.toml")).unwrap();
    let broken = manifest.replace("crate-type = [\"lib\", \"cdylib\"]", "crate-type = [\"lib\"]");
    std::fs::write(project.join("Cargo.toml"), &broken).unwrap();
    sync(&[]).go().fails_with(2).does_not_say("Setting").says("nothing was changed");
    assert_eq!(std::fs::read_to_string(project.join("Cargo.toml")).unwrap(), broken);
    std::fs::write(project.join("Cargo.toml"), &manifest).unwrap();
    assert!(contents(&project) == before, "something was changed");
    sync(&[]).go().ok().says("Setting").says("newest.sdk.tar.zst").says("Renewing");
    assert!(named("newest.sdk.tar.zst"));
    tool("build").go().ok();
    sync(&["--dry-run"]).go().ok().says("In step");
}
