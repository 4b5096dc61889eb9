//! Errors that point to their place in a source file, and to what may have been meant.

use crate::harness::{Fixture, Ran};
use serde_json::Value;

/// Finds a diagnostic with this code among what a build prints for programs, its own and those that came through rustc.
#[track_caller]
fn spans_of(ran: &Ran, code: &str) -> Vec<Value> {
    let long = format!("dynplug::{code}");
    for line in ran.stdout.lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        if message["code"] == code {
            return message["spans"].as_array().unwrap().clone();
        }
        if message["message"]["code"]["code"] == long.as_str() {
            return message["message"]["spans"].as_array().unwrap().clone();
        }
    }
    panic!("no {code}\n{ran}")
}

#[test]
fn what_is_exported_twice_is_shown_in_both_places() {
    let fixture = Fixture::usual(
        "trouble-twice",
        "#[dynplug::export]\npub fn f() {}\n\nmod other {\n    #[dynplug::export]\n    pub fn f() {}\n}\n",
    );
    let ran = fixture.build().go();
    ran.fails_with(1).says("error[dynplug::exported-twice]").says("exports the name `f` twice");
    ran.says("^ exported again here").says("- first exported here").says("hello/src/lib.rs:");
    ran.does_not_say("\u{1b}");
    let spans = spans_of(&fixture.build().arg("--message-format=json").go(), "exported-twice");
    let [again, first] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!((&again["is_primary"], &first["is_primary"]), (&true.into(), &false.into()));
    assert!(first["line_start"].as_u64() < again["line_start"].as_u64(), "{spans:?}");
    // cargo asks for colours where it shows some.
    fixture.build().arg("--color=always").go().says("\u{1b}[").says("exported again here");
}

#[test]
fn entries_of_a_manifest_are_underlined() {
    let fixture = Fixture::usual("trouble-manifest", "#[dynplug::export]\npub fn f() {}\n");
    fixture.root_manifest("[profile.dev]\npanic = \"abort\"\n");
    let manifest = std::fs::read_to_string(fixture.path("hello/Cargo.toml")).unwrap();
    let named = format!("{manifest}\n[package.metadata.dynplug]\nsdk = \"no/such.sdk\"\n");
    fixture.file("hello/Cargo.toml", &named);
    let ran = fixture.build().arg("-phello").go();
    ran.fails_with(2).says("error[dynplug::no-sdk]").says("sdk = \"no/such.sdk\"").says("^ named here");
    // Where it is the command line that names it, no file is to blame.
    let ran = fixture.build().args(["-phello", "--sdk", "no/such.sdk"]).go();
    ran.fails_with(2).does_not_say("named here");

    // cargo leaves such a table alone, so we look.
    let misspelt = format!("{manifest}\n[package.metadata.dynplug]\nsdkk = \"no/such.sdk\"\n");
    fixture.file("hello/Cargo.toml", &misspelt);
    let ran = fixture.build().arg("-phello").go();
    ran.ok()
        .says("warning[dynplug::unknown-key]")
        .says("| sdkk = \"no/such.sdk\"\n   | ^^^^")
        .says("did you mean `sdk`?");

    fixture.file("hello/Cargo.toml", &manifest.replace("\"cdylib\"", "\"staticlib\""));
    let ran = fixture.build().arg("-phello").go();
    ran.fails_with(2).says("error[dynplug::no-plugin]").says("| crate-type = [\"lib\", \"staticlib\"]");
    fixture.file("hello/Cargo.toml", &manifest);
    fixture
        .build()
        .arg("-phello")
        .go()
        .ok()
        .says("panic-overridden")
        .says("| panic = \"abort\"\n  | ^^^^^^^^^^^^^^^");
    fixture.build().args(["-phello", "--quiet"]).go().ok().does_not_say("panic-overridden");
}

#[test]
fn code_that_never_names_its_api_crate_is_shown_the_dependency() {
    let fixture = Fixture::usual("trouble-unnamed", "#[dynplug::export]\npub fn f() {}\n");
    fixture.host("fn main() {}\n");
    let ran = fixture.build().arg("-papp").go();
    ran.fails_with(1).says("dynplug::api-not-named").says("^ the code never names this").says("app-api = {");
    fixture.file("hello/src/lib.rs", "pub fn f() {}\n");
    let ran = fixture.build().arg("-phello").go();
    ran.fails_with(1)
        .says("error[dynplug::api-not-named]: the plugin `hello` exports nothing, and never names its API crate `app_api`")
        .says("mark what hosts are to find with `#[dynplug::export]`")
        .does_not_say("^ the code never names this");
}

#[test]
fn what_may_have_been_meant_is_said() {
    let fixture = Fixture::usual("trouble-meant", "#[dynplug::export]\npub fn f() {}\n");
    fixture.replace("hello/Cargo.toml", "[dependencies]", "[features]\ngreeting = []\n\n[dependencies]");
    let build = |words: [&str; 2]| fixture.build().args(words).go();
    build(["-p", "helo"]).fails_with(2).says("did you mean `hello`?");
    build(["-p", "quite-another"]).fails_with(2).does_not_say("did you mean");
    build(["--api", "ap-api"]).fails_with(2).says("did you mean `app-api`?");
    build(["-F", "greting"]).fails_with(2).says("did you mean `greeting`?");
    build(["--target", "x86_64-unknown-linux-gn"])
        .fails_with(2)
        .says("error[dynplug::unknown-triple]")
        .says("did you mean `x86_64-unknown-linux-gnu`?");
    // An SDK is of all that is shared, whatever is named.
    fixture.tool("sdk").args(["-p", "helo"]).go().fails_with(2).says("did you mean `hello`?");
    build(["-F", "hello/greting"]).fails_with(2).says("did you mean `hello/greeting`?");
    let tool = |words: &[&str]| {
        let call = words.iter().fold(fixture.bare_tool(), |call, word| call.arg(word));
        call.go()
    };
    tool(&["buidl"]).fails_with(2).says("'build'");
    tool(&["link", "-p", "ap"]).fails_with(2).says("did you mean `app`?");
    tool(&["link", "-p", "hello", "--bin", "x"]).fails_with(2);
    fixture.file("app/src/lib.rs", "//! A library.\n");
    tool(&["link", "--bin", "apq"]).fails_with(2).says("did you mean `app`?");
    tool(&["link", "--with", "helo"]).fails_with(2).says("did you mean `hello`?");
}
