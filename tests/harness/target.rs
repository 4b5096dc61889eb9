//! For which machine the fixtures are built, and what runs their programs.
//!
//! `DYNPLUG_TEST_TARGET` names another target than this machine's. Linker, runner and compilers of C come from the variables
//! that cargo and build scripts have for them.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The target of the fixtures.
pub struct Target {
    named: Option<String>,
    runner: Vec<OsString>,
}

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let named = std::env::var("DYNPLUG_TEST_TARGET").ok().filter(|triple| !triple.is_empty());
    let runner = named.as_ref().and_then(|triple| std::env::var(variable(triple, "RUNNER")).ok());
    let mut runner: Vec<OsString> =
        runner.iter().flat_map(|r| r.split_whitespace()).map(OsString::from).collect();
    if let Some(program) = runner.first_mut() {
        // Hosts may be run with an empty environment.
        *program = found(program.as_ref()).into();
    }
    Target { named, runner }
});

/// The target of the fixtures.
pub fn target() -> &'static Target {
    &TARGET
}

/// The variable of cargo's with this setting for a target.
fn variable(triple: &str, setting: &str) -> String {
    format!("CARGO_TARGET_{}_{setting}", triple.to_uppercase().replace(['-', '.'], "_"))
}

/// Where a program lies that is called by its name.
fn found(program: &Path) -> PathBuf {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&folders).map(|folder| folder.join(program));
    places.into_iter().find(|path| path.is_file()).unwrap_or_else(|| program.to_owned())
}

impl Target {
    /// The triple, if it is another machine's than this one.
    pub fn named(&self) -> Option<&str> {
        self.named.as_deref()
    }

    /// The program that runs those of the target, and its arguments.
    pub fn runner(&self) -> &[OsString] {
        &self.runner
    }

    /// Whether a variable of the environment says how to build for the target.
    pub fn wants(&self, variable: &str) -> bool {
        let settings = ["CARGO_TARGET_", "CARGO_UNSTABLE_", "CC_", "CFLAGS_", "AR_", "RUSTC", "WINE"];
        self.named.is_some() && settings.iter().any(|start| variable.starts_with(start))
    }

    /// The C compiler, which is the linker too.
    pub fn c_compiler(&self) -> PathBuf {
        let named = self.named().and_then(|triple| std::env::var_os(variable(triple, "LINKER")));
        named.unwrap_or_else(|| "cc".into()).into()
    }

    /// The name of its processor, as Rust has it.
    pub fn machine(&self) -> &str {
        self.named().and_then(|triple| triple.split('-').next()).unwrap_or(std::env::consts::ARCH)
    }

    /// Whether it is Windows.
    pub fn is_windows(&self) -> bool {
        self.named().map_or(cfg!(windows), |triple| triple.contains("windows"))
    }

    /// What the shared library of a crate is called.
    pub fn library(&self, crate_name: &str) -> String {
        format!("{}{crate_name}.{}", if self.is_windows() { "" } else { "lib" }, self.library_ending())
    }

    /// Whether libraries are called as they are in the sources of the tests.
    pub fn names_libraries_as_linux(&self) -> bool {
        self.library("") == "lib.so"
    }

    /// A text, or a source, with the names of libraries as the target has them. Tests are written with Linux's:
    /// `libhello.so`, and in the sources of hosts `lib{name}.so`.
    pub fn spelled<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.names_libraries_as_linux() {
            return Cow::Borrowed(text);
        }
        let mut spelled = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("lib") {
            let (before, name) = (&rest[..at], &rest[at + 3..]);
            let is_name = |c: char| c.is_alphanumeric() || "_-{}".contains(c);
            let end = name.find(|c| !is_name(c)).unwrap_or(name.len());
            let begins = !before.ends_with(is_name);
            spelled += before;
            match name[end..].strip_prefix(".so") {
                Some(after) if begins && end > 0 && !after.starts_with(is_name) => {
                    spelled += &self.library(&name[..end]);
                    rest = after;
                }
                _ => {
                    spelled += "lib";
                    rest = name;
                }
            }
        }
        Cow::Owned(spelled + rest)
    }

    /// What a program of the target printed, with paths as this machine has them. Wine's drive `Z:` is all of it.
    pub fn with_paths_of_here(&self, text: String) -> String {
        if !self.is_windows() {
            return text;
        }
        // As they are printed with `{:?}`, too.
        let of_a_line = |line: &str| {
            let drive = line.find(":\\").and_then(|at| line.get(at.checked_sub(1)?..at));
            if !drive.is_some_and(|drive| drive.starts_with(|c: char| c.is_ascii_uppercase())) {
                return line.to_owned();
            }
            let line = line.replace(r"\\", r"\").replace(r"\\?\", "").replace(r"\?\", "");
            line.replace(r"Z:\", "/").replace('\\', "/")
        };
        text.split_inclusive('\n').map(of_a_line).collect()
    }

    /// The ending of shared libraries.
    pub fn library_ending(&self) -> &'static str {
        match () {
            () if self.is_windows() => "dll",
            () if self.named().map_or(cfg!(target_vendor = "apple"), |triple| triple.contains("apple")) => {
                "dylib"
            }
            () => "so",
        }
    }

    /// What a program is called.
    pub fn program(&self, name: &str) -> String {
        format!("{name}{}", if self.is_windows() { ".exe" } else { "" })
    }
}
