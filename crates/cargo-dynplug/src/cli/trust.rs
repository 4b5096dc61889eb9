//! Options of what has to do with whom a host trusts: `keygen`, `sign`, `verify`, `pin`.

use super::{MessageArguments, MessageFormat};
use clap::Args;
use dynplug_trust::{Moment, MomentError};
use std::path::PathBuf;

/// Arguments of `keygen`.
#[derive(Debug, Args)]
pub struct KeygenArguments {
    /// Where the public key goes, which hosts are given
    #[arg(short, long, value_name = "FILE", default_value = "dynplug.pub")]
    pub public: PathBuf,
    /// Where the secret key goes, which nobody else should have
    #[arg(short, long, value_name = "FILE", default_value = "dynplug.key")]
    pub secret: PathBuf,
    /// Read the password from the first line of a file (default: from DYNPLUG_KEY_PASSWORD, or else it is asked for)
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Write the secret key without a password: whoever reads the file can sign
    #[arg(short = 'W', long, conflicts_with = "password_file")]
    pub no_password: bool,
    /// What is printed, and how.
    #[command(flatten)]
    pub messages: MessageArguments,
}

/// Arguments of `sign`.
#[derive(Debug, Args)]
pub struct SignArguments {
    /// Plugins, and libraries that plugins share
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// With which key, and until when it is to count.
    #[command(flatten)]
    pub key: SecretKeyArguments,
    /// What is printed, and how.
    #[command(flatten)]
    pub messages: MessageArguments,
}

/// The key to sign with.
#[derive(Debug, Args)]
pub struct SecretKeyArguments {
    /// The secret key, as `keygen` or `minisign -G` has made it
    #[arg(short, long, value_name = "FILE")]
    pub secret: PathBuf,
    /// Read its password from the first line of a file (default: from DYNPLUG_KEY_PASSWORD, or else it is asked for)
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// The last day on which the signature counts (UTC), or seconds since 1970 (default: it counts for ever)
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = to_come)]
    pub expires: Option<Moment>,
}

/// A moment that is not over: what has ended already would be refused by everybody.
fn to_come(text: &str) -> Result<Moment, String> {
    let moment: Moment = text.parse().map_err(|error: MomentError| error.to_string())?;
    match moment < Moment::now() {
        true => Err("that is over, so every host would refuse the plugin".to_owned()),
        false => Ok(moment),
    }
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// Plugins to look at
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// A public key that counts: its file, or the key itself; several may be given
    #[arg(short, long, value_name = "KEY", required_unless_present = "pins")]
    pub public: Vec<String>,
    /// Pinned hashes that count, as `pin` writes them
    #[arg(long, value_name = "FILE")]
    pub pins: Option<PathBuf>,
    /// Want nobody else to be able to write to the file and the folders above it
    #[arg(long)]
    pub only_owner_writes: bool,
    /// The same as `--message-format json`
    #[arg(long)]
    pub json: bool,
    /// What is printed, and how.
    #[command(flatten)]
    pub messages: MessageArguments,
}

/// Arguments of `pin`.
#[derive(Debug, Args)]
pub struct PinArguments {
    /// Plugins, and libraries that plugins share
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The list to write; what it has of other files stays (default: standard output)
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What is printed, and how.
    #[command(flatten)]
    pub messages: MessageArguments,
}

impl VerifyArguments {
    /// For whom is printed.
    pub fn format(&self) -> MessageFormat {
        if self.json { MessageFormat::Json } else { self.messages.message_format }
    }
}
