//! Options of what makes completions and man pages of this very command line.

use super::MessageArguments;
use clap::Args;
use clap_complete::Shell;
use std::path::PathBuf;

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// The shell: bash, elvish, fish, powershell or zsh
    #[arg(value_name = "SHELL", hide_possible_values = true)]
    pub shell: Shell,
    /// What is printed, and how.
    #[command(flatten)]
    pub messages: MessageArguments,
}

/// Arguments of `packages`.
#[derive(Debug, Args)]
pub struct PackagesArguments {
    /// Path of the workspace's Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<PathBuf>,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArguments {
    /// The subcommand whose page is printed (default: the page of the program)
    #[arg(value_name = "COMMAND", conflicts_with = "output")]
    pub command: Option<String>,
    /// Write all pages into this folder, made where it isn't there, in place of printing one
    #[arg(short, long, value_name = "DIRECTORY", required_if_eq("message_format", "json"))]
    pub output: Option<PathBuf>,
    /// What is printed, and how.
    #[command(flatten)]
    pub messages: MessageArguments,
}
