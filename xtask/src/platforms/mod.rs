//! What works on which target: each is checked, built for, and run, as far as this machine can. Nothing is installed; what is
//! missing is said.
//!
//! The table in README.md is what this prints where everything that it takes is there, and behind it the one in
//! docs/promises.md of tests that are left out. With `--check` they are compared, cell by cell, as far as a cell was tried.

mod building;
mod promises;
mod table;
mod toolchain;

use building::{Made, Shared, build_and_run};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use table::{PLATFORMS, Platform};
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
    made: Made,
}

/// A test of a promise that is left out for a target.
#[derive(Debug, Clone)]
struct LeftOut {
    rows: Vec<&'static str>,
    test: String,
    why: String,
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
    let shared = Shared::new(root())?;
    let rows: Vec<Row> = wanted.map(|platform| Row::of(platform, &shared)).collect();
    match has("--json") {
        true => rows.iter().for_each(|row| println!("{}", row.json())),
        false => println!("{}", markdown(&rows)),
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
    }
    if has("--check") {
        let path = shared.root.join("README.md");
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        for row in rows.iter().filter(|row| !row.is_in(&text)) {
            eprintln!("README.md has another row than this:\n{}", row.markdown());
            code = 1;
        }
        for row in &rows {
            let (more, gone) = row.left_out_differs(&shared.page);
            more.iter().for_each(|line| eprintln!("docs/promises.md lacks this line:\n{line}"));
            gone.iter()
                .for_each(|line| eprintln!("docs/promises.md has this line, and the test was run:\n{line}"));
            code = if more.is_empty() && gone.is_empty() { code } else { 1 };
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
    fn of(platform: &'static Platform, shared: &Shared) -> Row {
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
            return Row { platform, compiler: String::new(), checked: missing, made: Made::only(built, ran) };
        };
        eprintln!("{}: {}", platform.target, toolchain.version);
        let checked = check(platform, &toolchain, &shared.root);
        let made = match &platform.building {
            None => Made::only(Outcome::Never, Outcome::Never),
            Some(building) => build_and_run(platform, building, &toolchain, shared),
        };
        Row { platform, compiler: toolchain.version, checked, made }
    }

    fn cells(&self) -> [(&'static str, &Outcome); 3] {
        [("checked", &self.checked), ("built", &self.made.built), ("run", &self.made.ran)]
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
        value["tests"] = self.made.passed.into();
        let left_out = self.made.left_out.iter();
        let left_out =
            left_out.map(|l| serde_json::json!({ "test": l.test, "promises": l.rows, "reason": l.why }));
        value["left_out"] = left_out.collect();
        value
    }

    /// The lines of the table of tests that are left out.
    fn left_out(&self) -> Vec<String> {
        let line = |l: &LeftOut| promises::left_out_line(self.platform.target, &l.rows, &l.test, &l.why);
        self.made.left_out.iter().map(line).collect()
    }

    /// The lines that the page with the promises lacks, and those that it has too many, if the tests were run.
    fn left_out_differs(&self, page: &str) -> (Vec<String>, Vec<String>) {
        if !matches!(self.made.ran, Outcome::Done(_)) {
            return Default::default();
        }
        let own = self.left_out();
        let start = format!("| `{}` |", self.platform.target);
        let theirs: Vec<&str> = page.lines().filter(|line| line.starts_with(&start)).collect();
        let gone = theirs.iter().filter(|line| !own.iter().any(|own| own == *line));
        let gone = gone.map(|line| (*line).to_owned()).collect();
        (own.into_iter().filter(|line| !theirs.contains(&line.as_str())).collect(), gone)
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

/// Both tables.
fn markdown(rows: &[Row]) -> String {
    let mut lines = vec!["| target | system | checked | built | ran |\n|---|---|---|---|---|".to_owned()];
    lines.extend(rows.iter().map(Row::markdown));
    let left_out: Vec<String> = rows.iter().flat_map(Row::left_out).collect();
    if !left_out.is_empty() {
        lines.push("\n| target | promise | left out | why |\n|---|---|---|---|".to_owned());
        lines.extend(left_out);
    }
    lines.extend(rows.iter().filter(|row| row.made.passed > 0).map(|row| {
        format!(
            "\n{}: {} tests passed, {} left out",
            row.platform.target,
            row.made.passed,
            row.made.left_out.len()
        )
    }));
    lines.join("\n")
}

/// Types and lints of what hosts and plugins are made of, without a warning. The build tool runs where people build.
fn check(platform: &Platform, toolchain: &Toolchain, root: &Path) -> Outcome {
    let mut cargo = toolchain.cargo();
    cargo
        .args(["clippy", "--manifest-path"])
        .arg(root.join("Cargo.toml"))
        .args(["--target", platform.target]);
    for package in ["dynplug", "dynplug-macros", "dynplug-manifest", "dynplug-process", "dynplug-trust"] {
        cargo.args(["-p", package]);
    }
    cargo.args([
        "--features",
        "dynplug/tracing,dynplug/log,dynplug/trust,dynplug/process,dynplug-manifest/all-formats,dynplug-manifest/write",
    ]);
    cargo.arg("--target-dir").arg(root.join("target/platforms"));
    if toolchain.compiles_std {
        // Nothing is made of it.
        cargo.env("RUSTFLAGS", "-Zno-codegen").env("CARGO_PROFILE_DEV_DEBUG", "0");
    }
    cargo.args(["--locked", "--quiet", "--", "-D", "warnings"]);
    Outcome::of(&mut cargo, "yes")
}
