//! Shipping: bundles run elsewhere, say what is inside and under which licences, and are stripped with what debuggers want
//! kept aside.

use crate::harness::{Call, Fixture, Kind, Ran, copy, skipped};
use object::{Object, ObjectSymbol};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

const HOST: &str = r#"
use app_api::dynplug::Loader;
fn main() {
    let name = std::env::args().nth(1).unwrap_or_else(|| "hello".into());
    // SAFETY: the build made it.
    let plugin = unsafe { Loader::new().beside_program().open(&*name) }.unwrap_or_else(|e| panic!("{e}"));
    let f: fn() = plugin.lookup("f").unwrap();
    f();
}
"#;
const HELLO: &str = r#"
#[dynplug::export]
pub fn f() {
    let number: Option<u32> = None.or(Some(common::number()).filter(|_| std::env::var_os("FAIL").is_none()));
    println!("number {}", number.expect("no number")); // here
}
"#;
const ODD: &str = r#"
unsafe extern "C" {
    safe fn odd() -> i32;
}
#[dynplug::export]
pub fn f() {
    println!("odd {}", odd());
}
"#;
/// A library of the system, for a system that has few.
const ODD_BUILD: &str = r#"
fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    std::fs::write(format!("{out}/odd.c"), "int odd(void) { return 3; }").unwrap();
    let mut cc = std::process::Command::new("cc");
    cc.args(["-shared", "-fPIC", "-Wl,-soname,libodd.so.7", "-o"]).arg(format!("{out}/libodd.so"));
    assert!(cc.arg(format!("{out}/odd.c")).status().unwrap().success());
    println!("cargo:rustc-link-search=native={out}\ncargo:rustc-link-lib=dylib=odd");
}
"#;

fn workspace(name: &str) -> Fixture {
    let fixture = Fixture::empty(name);
    let licensed = "\n[package]\nlicense = \"MIT/Zlib\"\nrepository = \"https://example.org/private\"\n";
    let manifest = |name: &str, licensed: &str| {
        let text = std::fs::read_to_string(fixture.path(&format!("{name}/Cargo.toml"))).unwrap();
        fixture.file(&format!("{name}/Cargo.toml"), &text.replace("[package]\n", licensed.trim_start()));
    };
    fixture
        .api("pub use dynplug;\n")
        .host(HOST)
        .package("private", Kind::Library, &[], "pub fn number() -> u32 { 40 }\n")
        .package("built", Kind::Library, &[], "pub fn nothing() {}\n")
        .package("common", Kind::Api, &[], "pub fn number() -> u32 { 42 }\n")
        .package("hello", Kind::Plugin, &["dynplug", "app-api", "common"], HELLO)
        .package(
            "second",
            Kind::Plugin,
            &["dynplug", "app-api", "common", "private", "", "[build-dependencies]\nbuilt = { path = \"../built\" }"],
            "#[dynplug::export]\npub fn f() { println!(\"second {}\", common::number() + private::number()); }\n",
        )
        .file("second/build.rs", "fn main() { built::nothing(); }\n")
        .file("private/LICENSE-MIT", "the text of MIT\n")
        .file("private/vendored/zlib/COPYING", "the text of Zlib\n")
        .file("private/license.rs", "no text\n")
        .file("hello/HELLO.txt", "ask me\n");
    manifest("private", licensed);
    manifest("hello", "\n[package]\nlicense-file = \"HELLO.txt\"\n");
    manifest("app", "\n[package]\nlicense = \"ISC\"\n");
    fixture
}

static BUILT: LazyLock<Fixture> = LazyLock::new(|| {
    let fixture = workspace("bundles");
    fixture.package("odd", Kind::Plugin, &["dynplug", "app-api"], ODD).file("odd/build.rs", ODD_BUILD);
    fixture
});

/// `cargo dynplug bundle` of the shared workspace without the plugin that needs something odd, yet to be run.
fn bundle(to: &Path) -> Call {
    bundle_of(&BUILT, to).args(["-p", "hello", "-p", "second"])
}

fn bundle_of(fixture: &Fixture, to: &Path) -> Call {
    let call = fixture.tool("bundle").arg("-o").arg(to);
    // Packing what only debuggers read takes longer than all else.
    if to.extension().is_some() { call.args(["--strip", "symbols"]) } else { call }
}

fn place(name: &str) -> PathBuf {
    BUILT.root().join("bundled").join(name)
}

fn description(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("bundle.json")).unwrap()).unwrap()
}

/// The paths of all that is in a folder, but for the folders.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            names.extend(files(&entry.path()).iter().map(|below| format!("{name}/{below}")));
        } else {
            names.insert(name);
        }
    }
    names
}

/// The entries of an archive: path, where it leads, time, owner.
fn entries(archive: &Path) -> Vec<(String, Option<PathBuf>, u64, u64)> {
    let bytes = zstd::decode_all(std::fs::File::open(archive).unwrap()).unwrap();
    let mut archive = tar::Archive::new(&*bytes);
    let of = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let entry = entry.unwrap();
        let header = entry.header();
        let link = entry.link_name().unwrap().map(|path| path.into_owned());
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        (path, link, header.mtime().unwrap(), header.uid().unwrap() + header.gid().unwrap())
    };
    archive.entries().unwrap().map(of).collect()
}

fn is_there(tool: &str) -> bool {
    Command::new(tool).arg("--version").output().is_ok_and(|o| o.status.success())
}

#[test]
fn bundles_run_elsewhere_without_the_workspace_and_without_an_environment() {
    let fixture = workspace("a bundle's workspace");
    let elsewhere = Fixture::folder("where bundles go");
    let at = |name: &str| elsewhere.root().join(name);
    bundle_of(&fixture, &at("flat")).go().ok();
    bundle_of(&fixture, &at("fhs")).args(["--layout", "fhs"]).go().ok();
    bundle_of(&fixture, &at("one.tar.zst")).args(["--layout", "fhs"]).go().ok();
    let mut archive =
        tar::Archive::new(zstd::Decoder::new(std::fs::File::open(at("one.tar.zst")).unwrap()).unwrap());
    archive.unpack(at("unpacked")).unwrap();
    let root = fixture.root().to_owned();
    drop(fixture);
    assert!(!root.exists());

    let works = |program: &Path| {
        let ran = |call: Call| call.folder(Path::new("/")).empty_environment().go();
        ran(elsewhere.run(program)).ok().prints("number 42");
        ran(elsewhere.run(program).arg("second")).ok().prints("second 82");
    };
    let moved = at("opt/a folder with blanks/app");
    std::fs::create_dir_all(moved.parent().unwrap()).unwrap();
    std::fs::rename(at("flat"), &moved).unwrap();
    works(&moved.join("app"));

    // Into a prefix, beside what others have there.
    let usr = at("usr");
    std::fs::create_dir_all(usr.join("bin")).unwrap();
    std::fs::write(usr.join("bin/other"), "").unwrap();
    let tree = std::fs::read_dir(at("unpacked")).unwrap().next().unwrap().unwrap();
    assert!(tree.file_name().to_str().unwrap().starts_with("app-0.1.0-"));
    for name in ["bin/app", "lib/app", "share/doc/app", "share/licenses/app"] {
        std::fs::create_dir_all(usr.join(name).parent().unwrap()).unwrap();
        std::fs::rename(tree.path().join(name), usr.join(name)).unwrap();
    }
    works(&usr.join("bin/app"));
    std::fs::rename(at("fhs"), at("opt/app")).unwrap();
    works(&at("opt/app/bin/app"));
    std::fs::create_dir_all(at("home/bin")).unwrap();
    std::os::unix::fs::symlink(at("opt/app/bin/app"), at("home/bin/start")).unwrap();
    works(&at("home/bin/start"));
    // By its name alone, from anywhere.
    let path = elsewhere.run(Path::new("/bin/sh")).args(["-c", "app second"]).folder(Path::new("/"));
    path.empty_environment().env("PATH", usr.join("bin")).go().ok().prints("second 82");
}

#[test]
fn what_is_inside_is_described_with_sums_and_the_glibc_that_it_needs() {
    let to = place("described");
    let ran = bundle(&to).args(["--message-format", "json"]).go();
    let message: Value = serde_json::from_str(ran.ok().stdout.lines().last().unwrap()).unwrap();
    assert_eq!(message["reason"], "dynplug-bundle");
    assert_eq!(message["filename"], to.to_str().unwrap());
    let said = description(&to);
    let listed = |kind: &str| -> Vec<&str> {
        let products = said["products"].as_array().unwrap().iter().filter(|p| p["kind"] == kind);
        products.map(|p| p["file"].as_str().unwrap()).collect()
    };
    assert_eq!(listed("host"), ["app"]);
    assert_eq!(listed("plugin"), ["plugins/libhello.so", "plugins/libsecond.so"]);
    assert!(listed("plugin-library")[0].starts_with("plugins/libcommon-"), "{said}");
    assert!(listed("api-library")[0].starts_with("libapp_api-"), "{said}");
    let mut there = files(&to);
    for file in said["files"].as_array().unwrap() {
        let path = file["path"].as_str().unwrap();
        let bytes = std::fs::read(to.join(path)).unwrap();
        let sum: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!((file["sha256"].as_str(), file["size"].as_u64()), (Some(&*sum), Some(bytes.len() as u64)));
        assert!(there.remove(path), "{path}");
    }
    assert_eq!(there, BTreeSet::from(["bundle.json".to_owned()]));

    let products = ["host", "api-library", "plugin", "plugin-library"].map(&listed).concat();
    let floors: Vec<(Vec<u32>, String)> = (products.iter())
        .filter_map(|file| {
            let ran = BUILT.bare_tool().arg("inspect").arg("--json").arg(to.join(file)).go();
            let about: Value = serde_json::from_str(&ran.ok().stdout).unwrap();
            assert_eq!(about["api"]["identity"], said["identity"], "{file}");
            let version = about["glibc"]["version"].as_str()?.to_owned();
            let human = BUILT.bare_tool().arg("inspect").arg(to.join(file)).go();
            human.ok().says(&format!("glibc       {version} or newer"));
            Some((version.split('.').map(|n| n.parse().unwrap()).collect(), version))
        })
        .collect();
    let (highest, floor) = floors.iter().max().unwrap();
    assert_eq!(said["glibc"]["version"], **floor);
    assert!(!said["glibc"]["symbols"].as_array().unwrap().is_empty());
    assert_eq!(message["glibc"], said["glibc"]);
    let readme = std::fs::read_to_string(to.join("README.md")).unwrap();
    assert!(readme.contains(&format!("glibc {floor} or newer")), "{readme}");
    assert!(readme.contains(said["identity"].as_str().unwrap()), "{readme}");
    if !is_there("objdump") {
        return skipped("there is no objdump to ask for versions of glibc");
    }
    let others = products.iter().flat_map(|file| {
        let said = Command::new("objdump").arg("-T").arg(to.join(file)).output().unwrap();
        let text = String::from_utf8(said.stdout).unwrap();
        let versions = text.split("GLIBC_").skip(1).map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            rest[..end].split('.').map(|n| n.parse().unwrap()).collect()
        });
        versions.collect::<Vec<Vec<u32>>>()
    });
    assert_eq!(others.max().as_ref(), Some(highest));
}

#[test]
fn licences_of_all_that_is_inside_come_along() {
    let to = place("licensed");
    let ran = bundle(&to).go();
    ran.ok().says("dynplug::no-licence").says("app-api 0.1.0, common 0.1.0, second 0.1.0");
    let text = |path: &str| std::fs::read_to_string(to.join(path)).unwrap();
    assert_eq!(text("licenses/private-0.1.0/LICENSE-MIT"), "the text of MIT\n");
    assert_eq!(text("licenses/private-0.1.0/vendored/zlib/COPYING"), "the text of Zlib\n");
    assert_eq!(text("licenses/hello-0.1.0/HELLO.txt"), "ask me\n");
    assert!(!to.join("licenses/private-0.1.0/license.rs").exists());
    let list = text("THIRD-PARTY.md");
    let row =
        |name: &str| list.lines().find(|line| line.starts_with(&format!("| {name} |"))).map(str::to_owned);
    let private = row("private").unwrap();
    for part in ["MIT OR Zlib", "`plugins/libsecond.so`", "licenses/private-0.1.0/LICENSE-MIT"] {
        assert!(private.contains(part), "{private}");
    }
    assert!(row("hello").unwrap().contains("as its text says"));
    assert!(row("common").unwrap().contains("not stated"));
    assert!(row("libc").unwrap().contains("libapp_api-"));
    assert!(row("std").is_some());
    // What it was built with is not inside.
    assert_eq!((row("built"), row("syn")), (None, None));

    let sbom: Value = serde_json::from_str(&text("sbom.cdx.json")).unwrap();
    assert_eq!((&sbom["bomFormat"], &sbom["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
    let components = sbom["components"].as_array().unwrap();
    let private = components.iter().find(|c| c["name"] == "private").unwrap();
    assert_eq!(private["licenses"][0]["expression"], "MIT OR Zlib");
    assert_eq!(private["purl"], "pkg:cargo/private@0.1.0");
    let second = sbom["dependencies"].as_array().unwrap().iter();
    let second = second.filter(|d| d["ref"] == "pkg:cargo/second@0.1.0");
    let below: Vec<&Value> = second.flat_map(|d| d["dependsOn"].as_array().unwrap()).collect();
    assert!(below.contains(&&"pkg:cargo/private@0.1.0".into()), "{below:?}");
    let references: BTreeSet<&str> = components.iter().map(|c| c["bom-ref"].as_str().unwrap()).collect();
    assert_eq!(references.len(), components.len());

    let denied = place("denied");
    bundle(&denied).arg("--deny-unlicensed").go().fails_with(1).says("error[dynplug::no-licence]");
    assert!(!denied.exists());
}

#[test]
fn nothing_is_replaced_but_an_earlier_bundle() {
    let parent = place("taken");
    std::fs::create_dir_all(parent.join("mine")).unwrap();
    std::fs::write(parent.join("mine/notes"), "mine").unwrap();
    std::fs::write(parent.join("file"), "mine").unwrap();
    std::fs::write(parent.join("other.tar.zst"), "mine").unwrap();
    let refused = |name: &str, why: &str| -> Ran {
        let ran = bundle(&parent.join(name)).go();
        ran.fails_with(2).says(why).does_not_say("Compiling");
        ran
    };
    refused("mine", "is no bundle").says("dynplug::taken");
    refused("file", "is no folder");
    refused("other.tar.zst", "is no bundle");
    refused("bundle.zip", "dynplug::archive-format");
    assert_eq!(std::fs::read(parent.join("mine/notes")).unwrap(), b"mine");

    let to = parent.join("bundle");
    bundle(&to).go().ok();
    assert!(to.join("plugins/libsecond.so").exists());
    std::fs::write(to.join("plugins/own.txt"), "mine").unwrap();
    refused("bundle", "plugins/own.txt").says("no part of the bundle");
    std::fs::remove_file(to.join("plugins/own.txt")).unwrap();
    // With one plugin less, and what only that had is gone.
    bundle_of(&BUILT, &to).args(["-p", "hello"]).go().ok();
    assert!(to.join("plugins/libhello.so").exists() && !to.join("plugins/libsecond.so").exists());
    BUILT.run(&to.join("app")).go().ok().prints("number 42");
    bundle(&to).args(["--layout", "fhs"]).go().ok();
    assert!(!to.join("app").exists() && to.join("bin/app").exists());
    bundle(&to).go().ok();
    assert!(to.join("app").exists() && !to.join("bin").exists());
    let archive = parent.join("b.tar.zst");
    bundle(&archive).go().ok();
    bundle(&archive).go().ok();
    // Nothing is left of what was made on the way.
    let names: Vec<_> = std::fs::read_dir(&parent).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{names:?}");

    let inside = bundle(&to).arg("--debug-files").arg(to.join("debug")).go();
    inside.fails_with(2).says("inside of the bundle");
    bundle(&to).args(["--strip", "none", "--debug-files", "debug"]).go().fails_with(2).says("--strip none");
}

#[test]
fn archives_of_one_source_have_the_same_bytes() {
    let (one, two, three) = (place("one.tar.zst"), place("two.tar.zst"), place("three.tar.zst"));
    bundle(&one).go().ok();
    bundle(&two).go().ok();
    assert!(std::fs::read(&one).unwrap() == std::fs::read(&two).unwrap());
    bundle(&three).env("SOURCE_DATE_EPOCH", "1000000000").go().ok();
    let (old, new) = (entries(&one), entries(&three));
    assert!(old[0].0.ends_with("/bundle.json"), "{old:?}");
    assert!(old[1..].is_sorted());
    assert!(old.iter().all(|(_, _, time, owner)| (*time, *owner) == (315_532_800, 0)), "{old:?}");
    assert!(new.iter().all(|(_, _, time, owner)| (*time, *owner) == (1_000_000_000, 0)), "{new:?}");
    bundle(&three).env("SOURCE_DATE_EPOCH", "today").go().fails_with(2).says("dynplug::bad-time");
    let fhs = place("fhs.tar.zst");
    bundle(&fhs).args(["--layout", "fhs"]).go().ok();
    let all = entries(&fhs);
    let (path, link, ..) = all.iter().find(|(_, link, ..)| link.is_some()).unwrap();
    assert!(path.ends_with("/bin/app"), "{path}");
    assert_eq!(link.as_deref(), Some(Path::new("../lib/app/app")));
}

#[test]
fn stripped_files_are_what_they_were_and_debuggers_find_the_rest() {
    let (whole, small, debug) = (place("whole"), place("small"), place("debug files"));
    bundle(&whole).go().ok();
    bundle(&small).args(["--strip", "symbols"]).arg("--debug-files").arg(&debug).go().ok();
    let half = place("without debug information");
    bundle(&half).args(["--strip", "debuginfo"]).go().ok();
    let about = |folder: &Path, file: &str| -> Value {
        let ran = BUILT.bare_tool().arg("inspect").arg("--json").arg(folder.join(file)).go();
        let mut about: Value = serde_json::from_str(&ran.ok().stdout).unwrap();
        for field in ["file", "size"] {
            about[field] = Value::Null;
        }
        about
    };
    let said = description(&small);
    for product in said["products"].as_array().unwrap() {
        let file = product["file"].as_str().unwrap();
        assert_eq!(about(&small, file), about(&whole, file), "{file}");
        assert_eq!(about(&half, file), about(&whole, file), "{file}");
        let bytes = |folder: &Path| std::fs::read(folder.join(file)).unwrap();
        let (before, middle, after) = (bytes(&whole), bytes(&half), bytes(&small));
        assert!(after.len() < middle.len() && middle.len() < before.len(), "{file}");
        let (middle, after) = (object::File::parse(&*middle).unwrap(), object::File::parse(&*after).unwrap());
        assert!(!middle.has_debug_symbols() && !after.has_debug_symbols(), "{file}");
        assert!(middle.symbols().count() > 0 && after.symbols().count() == 0, "{file}");
        // By the build id; the linker of this machine may make none, and then by the name.
        let beside = debug.join(format!("{file}.debug"));
        let aside = match after.build_id().unwrap() {
            Some(id) => {
                let digits: String = id.iter().map(|b| format!("{b:02x}")).collect();
                debug.join(".build-id").join(&digits[..2]).join(format!("{}.debug", &digits[2..]))
            }
            None => beside,
        };
        let bytes = std::fs::read(&aside).unwrap();
        let aside = object::File::parse(&*bytes).unwrap();
        assert!(aside.has_debug_symbols() && aside.symbols().any(|s| s.is_definition()), "{file}");
    }
    for folder in [&small, &half] {
        BUILT.run(&folder.join("app")).go().ok().prints("number 42");
        BUILT.run(&folder.join("app")).arg("second").go().ok().prints("second 82");
        let ran = BUILT.run(&folder.join("app")).env("FAIL", "1").go();
        ran.fails_with(101).says("no number");
    }
    let line = HELLO.lines().position(|line| line.ends_with("// here")).unwrap() + 1;
    if !is_there("gdb") {
        return skipped("there is no gdb to look for debug files");
    }
    if !debug.join(".build-id").exists() {
        return skipped("the linker makes no build ids, by which gdb finds debug files anywhere");
    }
    let moved = place("moved, with its debug files");
    copy(&small, &moved);
    let gdb = |debug: &Path| {
        let call = BUILT.run(Path::new("gdb")).args(["-q", "-batch", "-nx", "-iex"]);
        let call = call.arg(format!("set debug-file-directory {}", debug.display())).args([
            "-ex",
            "set breakpoint pending on",
            "-ex",
            "break rust_panic",
            "-ex",
            "run",
            "-ex",
            "backtrace",
        ]);
        call.arg(moved.join("app")).env("FAIL", "1").takes_long().go()
    };
    let ran = gdb(&debug);
    ran.says(&format!("hello/src/lib.rs:{line}\n")).says("hello::f").says("app::main").says("main.rs:");
    // They are what it was found by.
    gdb(&place("no debug files")).does_not_say("hello::f").does_not_say("app::main");
}

#[test]
fn libraries_that_not_every_system_has_are_told() {
    let to = place("odd");
    let ran = bundle_of(&BUILT, &to).args(["-p", "app", "-p", "odd"]).go();
    ran.ok().says("dynplug::system-library").says("libodd.so.7").says("plugins/libodd.so");
    let said = description(&to);
    let needs = said["needs"].as_array().unwrap();
    let odd: Vec<&Value> = needs.iter().filter(|need| need["usual"] == false).collect();
    assert_eq!(odd.len(), 1, "{said}");
    assert_eq!(odd[0]["library"], "libodd.so.7");
    assert!(needs.iter().any(|need| need["library"] == "libc.so.6" && need["usual"] == true));
    // The API library is inside.
    assert!(!needs.iter().any(|need| need["library"].as_str().unwrap().starts_with("libapp_api")));
}

#[test]
fn a_bundle_of_several_hosts_is_asked_for_by_name() {
    let fixture =
        Fixture::usual("two hosts to bundle", "#[dynplug::export]\npub fn f() { println!(\"f\"); }\n");
    let source = std::fs::read_to_string(fixture.path("app/src/main.rs")).unwrap();
    fixture.host_named("tool", &source);
    let to = fixture.root().join("bundle");
    bundle_of(&fixture, &to).go().fails_with(2).says("dynplug::several-hosts").says("-p HOST");
    bundle_of(&fixture, &to).args(["-p", "tool"]).go().ok();
    assert!(to.join("tool").exists() && !to.join("app").exists());
    assert!(to.join("plugins/libhello.so").exists());
    let fhs = fixture.root().join("both");
    bundle_of(&fixture, &fhs).args(["-p", "tool", "-p", "app", "--layout", "fhs"]).go().ok();
    for host in ["tool", "app"] {
        fixture.run(&fhs.join("bin").join(host)).empty_environment().go().ok().prints("f");
    }
}
