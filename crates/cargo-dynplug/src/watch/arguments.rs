//! What `cargo dynplug watch` is asked for, and the build that it calls for again and again.

use crate::cli::BuildArguments;
use clap::Args;
use std::ffi::OsString;

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct WatchArguments {
    /// What to build.
    #[command(flatten)]
    pub build: BuildArguments,
    /// The executable to run, where there are several
    #[arg(long, value_name = "NAME")]
    pub bin: Option<String>,
    /// Only build
    #[arg(long, conflicts_with_all = ["exec", "bin", "arguments"])]
    pub no_run: bool,
    /// Run this command of the shell in place of a host; it finds the folder of the plugins in DYNPLUG_PLUGINS
    #[arg(long, visible_alias = "run", value_name = "COMMAND", conflicts_with_all = ["bin", "arguments"])]
    pub exec: Option<String>,
    /// Clear the screen before each build
    #[arg(long)]
    pub clear: bool,
    /// Look at the files again and again, where the system tells of no changes
    #[arg(long)]
    pub poll: bool,
    /// How many milliseconds nothing has to change before it is built
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 100)]
    pub delay: u64,
    /// How many seconds a host is given to end when it is asked to
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub grace: u64,
    /// Arguments for the host
    #[arg(last = true, value_name = "ARGS")]
    pub arguments: Vec<OsString>,
}

impl BuildArguments {
    /// The command line of `build` that means the same, with these packages.
    pub fn words(&self, packages: &[String]) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec!["build".into()];
        let mut pair =
            |option: &str, value: &std::ffi::OsStr| words.extend([option.into(), value.to_owned()]);
        for package in packages {
            pair("--package", package.as_ref());
        }
        pair("--profile", self.workspace.profile().as_ref());
        for (option, value) in [("--api", &self.api), ("--target", &self.workspace.target)] {
            if let Some(value) = value {
                pair(option, value.as_ref());
            }
        }
        let paths = [
            ("--sdk", &self.sdk),
            ("--manifest-path", &self.workspace.manifest_path),
            ("--target-dir", &self.workspace.target_dir),
            ("--out-dir", &self.out_dir),
        ];
        for (option, path) in paths {
            if let Some(path) = path {
                pair(option, path.as_os_str());
            }
        }
        if self.messages.json() {
            pair("--message-format", "json".as_ref());
        }
        for features in &self.features.features {
            pair("--features", features.as_ref());
        }
        for (on, word) in [
            (self.features.all_features, "--all-features"),
            (self.features.no_default_features, "--no-default-features"),
        ] {
            if on {
                words.push(word.into());
            }
        }
        words.extend(self.messages.for_cargo().into_iter().map(OsString::from));
        words.extend(self.cargo.for_building().into_iter().map(OsString::from));
        words
    }
}
