//! Options of what makes or changes projects, or programs from several: `new`, `sync`, `link`.

use super::{BuildArguments, CargoArguments, FeatureArguments, MessageArguments, WorkspaceArguments};
use clap::Args;
use std::path::PathBuf;

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
    /// What is printed, and how.
    #[command(flatten)]
    pub messages: MessageArguments,
    /// Run without the network
    #[arg(long)]
    pub offline: bool,
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
    #[arg(short, long, value_name = "NAME", help_heading = "Packages")]
    pub package: Option<String>,
    /// A plugin: a member of the workspace (`NAME`), a registry's package (`NAME@VERSION`), a folder (`NAME=PATH`), a
    /// repository (`NAME=URL`, with `?branch=`, `?tag=` or `#COMMIT`)
    #[arg(long, value_name = "PLUGIN", help_heading = "Packages")]
    pub with: Vec<String>,
    /// The executable to make, or a folder for it
    #[arg(short, long, value_name = "FILE", help_heading = "Places")]
    pub output: Option<PathBuf>,
    /// Print what is linked in
    #[arg(long)]
    pub list: bool,
    /// Folder for the project that is made on the way, to be kept
    #[arg(long, value_name = "DIRECTORY", help_heading = "Places")]
    pub project: Option<PathBuf>,
    /// The host's executable, where its package has several
    #[arg(long, value_name = "NAME", help_heading = "Packages")]
    pub bin: Option<String>,
    /// Profile and places.
    #[command(flatten)]
    pub workspace: WorkspaceArguments,
    /// What is printed, and how.
    #[command(flatten)]
    pub messages: MessageArguments,
    /// Features of the host.
    #[command(flatten)]
    pub features: FeatureArguments,
    /// What goes to cargo as it is.
    #[command(flatten)]
    pub cargo: CargoArguments,
}
