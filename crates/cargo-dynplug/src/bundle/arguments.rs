//! The command line of `bundle`.

use crate::cli::{BuildArguments, SecretKeyArguments};
use crate::strip::Level;
use clap::{Args, ValueEnum};
use dynplug_trust::Moment;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Arguments of `bundle`.
#[derive(Debug, Args)]
pub struct BundleArguments {
    /// What to build: hosts, and with them all plugins, unless some are named.
    #[command(flatten)]
    pub build: BuildArguments,
    /// The folder to make, or the archive: FILE.tar.zst, FILE.tar (default: a folder
    /// `<host>-<version>-<target>` in `target/dynplug/bundle/<profile>`)
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
    /// Bundle plugins without a host, and with the API library that they were built with: a host that was built with another one
    /// can run them in processes of their own
    #[arg(long, conflicts_with = "layout")]
    pub plugins: bool,
    /// How the bundle is laid out
    #[arg(long, value_name = "LAYOUT", default_value = "flat")]
    pub layout: Layout,
    /// What is left out of the files beyond what the profile leaves out (default: none; symbols with --debug-files)
    #[arg(long, value_name = "WHAT")]
    pub strip: Option<Strip>,
    /// Folder for what --strip leaves out, in the form in which debuggers look for it
    #[arg(long, value_name = "DIRECTORY")]
    pub debug_files: Option<PathBuf>,
    /// Sign the plugins, the libraries that they share, and with --plugins the API library, with this secret key of `keygen` or `minisign -G`
    #[arg(long, value_name = "KEY")]
    pub sign: Option<PathBuf>,
    /// Read its password from the first line of a file (default: from DYNPLUG_KEY_PASSWORD, or else it is asked for)
    #[arg(long, value_name = "FILE", requires = "sign")]
    pub password_file: Option<PathBuf>,
    /// The last day on which the signatures count (UTC), or seconds since 1970 (default: they count for ever)
    #[arg(long, value_name = "YYYY-MM-DD", requires = "sign")]
    pub expires: Option<Moment>,
    /// Fail if a crate says nothing of its licence
    #[arg(long)]
    pub deny_unlicensed: bool,
}

/// How a bundle is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// The host, the API library beside it, and the plugins in `plugins`: as a build leaves them
    Flat,
    /// As distributions have it: `bin`, `lib/<host>`, `share`; to be put into /usr, /usr/local or below /opt
    Fhs,
}

/// What is left out of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strip {
    /// Nothing more than the profile says
    None,
    /// What relates code to source
    Debuginfo,
    /// That, and the names of functions that aren't exported
    Symbols,
}

impl Strip {
    /// What goes, if anything.
    pub fn level(self) -> Option<Level> {
        match self {
            Strip::None => None,
            Strip::Debuginfo => Some(Level::DebugInfo),
            Strip::Symbols => Some(Level::Symbols),
        }
    }
}

impl BundleArguments {
    /// The key to sign with, if any.
    pub fn secret_key(&self) -> Option<SecretKeyArguments> {
        let secret = self.sign.clone()?;
        Some(SecretKeyArguments { secret, password_file: self.password_file.clone(), expires: self.expires })
    }

    /// What is to be left out.
    pub fn strip(&self) -> Strip {
        let aside = if self.debug_files.is_some() { Strip::Symbols } else { Strip::None };
        self.strip.unwrap_or(aside)
    }
}
