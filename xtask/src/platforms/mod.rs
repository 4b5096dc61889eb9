//! What works on which target: each is checked, built for, and run, as far as this machine can. Nothing is installed; what is
//! missing is said.
//!
//! The table in README.md is what this prints where everything that it takes is there. With `--check` it is compared, cell by
//! cell, as far as a cell was tried.

mod table;
mod toolchain;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use table::{Building, PLATFORMS, Platform};
use toolchain::Toolchain;

/// What came of one thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    /// It worked; this is what the table says.
    Done(&'static str),
    /// It can't be had on any machine but such a one.
    Never,
    /// Something is not here.
    Missing(String),
    /// It doesn't work.
    Failed(String),
}

/// What came of a target.
struct Row {
    platform: &'static Platform,
    /// The compiler that was taken.
    compiler: String,
    checked: Outcome,
    built: Outcome,
    ran: Outcome,
}

/// Does the chore. Exit code 1 if something failed, or README.md says otherwise.
pub(super) fn main(words: &[String]) -> Result<i32, String> {
    let (options, targets): (Vec<&String>, Vec<&String>) = words.iter().partition(|w| w.starts_with('-'));
    if let Some(unknown) = options.iter().find(|o| !["--json", "--check"].contains(&o.as_str())) {
        return Err(format!("there is no option {unknown}; there are --json and --check"));
    }
    if let Some(unknown) = targets.iter().find(|t| !PLATFORMS.iter().any(|p| p.target == t.as_str())) {
        let known: Vec<&str> = PLATFORMS.iter().map(|p| p.target).collect();
        return Err(format!("{unknown} is not in the table; there are {}", known.join(", ")));
    }
    let has = |option: &str| options.iter().any(|o| *o == option);
    let wanted = PLATFORMS.iter().filter(|p| targets.is_empty() || targets.iter().any(|t| *t == p.target));
    let rows: Vec<Row> = wanted.map(|platform| Row::of(platform, &root())).collect();
    match has("--json") {
        true => rows.iter().for_each(|row| println!("{}", row.json())),
        false => println!("{}", markdown(rows.iter())),
    }
    let mut code = 0;
    for row in &rows {
        for (what, outcome) in row.cells() {
            match outcome {
                Outcome::Missing(why) => eprintln!("{}: not {what}: {why}", row.platform.target),
                Outcome::Failed(why) => {
                    eprintln!("{}: could not be {what}: {why}", row.platform.target);
                    code = 1;
                }
                _ => {}
            }
        }
        for (name, why) in row.platform.building.iter().flat_map(|b| b.left_out) {
            eprintln!("{}: without the tests `{name}`: {why}", row.platform.target);
        }
    }
    if has("--check") {
        let path = root().join("README.md");
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        for row in rows.iter().filter(|row| !row.is_in(&text)) {
            eprintln!("README.md has another row than this:\n{}", row.markdown());
            code = 1;
        }
    }
    Ok(code)
}

/// The repository.
fn root() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    path.canonicalize().unwrap_or(path)
}

impl Row {
    fn of(platform: &'static Platform, root: &Path) -> Row {
        let Some(toolchain) = Toolchain::of(platform.target) else {
            let missing = Outcome::Missing(format!(
                "there is no std for it (`rustup target add {}`), and no source of one (Debian's packages rustc-web, \
                 cargo-web, rust-web-clippy and rust-web-src; or a nightly toolchain with rust-src)",
                platform.target
            ));
            let [built, ran] = [(); 2].map(|()| match platform.building {
                Some(_) => missing.clone(),
                None => Outcome::Never,
            });
            return Row { platform, compiler: String::new(), checked: missing, built, ran };
        };
        eprintln!("{}: {}", platform.target, toolchain.version);
        let checked = check(platform, &toolchain, root);
        let (built, ran) = match &platform.building {
            None => (Outcome::Never, Outcome::Never),
            Some(building) => build_and_run(platform, building, &toolchain, root),
        };
        Row { platform, compiler: toolchain.version, checked, built, ran }
    }

    fn cells(&self) -> [(&'static str, &Outcome); 3] {
        [("checked", &self.checked), ("built", &self.built), ("run", &self.ran)]
    }

    fn markdown(&self) -> String {
        let Platform { target, system, .. } = self.platform;
        let cells = self.cells().map(|(_, outcome)| outcome.text());
        format!("| `{target}` | {system} | {} |", cells.join(" | "))
    }

    fn json(&self) -> serde_json::Value {
        let Platform { target, system, .. } = self.platform;
        let mut value = serde_json::json!({ "target": target, "system": system, "compiler": self.compiler });
        for (what, outcome) in self.cells() {
            let (state, detail) = match outcome {
                Outcome::Done(text) => ("done", (*text).to_owned()),
                Outcome::Never => ("never", String::new()),
                Outcome::Missing(why) => ("missing", why.clone()),
                Outcome::Failed(why) => ("failed", why.clone()),
            };
            value[what] = serde_json::json!({ "state": state, "detail": detail });
        }
        value
    }

    /// Whether a text has this row, as far as it was tried.
    fn is_in(&self, text: &str) -> bool {
        let own = self.markdown();
        let own: Vec<&str> = own.split(" | ").collect();
        let cells = self.cells();
        text.lines().any(|line| {
            let theirs: Vec<&str> = line.split(" | ").collect();
            theirs.len() == own.len()
                && (0..own.len()).all(|at| {
                    let tried =
                        at.checked_sub(2).is_none_or(|at| !matches!(cells[at].1, Outcome::Missing(_)));
                    !tried || own[at].trim_end_matches(" |") == theirs[at].trim_end_matches(" |")
                })
        })
    }
}

impl Outcome {
    fn text(&self) -> &str {
        match self {
            Outcome::Done(text) => text,
            Outcome::Never => "–",
            Outcome::Missing(_) => "not here",
            Outcome::Failed(_) => "fails",
        }
    }

    /// What came of a command.
    fn of(command: &mut Command, done: &'static str) -> Outcome {
        eprintln!("$ {command:?}");
        match command.stdin(Stdio::null()).stdout(std::io::stderr()).status() {
            Ok(status) if status.success() => Outcome::Done(done),
            Ok(status) => Outcome::Failed(format!("{command:?}: {status}")),
            Err(e) => Outcome::Missing(format!("{}: {e}", command.get_program().to_string_lossy())),
        }
    }
}

fn markdown<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let head = "| target | system | checked | built | ran |\n|---|---|---|---|---|".to_owned();
    std::iter::once(head).chain(rows.map(Row::markdown)).collect::<Vec<_>>().join("\n")
}

/// Types and lints of what hosts and plugins are made of, without a warning. The build tool runs where people build.
fn check(platform: &Platform, toolchain: &Toolchain, root: &Path) -> Outcome {
    let mut cargo = toolchain.cargo();
    cargo
        .args(["clippy", "--manifest-path"])
        .arg(root.join("Cargo.toml"))
        .args(["--target", platform.target]);
    cargo.args(["-p", "dynplug", "-p", "dynplug-macros", "-p", "dynplug-manifest", "-p", "dynplug-trust"]);
    cargo.args([
        "--features",
        "dynplug/tracing,dynplug/trust,dynplug-manifest/all-formats,dynplug-manifest/write",
    ]);
    cargo.arg("--target-dir").arg(root.join("target/platforms"));
    if toolchain.compiles_std {
        // Nothing is made of it.
        cargo.env("RUSTFLAGS", "-Zno-codegen").env("CARGO_PROFILE_DEV_DEBUG", "0");
    }
    cargo.args(["--locked", "--quiet", "--", "-D", "warnings"]);
    Outcome::of(&mut cargo, "yes")
}

/// Builds the example and runs it, then runs the tests.
fn build_and_run(
    platform: &Platform,
    building: &Building,
    toolchain: &Toolchain,
    root: &Path,
) -> (Outcome, Outcome) {
    let tools = building.linker.iter().chain(&building.runner);
    for (program, package) in tools {
        let name = program.split(' ').next().unwrap_or_default();
        // Debian keeps wine's own program beside its libraries.
        let is_wine =
            *package == "wine64" && (is_there("wine") || Path::new("/usr/lib/wine/wine64").exists());
        if !is_there(name) && !is_wine {
            let missing = Outcome::Missing(format!("there is no {name} (Debian's package {package})"));
            return (missing.clone(), missing);
        }
    }
    let mut rustflags = building.rustflags.to_owned();
    if platform.target.ends_with("musl") {
        match unwinder(platform.target, root) {
            Ok(folder) => rustflags += &format!(" -Lnative={}", folder.display()),
            Err(why) => return (Outcome::Missing(why.clone()), Outcome::Missing(why)),
        }
    }
    let own = ["-p", "cargo-dynplug"];
    let tool = match executable(root, &[&["build"], &own[..]].concat()) {
        Ok(tool) => tool,
        Err(why) => return (Outcome::Failed(why.clone()), Outcome::Failed(why)),
    };
    let variables = variables(platform, building, root);
    let tool = |command: &str| {
        let mut call = toolchain.in_the_place_of_cargo(&tool);
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
        return (built, Outcome::Missing("it was not built".to_owned()));
    }
    let said =
        tool("run").output().map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
    if said.trim_end() != "Hello, number 7" {
        return (built, Outcome::Failed(format!("the example printed {said:?}")));
    }
    if building.tests.is_empty() {
        return (built, Outcome::Done(building.ran));
    }
    let words = [&["test", "--no-run", "--test", "end_to_end"], &own[..]].concat();
    let tests = match executable(root, &words) {
        Ok(tests) => tests,
        Err(why) => return (built, Outcome::Failed(why)),
    };
    let mut call = toolchain.in_the_place_of_cargo(&tests);
    call.current_dir(root.join("crates/cargo-dynplug")).args(building.tests);
    for (name, _) in building.left_out {
        call.args(["--skip", name]);
    }
    call.env("DYNPLUG_TEST_TARGET", platform.target).envs(variables.iter().map(|(k, v)| (k, v)));
    (built, Outcome::of(&mut call, building.ran))
}

/// Lets cargo build something of this repository for this machine, and returns the executable that comes last.
fn executable(root: &Path, words: &[&str]) -> Result<PathBuf, String> {
    let mut cargo = Command::new("cargo");
    cargo.args(words).args([
        "--quiet",
        "--locked",
        "--message-format=json-render-diagnostics",
        "--manifest-path",
    ]);
    cargo.arg(root.join("Cargo.toml")).stderr(Stdio::inherit());
    let output = cargo.output().map_err(|e| format!("cargo: {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let made = messages.filter_map(|m| m["executable"].as_str().map(PathBuf::from)).next_back();
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
