//! What `cargo dynplug test` is asked for: which targets of which packages, in cargo's own words.

mod suite;

use crate::cli::BuildArguments;
use crate::diagnostic::{Diagnostic, Result};
use cargo_metadata::{Package, Target, TargetKind};
use clap::Args;
use globset::Glob;
use std::ffi::OsString;
pub(crate) use suite::Suite;

/// Arguments of `test`.
#[derive(Debug, Args)]
pub struct TestArguments {
    /// What to build.
    #[command(flatten)]
    pub build: BuildArguments,
    /// Which targets.
    #[command(flatten)]
    pub targets: Targets,
    /// Compile, and run nothing
    #[arg(long)]
    pub no_run: bool,
    /// Run everything even if something fails
    #[arg(long)]
    pub no_fail_fast: bool,
    /// Run only tests with this in their name
    #[arg(value_name = "TESTNAME")]
    pub filter: Option<String>,
    /// Arguments for the test executables
    #[arg(last = true, value_name = "ARGS")]
    pub arguments: Vec<OsString>,
}

/// Which of a package's targets are meant; all that cargo tests by itself if none is named.
#[derive(Debug, Clone, Default, Args)]
pub struct Targets {
    /// Only the unit tests of libraries
    #[arg(long)]
    pub lib: bool,
    /// Only the unit tests of all executables
    #[arg(long)]
    pub bins: bool,
    /// Only the unit tests of this executable
    #[arg(long, value_name = "NAME")]
    pub bin: Vec<String>,
    /// Only all examples
    #[arg(long)]
    pub examples: bool,
    /// Only this example
    #[arg(long, value_name = "NAME")]
    pub example: Vec<String>,
    /// Only this integration test
    #[arg(long, value_name = "NAME")]
    pub test: Vec<String>,
    /// Only unit tests and integration tests
    #[arg(long)]
    pub tests: bool,
    /// All targets, but no documentation tests
    #[arg(long)]
    pub all_targets: bool,
    /// Only documentation tests
    #[arg(long, conflicts_with_all = ["lib", "bins", "bin", "examples", "example", "test", "tests", "all_targets", "no_run"])]
    pub doc: bool,
}

impl Targets {
    /// The names that were given, each with the kind of target and cargo's option.
    fn named(&self) -> impl Iterator<Item = (&'static str, TargetKind, &String)> {
        let bins = self.bin.iter().map(|name| ("bin", TargetKind::Bin, name));
        let examples = self.example.iter().map(|name| ("example", TargetKind::Example, name));
        bins.chain(examples).chain(self.test.iter().map(|name| ("test", TargetKind::Test, name)))
    }

    /// What cargo is to be told for one package; none if the package has nothing of what is asked for.
    pub fn words(&self, package: &Package) -> Option<Vec<OsString>> {
        let has_library = package.targets.iter().any(is_library);
        let mut words: Vec<OsString> = Vec::new();
        for (on, word) in [(self.lib && has_library, "--lib"), (self.doc && has_library, "--doc")] {
            if on {
                words.push(word.into());
            }
        }
        for (option, kind, name) in self.named() {
            if package.targets.iter().any(|t| t.kind.contains(&kind) && is_meant(name, &t.name)) {
                words.push(format!("--{option}={name}").into());
            }
        }
        let narrowed = self.lib || self.doc || self.named().next().is_some();
        for (on, word) in [
            (self.bins, "--bins"),
            (self.examples, "--examples"),
            (self.tests, "--tests"),
            (self.all_targets, "--all-targets"),
        ] {
            if on {
                words.push(word.into());
            }
        }
        (!narrowed || !words.is_empty()).then_some(words)
    }

    /// A name that none of the packages has is a mistake.
    ///
    /// # Errors
    /// When there is such a name, or none of the packages has a library and its tests are asked for.
    pub fn check(&self, packages: &[&Package]) -> Result<()> {
        let targets = || packages.iter().flat_map(|p| &p.targets);
        for (option, kind, name) in self.named() {
            let of_the_kind: Vec<&str> =
                targets().filter(|t| t.kind.contains(&kind)).map(|t| t.name.as_str()).collect();
            if !of_the_kind.iter().any(|t| is_meant(name, t)) {
                let there = match of_the_kind.is_empty() {
                    true => "there is none".to_owned(),
                    false => format!("there are: {}", of_the_kind.join(", ")),
                };
                return Err(unknown(format!("no package that is tested has the target `--{option} {name}`"))
                    .note(there)
                    .into());
            }
        }
        if (self.lib || self.doc) && !targets().any(is_library) {
            return Err(unknown("no package that is tested has a library".to_owned()).into());
        }
        Ok(())
    }
}

fn unknown(message: String) -> Diagnostic {
    Diagnostic::error("unknown-target", message).usage()
}

/// Whether a name on the command line, which may be a pattern, is that of a target.
fn is_meant(wanted: &str, name: &str) -> bool {
    wanted == name || Glob::new(wanted).is_ok_and(|glob| glob.compile_matcher().is_match(name))
}

fn is_library(target: &Target) -> bool {
    let kinds = [
        TargetKind::Lib,
        TargetKind::RLib,
        TargetKind::DyLib,
        TargetKind::CDyLib,
        TargetKind::StaticLib,
        TargetKind::ProcMacro,
    ];
    target.kind.iter().any(|kind| kinds.contains(kind))
}
