//! Options of what compiles: `build`, `run`, `clippy`, `doc`, `sdk`.

use super::{CargoArguments, FeatureArguments, MessageArguments, WorkspaceArguments};
use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;

/// Arguments of everything that builds.
#[derive(Debug, Clone, Default, Args)]
pub struct BuildArguments {
    /// Package to build: a host, a plugin or the API crate (default: all of the workspace)
    #[arg(short, long = "package", value_name = "SPEC", help_heading = "Packages")]
    pub package: Vec<String>,
    /// The API crate, where several would do
    #[arg(long, value_name = "PACKAGE", help_heading = "Packages")]
    pub api: Option<String>,
    /// Build plugins with this SDK of a host that is built elsewhere: a file, or a folder [env: DYNPLUG_SDK]
    #[arg(long, value_name = "PATH", help_heading = "Packages")]
    pub sdk: Option<PathBuf>,
    /// Profile and places.
    #[command(flatten)]
    pub workspace: WorkspaceArguments,
    /// Folder for the outcome
    #[arg(long, value_name = "DIRECTORY", help_heading = "Places")]
    pub out_dir: Option<PathBuf>,
    /// What is printed, and how.
    #[command(flatten)]
    pub messages: MessageArguments,
    /// Features.
    #[command(flatten)]
    pub features: FeatureArguments,
    /// What goes to cargo as it is.
    #[command(flatten)]
    pub cargo: CargoArguments,
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
