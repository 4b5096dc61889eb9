//! The program that a plugin's process runs: it takes the files that the host sends, confines itself, loads the API library
//! that the plugin was built with, and has it serve the plugin.
//!
//! It is no host: it knows nothing of plugins, has no API library of its own, and maps nothing that came from elsewhere before it
//! is confined.

use crate::channel;
use crate::confine::{Confinement, Stage};
use crate::contract::{FAILED, Order, SERVE, Serve};
use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use std::error::Error;
use std::ffi::{CString, OsString, c_char, c_int};
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

/// What the command line says.
#[derive(Debug, PartialEq, Eq)]
struct Launch {
    /// The process that has to live.
    host: i32,
    /// How many calls are served at once.
    threads: c_int,
    /// How many libraries the plugin shares with others.
    libraries: usize,
    /// What the process may do.
    confinement: Option<Confinement>,
}

const USAGE: &str = "this program is started by hosts of dynplug, which run plugins in it: `dynplug-runner HOST THREADS LIBRARIES [CONFINEMENT…]`";

impl Launch {
    fn from_arguments(arguments: impl IntoIterator<Item = OsString>) -> Result<Launch, String> {
        let mut arguments = arguments.into_iter();
        let mut number = |least: u16| {
            let word = arguments.next().ok_or(USAGE)?;
            let number = word.to_str().and_then(|word| word.parse::<i32>().ok());
            let number = number.filter(|number| *number >= i32::from(least));
            number.ok_or_else(|| format!("`{}` is no number from {least} on; {USAGE}", word.display()))
        };
        let (host, threads) = (number(1)?, number(1)?);
        let libraries = usize::try_from(number(0)?).map_err(|error| error.to_string())?;
        let rest: Vec<OsString> = arguments.collect();
        let confinement = match rest.is_empty() {
            true => None,
            false => Some(Confinement::from_args(rest).map_err(|error| format!("{error}; {USAGE}"))?),
        };
        Ok(Launch { host, threads, libraries, confinement })
    }
}

/// Does what the command line says, and gives the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> c_int {
    match Launch::from_arguments(arguments).map_err(Into::into).and_then(|launch| serve(&launch)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("dynplug-runner: {error}");
            FAILED
        }
    }
}

/// What is left to be put in force once the plugin is loaded.
static STAGE: Mutex<Option<Stage>> = Mutex::new(None);

extern "C" fn loaded() -> c_int {
    let stage = STAGE.lock().unwrap_or_else(PoisonError::into_inner).take();
    match stage.map(Stage::loaded) {
        None | Some(Ok(_)) => 0,
        Some(Err(error)) => {
            eprintln!("dynplug-runner: {error}");
            FAILED
        }
    }
}

fn serve(launch: &Launch) -> Result<c_int, Box<dyn Error>> {
    // Whatever becomes of the host, nothing of it stays behind.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid() != Pid::from_raw(launch.host) {
        return Err("the host has ended".into());
    }
    let mut files = channel::luggage()?;
    let records = if files.len() == launch.libraries + 3 { files.pop() } else { None };
    let [library, plugin, libraries @ ..] = &files[..] else { return Err(other_files(&files, launch)) };
    if libraries.len() != launch.libraries {
        return Err(other_files(&files, launch));
    }
    let path = |file: &OwnedFd| format!("/proc/self/fd/{}", file.as_raw_fd());
    if let Some(confinement) = &launch.confinement {
        *STAGE.lock().unwrap_or_else(PoisonError::into_inner) = Some(confinement.enforce()?);
    }
    // SAFETY: the host says that this is the library that the plugin was built with. What its constructors do is confined to this
    // process, which is what it is for.
    let library = unsafe { Library::open(Some(path(library)), RTLD_NOW | RTLD_GLOBAL) }.map_err(|error| {
        let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        format!("the API library can't be loaded: {why}")
    })?;
    // SAFETY: the function of this name has this type, whatever the version.
    let function = unsafe { library.get::<Serve>(SERVE.to_bytes_with_nul()) }.map_err(|_| {
        "the API library that the plugin was built with can't serve plugins: it was built without dynplug's feature `process`"
    })?;
    let libraries = libraries.iter().map(|file| CString::new(path(file)));
    let libraries = libraries.collect::<Result<Vec<CString>, _>>()?;
    let paths: Vec<*const c_char> = libraries.iter().map(|path| path.as_ptr()).collect();
    let path = CString::new(path(plugin))?;
    let records = records.map_or(-1, IntoRawFd::into_raw_fd);
    let (size, path, threads) = (size_of::<Order>(), path.as_ptr(), launch.threads);
    let (libraries, library_count) = (paths.as_ptr(), paths.len());
    let order = Order { size, path, threads, loaded, records, libraries, library_count };
    // SAFETY: the order and its paths live until the function returns.
    Ok(unsafe { function(&raw const order) })
}

fn other_files(files: &[OwnedFd], launch: &Launch) -> Box<dyn Error> {
    let (have, libraries) = (files.len(), launch.libraries);
    format!("the host sent {have} files instead of an API library, a plugin and {libraries} libraries").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Launch, String> {
        Launch::from_arguments(words.iter().map(OsString::from))
    }

    #[test]
    fn what_is_no_order_of_a_host_is_told() {
        let launch = Launch { host: 7, threads: 2, libraries: 0, confinement: None };
        assert_eq!(read(&["7", "2", "0"]), Ok(launch));
        for words in [
            &[][..],
            &["7"],
            &["7", "2"],
            &["7", "0", "0"],
            &["x", "2", "0"],
            &["7", "-2", "0"],
            &["7", "2", "-1"],
            &["7", "2", "0", "no level"],
        ] {
            let error = read(words).unwrap_err();
            assert!(error.contains("started by hosts of dynplug"), "{error}");
        }
    }
}
