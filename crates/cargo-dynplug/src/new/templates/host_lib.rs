//! The host: it opens the plugins in the folder `plugins` beside it, or in the folder that is its
//! argument, and lets each of them greet.

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use @api@::dynplug::{self, Loader, Plugin};
use @api@::{GREETED, Greet};

/// Runs the host. It stands in a library so that a program with plugins linked in can call it too.
pub fn main() -> ExitCode {
    let loader = match env::args_os().nth(1) {
        Some(folder) => Loader::new().folder(folder),
        None => Loader::new().beside_program(),
    };
    // SAFETY: `cargo dynplug` put the files there, and nobody forged them.
    let opened = match unsafe { loader.open_all() } {
        Ok(opened) => opened,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let mut code = ExitCode::SUCCESS;
    if opened.discovery.found.is_empty() {
        code = ExitCode::FAILURE;
        let why = match dynplug::is_shared() {
            true => "there are no plugins where this program looks for them",
            false => {
                "plain cargo built this program, which opens no files then: `cargo dynplug run`"
            }
        };
        eprintln!("{why}");
    }
    for (_, reason) in opened.discovery.refused() {
        eprintln!("{reason}");
        code = ExitCode::FAILURE;
    }
    for plugin in opened.plugins {
        match greeting(plugin) {
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

/// Lets a plugin greet.
fn greeting(plugin: &Plugin) -> Result<String, Box<dyn Error>> {
    let greet: Greet = plugin.lookup("greet")?;
    Ok(greet("world"))
}
