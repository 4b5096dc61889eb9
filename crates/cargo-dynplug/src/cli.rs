//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// Builds and runs hosts with plugins.
#[derive(Debug, Parser)]
#[command(name = "cargo dynplug", bin_name = "cargo dynplug", version, about, long_about = None)]
pub struct Cli {
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
    Run(RunArguments),
    /// Run the tests of plugins with the API library in place
    ///
    /// Unit tests, integration tests and documentation tests are compiled against the SDK, as plugins are, and share one
    /// API library. The tests of hosts and API crates run with plain `cargo test`, as do those of plugins that need no
    /// shared state.
    Test(TestArguments),
    /// Run clippy on plugins, compiled as for the host
    Clippy(ClippyArguments),
    /// Build the documentation of plugins, compiled as for the host
    Doc(DocArguments),
    /// Make the SDK of a host: one file with which others build plugins for it
    ///
    /// It holds the API library, the metadata of the shared crates, the proc macros that they name, the lock file and the
    /// API crate's source. Plugins that are built with it fit hosts of the same build; build host and SDK with the same
    /// profile.
    Sdk(SdkArguments),
    /// Set the lock file of a plugin's workspace to the versions that an SDK's host shares
    ///
    /// The copy of the SDK's sources in the workspace, if there is one, is brought up to date too.
    Sync(SyncArguments),
    /// Link plugins into a host: one executable, by plain cargo, on any system
    ///
    /// The host's package has a library with a public `main`, which its executable calls. The executable that is made calls
    /// it too, and names the plugins, so that the host finds them before it looks for files. Profile, lock file and patches
    /// are those of the host's workspace; link-time optimisation and `panic = "abort"` work.
    Link(LinkArguments),
    /// Show what a plugin, an API library or a host says of itself, without loading it
    ///
    /// Exit code: 0, 1 if a file is none of these, 2 if a file can't be read.
    Inspect(InspectArguments),
    /// Explain a code: what it means, and what to do; without one, list all
    ///
    /// Codes stand in brackets: `error[dynplug::no-sdk]` of a build, `[identity]` where a plugin doesn't fit.
    Explain(ExplainArguments),
    /// Say whether plugins fit a host, by the comparison that opening them makes
    ///
    /// Exit code: 0 if all fit, 1 if one does not, 2 if that can't be told.
    Check(CheckArguments),
}

/// Arguments of `new`.
#[derive(Debug, Args)]
pub struct NewArguments {
    /// The folder to make
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// What the package is called (default: as the folder is)
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Make a plugin for the host of this SDK: a file, or a folder [env: DYNPLUG_SDK]
    #[arg(long, value_name = "PATH", conflicts_with = "host")]
    pub sdk: Option<PathBuf>,
    /// Make a workspace with a host, its API crate and a first plugin
    #[arg(long)]
    pub host: bool,
    /// Where the sources of `dynplug` are (default: where this program was built from them, else the registry's)
    #[arg(long, value_name = "PATH", requires = "host")]
    pub dynplug: Option<PathBuf>,
    /// The API crate, where several of the workspace would do
    #[arg(long, value_name = "PACKAGE", conflicts_with_all = ["sdk", "host"])]
    pub api: Option<String>,
    /// The version control to begin with: git, hg, pijul, fossil or none (default: as `cargo new` has it)
    #[arg(long, value_name = "VCS")]
    pub vcs: Option<String>,
    /// How messages are printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub message_format: MessageFormat,
    /// Run without the network
    #[arg(long)]
    pub offline: bool,
    /// Say nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// Arguments of `test`.
#[derive(Debug, Args)]
pub struct TestArguments {
    /// What to build.
    #[command(flatten)]
    pub build: BuildArguments,
    /// Only unit tests
    #[arg(long)]
    pub lib: bool,
    /// Only documentation tests
    #[arg(long, conflicts_with_all = ["lib", "test"])]
    pub doc: bool,
    /// Only this integration test
    #[arg(long, value_name = "NAME")]
    pub test: Vec<String>,
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

/// Arguments of `clippy`.
#[derive(Debug, Args)]
pub struct ClippyArguments {
    /// What to build.
    #[command(flatten)]
    pub build: BuildArguments,
    /// Tests and examples too
    #[arg(long)]
    pub all_targets: bool,
    /// Arguments for clippy, such as `-D warnings`
    #[arg(last = true, value_name = "ARGS")]
    pub arguments: Vec<OsString>,
}

/// Arguments of `doc`.
#[derive(Debug, Args)]
pub struct DocArguments {
    /// What to build.
    #[command(flatten)]
    pub build: BuildArguments,
    /// Show the outcome in a browser
    #[arg(long)]
    pub open: bool,
    /// Document private items too
    #[arg(long)]
    pub document_private_items: bool,
}

/// Arguments of `sdk`.
#[derive(Debug, Args)]
pub struct SdkArguments {
    /// What to build.
    #[command(flatten)]
    pub build: BuildArguments,
    /// The file to make, or a folder for it (default: `<api>-<version>-<target>.sdk.tar.zst` in `target/dynplug/<profile>`)
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
}

/// Arguments of `sync`.
#[derive(Debug, Args)]
pub struct SyncArguments {
    /// What would be built.
    #[command(flatten)]
    pub build: BuildArguments,
    /// Change nothing, and say what would be changed; exit code 1 if there is something
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `link`.
#[derive(Debug, Args)]
pub struct LinkArguments {
    /// The host's package, where the workspace has several
    #[arg(short, long, value_name = "NAME")]
    pub package: Option<String>,
    /// A plugin: a member of the workspace (`NAME`), a registry's package (`NAME@VERSION`), a folder (`NAME=PATH`), a
    /// repository (`NAME=URL`, with `?branch=`, `?tag=` or `#COMMIT`)
    #[arg(long, value_name = "PLUGIN")]
    pub with: Vec<String>,
    /// The executable to make, or a folder for it
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Print what is linked in
    #[arg(long)]
    pub list: bool,
    /// Folder for the project that is made on the way, to be kept
    #[arg(long, value_name = "DIRECTORY")]
    pub project: Option<PathBuf>,
    /// The host's executable, where its package has several
    #[arg(long, value_name = "NAME")]
    pub bin: Option<String>,
    /// Build with optimisations
    #[arg(short, long, conflicts_with = "profile")]
    pub release: bool,
    /// Build with this profile of cargo's
    #[arg(long, value_name = "PROFILE-NAME")]
    pub profile: Option<String>,
    /// Build for this target
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,
    /// Path of the workspace's Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<PathBuf>,
    /// Folder for what is made on the way
    #[arg(long, value_name = "DIRECTORY")]
    pub target_dir: Option<PathBuf>,
    /// How messages are printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub message_format: MessageFormat,
    /// Features of the host.
    #[command(flatten)]
    pub features: FeatureArguments,
    /// What goes to cargo as it is.
    #[command(flatten)]
    pub cargo: CargoArguments,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// Codes, as they are printed
    #[arg(value_name = "CODE")]
    pub codes: Vec<String>,
    /// How messages are printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub message_format: MessageFormat,
}

/// Arguments of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArguments {
    /// Files to look at
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Print a JSON object on a line of its own for each file
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Plugins to compare with the host
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The host: its executable, its API library, or the folder that both lie in
    #[arg(long, value_name = "PATH", required_unless_present = "sdk", conflicts_with = "sdk")]
    pub host: Option<PathBuf>,
    /// The SDK of the host, where the host itself is not at hand: a file or a folder
    #[arg(long, value_name = "PATH")]
    pub sdk: Option<PathBuf>,
    /// Print a JSON object on a line of its own for each file
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// What to build.
    #[command(flatten)]
    pub build: BuildArguments,
    /// The executable to run, where there are several
    #[arg(long, value_name = "NAME")]
    pub bin: Option<String>,
    /// Arguments for the host
    #[arg(last = true, value_name = "ARGS")]
    pub arguments: Vec<OsString>,
}

/// Arguments of everything that builds.
#[derive(Debug, Clone, Default, Args)]
pub struct BuildArguments {
    /// Package to build: a host, a plugin or the API crate (default: all of the workspace)
    #[arg(short, long = "package", value_name = "SPEC")]
    pub package: Vec<String>,
    /// The API crate, where several would do
    #[arg(long, value_name = "PACKAGE")]
    pub api: Option<String>,
    /// Build plugins with this SDK of a host that is built elsewhere: a file, or a folder [env: DYNPLUG_SDK]
    #[arg(long, value_name = "PATH")]
    pub sdk: Option<PathBuf>,
    /// Build with optimisations
    #[arg(short, long, conflicts_with = "profile")]
    pub release: bool,
    /// Build with this profile of cargo's
    #[arg(long, value_name = "PROFILE-NAME")]
    pub profile: Option<String>,
    /// Build for this target (default: `build.target` of cargo's configuration, else this machine)
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,
    /// Path of the workspace's Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<PathBuf>,
    /// Folder for what is made on the way
    #[arg(long, value_name = "DIRECTORY")]
    pub target_dir: Option<PathBuf>,
    /// Folder for the outcome
    #[arg(long, value_name = "DIRECTORY")]
    pub out_dir: Option<PathBuf>,
    /// How messages are printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub message_format: MessageFormat,
    /// Features.
    #[command(flatten)]
    pub features: FeatureArguments,
    /// What goes to cargo as it is.
    #[command(flatten)]
    pub cargo: CargoArguments,
}

/// Which features are on.
#[derive(Debug, Clone, Default, Args)]
pub struct FeatureArguments {
    /// Features to enable: `name` or `package/name`, separated by commas or blanks
    #[arg(short = 'F', long, value_name = "FEATURES")]
    pub features: Vec<String>,
    /// Enable all features of the selected packages
    #[arg(long)]
    pub all_features: bool,
    /// Leave the feature `default` out
    #[arg(long)]
    pub no_default_features: bool,
}

/// Options that cargo is given as they are.
#[derive(Debug, Clone, Default, Args)]
pub struct CargoArguments {
    /// Number of jobs at once
    #[arg(short, long, value_name = "N", allow_hyphen_values = true)]
    pub jobs: Option<String>,
    /// Build as much as possible after an error
    #[arg(long)]
    pub keep_going: bool,
    /// Require the lock file to be up to date
    #[arg(long)]
    pub locked: bool,
    /// Run without the network
    #[arg(long)]
    pub offline: bool,
    /// `--locked` and `--offline`
    #[arg(long)]
    pub frozen: bool,
    /// Override a configuration value of cargo's
    #[arg(long, value_name = "KEY=VALUE|PATH")]
    pub config: Vec<String>,
    /// Unstable options of cargo's, such as `build-std`
    #[arg(short = 'Z', value_name = "FLAG")]
    pub unstable: Vec<String>,
    /// When to use colours: auto, always, never
    #[arg(long, value_name = "WHEN")]
    pub color: Option<String>,
    /// Say more (-vv: more still)
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Say nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// How messages are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    /// For people.
    #[default]
    Human,
    /// For programs: a JSON object on each line of standard output.
    Json,
}

impl CargoArguments {
    /// What concerns reading the workspace: for every call of cargo.
    pub fn for_reading(&self) -> Vec<String> {
        let mut words = Vec::new();
        for (on, word) in [(self.locked, "--locked"), (self.offline, "--offline"), (self.frozen, "--frozen")]
        {
            if on {
                words.push(word.to_owned());
            }
        }
        words.extend(self.config.iter().flat_map(|c| ["--config".to_owned(), c.clone()]));
        words.extend(self.unstable.iter().flat_map(|flag| ["-Z".to_owned(), flag.clone()]));
        words
    }

    /// What concerns building.
    pub fn for_building(&self) -> Vec<String> {
        let mut words = self.for_reading();
        if let Some(jobs) = &self.jobs {
            words.push(format!("--jobs={jobs}"));
        }
        if self.keep_going {
            words.push("--keep-going".to_owned());
        }
        if let Some(when) = &self.color {
            words.push(format!("--color={when}"));
        }
        words.extend(std::iter::repeat_n("-v".to_owned(), usize::from(self.verbose)));
        if self.quiet {
            words.push("--quiet".to_owned());
        }
        words
    }
}

impl BuildArguments {
    /// The name of cargo's profile.
    pub fn profile(&self) -> &str {
        profile(self.profile.as_deref(), self.release)
    }

    /// The name that cargo gives to the folder of a profile.
    pub fn profile_folder(&self) -> &str {
        profile_folder(self.profile())
    }
}

impl LinkArguments {
    /// The name of cargo's profile.
    pub fn profile(&self) -> &str {
        profile(self.profile.as_deref(), self.release)
    }

    /// The name that cargo gives to the folder of a profile.
    pub fn profile_folder(&self) -> &str {
        profile_folder(self.profile())
    }
}

fn profile(named: Option<&str>, release: bool) -> &str {
    match named {
        Some("debug") => "dev",
        Some(name) => name,
        None if release => "release",
        None => "dev",
    }
}

fn profile_folder(profile: &str) -> &str {
    match profile {
        "dev" | "test" => "debug",
        "bench" => "release",
        other => other,
    }
}
