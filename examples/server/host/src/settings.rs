//! What the environment says: where to listen, where to keep data, where plugins are, and whose.

use server_api::dynplug::Loader;
use server_api::dynplug::apart::{OwnProcess, RunIn};
use server_api::dynplug::trust::{Pins, Policy, PublicKey};
use std::env;
use std::path::PathBuf;
use std::time::Duration;

/// The variables, for who gives arguments.
const USAGE: &str = "the server has no arguments; it reads these variables:
  SERVER_ADDRESS   where to listen, 127.0.0.1:3000 if not set; port 0 is any that is free
  SERVER_DATABASE  the database's file; if not set, it is in memory
  SERVER_PLUGINS   the plugins' folders, as in PATH; if not set, `plugins` beside the program
  SERVER_KEYS      files with public keys, as in PATH: only plugins that these have signed are opened
  SERVER_PINS      a file of sha256sum's: only plugins that are pinned there are opened; with SERVER_KEYS, also
                   those that are signed and not pinned otherwise
  RUST_LOG         what is logged, as in `info,notes=debug`";

/// How long a plugin in a process of its own may take for an answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// How the server is to run.
#[derive(Debug)]
pub struct Settings {
    /// Where it listens.
    pub address: String,
    /// The database's file; none for one in memory.
    pub database: Option<PathBuf>,
    /// Whose plugins it opens; none for whatever lies in the folders.
    policy: Option<Policy>,
}

impl Settings {
    /// Reads the environment.
    pub fn read() -> Result<Settings, String> {
        if let Some(argument) = env::args_os().nth(1) {
            return Err(format!("unexpected argument `{}`: {USAGE}", argument.display()));
        }
        let address = match env::var("SERVER_ADDRESS") {
            Ok(address) => address,
            Err(env::VarError::NotPresent) => "127.0.0.1:3000".to_owned(),
            Err(error) => return Err(format!("SERVER_ADDRESS: {error}")),
        };
        Ok(Settings {
            address,
            database: env::var_os("SERVER_DATABASE").map(PathBuf::from),
            policy: policy()?,
        })
    }

    /// What finds the plugins.
    pub fn loader(&self) -> Loader {
        let loader = match env::var_os("SERVER_PLUGINS") {
            Some(_) => Loader::new().folders_in("SERVER_PLUGINS"),
            None => Loader::new().beside_program(),
        };
        let loader = loader.own_process(OwnProcess::new().deadline(ANSWERED_WITHIN));
        // Where plugins run that only answer: here, or with `RunIn::OwnProcess` each in a process of its own.
        let loader = loader.run_in(RunIn::Host);
        match &self.policy {
            Some(policy) => loader.policy(policy.clone()),
            None => loader,
        }
    }
}

/// Whose plugins are opened, if that is said.
fn policy() -> Result<Option<Policy>, String> {
    let (keys, pins) = (env::var_os("SERVER_KEYS"), env::var_os("SERVER_PINS"));
    if keys.is_none() && pins.is_none() {
        return Ok(None);
    }
    let mut policy = Policy::new();
    for file in env::split_paths(&keys.unwrap_or_default()).filter(|file| !file.as_os_str().is_empty()) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let key = PublicKey::read(&file).map_err(|error| format!("SERVER_KEYS: {error}"))?;
        policy = policy.key(key.named(name));
    }
    if let Some(file) = pins {
        policy = policy.pins(Pins::read(file).map_err(|error| format!("SERVER_PINS: {error}"))?);
    }
    // A variable that names nothing is a mistake, and no wish to open everything.
    match policy.vouches() {
        true => Ok(Some(policy)),
        false => Err("SERVER_KEYS and SERVER_PINS name no key and pin nothing, so no plugin could be opened"
            .to_owned()),
    }
}
