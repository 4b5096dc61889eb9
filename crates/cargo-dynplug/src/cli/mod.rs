//! The command line.

mod build;
mod common;
mod help;
mod manual;
mod projects;
mod read;
mod trust;

pub use build::{BuildArguments, ClippyArguments, DocArguments, RunArguments, SdkArguments};
pub use common::{
    CargoArguments, Color, FeatureArguments, MessageArguments, MessageFormat, WorkspaceArguments,
};
pub use help::command;
pub use manual::{CompletionsArguments, ManArguments, PackagesArguments};
pub use projects::{LinkArguments, NewArguments, SyncArguments};
pub use read::{CheckArguments, ExplainArguments, InspectArguments};
pub use trust::{KeygenArguments, PinArguments, SecretKeyArguments, SignArguments, VerifyArguments};

use crate::bundle::arguments::BundleArguments;
use crate::clean::CleanArguments;
use crate::testing::TestArguments;
use crate::watch::WatchArguments;
use clap::{FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;

/// Builds and runs hosts with plugins.
#[derive(Debug, Parser)]
#[command(name = "cargo dynplug", bin_name = "cargo dynplug", version, about, long_about = None)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    /// What is printed, and how.
    #[command(flatten)]
    pub messages: MessageArguments,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a new project: a plugin, or a host with its API crate and a first plugin
    ///
    /// With `--sdk` it is a plugin for the host of that SDK, in a workspace of its own that plain cargo and editors
    /// understand. With `--host` it is a workspace with a host. Without either, and inside of the workspace of a host or of
    /// plugins, it is one more plugin there.
    New(NewArguments),
    /// Build the API library, the hosts and the plugins of a workspace
    ///
    /// The outcome lies in `target/dynplug/<debug|release>/`: the hosts' executables, the API library beside them, and
    /// the plugins in `plugins/`. The folder can be moved elsewhere and needs no toolchain and no environment variable.
    Build(BuildArguments),
    /// Build everything and run the host
    ///
    /// The host takes the place of this program, so that signals and the exit code are its own. The plugins are built
    /// whichever host is asked for.
    Run(RunArguments),
    /// Build, run the host, and do both again when a source changes
    ///
    /// What changed is built; if that succeeds, and a product is another one, the host is ended with all that it has started,
    /// and run anew. If it fails, the host goes on as it was. With `-p` only these packages are built, and the host.
    Watch(WatchArguments),
    /// Run the tests of hosts, plugins and the API crate, with the API library shared and the plugins built
    ///
    /// Tests are compiled against the API library that was just built. Those of hosts are hosts: they open the workspace's
    /// plugins, which are built first and lie in the folder `plugins` beside each test, and beside the executables that a
    /// test finds by `CARGO_BIN_EXE_<name>`. Unit tests, integration tests, examples and documentation tests are run. The
    /// exit code is cargo's.
    Test(TestArguments),
    /// Run clippy on hosts and plugins, compiled as they are built
    ///
    /// It sees the shared crates as the host has them, with their features and versions.
    Clippy(ClippyArguments),
    /// Build the documentation of hosts and plugins, compiled as they are built
    ///
    /// What they share is documented by those who made it, with plain `cargo doc`.
    Doc(DocArguments),
    /// Remove what was built
    ///
    /// That is `target/dynplug`; what plain cargo made stays. With `-p` it is what was made of these packages, and with
    /// `--release` or `--profile` what was made with that profile.
    Clean(CleanArguments),
    /// Make the SDK of a host: one file with which others build plugins for it
    ///
    /// It holds the API library, the metadata of the shared crates, the proc macros that they name, the lock file and the
    /// API crate's source. Plugins that are built with it fit hosts of the same build; build host and SDK with the same
    /// profile.
    Sdk(SdkArguments),
    /// Set the lock file of a plugin's workspace to the versions that an SDK's host shares
    ///
    /// The copy of the SDK's sources in the workspace, if there is one, is brought up to date too, and where a `Cargo.toml`
    /// names another SDK than `--sdk` does, it names that one from then on. If something doesn't fit, nothing is changed.
    Sync(SyncArguments),
    /// Link plugins into a host: one executable, by plain cargo, on any system
    ///
    /// The host's package has a library with a public `main`, which its executable calls. The executable that is made calls
    /// it too, and names the plugins, so that the host finds them before it looks for files. Profile, lock file and patches
    /// are those of the host's workspace; link-time optimisation and `panic = "abort"` work.
    Link(LinkArguments),
    /// Make a folder or an archive of host, API library and plugins, to be run elsewhere
    ///
    /// It has the licences of all that is inside, a list of it for programs, and a word on what it needs. It runs wherever the
    /// system has the same libc or a newer one. Without `-p` it is the one host with all plugins; `-p` names hosts, or plugins
    /// if not all are wanted.
    Bundle(BundleArguments),
    /// Show what a plugin, an API library, a host or an SDK says of itself, without loading it
    ///
    /// Exit code: 0, 1 if a file is none of these or damaged, 2 if a file can't be read.
    Inspect(InspectArguments),
    /// Explain a code: what it means, and what to do; without one, list all
    ///
    /// Codes stand in brackets: `error[dynplug::no-sdk]` of a build, `[identity]` where a plugin doesn't fit.
    Explain(ExplainArguments),
    /// Say whether plugins fit a host, by the comparison that opening them makes
    ///
    /// Exit code: 0 if all fit, 1 if one does not, 2 if that can't be told.
    Check(CheckArguments),
    /// Make a pair of keys: a secret one to sign plugins with, and a public one for hosts
    ///
    /// They are keys of minisign's, which can use them too. The secret key is locked with a password. What is there already is
    /// never replaced.
    Keygen(KeygenArguments),
    /// Sign plugins, so that hosts with a policy open them
    ///
    /// The signature is put beside each file, by its name with `.minisig` behind, as minisign does it. What is signed along
    /// with the file says of which plugin, version, build and target it is. A plugin that is built or stripped again has to be
    /// signed again.
    Sign(SignArguments),
    /// Say whether plugins are to be trusted, as a host with these keys and pins would
    ///
    /// Exit code: 0 if all are, 1 if one is not, 2 if one can't be read.
    Verify(VerifyArguments),
    /// Pin plugins by their SHA-256: a list of what a host lets in, in the form of `sha256sum`
    ///
    /// A host reads it with `Pins::read`, and opens of each name that stands in it only these very bytes. `sha256sum -c` checks
    /// it too.
    Pin(PinArguments),
    /// Print completions for a shell
    ///
    /// They complete `cargo dynplug …` where the shell's completion of cargo can be extended (bash, fish, zsh), and
    /// `cargo-dynplug …` everywhere.
    Completions(CompletionsArguments),
    /// Print a man page, or write all: one for the program, and one for each subcommand
    ///
    /// Where they lie on the search path of `man`, `cargo help dynplug` shows them too.
    Man(ManArguments),
    /// Print the names of the workspace's packages, for completions
    #[command(hide = true)]
    Packages(PackagesArguments),
}

/// Understands a command line: the program's name first.
///
/// # Errors
/// When it can't be understood, and when it asks for help or the version: that is printed in the same way.
pub fn parse(words: Vec<OsString>) -> Result<Cli, clap::Error> {
    let colours = crate::terminal::prepare(&words);
    let mut command = command().color(colours);
    let mut matches = command.try_get_matches_from_mut(words)?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Cli, clap::Error> {
        parse(["cargo dynplug"].iter().chain(words).map(Into::into).collect())
    }

    #[test]
    fn options_fit_each_other() {
        command().debug_assert();
    }

    #[test]
    fn what_is_printed_is_said_before_or_after_any_subcommand() {
        let mut root = command();
        root.build();
        for command in root.get_subcommands().filter(|c| c.get_name() != "help") {
            for option in ["color", "verbose", "quiet", "message-format"] {
                let has = command.get_arguments().any(|a| a.get_long() == Some(option));
                assert!(has, "{} --{option}", command.get_name());
            }
        }
        for words in [&["--message-format=json", "explain"][..], &["explain", "--message-format=json"]] {
            let Command::Explain(arguments) = parsed(words).unwrap().command else { panic!("explain") };
            assert!(arguments.messages.json(), "{words:?}");
        }
        let Command::Build(arguments) = parsed(&["-q", "build", "--color=always"]).unwrap().command else {
            panic!("build")
        };
        assert!(arguments.messages.quiet);
        assert_eq!(arguments.messages.for_cargo(), ["--color=always", "--quiet"]);
        assert!(parsed(&["build", "-q", "-v"]).is_err());
    }
}
