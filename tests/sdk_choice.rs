//! Which SDK a plugin is built with, and what is said of one that isn't there, isn't whole, or isn't for this machine.

use crate::harness::{Call, Fixture, copy};
use crate::sdk::{sdk_of, small};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A plugin of the small host, in `plain`, whose `Cargo.toml` names no SDK. In `folder` the SDK is the only one among
/// other files, and in `open` it is unpacked.
static AUTHOR: LazyLock<Fixture> = LazyLock::new(|| {
    let author = Fixture::folder("sdk-choice");
    author.bare_tool().args(["new", "plain", "--sdk"]).arg(sdk_of(small())).go().ok();
    let manifest = author.root().join("plain/Cargo.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let (before, after) = text.split_once("[package.metadata.dynplug]\n").unwrap();
    let (_, after) = after.split_once('\n').unwrap();
    std::fs::write(manifest, format!("{before}{after}")).unwrap();
    let name = "app-api-0.1.0-x86_64-unknown-linux-gnu.sdk.tar.zst";
    author.root_file("folder/notes.txt", "This is no SDK.");
    std::fs::copy(sdk_of(small()), author.root().join("folder").join(name)).unwrap();
    let archive = std::fs::File::open(sdk_of(small())).unwrap();
    let mut archive = tar::Archive::new(zstd::Decoder::new(archive).unwrap());
    archive.unpack(author.root().join("open")).unwrap();
    author
});

/// `cargo dynplug build` of the plugin.
fn build() -> Call {
    AUTHOR.tool("build").folder(&AUTHOR.root().join("plain"))
}

/// A copy of the unpacked SDK in which something of the description is another.
fn altered(name: &str, old: &str, new: &str) -> PathBuf {
    let folder = AUTHOR.root().join(name);
    copy(&AUTHOR.root().join("open"), &folder);
    let path = folder.join("sdk.json");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(old), "{text}");
    std::fs::write(path, text.replace(old, new)).unwrap();
    folder
}

/// The field of the description with the compiler's version.
fn compiler() -> String {
    let text = std::fs::read_to_string(AUTHOR.root().join("open/sdk.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    json["rustc"].as_str().unwrap().to_owned()
}

#[test]
fn an_sdk_is_named_by_an_option_a_variable_or_a_manifest_as_a_file_or_a_folder() {
    let root = AUTHOR.root();
    let is_built = |call: Call| {
        let _ = std::fs::remove_file(AUTHOR.plugin_file("plain"));
        call.go().ok();
        small().app().arg(AUTHOR.plugin_file("plain")).go().ok().says("This is plain.");
    };
    for place in [sdk_of(small()), root.join("folder"), root.join("open")] {
        is_built(build().arg("--sdk").arg(&place));
        is_built(build().env("DYNPLUG_SDK", &place));
    }
    // The option comes before the variable.
    is_built(build().arg("--sdk").arg(root.join("open")).env("DYNPLUG_SDK", "nowhere"));
    let manifest = root.join("plain/Cargo.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    for table in ["package", "workspace"] {
        std::fs::write(&manifest, format!("{text}\n[{table}.metadata.dynplug]\nsdk = \"../folder\"\n"))
            .unwrap();
        is_built(build());
    }
    std::fs::write(&manifest, text).unwrap();
}

#[test]
fn optimisations_for_a_host_that_has_none_are_told() {
    let built = |words: &[&str]| {
        words.iter().fold(build().arg("--sdk").arg(sdk_of(small())), |call, word| call.arg(word)).go()
    };
    built(&[]).ok().does_not_say("sdk-profile");
    let ran = built(&["--release"]);
    ran.ok().says(
        "warning[dynplug::sdk-profile]: the SDK is of the profile `dev`, and what is built is of `release`",
    );
}

#[test]
fn packages_that_name_different_sdks_are_built_one_by_one() {
    let author = Fixture::folder("sdk-two");
    for name in ["one", "two"] {
        author.bare_tool().args(["new", name, "--sdk"]).arg(sdk_of(small())).go().ok();
    }
    let other = author.root().join("other.sdk.tar.zst");
    std::fs::copy(sdk_of(small()), &other).unwrap();
    let both = author.root().join("one/Cargo.toml");
    let text = std::fs::read_to_string(&both).unwrap();
    std::fs::write(&both, text.replace("[workspace]\n", "[workspace]\nmembers = [\"two\"]\n")).unwrap();
    std::fs::rename(author.root().join("two"), author.root().join("one/two")).unwrap();
    let second = author.root().join("one/two/Cargo.toml");
    let text = std::fs::read_to_string(&second).unwrap();
    let text = text.replace(sdk_of(small()).to_str().unwrap(), other.to_str().unwrap());
    let (text, _) = text.split_once("[workspace]").unwrap();
    std::fs::write(&second, text.replace("\"sdk/", "\"../sdk/")).unwrap();
    let build = || author.tool("build").folder(&author.root().join("one"));
    let ran = build().go();
    ran.fails_with(2)
        .says("error[dynplug::several-sdks]")
        .says(&format!("`one`: {}", sdk_of(small()).display()))
        .says(&format!("`two`: {}", other.display()))
        .says("build them one by one, with `-p`");
    for name in ["one", "two"] {
        build().args(["-p", name]).go().ok();
        small().app().arg(author.plugin_file(name)).go().ok().says(&format!("This is {name}."));
    }
}

#[test]
fn two_sdks_for_one_target_in_a_folder_are_a_choice_for_people() {
    let folder = AUTHOR.root().join("two of them");
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["a.sdk.tar.zst", "b.sdk.tar.zst"] {
        std::fs::copy(sdk_of(small()), folder.join(name)).unwrap();
    }
    let ran = build().arg("--sdk").arg(&folder).go();
    ran.fails_with(2).says("holds several SDKs for x86_64-unknown-linux-gnu").says("a.sdk.tar.zst");
}

#[test]
fn without_an_sdk_it_is_said_how_to_get_one() {
    let ran = build().arg("--sdk").arg("no/such/file").go();
    ran.fails_with(2).says("there is no SDK at").says("no/such/file").says("`cargo dynplug sdk`");
    let empty = AUTHOR.root().join("nothing in it");
    std::fs::create_dir_all(&empty).unwrap();
    let ran = build().arg("--sdk").arg(&empty).go();
    ran.fails_with(2).says("holds no `*.sdk.tar.zst` and no unpacked SDK");
    // A copy of the SDK's API crate is one of somebody who has an SDK; only which one isn't said.
    let ran = build().go();
    ran.fails_with(2).says("--sdk FILE").says("[package.metadata.dynplug]");
    AUTHOR
        .tool("sync")
        .folder(&AUTHOR.root().join("plain"))
        .go()
        .fails_with(2)
        .says("cargo dynplug sync --sdk FILE");
    let ran = build().arg("--sdk").arg(AUTHOR.root().join("folder/notes.txt")).go();
    ran.fails_with(2).says("error[dynplug::no-sdk]: the file is no SDK");
    // In a workspace without a plugin there is nothing to build with it.
    let ran = small().tool("build").args(["-p", "app", "--sdk"]).arg(sdk_of(small())).go();
    ran.fails_with(2).says("`app`");
}

#[test]
fn where_an_sdk_is_named_that_is_not_what_is_missing() {
    AUTHOR.bare_tool().args(["new", "named", "--sdk"]).arg(sdk_of(small())).go().ok();
    let tool = |subcommand| AUTHOR.tool(subcommand).folder(&AUTHOR.root().join("named"));
    let ran = tool("build").args(["-p", "namd"]).go();
    ran.fails_with(2).says("error[dynplug::unknown-package]").says("did you mean `named`?");
    let ran = tool("run").go();
    ran.fails_with(2).says("the host isn't built here").says("watch --exec").does_not_say("name the SDK");
}

#[test]
fn a_damaged_truncated_or_older_sdk_is_one_clear_error_and_leaves_no_half_unpacked_cache() {
    let whole = std::fs::read(sdk_of(small())).unwrap();
    let place = AUTHOR.root().join("harmed");
    let cache = place.join("cache");
    std::fs::create_dir_all(&cache).unwrap();
    let try_with = |name: &str, bytes: &[u8]| {
        let file = place.join(name);
        std::fs::write(&file, bytes).unwrap();
        let ran = build().env("DYNPLUG_CACHE", &cache).arg("--sdk").arg(&file).go();
        // Only the lock may stay.
        let left: Vec<_> = std::fs::read_dir(&cache).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| name == "lock"), "{name}: {left:?}");
        ran
    };
    for length in [whole.len() / 2, whole.len() - 1] {
        let ran = try_with("truncated.sdk.tar.zst", &whole[..length]);
        ran.fails_with(1)
            .says("error[dynplug::damaged-sdk]")
            .says("truncated.sdk.tar.zst")
            .says_in_lines(1, "error");
    }
    for at in [whole.len() / 3, whole.len() - 2] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        let ran = try_with("flipped.sdk.tar.zst", &bytes);
        ran.fails_with(1)
            .says("error[dynplug::damaged-sdk]")
            .says_in_lines(1, "error")
            .says("get the file again");
    }
    let older = archive_of("{\"format\":1,\"tool\":\"0.0.1\"}");
    let ran = try_with("older.sdk.tar.zst", &older);
    ran.fails_with(1)
        .says("error[dynplug::sdk-format]")
        .says("have format 1, want")
        .says_in_lines(1, "error");
    let ran = try_with("empty.sdk.tar.zst", b"");
    ran.fails_with(2).says("error[dynplug::no-sdk]").says_in_lines(1, "error");
    // And then a good one.
    let ran = build().env("DYNPLUG_CACHE", &cache).arg("--sdk").arg(sdk_of(small())).go();
    ran.ok();
    assert_eq!(std::fs::read_dir(&cache).unwrap().count(), 2);
}

/// An archive that begins as an SDK does.
fn archive_of(description: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(zstd::Encoder::new(Vec::new(), 1).unwrap());
    let mut header = tar::Header::new_gnu();
    header.set_size(description.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, "sdk.json", description.as_bytes()).unwrap();
    archive.into_inner().unwrap().finish().unwrap()
}

#[test]
fn an_sdk_for_another_machine_or_of_another_tool_says_what_is_needed() {
    let foreign = altered("foreign", "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu");
    let ran = build().arg("--sdk").arg(&foreign).go();
    ran.fails_with(1)
        .says("error[dynplug::sdk-target]")
        .says("have aarch64-unknown-linux-gnu, want x86_64-unknown-linux-gnu")
        .says_in_lines(1, "error");
    let version = format!("\"tool\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let other = altered("of another tool", &version, "\"tool\": \"7.6.5\"");
    let ran = build().arg("--sdk").arg(&other).go();
    ran.fails_with(1).says("error[dynplug::sdk-tool]").says("cargo install cargo-dynplug@7.6.5");
    let ran = build().args(["--message-format", "json", "--sdk"]).arg(&other).go();
    let said: serde_json::Value = serde_json::from_str(ran.fails_with(1).stdout.trim()).unwrap();
    assert_eq!(said["code"], "sdk-tool");
}

#[test]
fn an_sdk_of_another_compiler_says_which_one_is_needed() {
    // None that rustup could have: nothing is fetched.
    let rustc = compiler();
    for (name, claims, advice) in [
        ("older", "rustc 1.93.0 (254b59607 2026-01-19)", "`rustup toolchain install 1.93.0`"),
        (
            "nightly",
            "rustc 1.97.0-nightly (59807616e 2026-12-31)",
            "`rustup toolchain install nightly-2027-01-01`",
        ),
        (
            "distribution",
            "rustc 1.93.0 (254b59607 2026-01-19) (built from a source tarball)",
            "ask the host's authors",
        ),
    ] {
        let sdk = altered(&format!("of another compiler, {name}"), &rustc, claims);
        let ran = build().args(["--offline", "--sdk"]).arg(&sdk).go();
        ran.fails_with(1)
            .says("error[dynplug::other-compiler]")
            .says(&format!("have {rustc}, want {claims}"))
            .says(advice)
            .says_in_lines(1, "error");
    }
}

#[test]
fn the_compiler_of_the_sdk_is_chosen_where_rustup_has_it() {
    let rustc = compiler();
    let list = AUTHOR.system(Path::new("rustup")).args(["toolchain", "list"]).go();
    let names = list.stdout.lines().filter_map(|line| line.split_whitespace().next());
    let version =
        |name: &str| AUTHOR.system(Path::new("rustup")).args(["run", name, "rustc", "-V"]).go().stdout;
    let Some(other) = names.into_iter().find(|name| version(name).trim() != rustc) else {
        crate::harness::skipped("rustup has no second toolchain");
        return;
    };
    let sdk = sdk_of(small());
    let ran = build().args(["--offline", "--sdk"]).arg(&sdk).env("RUSTUP_TOOLCHAIN", other).go();
    ran.ok().says("the SDK's; the default is");
    small().app().arg(AUTHOR.plugin_file("plain")).go().ok().says("This is plain.");
}
