//! What the environment says: where to listen, where to keep data, where plugins are.

use server_api::dynplug::Loader;
use std::env;
use std::path::PathBuf;

/// The variables, for who gives arguments.
const USAGE: &str = "the server has no arguments; it reads these variables:
  SERVER_ADDRESS   where to listen, 127.0.0.1:3000 if not set; port 0 is any that is free
  SERVER_DATABASE  the database's file; if not set, it is in memory
  SERVER_PLUGINS   the plugins' folders, as in PATH; if not set, `plugins` beside the program
  RUST_LOG         what is logged, as in `info,notes=debug`";

/// How the server is to run.
#[derive(Debug)]
pub struct Settings {
    /// Where it listens.
    pub address: String,
    /// The database's file; none for one in memory.
    pub database: Option<PathBuf>,
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
        Ok(Settings { address, database: env::var_os("SERVER_DATABASE").map(PathBuf::from) })
    }

    /// What finds the plugins.
    pub fn loader(&self) -> Loader {
        match env::var_os("SERVER_PLUGINS") {
            Some(_) => Loader::new().folders_in("SERVER_PLUGINS"),
            None => Loader::new().beside_program(),
        }
    }
}
