//! Options that several subcommands have, or all.

use clap::{ArgAction, Args, ValueEnum};
use std::path::PathBuf;

/// What is printed, and how: every subcommand has these, and they may stand before it too.
#[derive(Debug, Clone, Default, Args)]
pub struct MessageArguments {
    /// For whom messages are printed: `human`, or `json` for programs (see docs/src/json.md)
    #[arg(
        long,
        global = true,
        help_heading = "Output",
        value_name = "FORMAT",
        default_value = "human",
        hide_possible_values = true
    )]
    pub message_format: MessageFormat,
    /// When to use colours: auto, always or never
    #[arg(long, global = true, help_heading = "Output", value_name = "WHEN", hide_possible_values = true)]
    pub color: Option<Color>,
    /// Say more (-vv: more still)
    #[arg(short, long, global = true, help_heading = "Output", action = ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Say nothing but errors
    #[arg(short, long, global = true, help_heading = "Output")]
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

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On terminals.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

impl Color {
    /// As it is said on command lines, cargo's and rustc's too.
    pub fn word(self) -> &'static str {
        match self {
            Color::Auto => "auto",
            Color::Always => "always",
            Color::Never => "never",
        }
    }
}

impl MessageArguments {
    /// Whether messages are for programs.
    pub fn json(&self) -> bool {
        self.message_format == MessageFormat::Json
    }

    /// Whether people want to be told how things go.
    pub fn talks(&self) -> bool {
        !self.json() && !self.quiet
    }

    /// In which form something is told on the way; none if nobody wants to be told.
    pub fn audience(&self) -> Option<MessageFormat> {
        (self.json() || self.talks()).then_some(self.message_format)
    }

    /// The same for a call of cargo that builds.
    pub fn for_cargo(&self) -> Vec<String> {
        let mut words = Vec::new();
        // What our terminal can, cargo is told in its environment.
        if let Some(when @ (Color::Always | Color::Never)) = self.color {
            words.push(format!("--color={}", when.word()));
        }
        words.extend(std::iter::repeat_n("-v".to_owned(), usize::from(self.verbose)));
        if self.quiet {
            words.push("--quiet".to_owned());
        }
        words
    }
}

/// With which profile a workspace is built, and where.
#[derive(Debug, Clone, Default, Args)]
pub struct WorkspaceArguments {
    /// Build with optimisations
    #[arg(help_heading = "Compilation", short, long, conflicts_with = "profile")]
    pub release: bool,
    /// Build with this profile of cargo's
    #[arg(help_heading = "Compilation", long, value_name = "PROFILE-NAME")]
    pub profile: Option<String>,
    /// Build for this target (default: `build.target` of cargo's configuration, else this machine)
    #[arg(help_heading = "Compilation", long, value_name = "TRIPLE")]
    pub target: Option<String>,
    /// Path of the workspace's Cargo.toml
    #[arg(help_heading = "Places", long, value_name = "PATH")]
    pub manifest_path: Option<PathBuf>,
    /// Folder for what is made on the way
    #[arg(help_heading = "Places", long, value_name = "DIRECTORY")]
    pub target_dir: Option<PathBuf>,
}

impl WorkspaceArguments {
    /// The name of cargo's profile.
    pub fn profile(&self) -> &str {
        match self.profile.as_deref() {
            Some("debug") => "dev",
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

/// Which features are on.
#[derive(Debug, Clone, Default, Args)]
pub struct FeatureArguments {
    /// Features to enable: `name` or `package/name`, separated by commas or blanks
    #[arg(short = 'F', long, value_name = "FEATURES", help_heading = "Features")]
    pub features: Vec<String>,
    /// Enable all features of the selected packages
    #[arg(long, help_heading = "Features")]
    pub all_features: bool,
    /// Leave the feature `default` out
    #[arg(long, help_heading = "Features")]
    pub no_default_features: bool,
}

/// Options that cargo is given as they are.
#[derive(Debug, Clone, Default, Args)]
pub struct CargoArguments {
    /// Number of jobs at once
    #[arg(short, long, value_name = "N", allow_hyphen_values = true, help_heading = "Compilation")]
    pub jobs: Option<String>,
    /// Build as much as possible after an error
    #[arg(long, help_heading = "Compilation")]
    pub keep_going: bool,
    /// Require the lock file to be up to date
    #[arg(long, help_heading = "Cargo")]
    pub locked: bool,
    /// Run without the network
    #[arg(long, help_heading = "Cargo")]
    pub offline: bool,
    /// `--locked` and `--offline`
    #[arg(long, help_heading = "Cargo")]
    pub frozen: bool,
    /// Override a configuration value of cargo's
    #[arg(long, value_name = "KEY=VALUE|PATH", help_heading = "Cargo")]
    pub config: Vec<String>,
    /// Unstable options of cargo's, such as `build-std`
    #[arg(short = 'Z', value_name = "FLAG")]
    pub unstable: Vec<String>,
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
        words
    }
}
