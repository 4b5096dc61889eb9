//! A workspace in a folder of its own, a command run in it, and what the command printed.

mod call;
mod target;

pub use call::{Call, Ran, Running};
pub use target::target;

use sha2::{Digest, Sha256};
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

/// The built tool.
pub const TOOL: &str = env!("CARGO_BIN_EXE_cargo-dynplug");
/// Longer than any build takes that waits for the others.
const BUILD_LIMIT: Duration = Duration::from_secs(600);
/// A host that runs longer than this hangs.
const HOST_LIMIT: Duration = Duration::from_secs(60);

/// The repository's root.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository is there")
}

/// The target folder that the fixtures share, so that what they have in common is compiled once. It is named for the
/// tool that fills it: another tool may make other things of the same sources.
pub fn shared_target() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let bytes = std::fs::read(TOOL).expect("the tool is built");
        let name: String = Sha256::digest(bytes)[..8].iter().map(|b| format!("{b:02x}")).collect();
        let parent = Path::new(env!("CARGO_TARGET_TMPDIR")).join("end-to-end");
        for entry in std::fs::read_dir(&parent).into_iter().flatten().flatten() {
            if entry.file_name() != *name {
                // What can't be removed is in the way of nothing.
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        let folder = parent.join(name);
        std::fs::create_dir_all(&folder).expect("the target folder can be made");
        folder
    });
    &FOLDER
}

/// A folder for the workspaces of this process. Those of processes that are gone are removed first; a fixture that
/// is kept for looking at is kept until then.
fn fixtures() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let parent = std::env::temp_dir().join("dynplug-end-to-end");
        for entry in std::fs::read_dir(&parent).into_iter().flatten().flatten() {
            if !Path::new("/proc").join(entry.file_name()).exists() {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        let folder = parent.join(std::process::id().to_string());
        std::fs::create_dir_all(&folder).expect("the fixtures' folder can be made");
        // The temporary folder may be a link, and cargo prints what it points to.
        folder.canonicalize().expect("the fixtures' folder is there")
    });
    &FOLDER
}

/// What a package's library is compiled to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An API crate.
    Api,
    /// A plugin.
    Plugin,
    /// A library that is linked into others.
    Library,
    /// No library: a program.
    Program,
}

/// A workspace in a folder that lives as long as the value.
///
/// Its members lie in a folder that is named for the fixture: cargo tells packages apart by where they lie in their
/// workspace, and fixtures share a target folder.
pub struct Fixture {
    name: String,
    root: PathBuf,
    /// The target folder, where it is not the shared one.
    target: Option<PathBuf>,
}

impl Fixture {
    /// A workspace without members.
    pub fn empty(name: &str) -> Fixture {
        let fixture = Fixture::folder(name);
        fixture.root_manifest("");
        let lock = std::fs::read(repository().join("Cargo.lock")).expect("the repository has a lock file");
        // The same versions as everywhere in this repository; cargo drops what a fixture has no use for.
        std::fs::write(fixture.root.join("Cargo.lock"), lock).expect("the lock file can be written");
        fixture
    }

    /// An empty folder that is in no workspace.
    pub fn folder(name: &str) -> Fixture {
        static NAMES: OnceLock<std::sync::Mutex<Vec<String>>> = OnceLock::new();
        let names = NAMES.get_or_init(Default::default);
        {
            let mut names = names.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            assert!(!names.iter().any(|n| n == name), "two fixtures are named {name}");
            names.push(name.to_owned());
        }
        let root = fixtures().join(name);
        std::fs::create_dir_all(&root).expect("the fixture's folder can be made");
        Fixture { name: name.to_owned(), root, target: None }
    }

    /// The usual form: the API crate `app-api`, the host `app`, and the plugin `hello`, whose source is given.
    pub fn usual(name: &str, plugin: &str) -> Fixture {
        let fixture = Fixture::empty(name);
        fixture.api("pub use dynplug;\n").host(CALLS_F).plugin("hello", plugin);
        fixture
    }

    /// Lets the fixture have a target folder of its own.
    pub fn own_target(mut self) -> Fixture {
        self.target = Some(self.root.join("target folder"));
        self
    }

    /// The workspace's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path below the members' folder.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(&self.name).join(path)
    }

    /// A path below the outcome's folder.
    pub fn outcome(&self, path: &str) -> PathBuf {
        self.root.join("out").join(path)
    }

    /// The API library in the outcome.
    pub fn library(&self) -> PathBuf {
        let mut found: Vec<PathBuf> = (std::fs::read_dir(self.outcome("")).into_iter().flatten().flatten())
            .map(|entry| entry.path())
            .filter(|path| path.extension() == Some(OsStr::new(target().library_ending())))
            .collect();
        assert_eq!(found.len(), 1, "the outcome of {} has one API library: {found:?}", self.name);
        found.remove(0)
    }

    /// Where plugins with this crate name lie in the outcome.
    pub fn plugin_file(&self, crate_name: &str) -> PathBuf {
        self.outcome("plugins").join(target().library(crate_name))
    }

    /// Writes the workspace's `Cargo.toml`, with `more` at its end.
    pub fn root_manifest(&self, more: &str) -> &Fixture {
        let crates = repository().join("crates");
        let text = format!(
            "[workspace]\nresolver = \"3\"\nmembers = [\"{}/*\"]\n\n\
             [workspace.dependencies]\ndynplug = {{ path = '{}' }}\n\n{more}",
            self.name,
            crates.join("dynplug").display(),
        );
        self.root_file("Cargo.toml", &text)
    }

    /// Writes a file below the workspace's folder.
    pub fn root_file(&self, path: &str, text: &str) -> &Fixture {
        write(&self.root.join(path), &target().spelled(text));
        self
    }

    /// Writes a file below the members' folder.
    pub fn file(&self, path: &str, text: &str) -> &Fixture {
        write(&self.path(path), &target().spelled(text));
        self
    }

    /// Replaces `old`, which must be there, in a file below the members' folder.
    pub fn replace(&self, path: &str, old: &str, new: &str) -> &Fixture {
        let text = std::fs::read_to_string(self.path(path)).expect("the file to change is there");
        assert!(text.contains(old), "{path} has no {old:?}:\n{text}");
        self.file(path, &text.replace(old, new))
    }

    /// The same workspace in another folder, with a copy of the runtime beside it and a target folder of its own.
    pub fn moved(&self, folder: &str) -> Fixture {
        let root = fixtures().join(folder);
        // Beside the workspace: what lies in its folder is a member of it.
        let runtime_there = fixtures().join(format!("{folder} and its runtime"));
        for name in ["Cargo.toml", "Cargo.lock", ".cargo", &self.name] {
            let from = self.root.join(name);
            if from.is_dir() {
                copy(&from, &root.join(name));
            } else if from.exists() {
                let text = std::fs::read_to_string(&from).expect("the file can be read");
                let runtime = |folder: &Path| format!("'{}'", folder.join("crates/dynplug").display());
                let text = text.replace(&runtime(&repository()), &runtime(&runtime_there));
                write(&root.join(name), &text);
            }
        }
        for name in ["dynplug", "dynplug-macros", "dynplug-manifest", "dynplug-process", "dynplug-trust"] {
            let path = Path::new("crates").join(name);
            copy(&repository().join(&path), &runtime_there.join(&path));
        }
        // The runtime's package has the readme of the repository.
        for name in ["Cargo.toml", "README.md"] {
            let text = std::fs::read_to_string(repository().join(name)).expect("the file can be read");
            write(&runtime_there.join(name), &text);
        }
        Fixture { name: self.name.clone(), target: Some(root.join("target folder")), root }
    }

    /// Adds the API crate `app-api`.
    pub fn api(&self, source: &str) -> &Fixture {
        self.package("app-api", Kind::Api, &["dynplug"], source)
    }

    /// Adds the host `app`.
    pub fn host(&self, source: &str) -> &Fixture {
        self.host_named("app", source)
    }

    /// Adds a host with another name.
    pub fn host_named(&self, name: &str, source: &str) -> &Fixture {
        self.package(name, Kind::Program, &["app-api"], source)
    }

    /// Adds a plugin.
    pub fn plugin(&self, name: &str, source: &str) -> &Fixture {
        self.package(name, Kind::Plugin, &["dynplug", "app-api"], source)
    }

    /// Adds a package. A dependency is the name of another member, `dynplug`, or a whole line of `Cargo.toml`. What
    /// follows an empty one stands at the end of the manifest, outside of the dependencies.
    pub fn package(&self, name: &str, kind: Kind, dependencies: &[&str], source: &str) -> &Fixture {
        let lib = match kind {
            Kind::Api => "[lib]\ncrate-type = [\"lib\", \"dylib\"]\n\n",
            Kind::Plugin => "[lib]\ncrate-type = [\"lib\", \"cdylib\"]\n\n",
            Kind::Library | Kind::Program => "",
        };
        let mut lines = String::new();
        let mut inside = true;
        for dependency in dependencies {
            inside &= !dependency.is_empty();
            lines += &match dependency {
                line if !inside || line.contains('=') => format!("{line}\n"),
                &"dynplug" => "dynplug.workspace = true\n".to_owned(),
                member => format!("{member} = {{ path = \"../{member}\" }}\n"),
            };
        }
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n\
             {lib}[dependencies]\n{lines}"
        );
        let file = if kind == Kind::Program { "main.rs" } else { "lib.rs" };
        self.file(&format!("{name}/Cargo.toml"), &manifest).file(&format!("{name}/src/{file}"), source)
    }

    /// Copies a folder of packages from beside this file.
    pub fn copy(&self, folder: &str) -> &Fixture {
        copy(&repository().join("tests").join(folder), &self.path(""));
        if !target().names_libraries_as_linux() {
            spell(&self.path(""));
        }
        self
    }

    /// A copy of an example, which can be changed, with the versions that the example has.
    pub fn example(name: &str, example: &str) -> Fixture {
        let fixture = Fixture::folder(name);
        let from = repository().join("examples").join(example);
        for entry in std::fs::read_dir(&from).expect("the example is there").flatten() {
            if entry.path().is_dir() && entry.file_name() != "target" {
                copy(&entry.path(), &fixture.path("").join(entry.file_name()));
            }
        }
        let read = |file| std::fs::read_to_string(from.join(file)).expect("the example has it");
        let runtime = repository().join("crates").join("dynplug");
        let mut manifest: toml::Table = read("Cargo.toml").parse().expect("cargo reads it too");
        let inside = |path: &mut toml::Value| {
            *path = format!("{name}/{}", path.as_str().expect("it is a path")).into();
        };
        let members = manifest["workspace"]["members"].as_array_mut().expect("there are members");
        members.iter_mut().for_each(inside);
        let shared = manifest["workspace"]["dependencies"].as_table_mut().expect("there are dependencies");
        for (dependency, value) in shared {
            match value.get_mut("path") {
                Some(path) if dependency == "dynplug" => *path = runtime.display().to_string().into(),
                Some(path) => inside(path),
                None => {}
            }
        }
        fixture.root_file("Cargo.toml", &manifest.to_string()).root_file("Cargo.lock", &read("Cargo.lock"));
        fixture
    }

    /// `cargo dynplug build`, yet to be run.
    pub fn build(&self) -> Call {
        self.tool("build")
    }

    /// A subcommand that builds, yet to be run.
    pub fn tool(&self, subcommand: &str) -> Call {
        let folder = self.target.as_deref().unwrap_or_else(|| shared_target());
        let call = self.bare_tool().arg(subcommand);
        let call = call.arg("--target-dir").arg(folder).arg("--out-dir").arg(self.outcome(""));
        match target().named() {
            Some(triple) => call.args(["--target", triple]),
            None => call,
        }
    }

    /// The tool, without any arguments, yet to be run.
    pub fn bare_tool(&self) -> Call {
        // As cargo does it for subcommands.
        Call::new(TOOL, BUILD_LIMIT)
            .arg("dynplug")
            .folder(&self.root)
            .env("DYNPLUG_CACHE", shared_target().join("unpacked SDKs"))
    }

    /// Plain cargo, yet to be run.
    pub fn cargo(&self, subcommand: &str) -> Call {
        let folder = shared_target().join("plain");
        Call::new("cargo", BUILD_LIMIT).arg(subcommand).folder(&self.root).env("CARGO_TARGET_DIR", folder)
    }

    /// The host `app` in the outcome, yet to be run.
    pub fn app(&self) -> Call {
        self.run(&self.program("app"))
    }

    /// Where a program lies in the outcome.
    pub fn program(&self, name: &str) -> PathBuf {
        self.outcome(&target().program(name))
    }

    /// A program that was built, yet to be run in the workspace's folder: by what runs the target's programs.
    pub fn run(&self, program: &Path) -> Call {
        let call = match target().runner() {
            [] => Call::new(program, HOST_LIMIT),
            [runner, arguments @ ..] => {
                // It may be many times slower than the machine that it stands for.
                let call = Call::new(runner, BUILD_LIMIT);
                arguments.iter().fold(call, Call::arg).arg(program)
            }
        };
        call.of_the_target().folder(&self.root)
    }

    /// A program of this machine, yet to be run in the workspace's folder.
    pub fn system(&self, program: &Path) -> Call {
        Call::new(program, HOST_LIMIT).folder(&self.root)
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the workspace is kept in {}", self.root.display());
        } else {
            // The next run tries again.
            let _ = std::fs::remove_dir_all(&self.root);
        }
    }
}

/// Says that a test proves nothing here, past what the test runner catches, so that somebody sees it.
pub fn skipped(why: &str) {
    // The thread has the test's name. Who closed the standard error doesn't want to know.
    let test = std::thread::current();
    let _ = writeln!(std::io::stderr(), "skipped: {}: {why}", test.name().unwrap_or("a test"));
}

/// A host that opens the plugin `hello` and calls its `f`, or prints why not and exits with 1.
pub const CALLS_F: &str = r#"
use app_api::dynplug::Plugin;
fn main() {
    if let Err(error) = run() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
fn run() -> Result<(), Box<dyn std::error::Error>> {
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
    let name = format!("{DLL_PREFIX}hello{DLL_SUFFIX}");
    let file = std::env::current_exe()?.with_file_name("plugins").join(name);
    // SAFETY: the build made it.
    let plugin = unsafe { Plugin::open(file) }?;
    let f: fn() = plugin.lookup("f")?;
    f();
    Ok(())
}
"#;

fn write(path: &Path, text: &str) {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).expect("the folder can be made");
    }
    std::fs::write(path, text).unwrap_or_else(|e| panic!("{} can't be written: {e}", path.display()));
}

/// Has the sources below a folder name libraries as the target does.
fn spell(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            spell(&path);
        } else if path.extension() == Some(OsStr::new("rs")) {
            let text = std::fs::read_to_string(&path).expect("the file can be read");
            write(&path, &target().spelled(&text));
        }
    }
}

/// Copies a folder and all in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the folder can be made");
    for entry in std::fs::read_dir(from).unwrap_or_else(|e| panic!("{}: {e}", from.display())) {
        let entry = entry.expect("the folder can be read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("the file can be copied");
        }
    }
}
