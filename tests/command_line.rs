//! The tool as a program: what it prints for people and for programs, its exit codes, and the folders that it works in.

use crate::harness::{Fixture, Kind, repository, skipped};
use std::path::{Path, PathBuf};

#[test]
fn the_example_greets() {
    let fixture = Fixture::empty("example");
    let manifest = repository().join("examples/hello/Cargo.toml");
    let ran = fixture.tool("run").arg("--manifest-path").arg(manifest).go();
    ran.ok().prints("Hello, number 7").says("Running");
}

#[test]
fn messages_as_json_are_json_on_every_line() {
    let fixture = Fixture::usual("json", "#[dynplug::export]\npub fn f() { println!() }\n");
    fixture.root_manifest("[profile.dev]\nlto = \"fat\"\n");
    let ran = fixture.build().args(["--message-format", "json"]).go();
    ran.ok();
    let lines: Vec<serde_json::Value> = ran
        .stdout
        .lines()
        .map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}\n{ran}")))
        .collect();
    let with = |reason: &str| {
        lines.iter().find(|l| l["reason"] == reason).unwrap_or_else(|| panic!("no {reason}\n{ran}"))
    };
    assert_eq!(with("dynplug-api-library")["package"], "app-api");
    assert_eq!(with("dynplug-api-library")["identity"].as_str().map(str::len), Some(64));
    assert_eq!(with("dynplug-host")["name"], "app");
    assert_eq!(with("dynplug-plugin")["package"], "hello");
    assert_eq!(with("dynplug-diagnostic")["code"], "lto-overridden");
    for reason in ["dynplug-api-library", "dynplug-host", "dynplug-plugin"] {
        let file = with(reason)["filename"].as_str().unwrap();
        assert!(Path::new(file).is_file() && Path::new(file).starts_with(fixture.root()), "{file}");
    }
    with("compiler-artifact");

    fixture.file("hello/src/lib.rs", "#[dynplug::export]\npub fn f() { nothing() }\n");
    let ran = fixture.build().args(["--message-format", "json"]).go();
    ran.fails_with(1);
    let messages: Vec<serde_json::Value> =
        ran.stdout.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(
        messages.iter().any(|m| m["reason"] == "compiler-message" && m["message"]["level"] == "error"),
        "{ran}"
    );
    assert!(!messages.iter().any(|m| m["reason"] == "dynplug-plugin"), "{ran}");

    let ran = fixture.build().args(["--message-format", "json", "-p", "unknown"]).go();
    ran.fails_with(2);
    let message: serde_json::Value = serde_json::from_str(ran.stdout.trim()).unwrap();
    assert_eq!((&message["reason"], &message["level"]), (&"dynplug-diagnostic".into(), &"error".into()));
}

#[test]
fn exit_codes_tell_success_failure_and_misuse_apart() {
    let fixture = Fixture::usual("exit-codes", "#[dynplug::export]\npub fn f() { std::process::exit(37) }\n");
    fixture.bare_tool().arg("--help").go().ok().says("build").says("run");
    fixture.bare_tool().arg("--version").go().ok();
    fixture.bare_tool().go().fails_with(2);
    fixture.build().arg("--no-such-option").go().fails_with(2).says("--no-such-option");
    fixture.build().args(["--features", "no-such-feature"]).go().fails_with(2).says("no-such-feature");
    fixture
        .build()
        .args(["--manifest-path", "no/such/Cargo.toml"])
        .go()
        .fails_with(2)
        .says("no/such/Cargo.toml");
    fixture.build().go().ok();
    // The host's exit code is its own.
    fixture.tool("run").go().fails_with(37);
    fixture.tool("run").args(["--bin", "other"]).go().fails_with(2).says("`other`").says("app");
    // What can't be run, or be asked for, is told before anything is built.
    fixture.replace("hello/src/lib.rs", "pub fn", "\npub fn");
    let refused = |subcommand: &str, words: &[&str], said: &str| {
        let call = words.iter().fold(fixture.tool(subcommand), |call, word| call.arg(word));
        call.go().fails_with(2).says(said).does_not_say("Compiling").does_not_say("Finished");
    };
    refused("run", &["-p", "hello"], "error[dynplug::unknown-host]: the plugin `hello` can't be run");
    refused("run", &["--bin", "other"], "error[dynplug::unknown-host]");
    refused("build", &["--profile", "relase"], "did you mean `release`?");
    fixture.tool("run").args(["-p", "app"]).go().fails_with(37);
    // A feature of a package that isn't built would change nothing.
    fixture.package(
        "second",
        Kind::Plugin,
        &["app-api", "dynplug", "", "[features]", "more = []"],
        "use app_api as _;\n",
    );
    let said = "error[dynplug::unknown-feature]: the package `hello` has no feature";
    for name in ["more", "second/more"] {
        refused("build", &["-p", "hello", "--features", name], said);
        refused("build", &["-p", "hello", "--features", name], "build that package too: `-p second`");
    }
    for subcommand in ["run", "test", "clippy", "doc", "sdk", "bundle"] {
        refused(
            subcommand,
            &["--features", "mor"],
            "error[dynplug::unknown-feature]: no package of the workspace",
        );
        refused(subcommand, &["--features", "mor"], "there are: more\n");
    }
    fixture.build().args(["-p", "second", "--features", "more"]).go().ok();
    fixture.file("hello/src/lib.rs", "#[dynplug::export]\npub fn f() { nothing() }\n");
    fixture.build().go().fails_with(1).says("cannot find function `nothing`");
}

#[test]
fn an_outcome_with_blanks_and_other_letters_in_its_path_runs_elsewhere_without_an_environment() {
    let fixture = Fixture::empty("ein Gerüst — テスト").own_target();
    fixture.api("pub use dynplug;\n").host(crate::harness::CALLS_F);
    fixture.plugin("hello", "#[dynplug::export]\npub fn f() { println!(\"moved\") }\n");
    fixture.build().go().ok();
    let elsewhere = fixture.root().join("anderswo ü");
    std::fs::rename(fixture.outcome(""), &elsewhere).unwrap();
    std::fs::remove_dir_all(fixture.root().join("target folder")).unwrap();
    let host = elsewhere.join("app");
    fixture.run(&host).folder(Path::new("/")).empty_environment().go().ok().prints("moved");
    // By way of the library beside it.
    let is_library = |path: &Path| path.extension().is_some_and(|e| e == "so");
    let mut files = std::fs::read_dir(&elsewhere).unwrap().map(|entry| entry.unwrap().path());
    std::fs::remove_file(files.find(|path| is_library(path)).unwrap()).unwrap();
    fixture.run(&host).empty_environment().go().fails_with(127).says("libapp_api");
}

#[test]
fn every_code_is_explained_and_one_that_is_not_there_is_guessed() {
    let fixture = Fixture::empty("explain");
    let explain = |code: &str| fixture.bare_tool().args(["explain", code]).go();
    explain("[dynplug::no-sdk]").ok().says_in_order(["no-sdk: there is no SDK", "To do: "]);
    explain("crate-content").ok().says("said when a plugin is opened or checked");
    explain("missing-featre").fails_with(2).says("did you mean `missing-feature`?");
    let all = fixture.bare_tool().args(["explain", "--message-format", "json"]).go();
    all.ok();
    for line in all.stdout.lines() {
        let json: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        assert_eq!(json["reason"], "dynplug-explanation");
    }
    assert!(all.stdout.lines().count() > 60, "{all}");
}

#[test]
fn a_man_page_is_printed_or_all_are_written() {
    let fixture = Fixture::folder("man");
    let man =
        |words: &[&str]| words.iter().fold(fixture.bare_tool().arg("man"), |call, word| call.arg(word)).go();
    let program = man(&[]);
    program.ok().says(".TH cargo-dynplug 1").says(".SH SUBCOMMANDS");
    let page = man(&["build"]);
    page.ok().says(".TH cargo-dynplug-build 1").says(".SH EXAMPLES");
    man(&["biuld"]).fails_with(2).says("error[dynplug::unknown-subcommand]").says("did you mean `build`?");
    man(&["build", "-o", "pages"]).fails_with(2).says("cannot be used with");
    // The same are written.
    let folder = fixture.root().join("pages");
    fixture.bare_tool().args(["man", "-o"]).arg(&folder).go().ok().says("Wrote");
    for (name, printed) in [("cargo-dynplug", &program), ("cargo-dynplug-build", &page)] {
        let written = std::fs::read_to_string(folder.join(format!("{name}.1"))).unwrap();
        assert_eq!(written.trim_end(), printed.stdout.trim_end());
    }
    // What only completions ask isn't for people.
    assert!(!folder.join("cargo-dynplug-packages.1").exists());
}

#[test]
#[cfg(unix)]
fn shells_complete_subcommands_and_the_packages_of_the_workspace() {
    let fixture = Fixture::usual("completed", "#[dynplug::export]\npub fn f() {}\n");
    let folder = fixture.root().join("bin");
    std::fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_cargo-dynplug"), folder.join("cargo-dynplug")).unwrap();
    let script = |shell: &str| {
        let ran = fixture.bare_tool().args(["completions", shell]).go();
        fixture.root_file(shell, &ran.ok().stdout);
        fixture.root().join(shell).display().to_string()
    };
    let path = format!("export PATH={}:$PATH", folder.display());
    if let Some(bash) = found("bash") {
        let bash_script = script("bash");
        let completed = |words: &str| {
            let commands = format!(
                "{path}\nsource {bash_script}\nCOMP_WORDS=({words}) COMP_CWORD=$((${{#COMP_WORDS[@]}}-1))\n\
                 __cargo_dynplug_or_cargo cargo\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
            );
            fixture.system(&bash).arg("-c").arg(commands).folder(fixture.root()).go()
        };
        completed("cargo dynplug bui").ok().prints("build");
        completed("cargo dynplug p").ok().prints("pin");
        completed("cargo dynplug build -p ''").ok().prints("app\napp-api\nhello");
        completed("cargo +stable dynplug build --package he").ok().prints("hello");
        // Of a subcommand that means a file by it.
        completed("cargo dynplug verify -p he").ok().does_not_say("hello");
    }
    if let Some(fish) = found("fish") {
        let fish_script = script("fish");
        let fish_path = format!("set -x PATH {} $PATH", folder.display());
        let completed = |words: &str| {
            let commands = format!("{fish_path}\nsource {fish_script}\ncomplete -C '{words}'");
            fixture.system(&fish).arg("-c").arg(commands).folder(fixture.root()).go()
        };
        completed("cargo-dynplug build -p he").ok().prints("hello");
        completed("cargo dynplug build -p he").ok().says("hello");
    }
    if let Some(zsh) = found("zsh") {
        // What it would say needs a terminal; that it can be read doesn't.
        let zsh_script = script("zsh");
        fixture.system(&zsh).arg("-n").arg(&zsh_script).go().ok();
        let text = std::fs::read_to_string(&zsh_script).unwrap();
        assert!(text.contains(":SPEC:_cargo-dynplug_packages"), "{text}");
        assert!(text.find("_cargo-dynplug_packages() {") < text.find("if [ \"$funcstack[1]\" = "), "{text}");
    }
}

/// A shell, if it is here.
#[cfg(unix)]
fn found(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    let file = std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|file| file.is_file());
    if file.is_none() {
        skipped(&format!("{name} is not here"));
    }
    file
}

#[test]
fn a_target_folder_may_be_a_link() {
    let fixture =
        Fixture::usual("linked-target", "#[dynplug::export]\npub fn f() { println!(\"linked\") }\n");
    let elsewhere = fixture.root().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, fixture.root().join("target")).unwrap();
    fixture.bare_tool().arg("build").go().ok();
    fixture.run(&elsewhere.join("dynplug/debug/app")).go().ok().prints("linked");
}
