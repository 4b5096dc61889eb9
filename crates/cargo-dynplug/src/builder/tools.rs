//! cargo's other commands on hosts and plugins: tests, clippy and documentation, with the SDK's crates in the place of those
//! that cargo would build. Tests of hosts are hosts themselves. All of them are compiled, and then they are run.

use super::{Builder, RUNNER_SHIM, RUSTDOC_SHIM};
use crate::cargo::Cargo;
use crate::cli::{ClippyArguments, DocArguments};
use crate::context::{Purpose, Running};
use crate::diagnostic::{Diagnostic, Result};
use crate::plan::Plan;
use crate::sdk::Sdk;
use crate::testing::{Suite, Targets, TestArguments};
use crate::workspace::Selection;
use cargo_metadata::{Message, PackageId};
use std::ffi::OsString;
use std::path::Path;

/// A command of cargo's with the arguments that it is given.
pub struct Tool {
    command: &'static str,
    targets: Targets,
    words: Vec<OsString>,
    /// What stands after `--`.
    rest: Vec<OsString>,
    /// Whether tests and examples are compiled.
    tests: bool,
    /// Whether the next package is looked at when one fails.
    goes_on: bool,
    /// Whether what was compiled is run.
    runs: bool,
    /// Whether a browser is opened, which may stay.
    opens: bool,
}

/// A package that a command is run on.
struct Subject {
    id: PackageId,
    purpose: Purpose,
    /// What of it: cargo's options.
    words: Vec<OsString>,
}

impl TestArguments {
    /// `cargo test` as it is asked for.
    pub fn tool(&self) -> Tool {
        let mut words = Vec::new();
        for (on, word) in [(self.no_run, "--no-run"), (self.no_fail_fast, "--no-fail-fast")] {
            if on {
                words.push(word.into());
            }
        }
        words.extend(self.filter.iter().map(OsString::from));
        Tool {
            command: "test",
            targets: self.targets.clone(),
            words,
            rest: self.arguments.clone(),
            tests: true,
            goes_on: self.no_fail_fast,
            runs: !self.no_run,
            opens: false,
        }
    }
}

impl ClippyArguments {
    /// `cargo clippy` as it is asked for.
    pub fn tool(&self) -> Tool {
        let targets = Targets { all_targets: self.all_targets, ..Targets::default() };
        let rest = self.arguments.clone();
        let (words, tests) = (Vec::new(), self.all_targets);
        Tool { command: "clippy", targets, words, rest, tests, goes_on: true, runs: false, opens: false }
    }
}

impl DocArguments {
    /// `cargo doc` as it is asked for.
    pub fn tool(&self) -> Tool {
        // What is shared is documented by those who made it; here there are stubs.
        let mut words = vec!["--no-deps".into()];
        for (on, word) in [(self.open, "--open"), (self.document_private_items, "--document-private-items")] {
            if on {
                words.push(word.into());
            }
        }
        let targets = Targets::default();
        let rest = Vec::new();
        Tool {
            command: "doc",
            targets,
            words,
            rest,
            tests: false,
            goes_on: true,
            runs: false,
            opens: self.open,
        }
    }
}

impl Builder<'_> {
    /// Runs one of cargo's commands on every selected package. Returns the exit code.
    ///
    /// # Errors
    /// When the SDK can't be made, or the packages can't be built with it.
    pub fn run_tool(&self, tool: &Tool) -> Result<i32> {
        let selection = self.workspace.selection(self.arguments)?;
        self.check_features()?;
        let subjects = self.subjects(tool, &selection)?;
        // As long as cargo compiles. Tests may take long, and may build things themselves.
        let lock = self.lock()?;
        self.say_notices();
        let (sdk, _) = self.sdk_and_hosts(&[])?;
        // What a host's test opens is built, whoever is selected.
        let opens = tool.tests
            && tool.command == "test"
            && subjects.iter().any(|subject| subject.purpose == Purpose::HostTool);
        let all = if opens { self.workspace.everything() } else { selection };
        let libraries = self.libraries(&all, &sdk)?;
        let mut plugins = None;
        if opens {
            plugins = Some(self.findable_plugins(tool.command, &all, &sdk, &libraries)?);
        }
        let ids: Vec<PackageId> = subjects.iter().map(|subject| subject.id.clone()).collect();
        let plans = self.plans(&ids, &libraries, tool.tests)?;
        let mut code = 0;
        let mut suite = Suite::new(&self.work)?;
        for (subject, plan) in subjects.iter().zip(plans) {
            let sdk = libraries.below(&subject.id);
            let cargo = self.cargo_for_tool(subject, tool, &sdk, plan, plugins.as_deref())?;
            let ran = match tool.command {
                "test" => self.compile_tests(cargo, subject, &mut suite)?,
                _ if tool.opens => cargo.run_before_the_user(self.arguments.messages.message_format)?,
                _ => cargo.run_and_show(self.arguments.messages.message_format)?,
            };
            // Of several the first, as cargo has it for several tests.
            code = if code == 0 { ran } else { code };
            if ran != 0 && !tool.goes_on {
                break;
            }
        }
        if code == 0 {
            self.said.finish();
        }
        if tool.command == "test" && !tool.runs && self.arguments.messages.talks() {
            suite.list();
        }
        drop(lock);
        match (tool.command, code) {
            ("test", 0) if tool.runs => suite.run(tool.goes_on, &self.arguments.messages),
            ("test", code) => Ok(code),
            (_, code) => Ok(i32::from(code != 0)),
        }
    }

    /// Has cargo compile the tests of a package, and notes how it would run them. Returns cargo's exit code.
    fn compile_tests(&self, cargo: Cargo, subject: &Subject, suite: &mut Suite) -> Result<i32> {
        let (mut artifacts, mut starts) = (Vec::new(), Vec::new());
        let messages = &self.arguments.messages;
        let code = cargo.record(
            messages.message_format,
            |message| {
                if let Message::CompilerArtifact(artifact) = message {
                    artifacts.push(artifact);
                }
            },
            |start| starts.push(start),
        )?;
        suite.add(&self.workspace.name(&subject.id), artifacts, starts, messages)?;
        Ok(code)
    }

    /// The packages that a command is run on: the API crate, whose tests say most of what else fails, then plugins, then the
    /// hosts that open them.
    fn subjects(&self, tool: &Tool, selection: &Selection) -> Result<Vec<Subject>> {
        // cargo gets a stub for the API crate's library, and would look at that.
        let with_api = tool.command == "test" && self.sdk.is_none();
        let api = selection.api.iter().filter(|_| with_api).map(|id| (id, Purpose::HostTool));
        let plugins = selection.plugins.iter().map(|id| (id, Purpose::Tool));
        let is_host = |id: &&PackageId| !self.workspace.plugins.contains(id);
        let hosts = selection.hosts.iter().filter(is_host).map(|id| (id, Purpose::HostTool));
        let meant: Vec<_> = api.chain(plugins).chain(hosts).collect();
        if meant.is_empty() {
            let what = format!("there is nothing for `cargo dynplug {}` among the packages", tool.command);
            return Err(Diagnostic::error("no-plugin", what)
                .help(format!("the API crate has plain `cargo {}`", tool.command))
                .usage()
                .into());
        }
        let metadata = &self.workspace.metadata;
        tool.targets.check(&meant.iter().map(|(id, _)| &metadata[*id]).collect::<Vec<_>>())?;
        let subjects = meant.into_iter().filter_map(|(id, purpose)| {
            let mut words = tool.targets.words(&metadata[id])?;
            if tool.command == "doc" && purpose == Purpose::Tool {
                words.push("--lib".into());
            }
            Some(Subject { id: id.clone(), purpose, words })
        });
        Ok(subjects.collect())
    }

    /// The command for one package, yet to be run.
    fn cargo_for_tool(
        &self,
        subject: &Subject,
        tool: &Tool,
        sdk: &Sdk,
        plan: Plan,
        plugins: Option<&Path>,
    ) -> Result<Cargo> {
        let shim = |name: &str| self.work.join("bin").join(name).display().to_string();
        let mut own = vec![("RUSTDOC".to_owned(), shim(RUSTDOC_SHIM))];
        let set = self.variables().into_iter().map(|(name, _)| name);
        let names = set.chain(own.iter().map(|(name, _)| name.clone())).chain(Cargo::variables_set());
        let running = Running {
            plugins: plugins.filter(|_| subject.purpose == Purpose::HostTool).map(Path::to_owned),
            outer: names.map(|name| (name.clone(), std::env::var(name).ok())).collect(),
            ..self.context.running.clone()
        };
        own.push(search_path(sdk));
        let mut cargo =
            self.cargo_for_plugin(tool.command, &subject.id, sdk, plan, subject.purpose, running)?;
        cargo.words(&subject.words).words(&tool.words);
        if tool.command == "test" {
            // As a list: in one text cargo would take blanks for ends of words.
            let runner = toml::Value::Array(vec![shim(RUNNER_SHIM).into()]);
            cargo.word("--config").word(format!("target.{:?}.runner={runner}", self.settings.target));
        }
        cargo.variables(own);
        cargo.last(&tool.rest);
        Ok(cargo)
    }
}

/// The environment variable by which the system finds libraries for programs that lie elsewhere.
fn search_path(sdk: &Sdk) -> (String, String) {
    let name = match std::env::consts::OS {
        "windows" => "PATH",
        "macos" => "DYLD_FALLBACK_LIBRARY_PATH",
        _ => "LD_LIBRARY_PATH",
    };
    let old = std::env::var_os(name).unwrap_or_default();
    let own = sdk.layers().map(|layer| layer.folder.join("lib"));
    let joined = std::env::join_paths(own.chain(std::env::split_paths(&old)));
    let joined = joined.unwrap_or_else(|_| sdk.folder.join("lib").into());
    (name.to_owned(), joined.to_string_lossy().into_owned())
}
