//! cargo's other commands on plugins: tests, clippy and documentation, with the SDK's crates in the place of those that
//! cargo would build.

use super::{Builder, RUSTDOC_SHIM};
use crate::cli::{ClippyArguments, DocArguments, MessageFormat, TestArguments};
use crate::context::Purpose;
use crate::diagnostic::{Diagnostic, Result};
use crate::sdk::Sdk;
use std::ffi::OsString;

/// A command of cargo's with the arguments that it is given.
pub struct Tool {
    command: &'static str,
    words: Vec<OsString>,
    /// What stands after `--`.
    rest: Vec<OsString>,
    /// Whether tests and examples are compiled.
    tests: bool,
    /// Whether the next plugin is looked at when one fails.
    goes_on: bool,
}

impl TestArguments {
    /// `cargo test` as it is asked for.
    pub fn tool(&self) -> Tool {
        let mut words = Vec::new();
        for (on, word) in [
            (self.lib, "--lib"),
            (self.doc, "--doc"),
            (self.no_run, "--no-run"),
            (self.no_fail_fast, "--no-fail-fast"),
        ] {
            if on {
                words.push(word.into());
            }
        }
        words.extend(self.test.iter().map(|name| OsString::from(format!("--test={name}"))));
        words.extend(self.filter.iter().map(OsString::from));
        Tool { command: "test", words, rest: self.arguments.clone(), tests: true, goes_on: self.no_fail_fast }
    }
}

impl ClippyArguments {
    /// `cargo clippy` as it is asked for.
    pub fn tool(&self) -> Tool {
        let words = self.all_targets.then(|| "--all-targets".into()).into_iter().collect();
        let rest = self.arguments.clone();
        Tool { command: "clippy", words, rest, tests: self.all_targets, goes_on: true }
    }
}

impl DocArguments {
    /// `cargo doc` as it is asked for.
    pub fn tool(&self) -> Tool {
        // What the plugin shares is documented by those who made it; here there are stubs.
        let mut words = vec!["--no-deps".into(), "--lib".into()];
        for (on, word) in [(self.open, "--open"), (self.document_private_items, "--document-private-items")] {
            if on {
                words.push(word.into());
            }
        }
        Tool { command: "doc", words, rest: Vec::new(), tests: false, goes_on: true }
    }
}

impl Builder<'_> {
    /// Runs one of cargo's commands on every selected plugin. Returns the exit code.
    ///
    /// # Errors
    /// When the SDK can't be made, or the plugins can't be built with it.
    pub fn run_tool(&self, tool: &Tool) -> Result<i32> {
        let selection = self.workspace.selection(self.arguments)?;
        self.check_features()?;
        let lock = self.lock()?;
        let (sdk, _) = self.sdk_and_hosts(&[])?;
        let libraries = self.libraries(&selection, &sdk)?;
        let plans = self.plans(&selection.plugins, &libraries, tool.tests)?;
        if selection.plugins.is_empty() {
            return Err(Diagnostic::error("no-plugin", "there is no plugin among the packages")
                .help(format!("hosts and API crates have plain `cargo {}`", tool.command))
                .usage()
                .into());
        }
        // Tests may take long, and may build things themselves. cargo locks its own folder.
        drop(lock);
        let mut code = 0;
        for (id, plan) in selection.plugins.iter().zip(plans) {
            let sdk = libraries.below(id);
            let mut cargo = self.cargo_for_plugin(tool.command, id, &sdk, plan, Purpose::Tool)?;
            cargo.words(&tool.words);
            if self.arguments.messages.message_format == MessageFormat::Json {
                cargo.word("--message-format=json");
            }
            if !tool.rest.is_empty() {
                cargo.word("--").words(&tool.rest);
            }
            let rustdoc = self.work.join("bin").join(RUSTDOC_SHIM);
            cargo.variables([("RUSTDOC".to_owned(), rustdoc.display().to_string()), search_path(&sdk)]);
            if !cargo.run_before_the_user()? {
                code = 1;
                if !tool.goes_on {
                    break;
                }
            }
        }
        Ok(code)
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
