//! Options of what reads files: `inspect`, `check`, `explain`.

use super::{MessageArguments, MessageFormat};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArguments {
    /// Files to look at
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The same as `--message-format json`
    #[arg(long)]
    pub json: bool,
    /// What is printed, and how.
    #[command(flatten)]
    pub messages: MessageArguments,
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
    /// The same as `--message-format json`
    #[arg(long)]
    pub json: bool,
    /// What is printed, and how.
    #[command(flatten)]
    pub messages: MessageArguments,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// Codes, as they are printed
    #[arg(value_name = "CODE")]
    pub codes: Vec<String>,
    /// What is printed, and how.
    #[command(flatten)]
    pub messages: MessageArguments,
}

impl InspectArguments {
    /// For whom is printed.
    pub fn format(&self) -> MessageFormat {
        if self.json { MessageFormat::Json } else { self.messages.message_format }
    }
}

impl CheckArguments {
    /// For whom is printed.
    pub fn format(&self) -> MessageFormat {
        if self.json { MessageFormat::Json } else { self.messages.message_format }
    }
}
