//! `--message-format json`: every message is as `docs/src/messages.schema.json` has it, and `docs/src/json.md` says what stands
//! there.

use crate::harness::{Fixture, Kind, Ran, repository};
use jsonschema::Validator;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::LazyLock;

/// The schema, as people are given it.
static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let path = repository().join("docs/src/messages.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
});

/// The same for us: a field that isn't described is an error.
static STRICT: LazyLock<Validator> = LazyLock::new(|| {
    let mut schema = SCHEMA.clone();
    close(&mut schema);
    jsonschema::validator_for(&schema).unwrap()
});

fn close(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("type") == Some(&"object".into()) && map.contains_key("properties") {
                map.insert("additionalProperties".to_owned(), false.into());
            }
            map.values_mut().for_each(close);
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}

/// Sees to it that a message of ours is as it is described. Lines of cargo's are none.
#[track_caller]
pub fn is_as_described(line: &str) -> Option<String> {
    let message: Value = serde_json::from_str(line).ok()?;
    let reason = message.get("reason")?.as_str()?;
    if !reason.starts_with("dynplug-") {
        return None;
    }
    // Of one kind alone, so that what is wrong is said.
    let schema = serde_json::json!({ "$ref": format!("#/$defs/{reason}") });
    let errors: Vec<String> = STRICT.iter_errors(&message).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{schema}: {errors:?}\n{line}");
    Some(reason.to_owned())
}

fn reasons(ran: &Ran, seen: &mut BTreeSet<String>) {
    for line in ran.stdout.lines() {
        let is_json = serde_json::from_str::<Value>(line).is_ok();
        assert!(is_json, "no JSON: {line}\n{ran}");
        seen.extend(is_as_described(line));
    }
}

#[test]
fn every_message_of_every_command_is_as_the_schema_has_it() {
    let fixture = Fixture::empty("messages");
    let main =
        "/// The program.\npub fn main() {\n    println!(\"{}\", app_api::dynplug::linked_in().count())\n}\n";
    let plugin = "/// A number.\n#[dynplug::export]\npub fn number() -> u32 { words::words() }\n\
                  #[dynplug::init]\nfn begin() {}\n";
    fixture
        .api("pub use dynplug;\n")
        .package("app", Kind::Library, &["app-api"], main)
        .file("app/src/main.rs", "fn main() {\n    app::main()\n}\n")
        .package(
            "words",
            Kind::Api,
            &["app-api"],
            "use app_api as _;\n\n/// How many.\npub fn words() -> u32 {\n    3\n}\n",
        )
        .plugin("one", plugin);
    fixture.replace(
        "one/Cargo.toml",
        "[dependencies]\n",
        "[dependencies]\nwords = { path = \"../words\" }\n",
    );
    fixture.root_manifest("[profile.dev]\nlto = \"fat\"\n");
    let json = "--message-format=json";
    let mut seen = BTreeSet::new();
    let built = fixture.build().arg(json).go();
    reasons(built.ok(), &mut seen);
    let notice = built.stdout.lines().find(|l| l.contains("lto-overridden")).unwrap();
    let notice: Value = serde_json::from_str(notice).unwrap();
    assert_eq!(notice["spans"][0]["text"][0]["text"], "lto = \"fat\"", "{notice}");

    fixture.root_manifest("");
    let plugin = fixture.plugin_file("one");
    let outcome = fixture.outcome("");
    let inspected = fixture.bare_tool().args(["inspect", json]).arg(&plugin).arg(fixture.outcome("app"));
    let inspected =
        inspected.arg(fixture.library()).arg("/no/such/file").arg(fixture.root().join("Cargo.toml")).go();
    reasons(inspected.fails_with(2), &mut seen);
    let checked =
        fixture.bare_tool().args(["check", json]).arg(&plugin).arg(fixture.root().join("Cargo.toml"));
    let checked = checked.arg("/no/such/file").arg("--host").arg(&outcome).go();
    reasons(checked.fails_with(1), &mut seen);

    let key = |name: &str| fixture.root().join(name);
    let made = fixture.bare_tool().args(["keygen", json, "-W", "-p", "a.pub", "-s", "a.key"]).go();
    reasons(made.ok(), &mut seen);
    let verify = || fixture.bare_tool().args(["verify", json, "-p", "a.pub"]).arg(&plugin);
    reasons(verify().go().fails_with(1), &mut seen);
    let signed = fixture.bare_tool().args(["sign", json]).arg(&plugin).arg("-s").arg(key("a.key")).go();
    reasons(signed.ok(), &mut seen);
    reasons(verify().go().ok(), &mut seen);
    reasons(verify().arg("/no/such/file").go().fails_with(2), &mut seen);
    reasons(fixture.bare_tool().args(["pin", json]).arg(&plugin).go().ok(), &mut seen);

    let sdk = fixture.path("app.sdk.tar.zst");
    reasons(fixture.tool("sdk").args([json, "-o"]).arg(&sdk).go().ok(), &mut seen);
    let damaged = fixture.path("damaged.sdk.tar.zst");
    let bytes = std::fs::read(&sdk).unwrap();
    std::fs::write(&damaged, &bytes[..bytes.len() / 2]).unwrap();
    let inspected = fixture.bare_tool().args(["inspect", json]).arg(&sdk).arg(&damaged).go();
    reasons(inspected.fails_with(1), &mut seen);
    let [whole, half] = &inspected.stdout.lines().collect::<Vec<_>>()[..] else { panic!("{inspected}") };
    let (whole, half): (Value, Value) =
        (serde_json::from_str(whole).unwrap(), serde_json::from_str(half).unwrap());
    assert_eq!(
        (&whole["kind"], &whole["package"], &whole["profile"]),
        (&"sdk".into(), &"app-api".into(), &"dev".into())
    );
    assert_eq!((&half["kind"], &half["code"]), (&"other".into(), &"damaged-sdk".into()));
    let bundled = fixture.tool("bundle").args([json, "-o"]).arg(fixture.root().join("bundle")).go();
    reasons(bundled.ok(), &mut seen);
    let author = Fixture::folder("messages-author");
    let new = author.bare_tool().args(["new", "hello", "--vcs=none", json, "--sdk"]).arg(&sdk).go();
    reasons(new.ok(), &mut seen);
    let of_author = |command: &str| author.tool(command).folder(&author.root().join("hello")).arg(json);
    reasons(of_author("sync").arg("--sdk").arg(&sdk).go().ok(), &mut seen);
    let target = crate::harness::shared_target();
    let link = fixture.bare_tool().args(["link", json, "--with", "one", "--target-dir"]).arg(target);
    let linked = link.arg("--output").arg(fixture.root()).go();
    reasons(linked.ok(), &mut seen);

    reasons(fixture.bare_tool().args(["explain", json]).go().ok(), &mut seen);
    reasons(fixture.bare_tool().args(["completions", "zsh", json]).go().ok(), &mut seen);
    let man = fixture.bare_tool().args(["man", json, "-o"]).arg(fixture.path("man")).go();
    reasons(man.ok(), &mut seen);
    let wrong = fixture.bare_tool().args(["build", json, "--relaese"]).go();
    reasons(wrong.fails_with(2), &mut seen);
    let wrong: Value = serde_json::from_str(&wrong.stdout).unwrap();
    assert_eq!(wrong["code"], "usage");

    // Of `watch`, which ends only when it is told to, they are looked at where it is run.
    let described: BTreeSet<String> =
        kinds().filter(|kind| *kind != "dynplug-watch").map(str::to_owned).collect();
    assert_eq!(seen, described);
}

/// The reasons of messages, in the order of the schema.
fn kinds() -> impl Iterator<Item = &'static str> {
    let all = SCHEMA["oneOf"].as_array().unwrap().iter();
    all.map(|kind| kind["$ref"].as_str().unwrap().rsplit('/').next().unwrap())
}

#[test]
fn the_schema_notices_what_is_not_described() {
    let example = |kind: &str| SCHEMA["$defs"][kind]["examples"][0].clone();
    for kind in kind_names() {
        let mut message = example(kind);
        assert_eq!(is_as_described(&message.to_string()).as_deref(), Some(kind));
        message["more"] = 1.into();
        assert!(!STRICT.is_valid(&message), "{kind}");
        message.as_object_mut().unwrap().remove("more");
        let first = SCHEMA["$defs"][kind]["required"][1].as_str().unwrap();
        message.as_object_mut().unwrap().remove(first);
        assert!(!STRICT.is_valid(&message), "{kind} without {first}");
    }
}

fn kind_names() -> Vec<&'static str> {
    kinds().collect()
}

/// `docs/src/json.md` is made of the schema: `DYNPLUG_RENEW=1` writes it anew.
#[test]
fn the_document_on_json_says_what_the_schema_says() {
    let path = repository().join("docs/src/json.md");
    let text = document();
    if std::env::var_os("DYNPLUG_RENEW").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "docs/src/json.md is another; run again with DYNPLUG_RENEW=1\n{text}");
}

const BEGINNING: &str = "\
# Messages for programs

With `--message-format json` every subcommand prints JSON to standard output: one object on a line. What is said on the way
goes to standard error, as ever. `reason` says what a message is. The names of fields stay, and new ones may be added, so
leave alone what you don't know. `inspect` and `check` have `--json` as a short form.

Where cargo compiles, its own messages stand among these, as
[cargo has them](https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages). What the tool finds while rustc
or the linker runs comes as a `compiler-message` of cargo's with a code that begins with `dynplug::`. `run` and `test` leave
standard output to the host and the tests once these have begun.

[messages.schema.json](messages.schema.json) is a JSON Schema of all this. This page is made of it
(`DYNPLUG_RENEW=1 cargo test -p cargo-dynplug --test end_to_end the_document`).
";

fn document() -> String {
    let mut out = BEGINNING.to_owned();
    let _ = writeln!(out, "\n## Messages");
    let kinds = kind_names();
    kinds.iter().for_each(|kind| section(&mut out, kind));
    let _ = writeln!(out, "\n## Parts of messages");
    let parts = SCHEMA["$defs"].as_object().unwrap();
    parts.keys().filter(|part| !kinds.contains(&part.as_str())).for_each(|part| section(&mut out, part));
    out
}

fn section(out: &mut String, name: &str) {
    let part = &SCHEMA["$defs"][name];
    let text = |value: &Value| value["description"].as_str().unwrap_or_default().to_owned();
    let _ = writeln!(out, "\n### `{name}`\n\n{}\n\n| field | type | what |\n|---|---|---|", text(part));
    let required = part["required"].as_array().unwrap();
    for (field, value) in part["properties"].as_object().unwrap_or(&Map::new()) {
        let sometimes = if required.contains(&field.as_str().into()) { "" } else { ", not always there" };
        let _ = writeln!(out, "| `{field}` | {}{sometimes} | {} |", kind_of(value), text(value));
    }
    if let Some(example) = part["examples"].get(0) {
        let _ = writeln!(out, "\n```json,not-run=message\n{example}\n```");
    }
}

fn kind_of(value: &Value) -> String {
    match &value["type"] {
        Value::String(kind) if kind == "array" => match value["items"]["type"].as_str() {
            Some(item) => format!("array of {item}s"),
            None => "array of objects".to_owned(),
        },
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ if value.get("$ref").is_some() => "object".to_owned(),
        _ => "string".to_owned(),
    }
}
