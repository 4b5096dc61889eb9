//! Shared crates of every kind fit: with build scripts, C code, a `links` key, proc macros, other names, `[patch]`, from
//! git and from folders, inheriting from a workspace, without std, in two versions, with features.

use crate::harness::{Call, Fixture, copy, repository, skipped};
use crate::registry::commit;
use crate::sdk::sdk_of;
use std::path::PathBuf;
use std::sync::LazyLock;

/// A host with shared crates of every kind, and its SDK.
static SHAPES: LazyLock<Option<Fixture>> = LazyLock::new(|| {
    let fixture = Fixture::empty("shapes");
    let counted = "use std::sync::atomic::AtomicU32;\npub static COUNT: AtomicU32 = AtomicU32::new(0);\n\
                   pub struct Fetched;\n";
    let thing = "pub struct Thing;\npub const VERSION: &str = env!(\"CARGO_PKG_VERSION\");\n";
    for (name, version, source) in [("fetched", "0.3.0", counted), ("twice", "1.4.0", thing)] {
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n");
        fixture.root_file(&format!("repository/{name}/Cargo.toml"), &manifest);
        fixture.root_file(&format!("repository/{name}/src/lib.rs"), source);
    }
    let repository = fixture.root().join("repository");
    if !commit(&fixture, &repository) {
        return None;
    }
    fixture.copy("shapes").root_manifest(&format!(
        "fetched = {{ git = \"{url}\" }}\n\
         old-twice = {{ package = \"twice\", git = \"{url}\" }}\n\
         short = {{ package = \"optional\", path = \"shapes/optional\", default-features = false }}\n\n\
         [workspace.package]\nversion = \"0.7.0\"\nedition = \"2024\"\ndescription = \"As the workspace has it\"\n\n\
         [workspace.lints.rust]\nmissing_docs = \"deny\"\n\n\
         [patch.crates-io]\nitoa = {{ path = \"shapes/itoa\" }}\n",
        url = url(&fixture)
    ));
    // What the lock file has of the crate that is patched would be kept to.
    let lock = std::fs::read_to_string(fixture.root().join("Cargo.lock")).unwrap();
    let blocks = lock.split("[[package]]\n").filter(|block| !block.contains("name = \"itoa\"\n"));
    fixture.root_file("Cargo.lock", &blocks.collect::<Vec<_>>().join("[[package]]\n"));
    // With a cargo home of the test's own: the repository is nobody else's.
    fixture.build().of_somebody_else(&fixture).go().ok();
    fixture.tool("sdk").arg("-o").arg(sdk_of(&fixture)).of_somebody_else(&fixture).go().ok();
    Some(fixture)
});

fn url(fixture: &Fixture) -> String {
    format!("file://{}", fixture.root().join("repository").display())
}

/// A plugin that depends on every one of them.
static AUTHOR: LazyLock<Option<Fixture>> = LazyLock::new(|| {
    let shapes = SHAPES.as_ref()?;
    let author = Fixture::folder("author of shapes");
    author.bare_tool().args(["new", "every-kind", "--sdk"]).arg(sdk_of(shapes)).go().ok();
    let project = author.root().join("every-kind");
    copy(&repository().join("tests/shapes-author"), &project);
    let path = project.join("Cargo.toml");
    let manifest = std::fs::read_to_string(&path).unwrap();
    assert!(manifest.contains("[patch.crates-io]\n\"itoa\" = { path = \"sdk/itoa\" }"), "{manifest}");
    assert!(manifest.contains("app-api = { features = [\"chosen\"], path = \"sdk/app-api\" }"), "{manifest}");
    let url = url(shapes);
    let dependencies = format!(
        "[build-dependencies]\ncc = \"1\"\n\n[dependencies]\n\
         bundled = {{ path = \"sdk/bundled\" }}\n\
         fetched = {{ git = \"{url}\" }}\n\
         itoa = \"1\"\n\
         making = {{ path = \"sdk/making\" }}\n\
         no_std = {{ package = \"bare\", path = \"sdk/bare\" }}\n\
         older = {{ package = \"twice\", git = \"{url}\" }}\n\
         optional = {{ path = \"sdk/optional\", default-features = false, features = [\"extra\"] }}\n\
         scripted = {{ path = \"sdk/scripted\" }}\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\n\
         serde_json = \"1\"\n\
         twice = {{ path = \"sdk/twice\" }}\n"
    );
    std::fs::write(&path, manifest.replace("[dependencies]\n", &dependencies)).unwrap();
    Some(author)
});

/// The tool, in the plugin's project.
fn tool(subcommand: &str) -> Option<(&'static Fixture, Call)> {
    let Some(author) = &*AUTHOR else {
        skipped("git is not here, which a dependency wants");
        return None;
    };
    let call = author.tool(subcommand).of_somebody_else(SHAPES.as_ref()?);
    Some((author, call.folder(&author.root().join("every-kind"))))
}

const OUTPUT: &str = "\
bundled: 1
from the plugin: 16011
bundled: 17
counts: (1, 2, 3)
record: Record { number: 42 }
";

#[test]
fn a_plugin_shares_crates_of_every_kind() {
    let Some((author, build)) = tool("build") else { return };
    let ran = build.go();
    ran.ok();
    let shapes = SHAPES.as_ref().unwrap();
    let ran = shapes.app().arg(author.plugin_file("every_kind")).go();
    ran.ok().says(OUTPUT).says_in_lines(12, " is one").says("written: 1");
}

#[test]
fn plain_cargo_and_the_other_commands_take_crates_of_every_kind() {
    let Some((author, test)) = tool("test") else { return };
    let project = author.root().join("every-kind");
    let check = author.cargo("check").of_somebody_else(SHAPES.as_ref().unwrap());
    check.folder(&project).go().ok().does_not_say("warning");
    test.go().ok();
    for subcommand in ["clippy", "doc"] {
        tool(subcommand).unwrap().1.go().ok().does_not_say("warning");
    }
}

#[test]
fn a_feature_of_a_path_crate_that_the_sdk_lacks_is_told() {
    let Some((author, _)) = tool("build") else { return };
    let shapes = SHAPES.as_ref().unwrap();
    author.bare_tool().args(["new", "wanting-first", "--sdk"]).arg(sdk_of(shapes)).go().ok();
    let project = author.root().join("wanting-first");
    let path: PathBuf = project.join("Cargo.toml");
    let manifest = std::fs::read_to_string(&path).unwrap();
    let more = "[dependencies]\noptional = { path = \"sdk/optional\" }\n";
    std::fs::write(&path, manifest.replace("[dependencies]\n", more)).unwrap();
    let ran = author.tool("build").of_somebody_else(shapes).folder(&project).go();
    ran.fails_with(1)
        .says("the plugin `wanting-first` wants `optional` with the feature `first`")
        .says_in_lines(1, "error");
    // What no feature of the host wants isn't in the SDK, and neither is the feature.
    let never = "[dependencies]\noptional = { path = \"sdk/optional\", features = [\"never\"] }\n";
    std::fs::write(&path, manifest.replace("[dependencies]\n", never)).unwrap();
    author.tool("build").of_somebody_else(shapes).folder(&project).go().fails_with(2).says("never");
}
