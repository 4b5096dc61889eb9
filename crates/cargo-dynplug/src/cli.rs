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
    /// Build the API library, the hosts and the plugins of a workspace
    ///
    /// The outcome lies in `target/dynplug/<debug|release>/`: the hosts' executables, the API library beside them, and
    /// the plugins in `plugins/`. The folder can be moved elsewhere and needs no toolchain and no environment variable.
    Build(BuildArguments),
    /// Build everything and run the host
    Run(RunArguments),
    /// Show what a plugin, an API library or a host says of itself, without loading it
    ///
    /// Exit code: 0, 1 if a file is none of these, 2 if a file can't be read.
    Inspect(InspectArguments),
    /// Say whether plugins fit a host, by the comparison that opening them makes
    ///
    /// Exit code: 0 if all fit, 1 if one does not, 2 if that can't be told.
    Check(CheckArguments),
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
    #[arg(long, value_name = "PATH")]
    pub host: PathBuf,
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
#[derive(Debug, Clone, Args)]
pub struct BuildArguments {
    /// Package to build: a host, a plugin or the API crate (default: all of the workspace)
    #[arg(short, long = "package", value_name = "SPEC")]
    pub package: Vec<String>,
    /// The API crate, where several would do
    #[arg(long, value_name = "PACKAGE")]
    pub api: Option<String>,
    /// Build with optimisations
    #[arg(short, long, conflicts_with = "profile")]
    pub release: bool,
    /// Build with this profile of cargo's
    #[arg(long, value_name = "PROFILE-NAME")]
    pub profile: Option<String>,
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
#[derive(Debug, Clone, Args)]
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
#[derive(Debug, Clone, Args)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    /// For people.
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
        match &self.profile {
            Some(name) if name == "debug" => "dev",
            Some(name) => name,
            None if self.release => "release",
            None => "dev",
        }
    }

    /// The name that cargo gives to the folder of a profile.
    pub fn profile_folder(&self) -> &str {
        match self.profile() {
            "dev" | "test" => "debug",
            "bench" => "release",
            other => other,
        }
    }
}
