//! Building for a target and running what was built: the example, and tests.

use super::promises::{self, Results};
use super::table::{Building, Platform, Tests};
use super::toolchain::{self, Toolchain};
use super::{LeftOut, Outcome};
use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What all rows share: this repository, and what is built of it for this machine, once.
pub(super) struct Shared {
    pub(super) root: PathBuf,
    /// docs/promises.md.
    pub(super) page: String,
    tool: OnceCell<Result<PathBuf, String>>,
    tests: OnceCell<Result<PathBuf, String>>,
}

impl Shared {
    pub(super) fn new(root: PathBuf) -> Result<Shared, String> {
        Ok(Shared { page: promises::page(&root)?, root, tool: OnceCell::new(), tests: OnceCell::new() })
    }

    /// The build tool.
    fn tool(&self) -> Result<&Path, String> {
        let tool = self.tool.get_or_init(|| executable(&self.root, "cargo-dynplug", &["build"]));
        tool.as_deref().map_err(String::clone)
    }

    /// The end-to-end tests.
    fn tests(&self) -> Result<&Path, String> {
        let words = ["test", "--no-run", "--test", "end_to_end"];
        let tests = self.tests.get_or_init(|| executable(&self.root, "end_to_end", &words));
        tests.as_deref().map_err(String::clone)
    }
}

/// What came of building and running.
pub(super) struct Made {
    pub(super) built: Outcome,
    pub(super) ran: Outcome,
    pub(super) passed: usize,
    pub(super) left_out: Vec<LeftOut>,
}

impl Made {
    pub(super) fn only(built: Outcome, ran: Outcome) -> Made {
        Made { built, ran, passed: 0, left_out: Vec::new() }
    }
}

/// Builds the example and runs it, then runs the tests.
pub(super) fn build_and_run(
    platform: &Platform,
    building: &Building,
    toolchain: &Toolchain,
    shared: &Shared,
) -> Made {
    if let Err(why) = tools(building) {
        let missing = Outcome::Missing(why);
        return Made::only(missing.clone(), missing);
    }
    let built = match building.loads {
        true => example(platform, building, toolchain, shared),
        false => Ok(Outcome::Done("yes")),
    };
    match built {
        Ok(built @ Outcome::Done(_)) => tests(platform, building, toolchain, shared, built),
        Ok(built) => Made::only(built, Outcome::Missing("it was not built".to_owned())),
        // Only what was built is run.
        Err(why) => Made::only(Outcome::Done("yes"), Outcome::Failed(why)),
    }
}

/// Whether the programs that it takes are here.
fn tools(building: &Building) -> Result<(), String> {
    for (program, package) in building.linker.iter().chain(&building.runner) {
        let name = program.split(' ').next().unwrap_or_default();
        // Debian keeps wine's own program beside its libraries.
        let is_wine =
            *package == "wine64" && (is_there("wine") || Path::new("/usr/lib/wine/wine64").exists());
        if !is_there(name) && !is_wine {
            return Err(format!("there is no {name} (Debian's package {package})"));
        }
    }
    Ok(())
}

/// Builds the example, and has it greet. An error if it was built and doesn't.
fn example(
    platform: &Platform,
    building: &Building,
    toolchain: &Toolchain,
    shared: &Shared,
) -> Result<Outcome, String> {
    let root = &shared.root;
    let mut rustflags = building.rustflags.to_owned();
    if platform.target.ends_with("musl") {
        match unwinder(platform.target, root) {
            Ok(folder) => rustflags += &format!(" -Lnative={}", folder.display()),
            Err(why) => return Ok(Outcome::Missing(why)),
        }
    }
    let tool = match shared.tool() {
        Ok(tool) => tool,
        Err(why) => return Ok(Outcome::Failed(why)),
    };
    let variables = variables(platform, building, root);
    let tool = |command: &str| {
        let mut call = toolchain.in_the_place_of_cargo(tool);
        call.args(["dynplug", command, "--locked", "--quiet", "--manifest-path"]);
        call.arg(root.join("examples/hello/Cargo.toml")).args(["--target", platform.target]);
        call.arg("--target-dir").arg(root.join("target/platforms"));
        call.envs(variables.iter().map(|(k, v)| (k, v)));
        if !rustflags.is_empty() {
            call.env("CARGO_ENCODED_RUSTFLAGS", rustflags.trim().replace(' ', "\u{1f}"));
        }
        call
    };
    let built = Outcome::of(&mut tool("build"), "yes");
    if !matches!(built, Outcome::Done(_)) {
        return Ok(built);
    }
    let said = tool("run").output().map(|o| String::from_utf8_lossy(&o.stdout).into_owned());
    match said.unwrap_or_default() {
        said if said.trim_end() == "Hello, number 7" => Ok(built),
        said => Err(format!("the example printed {said:?}")),
    }
}

/// Runs the tests.
fn tests(
    platform: &Platform,
    building: &Building,
    toolchain: &Toolchain,
    shared: &Shared,
    built: Outcome,
) -> Made {
    let proven = promises::tests(&shared.page, promises::ROWS);
    let (names, leaves_out): (Vec<&str>, _) = match &building.tests {
        Tests::CargoTest => return Made::only(built, Outcome::Done(building.ran)),
        Tests::Named(names) => (names.to_vec(), None),
        Tests::Promises { others, left_out } => {
            if let Some((unknown, _)) = left_out.iter().find(|(test, _)| !proven.contains_key(*test)) {
                let why = format!("{unknown}, which is left out, is in none of the rows");
                return Made::only(built, Outcome::Failed(why));
            }
            let is_run = |test: &&str| !left_out.iter().any(|(name, _)| name == test);
            let names = proven.keys().map(String::as_str).filter(is_run);
            (names.chain(others.iter().copied()).collect(), Some(*left_out))
        }
    };
    let binary = match shared.tests() {
        Ok(binary) => binary,
        Err(why) => return Made::only(built, Outcome::Failed(why)),
    };
    let mut call = toolchain.in_the_place_of_cargo(binary);
    call.current_dir(shared.root.join("crates/cargo-dynplug")).arg("--exact").args(&names);
    if leaves_out.is_some() {
        call.env("DYNPLUG_TEST_TARGET", platform.target);
        call.envs(variables(platform, building, &shared.root));
    }
    let results = match Results::of(&mut call) {
        Ok(results) => results,
        Err(why) => return Made::only(built, Outcome::Failed(why)),
    };
    let mut left_out = leaves_out.unwrap_or_default().to_vec();
    left_out.extend(results.skipped.iter().map(|(test, why)| (&**test, &**why)));
    let left_out = left_out.into_iter().map(|(test, why)| LeftOut {
        rows: proven.get(test).cloned().unwrap_or_default(),
        test: test.to_owned(),
        why: why.to_owned(),
    });
    let left_out: Vec<LeftOut> = left_out.collect();
    let lost = names.len().saturating_sub(results.skipped.len() + results.passed);
    let ran = match (&*results.failed, lost) {
        // A tool that only the tests ask for.
        ([], 0) if results.passed == 0 => Outcome::Missing("every test was skipped".to_owned()),
        ([], 0) => Outcome::Done(building.ran),
        ([], lost) => Outcome::Failed(format!("{lost} of the tests are not there: {}", names.join(", "))),
        (failed, _) => Outcome::Failed(format!("the tests {}", failed.join(", "))),
    };
    Made { built, ran, passed: results.passed, left_out }
}

/// Lets cargo build something of the build tool's package for this machine, and returns the executable of a name.
fn executable(root: &Path, name: &str, words: &[&str]) -> Result<PathBuf, String> {
    let mut cargo = Command::new("cargo");
    cargo.args(words).args([
        "-p",
        "cargo-dynplug",
        "--quiet",
        "--locked",
        "--message-format=json-render-diagnostics",
        "--manifest-path",
    ]);
    cargo.arg(root.join("Cargo.toml")).stderr(Stdio::inherit());
    let output = cargo.output().map_err(|e| format!("cargo: {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut named = messages.filter(|message| message["target"]["name"] == name);
    let made = named.find_map(|message| message["executable"].as_str().map(PathBuf::from));
    made.filter(|_| output.status.success()).ok_or_else(|| format!("{cargo:?}: {}", output.status))
}

/// What tells cargo and build scripts how to build for a target, and to run what was built.
fn variables(platform: &Platform, building: &Building, root: &Path) -> Vec<(String, String)> {
    let name = platform.target.replace(['-', '.'], "_");
    let mut variables = Vec::new();
    if let Some((linker, _)) = building.linker {
        variables.push((format!("CARGO_TARGET_{}_LINKER", name.to_uppercase()), linker.to_owned()));
        variables.push((format!("CC_{name}"), linker.to_owned()));
    }
    if let Some((runner, _)) = building.runner {
        let ours = root.join(runner);
        let runner = if ours.exists() { ours.display().to_string() } else { runner.to_owned() };
        variables.push((format!("CARGO_TARGET_{}_RUNNER", name.to_uppercase()), runner));
    }
    variables
}

fn is_there(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

/// A folder in which the linker finds an unwinder for musl. Debian has no `libgcc_s` for it, as systems with musl do; what
/// the toolchain brings for static programs stands in for it.
fn unwinder(target: &str, root: &Path) -> Result<PathBuf, String> {
    let libraries = toolchain::said("rustc", &["--print", "target-libdir", "--target", target]);
    let library = libraries.map(|l| Path::new(l.trim()).join("self-contained/libunwind.a"));
    let Some(library) = library.filter(|l| l.is_file()) else {
        return Err(format!("the toolchain has no unwinder for {target}"));
    };
    let folder = root.join("target/platforms/unwinder");
    let script = format!("INPUT(\"{}\")\n", library.display());
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(folder.join("libgcc_s.so"), script))
        .map_err(|e| format!("{}: {e}", folder.display()))?;
    folder.canonicalize().map_err(|e| format!("{}: {e}", folder.display()))
}
