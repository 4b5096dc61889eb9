//! The host: it opens the plugins in the folder `plugins` beside it, or in the folder that is its
//! argument, and lets each of them greet.

use std::env;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use @api@::dynplug::Plugin;
use @api@::{GREETED, Greet};

/// Runs the host. It stands in a library so that a program with plugins linked in can call it too.
pub fn main() -> ExitCode {
    let files = match plugins() {
        Ok(files) => files,
        Err(error) => {
            eprintln!("no plugins: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut code = ExitCode::SUCCESS;
    for file in files {
        match greeting(&file) {
            Ok(greeting) => println!("{greeting}"),
            Err(error) => {
                eprintln!("{error}");
                code = ExitCode::FAILURE;
            }
        }
    }
    println!("counted: {}", GREETED.load(Ordering::Relaxed));
    code
}

/// Opens a plugin and lets it greet.
fn greeting(file: &Path) -> Result<String, Box<dyn Error>> {
    // SAFETY: `cargo dynplug` put the file there, and nobody forged it.
    let plugin = unsafe { Plugin::open(file) }?;
    let greet: Greet = plugin.lookup("greet")?;
    Ok(greet("world"))
}

/// The plugins' files, in an order that stays the same.
fn plugins() -> io::Result<Vec<PathBuf>> {
    let folder = match env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => env::current_exe()?.with_file_name("plugins"),
    };
    let mut files = Vec::new();
    for entry in folder.read_dir()? {
        let file = entry?.path();
        let name = file.to_string_lossy();
        if name.ends_with(env::consts::DLL_SUFFIX) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}
