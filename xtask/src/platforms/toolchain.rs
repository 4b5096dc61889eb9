//! Compilers, and the std of a target: one that was installed, or std's source, of which cargo makes one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A compiler that can compile for a target, and what cargo has to be told.
#[derive(Debug, Clone)]
pub(super) struct Toolchain {
    /// What it calls itself.
    pub(super) version: String,
    /// cargo, with words that come first.
    cargo: Vec<String>,
    /// Variables for cargo.
    variables: Vec<(String, String)>,
    /// Whether std is compiled.
    pub(super) compiles_std: bool,
}

/// Where Debian's packages `rustc-web` and `cargo-web` lie; rustup's may lie before them in `PATH`.
const DEBIANS: [&str; 2] = ["/usr/bin/rustc", "/usr/bin/cargo"];

impl Toolchain {
    /// The first that can compile for a target.
    pub(super) fn of(target: &str) -> Option<Toolchain> {
        let candidates = [Self::default_with_std(target), Self::debians(), Self::nightly()];
        candidates.into_iter().flatten().next()
    }

    fn default_with_std(target: &str) -> Option<Toolchain> {
        let folder = said("rustc", &["--print", "target-libdir", "--target", target])?;
        let mut files = std::fs::read_dir(folder.trim()).ok()?.flatten();
        files.find(|f| f.file_name().to_string_lossy().starts_with("libstd-"))?;
        let (cargo, variables) = (vec!["cargo".to_owned()], Vec::new());
        Some(Toolchain { version: version("rustc", &[])?, cargo, variables, compiles_std: false })
    }

    /// Debian's `rustc-web`, `cargo-web`, `rust-web-clippy` and `rust-web-src`.
    fn debians() -> Option<Toolchain> {
        let [rustc, cargo] = DEBIANS;
        let there = Path::new("/usr/bin/cargo-clippy").exists() && has_source(rustc, &[]);
        let path = format!("/usr/bin:{}", std::env::var("PATH").unwrap_or_default());
        let variables = [("RUSTC", rustc), ("RUSTC_BOOTSTRAP", "1"), ("PATH", &*path), STD]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Some(Toolchain {
            version: version(rustc, &[]).filter(|_| there)?,
            cargo: vec![cargo.to_owned()],
            variables: variables.into(),
            compiles_std: true,
        })
    }

    fn nightly() -> Option<Toolchain> {
        has_source("rustc", &["+nightly"]).then_some(())?;
        Some(Toolchain {
            version: version("rustc", &["+nightly"])?,
            cargo: vec!["cargo".to_owned(), "+nightly".to_owned()],
            variables: vec![(STD.0.to_owned(), STD.1.to_owned())],
            compiles_std: true,
        })
    }

    /// A call of a program that calls cargo.
    pub(super) fn in_the_place_of_cargo(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.envs(self.variables.iter().map(|(k, v)| (k, v)));
        match self.cargo.as_slice() {
            [_, toolchain] => {
                command.env("RUSTUP_TOOLCHAIN", toolchain.trim_start_matches('+')).env_remove("CARGO")
            }
            [cargo] if self.compiles_std => command.env("CARGO", cargo),
            _ => &mut command,
        };
        command
    }

    /// A call of cargo.
    pub(super) fn cargo(&self) -> Command {
        let mut words = self.cargo.iter();
        let mut command = Command::new(words.next().map_or("cargo", |w| w));
        command.args(words).envs(self.variables.iter().map(|(k, v)| (k, v)));
        command
    }
}

/// The variable by which cargo compiles std.
const STD: (&str, &str) = ("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort");

fn version(rustc: &str, words: &[&str]) -> Option<String> {
    let text = said(rustc, &[words, &["-V"]].concat())?;
    Some(text.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

fn has_source(rustc: &str, words: &[&str]) -> bool {
    let sysroot = said(rustc, &[words, &["--print", "sysroot"]].concat());
    sysroot.is_some_and(|s| PathBuf::from(s.trim()).join("lib/rustlib/src/rust/library/Cargo.lock").exists())
}

/// What a program prints, if it succeeds.
pub(super) fn said(program: &str, words: &[&str]) -> Option<String> {
    let output = Command::new(program).args(words).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
