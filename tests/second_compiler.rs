//! A second compiler on the machine: what it makes fits together, and nothing of it fits what the default one makes.
//! Where there is none, the tests say so and prove nothing.

use crate::harness::{CALLS_F, Fixture, Kind, Ran, copy, skipped, target};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// A compiler and its version.
pub struct Compiler {
    pub path: PathBuf,
    pub version: String,
}

/// The same workspace, built by the default compiler in `default/` and by the second one in `second/`.
struct Built {
    fixture: Fixture,
    builds: [Ran; 2],
    default: String,
    second: String,
}

static BUILT: LazyLock<Option<Built>> = LazyLock::new(|| {
    let fixture = Fixture::empty("second-compiler");
    fixture
        .package("app-api", Kind::Api, &["dynplug"], "pub use dynplug;\npub fn number() -> u32 { 7 }\n")
        .host(CALLS_F)
        .plugin(
            "hello",
            "#[dynplug::export]\npub fn f() { println!(\"Hello, number {}\", app_api::number()) }\n",
        );
    let (default, second) = compilers(&fixture)?;
    if let Some(triple) = target().named() {
        let said = Command::new(&second.path).args(["--print", "target-libdir", "--target", triple]).output();
        let folder = said.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned());
        if !folder.is_ok_and(|folder| Path::new(&folder).is_dir()) {
            skipped("the second compiler has no standard library for the target");
            return None;
        }
    }
    let first = fixture.build().go();
    keep(&fixture, "default");
    let next = fixture.build().env("RUSTC", &second.path).go();
    keep(&fixture, "second");
    Some(Built { fixture, builds: [first, next], default: default.version, second: second.version })
});

/// The default compiler and another one, if there is one.
pub fn compilers(fixture: &Fixture) -> Option<(Compiler, Compiler)> {
    let path = PathBuf::from("rustc");
    let default = Compiler { version: version(fixture, &path)?, path };
    let Some(second) = second(fixture, &default.version) else {
        skipped("there is no second Rust compiler, neither on PATH nor as /usr/bin/rustc");
        return None;
    };
    Some((default, second))
}

/// Puts the outcome aside, if there is one: what the build said is looked at by each test.
fn keep(fixture: &Fixture, name: &str) {
    if fixture.outcome("").exists() {
        copy(&fixture.outcome(""), &fixture.root().join(name));
        std::fs::remove_dir_all(fixture.outcome("")).expect("the outcome can be removed");
    }
}

/// What the compiler says of its version, if it is one.
fn version(fixture: &Fixture, rustc: &Path) -> Option<String> {
    let ran = fixture.system(rustc).arg("-vV").go();
    let line = ran.stdout.lines().find_map(|line| line.strip_prefix("release: "))?;
    Some(line.to_owned())
}

/// The first compiler with another version, among those on `PATH` and Debian's.
fn second(fixture: &Fixture, default: &str) -> Option<Compiler> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let candidates = std::env::split_paths(&folders).map(|folder| folder.join("rustc"));
    let mut candidates = candidates.chain([PathBuf::from("/usr/bin/rustc")]).filter(|path| path.is_file());
    candidates.find_map(|path| {
        let version = version(fixture, &path).filter(|version| version != default)?;
        Some(Compiler { path, version })
    })
}

/// The two builds, if there are two compilers.
#[track_caller]
fn built() -> Option<&'static Built> {
    let built = BUILT.as_ref()?;
    for build in &built.builds {
        build.ok();
    }
    Some(built)
}

impl Built {
    /// The host that one of the compilers made, yet to be run, with a plugin of the same or of the other.
    fn host_with_plugin(&self, host: &str, plugin: &str) -> Ran {
        let folder = self.fixture.root().join(format!("{host} with {plugin}"));
        copy(&self.fixture.root().join(host), &folder);
        let from = self.fixture.root().join(plugin).join("plugins/libhello.so");
        std::fs::copy(from, folder.join("plugins/libhello.so")).expect("the plugin can be copied");
        self.fixture.run(&folder.join("app")).empty_environment().go()
    }
}

#[test]
fn what_a_second_compiler_makes_works_as_a_whole() {
    let Some(built) = built() else { return };
    assert_ne!(built.default, built.second);
    for compiler in ["default", "second"] {
        built.host_with_plugin(compiler, compiler).ok().prints("Hello, number 7");
    }
}

// C1
#[test]
fn a_plugin_of_a_second_compiler_is_refused_with_both_versions() {
    let Some(built) = built() else { return };
    for (host, plugin) in [("default", "second"), ("second", "default")] {
        let ran = built.host_with_plugin(host, plugin);
        ran.fails_with(1).says(&built.default).says(&built.second).says("toolchain").does_not_say("Hello");
    }
}
