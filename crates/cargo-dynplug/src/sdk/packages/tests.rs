//! A workspace with every kind of path package, packaged, and used from elsewhere by plain cargo.

use super::*;
use cargo_metadata::MetadataCommand;
use std::collections::BTreeMap;
use tempfile::TempDir;
use toml::{Table, Value};

/// The workspace. The API crate is `api`.
const FILES: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        r#"
        [workspace]
        members = ["api", "plain", "off"]
        resolver = "3"
        [workspace.package]
        version = "1.2.3"
        edition = "2024"
        license = "MIT"
        authors = ["Somebody"]
        readme = "README.md"
        [workspace.dependencies]
        plain = { path = "plain", default-features = false }
        [workspace.lints.rust]
        missing_docs = "deny"
        [patch.crates-io]
        dynplug-test-patched = { path = "patched" }
        "#,
    ),
    ("README.md", "Hello."),
    (
        "api/Cargo.toml",
        r#"
        [package]
        name = "api"
        version.workspace = true
        edition.workspace = true
        license.workspace = true
        authors.workspace = true
        readme.workspace = true
        links = "native"
        publish = false
        [package.metadata.other]
        date = 2024-02-29
        list = [1, 2.5, "three", { four = true }]
        [lib]
        crate-type = ["lib", "dylib"]
        doctest = false
        [features]
        default = ["fancy", "implicit"]
        fancy = ["dep:other-name", "other-name/extra"]
        hint = ["other-name?/extra", "off?/some", "testing/some"]
        pro = ["dep:off"]
        all = ["pro", "fancy"]
        [dependencies]
        plain.workspace = true
        other-name = { package = "renamed", version = "0.3", path = "../renamed", optional = true, features = ["more"] }
        implicit = { path = "../implicit", optional = true }
        off = { path = "../off", optional = true }
        derive = { path = "../derive" }
        dynplug-test-patched = "1.2"
        [target.'cfg(unix)'.dependencies]
        of-a-system = { path = "../of-a-system" }
        [target.'cfg(windows)'.dependencies]
        of-a-system = { path = "../of-a-system", features = ["windows"] }
        [build-dependencies]
        builder = { path = "../builder" }
        [dev-dependencies]
        testing = { path = "../testing" }
        [lints]
        workspace = true
        "#,
    ),
    ("api/.hidden", "not packaged"),
    ("api/tests/test.rs", "compile_error!();"),
    ("api/notes/text.md", "Notes."),
    ("api/build.rs", r#"fn main() { println!("cargo::rustc-env=BUILT={}", builder::word()); }"#),
    (
        "api/src/lib.rs",
        r#"
        //! The API.
        #![doc = include_str!("../notes/text.md")]
        pub use {derive::made, dynplug_test_patched as patched, implicit, of_a_system, other_name, plain};
        /// From the build script.
        pub const BUILT: &str = env!("BUILT");
        "#,
    ),
    (
        "plain/Cargo.toml",
        r#"
        [package]
        name = "plain"
        version = "0.1.0"
        edition = "2021"
        [features]
        default = ["std"]
        std = []
        "#,
    ),
    ("plain/src/lib.rs", "#[cfg(feature = \"std\")] compile_error!(\"the default features are off\");"),
    (
        "renamed/Cargo.toml",
        r#"
        [package]
        name = "renamed"
        version = "0.3.1"
        [lib]
        path = "lib.rs"
        [features]
        extra = []
        more = []
        "#,
    ),
    ("renamed/lib.rs", "#[cfg(all(feature = \"extra\", feature = \"more\"))] pub fn both() {}"),
    ("implicit/Cargo.toml", "[package]\nname = \"implicit\"\nversion = \"0.1.0-alpha.1+build\""),
    ("implicit/src/lib.rs", "pub fn implicit() {}"),
    ("off/Cargo.toml", "[package]\nname = \"off\"\nversion = \"0.1.0\"\n[features]\nsome = []"),
    ("off/src/lib.rs", ""),
    (
        "derive/Cargo.toml",
        "[package]\nname = \"derive\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\nproc-macro = true",
    ),
    (
        "derive/src/lib.rs",
        r#"
        #[proc_macro]
        pub fn made(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
            "pub fn made_it() {}".parse().unwrap()
        }
        "#,
    ),
    ("patched/Cargo.toml", "[package]\nname = \"dynplug-test-patched\"\nversion = \"1.2.9\""),
    ("patched/src/lib.rs", "pub fn patched() {}"),
    (
        "of-a-system/Cargo.toml",
        r#"
        [package]
        name = "of-a-system"
        version = "0.1.0"
        [features]
        windows = []
        [target.'cfg(all())'.dependencies]
        tiny = { path = "../tiny" }
        "#,
    ),
    ("of-a-system/src/lib.rs", "extern crate tiny_core; pub use tiny_core::one;"),
    (
        "tiny/Cargo.toml",
        "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\nname = \"tiny_core\"",
    ),
    ("tiny/src/lib.rs", "#![no_std]\npub fn one() -> u8 { 1 }"),
    ("builder/Cargo.toml", "[package]\nname = \"builder\"\nversion = \"0.1.0\""),
    ("builder/src/lib.rs", "pub fn word() -> &'static str { \"word\" }"),
    ("testing/Cargo.toml", "[package]\nname = \"testing\"\nversion = \"0.1.0\"\n[features]\nsome = []"),
    ("testing/src/lib.rs", "compile_error!();"),
];

const PLUGIN: &str = r#"
    api::made!();
    pub fn all() -> &'static str {
        api::other_name::both();
        api::implicit::implicit();
        api::patched::patched();
        api::of_a_system::one();
        made_it();
        api::BUILT
    }
"#;

fn put(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.replace("\n        ", "\n")).unwrap();
    }
}

fn workspace() -> TempDir {
    let folder = TempDir::new().unwrap();
    put(folder.path(), FILES);
    folder
}

/// What cargo says of the workspace with the member `api`.
fn metadata(folder: &Path, options: &[&str]) -> Metadata {
    let mut command = MetadataCommand::new();
    let options = ["--offline"].iter().chain(options).map(|o| (*o).to_owned());
    command.manifest_path(folder.join("Cargo.toml")).other_options(options.collect::<Vec<_>>());
    let mut command = command.cargo_command();
    crate::environment::clean(&mut command);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    MetadataCommand::parse(String::from_utf8(output.stdout).unwrap()).unwrap()
}

fn packaged(workspace: &Path, to: &Path) -> Result<Vec<SourcePackage>> {
    packaged_with(workspace, to, &[])
}

fn packaged_with(workspace: &Path, to: &Path, options: &[&str]) -> Result<Vec<SourcePackage>> {
    let metadata = metadata(workspace, options);
    let api = &metadata.packages.iter().find(|p| p.name == "api").unwrap().id;
    write(&metadata, api, to)
}

/// All files beneath a folder.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn visit(top: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(top, &path, found);
            } else {
                found.insert(inside(top, &path).unwrap(), std::fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    visit(folder, folder, &mut found);
    found
}

fn read(path: &Path) -> Table {
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

fn strings(list: &[&str]) -> Value {
    Value::Array(list.iter().map(|s| (*s).into()).collect())
}

#[test]
fn a_plugin_elsewhere_compiles_against_the_packages_with_plain_cargo() {
    let (workspace, sdk, plugin) = (workspace(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let written = packaged(workspace.path(), sdk.path()).unwrap();
    // Nothing that the packages may still lead to is left.
    drop(workspace);
    let api = sdk.path().join(&written.iter().find(|p| p.name == "api").unwrap().folder);
    let manifest = format!(
        "[package]\nname = 'a-plugin'\nversion = '0.1.0'\nedition = '2024'\n[workspace]\n[dependencies]\napi = {{ path = {:?} }}",
        api.to_str().unwrap()
    );
    put(plugin.path(), &[("Cargo.toml", &manifest), ("src/lib.rs", PLUGIN)]);
    let mut cargo = crate::environment::cargo();
    cargo.args(["check", "--offline", "--quiet", "--manifest-path"]).arg(plugin.path().join("Cargo.toml"));
    let output = cargo.arg("--target-dir").arg(plugin.path().join("target")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(said, "");
}

#[test]
fn every_path_package_that_is_built_is_there_and_no_other() {
    let (workspace, sdk) = (workspace(), TempDir::new().unwrap());
    let before = contents(workspace.path());
    let written = packaged(workspace.path(), sdk.path()).unwrap();
    let folders: Vec<&str> = written.iter().map(|p| p.folder.to_str().unwrap()).collect();
    let want = [
        "source/api",
        "source/builder",
        "source/derive",
        "source/dynplug-test-patched",
        "source/implicit",
        "source/of-a-system",
        "source/plain",
        "source/renamed",
        "source/tiny",
    ];
    assert_eq!(folders, want);
    let names: Vec<String> = contents(&sdk.path().join("source/api")).into_keys().collect();
    let want = ["Cargo.toml", "README.md", "build.rs", "notes/text.md", "src/lib.rs", "tests/test.rs"];
    assert_eq!(names, want);
    let mut after = contents(workspace.path());
    after.remove("Cargo.lock");
    let new: Vec<&String> = after.keys().filter(|name| !before.contains_key(*name)).collect();
    assert!(after == before, "the workspace is left as it was; new: {new:?}");
}

#[test]
fn each_package_is_marked_with_the_digest_of_its_original() {
    let (workspace, sdk) = (workspace(), TempDir::new().unwrap());
    for package in packaged(workspace.path(), sdk.path()).unwrap() {
        let manifest = read(&sdk.path().join(&package.folder).join("Cargo.toml"));
        let marker = manifest["package"]["metadata"][manifest::MARKER]["digest"].as_str();
        assert_eq!(marker, Some(package.digest.as_str()));
        let original = if package.name == "dynplug-test-patched" { "patched" } else { &package.name };
        assert_eq!(package.digest, source::hash(&workspace.path().join(original)).unwrap());
    }
}

#[test]
fn a_manifest_says_what_the_original_says_and_inherits_nothing() {
    let (workspace, sdk) = (workspace(), TempDir::new().unwrap());
    packaged(workspace.path(), sdk.path()).unwrap();
    let manifest = read(&sdk.path().join("source/api/Cargo.toml"));
    let mut package = manifest["package"].as_table().unwrap().clone();
    let other = package["metadata"]["other"].clone();
    package.remove("metadata");
    let want: Table = r#"
        name = "api"
        version = "1.2.3"
        edition = "2024"
        license = "MIT"
        authors = ["Somebody"]
        readme = "README.md"
        links = "native"
        publish = false
        build = "build.rs"
        autobins = false
        autoexamples = false
        autotests = false
        autobenches = false
    "#
    .parse()
    .unwrap();
    assert_eq!(package, want);
    let want: Table = "date = 2024-02-29\nlist = [1, 2.5, \"three\", { four = true }]".parse().unwrap();
    assert_eq!(other, Value::Table(want));
    let want: Table = r#"
        [lib]
        name = "api"
        path = "src/lib.rs"
        crate-type = ["lib", "dylib"]
        doctest = false
        [dependencies]
        plain = { path = "../plain", default-features = false }
        other-name = { package = "renamed", version = "^0.3", path = "../renamed", optional = true, features = ["more"] }
        implicit = { path = "../implicit", optional = true }
        derive = { path = "../derive" }
        dynplug-test-patched = { version = "^1.2", path = "../dynplug-test-patched" }
        [build-dependencies]
        builder = { path = "../builder" }
        [target.'cfg(unix)'.dependencies]
        of-a-system = { path = "../of-a-system" }
        [target.'cfg(windows)'.dependencies]
        of-a-system = { path = "../of-a-system", features = ["windows"] }
        [lints.rust]
        unexpected_cfgs = "allow"
    "#
    .parse()
    .unwrap();
    let mut rest = manifest.clone();
    rest.remove("package");
    rest.remove("features");
    assert_eq!(rest, want);
}

#[test]
fn features_that_need_what_is_not_there_are_not_there() {
    let (workspace, sdk) = (workspace(), TempDir::new().unwrap());
    packaged(workspace.path(), sdk.path()).unwrap();
    let manifest = read(&sdk.path().join("source/api/Cargo.toml"));
    let features = manifest["features"].as_table().unwrap();
    let names: Vec<&String> = features.keys().collect();
    assert_eq!(names, ["default", "fancy", "hint", "implicit"]);
    assert_eq!(features["default"], strings(&["fancy", "implicit"]));
    assert_eq!(features["fancy"], strings(&["dep:other-name", "other-name/extra"]));
    assert_eq!(features["hint"], strings(&["other-name?/extra"]));
    assert_eq!(features["implicit"], strings(&["dep:implicit"]));
}

#[test]
fn a_feature_that_is_on_stays_though_the_platform_does_without_its_dependency() {
    let (workspace, sdk) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let api = r#"
        [package]
        name = "api"
        version = "0.1.0"
        [workspace]
        [features]
        default = ["window"]
        window = ["dep:elsewhere"]
        [target.'cfg(windows)'.dependencies]
        elsewhere = { path = "elsewhere", optional = true }
    "#;
    let elsewhere = "[package]\nname = \"elsewhere\"\nversion = \"0.1.0\"";
    put(workspace.path(), &[("Cargo.toml", api), ("elsewhere/Cargo.toml", elsewhere)]);
    put(workspace.path(), &[("src/lib.rs", ""), ("elsewhere/src/lib.rs", "")]);
    let options = ["--filter-platform", "x86_64-unknown-linux-gnu"];
    let written = packaged_with(workspace.path(), sdk.path(), &options).unwrap();
    assert_eq!(written.len(), 1);
    let manifest = read(&sdk.path().join("source/api/Cargo.toml"));
    let want: Table = "default = [\"window\"]\nwindow = []".parse().unwrap();
    assert_eq!(manifest["features"], Value::Table(want));
    assert!(!manifest.contains_key("target"));
}

#[test]
fn two_versions_of_a_package_are_told_apart() {
    let (workspace, sdk) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let api = r#"
        [package]
        name = "api"
        version = "0.1.0"
        [workspace]
        exclude = ["one"]
        [dependencies]
        two = { path = "two" }
        first = { package = "two", path = "one" }
        [build-dependencies]
        first = { package = "two", path = "one" }
    "#;
    let [one, two] = ["1.0.0", "2.0.0"].map(|v| format!("[package]\nname = \"two\"\nversion = \"{v}\""));
    put(workspace.path(), &[("Cargo.toml", api), ("one/Cargo.toml", &one), ("two/Cargo.toml", &two)]);
    put(workspace.path(), &[("src/lib.rs", ""), ("one/src/lib.rs", ""), ("two/src/lib.rs", "")]);
    packaged(workspace.path(), sdk.path()).unwrap();
    let manifest = read(&sdk.path().join("source/api/Cargo.toml"));
    let path = |table: &str, key: &str| manifest[table][key]["path"].as_str().unwrap().to_owned();
    assert_eq!(path("dependencies", "two"), "../two-2.0.0");
    assert_eq!(path("dependencies", "first"), "../two-1.0.0");
    assert_eq!(path("build-dependencies", "first"), "../two-1.0.0");
}

#[test]
fn two_workspaces_with_one_content_give_the_same_packages() {
    let (one, two, sdk, other) = (workspace(), workspace(), TempDir::new().unwrap(), TempDir::new().unwrap());
    packaged(one.path(), sdk.path()).unwrap();
    put(other.path(), &[("source/api/src/old.rs", ""), ("source/gone-0.1.0/src/lib.rs", "")]);
    packaged(two.path(), other.path()).unwrap();
    let all = contents(sdk.path());
    assert!(all == contents(other.path()), "what an earlier call left is gone");
    assert!(!other.path().join("source/gone-0.1.0").exists());
    for (name, bytes) in all {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains(one.path().to_str().unwrap()), "{name}: {text}");
    }
}

#[test]
fn a_root_that_cargo_would_not_package_is_named() {
    let (workspace, sdk) = (workspace(), TempDir::new().unwrap());
    let left_out = "[package]\nname = \"builder\"\nversion = \"0.1.0\"\nexclude = [\"src\"]";
    put(workspace.path(), &[("builder/Cargo.toml", left_out)]);
    let error = packaged(workspace.path(), sdk.path()).unwrap_err();
    assert_eq!(error.code, "sdk-source");
    assert!(error.notes[0].starts_with("builder 0.1.0, in "), "{error}");
}

#[test]
fn the_sources_that_a_package_stands_for_are_told_where_others_depend_on_them() {
    let (workspace, sdk) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let api = r#"
        [package]
        name = "api"
        version = "0.1.0"
        [dependencies]
        sha2 = { version = "0.10", default-features = false }
        cfg-if = { version = "1", optional = true }
        [build-dependencies]
        cfg-if = "1"
        [workspace]
        [patch.crates-io]
        cfg-if = { path = "patched" }
    "#;
    let patched = "[package]\nname = \"cfg-if\"\nversion = \"1.0.9999\"";
    let files = [("Cargo.toml", api), ("src/lib.rs", ""), ("patched/Cargo.toml", patched)];
    put(workspace.path(), &files);
    put(workspace.path(), &[("patched/src/lib.rs", "")]);
    let written = packaged(workspace.path(), sdk.path()).unwrap();
    let patches: Vec<(&str, Vec<&str>)> =
        written.iter().map(|p| (&*p.name, p.patches.iter().map(|s| &**s).collect())).collect();
    let crates_io = "registry+https://github.com/rust-lang/crates.io-index";
    assert_eq!(patches, [("api", vec![]), ("cfg-if", vec![crates_io])]);
    let manifest = read(&sdk.path().join("source/api/Cargo.toml"));
    let want: Table = r#"
        sha2 = { version = "^0.10", default-features = false }
        # Nobody turns it on, but cargo wants one source for one name.
        cfg-if = { version = "^1", path = "../cfg-if", optional = true }
    "#
    .parse()
    .unwrap();
    assert_eq!(manifest["dependencies"], Value::Table(want));
    assert_eq!(manifest["build-dependencies"]["cfg-if"]["path"].as_str(), Some("../cfg-if"));
}

#[test]
fn a_package_that_cargo_can_not_list_is_copied_as_it_is_hashed() {
    let folder = TempDir::new().unwrap();
    put(folder.path(), &[("src/lib.rs", ""), (".hidden", ""), ("target/made", ""), ("below/Cargo.toml", "")]);
    assert_eq!(beneath(folder.path()).unwrap(), ["src/lib.rs"]);
}
