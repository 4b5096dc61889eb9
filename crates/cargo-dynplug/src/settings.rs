//! Cargo's configuration, where the build has to know it: flags, linker, wrapper, compiler.

use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::sysroot::Toolchain;
use cargo_config2::Config;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the configuration says.
#[derive(Debug)]
pub struct Settings {
    /// First line of `rustc -vV`.
    pub version: String,
    /// The triple of the machine that compiles.
    pub host: String,
    /// The triple that is compiled for.
    pub target: String,
    /// Whether somebody asked for that target; then the outcome lies in a folder that is named for it.
    pub target_is_named: bool,
    /// The compiler's sysroot.
    pub sysroot: PathBuf,
    /// What the compiler calls the folder with the sources of its std.
    pub std_name: String,
    /// rustdoc.
    pub rustdoc: PathBuf,
    /// Flags for rustc, from wherever cargo would take them.
    pub rustflags: Vec<String>,
    /// The processor features that those flags turn on, beyond those that the target always has.
    pub cpu_features: Vec<String>,
    /// Whether programs of the target are linked statically, so that they load nothing.
    pub is_static: bool,
    /// The user's rustc wrapper.
    pub wrapper: Option<PathBuf>,
    /// The linker: the user's, or the one that rustc would call.
    pub linker: PathBuf,
    /// What runs programs of that target, with its arguments, where the configuration names it.
    pub runner: Vec<OsString>,
    /// Where cargo keeps what it fetched.
    pub cargo_home: Option<PathBuf>,
    /// What cargo's configuration settles of what is printed, whatever the terminal can.
    pub settled: Settled,
}

/// What of cargo's output is settled by its configuration.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settled {
    /// Whether there are colours: `term.color`.
    pub colour: bool,
    /// Whether there is progress: `term.progress.when`.
    pub progress: bool,
}

impl Settings {
    /// A program of the target, yet to be run: by the runner that cargo's configuration names for it, if it names one.
    pub fn program(&self, program: &Path) -> Command {
        let mut command = match self.runner.split_first() {
            Some((runner, arguments)) => {
                let mut command = Command::new(runner);
                command.args(arguments).arg(program);
                command
            }
            None => Command::new(program),
        };
        crate::environment::clean(&mut command);
        command
    }

    /// Resolves the configuration as seen from the working directory, for the machine that compiles or the target that is
    /// asked for.
    ///
    /// # Errors
    /// When it can't be read, it names several targets, or rustc can't be run.
    pub fn read(asked_for: Option<&str>) -> Result<Settings> {
        let config = Config::load().doing("read cargo's configuration")?;
        // What cargo would run, without the wrapper around it.
        let rustc = config.build.rustc.clone().unwrap_or_else(|| PathBuf::from("rustc"));
        let verbose = run(&rustc, &["-vV"])?;
        let line = |start: &str| verbose.lines().find_map(|l| l.strip_prefix(start)).map(str::to_owned);
        let Some(host) = line("host: ") else {
            return Err(Diagnostic::error("system", format!("{} does not say what it is", rustc.display()))
                .note(verbose)
                .into());
        };
        // As in a std that comes with the compiler.
        let commit = line("commit-hash: ").filter(|c| c != "unknown").or_else(|| line("release: "));
        let std_name = format!("/rustc/{}", commit.unwrap_or_default());
        let named = named_target(asked_for, &config)?;
        let target_is_named = named.is_some();
        // Another name of cargo's for this machine.
        let target = named.filter(|name| name != "host-tuple").unwrap_or_else(|| host.clone());
        if target_is_named {
            is_known(&rustc, &target)?;
        }
        let flags = config.rustflags(&target).doing("read the rustflags in cargo's configuration")?;
        let linker = config.linker(&target).doing("read the linker in cargo's configuration")?;
        let runner = config.runner(&target).doing("read the runner in cargo's configuration")?;
        let rustflags = flags.map(|f| f.flags).unwrap_or_default();
        let cpu_features = cpu_features(&rustc, &target, &rustflags)?;
        let sysroot = PathBuf::from(run(&rustc, &["--print", "sysroot"])?.trim());
        let own = sysroot.join("bin").join(format!("rustdoc{}", std::env::consts::EXE_SUFFIX));
        let rustdoc = config
            .build
            .rustdoc
            .clone()
            .unwrap_or_else(|| if own.is_file() { own } else { "rustdoc".into() });
        let settled = Settled {
            colour: config.term.color.is_some_and(|colour| colour != cargo_config2::Color::Auto),
            progress: config.term.progress.when.is_some_and(|when| when != cargo_config2::When::Auto),
        };
        Ok(Settings {
            settled,
            is_static: is_static(&rustc, &target, &rustflags)?,
            cpu_features,
            rustdoc,
            version: verbose.lines().next().unwrap_or_default().to_owned(),
            sysroot,
            std_name,
            rustflags,
            wrapper: config.build.rustc_wrapper.filter(|p| !p.as_os_str().is_empty()),
            linker: linker.unwrap_or_else(|| default_linker(&target)),
            runner: runner
                .into_iter()
                .flat_map(|r| [r.path.into_os_string()].into_iter().chain(r.args))
                .collect(),
            target_is_named,
            cargo_home: std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| {
                #[allow(deprecated)]
                std::env::home_dir().map(|h| h.join(".cargo"))
            }),
            host,
            target,
        })
    }
}

/// The target that the command line names, else cargo's configuration.
fn named_target(asked_for: Option<&str>, config: &Config) -> Result<Option<String>> {
    let asked_for = asked_for.into_iter();
    let mut names =
        config.build_target_for_cli(asked_for).doing("read the target in cargo's configuration")?;
    if names.len() > 1 {
        return Err(Diagnostic::error("several-targets", "cargo's configuration names several targets")
            .note(names.join(", "))
            .help("say which: `--target TRIPLE`")
            .usage()
            .into());
    }
    match names.pop() {
        Some(file) if file.ends_with(".json") => Err(Diagnostic::error(
            "target-file",
            format!("{file} describes a target that rustc doesn't know"),
        )
        .note("what is built says for which target, and a description in a file may change")
        .help("build for one of the targets that `rustc --print target-list` prints")
        .usage()
        .into()),
        name => Ok(name),
    }
}

/// Sees to it that rustc knows a target.
fn is_known(rustc: &Path, target: &str) -> Result<()> {
    let list = run(rustc, &["--print", "target-list"])?;
    if list.lines().any(|known| known == target) {
        return Ok(());
    }
    Err(Diagnostic::error("unknown-triple", format!("there is no target `{target}`"))
        .did_you_mean(target, list.lines())
        .help("`rustc --print target-list` prints those that there are")
        .usage()
        .into())
}

/// The linker that rustc calls where nothing else is said.
fn default_linker(target: &str) -> PathBuf {
    let machine = target.split('-').next().unwrap_or_default();
    if target.ends_with("-windows-gnu") {
        format!("{machine}-w64-mingw32-gcc").into()
    } else if target.ends_with("-windows-gnullvm") {
        format!("{machine}-w64-mingw32-clang").into()
    } else if target.ends_with("-windows-msvc") {
        if cfg!(windows) { "link.exe".into() } else { "lld-link".into() }
    } else {
        "cc".into()
    }
}

impl Settings {
    /// The folders below the outcome's that cargo would make: one for the target where it is asked for, and one for the
    /// profile.
    pub fn outcome(&self, profile_folder: &str) -> PathBuf {
        let target = self.target_is_named.then_some(self.target.as_str());
        target.into_iter().chain([profile_folder]).collect()
    }

    /// The compiler's sysroot, to be viewed.
    pub fn toolchain(&self) -> Toolchain<'_> {
        let Settings { sysroot, host, target, version, .. } = self;
        Toolchain { sysroot, host, target, version }
    }

    /// The targets whose dependencies count: what is compiled for, and the machine that compiles.
    pub fn targets(&self) -> BTreeSet<&str> {
        BTreeSet::from([self.target.as_str(), self.host.as_str()])
    }
}

/// Whether these flags, or the target without them, link the C library statically. With Microsoft's that keeps nothing from
/// being loaded.
fn is_static(rustc: &Path, target: &str, rustflags: &[String]) -> Result<bool> {
    let asked = target.contains("musl") || rustflags.iter().any(|f| f.contains("crt-static"));
    if !asked || target.contains("msvc") {
        return Ok(false);
    }
    let words: Vec<&str> = rustflags.iter().map(String::as_str).collect();
    let text = run(rustc, &[&["--print", "cfg", "--target", target], &*words].concat())?;
    Ok(text.lines().any(|l| l == "target_feature=\"crt-static\""))
}

/// The processor features that the flags turn on beyond the target's own.
fn cpu_features(rustc: &Path, target: &str, rustflags: &[String]) -> Result<Vec<String>> {
    let words: Vec<&str> = rustflags.iter().map(String::as_str).collect();
    if words.iter().any(|w| w.contains("soft-float")) {
        return Err(Diagnostic::error("soft-float", "`-C target-feature=+soft-float` changes how functions are called")
            .note("rustc only warns of it, and what is computed across the host, the API library and plugins is wrong")
            .help("take it out of the rustflags, or build for a target whose ABI is soft-float")
            .usage()
            .into());
    }
    if !words.iter().any(|w| w.contains("target-cpu") || w.contains("target-feature")) {
        return Ok(Vec::new());
    }
    let features = |flags: &[&str]| -> Result<BTreeSet<String>> {
        let text = run(rustc, &[&["--print", "cfg", "--target", target], flags].concat())?;
        let quoted = text.lines().filter_map(|l| l.strip_prefix("target_feature=\"")?.strip_suffix('"'));
        Ok(quoted.map(str::to_owned).collect())
    };
    Ok(features(&words)?.difference(&features(&[])?).cloned().collect())
}

fn run(program: &Path, words: &[&str]) -> Result<String> {
    let what = format!("run {} {}", program.display(), words.join(" "));
    let mut command = Command::new(program);
    crate::environment::clean(&mut command);
    let output = command.args(words).output().doing(&what)?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Diagnostic::error("system", format!("could not {what}")).note(text.trim()).into());
    }
    String::from_utf8(output.stdout).doing(what)
}
