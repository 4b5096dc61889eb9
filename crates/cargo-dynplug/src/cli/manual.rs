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

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArguments {
    /// The folder for the pages; made where it isn't there
    #[arg(short, long, value_name = "DIRECTORY")]
    pub output: PathBuf,
    /// What is printed, and how.
    #[command(flatten)]
    pub messages: MessageArguments,
}
