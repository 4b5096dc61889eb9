//! Running the executables of tests: cargo and rustdoc start this program, and it starts them, with the plugins beside them
//! and without what was set for cargo. A test that calls cargo itself calls it as from a shell.

use crate::context::{Context, Running};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::execute;
use crate::files;
use crate::recording;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// Runs an executable. `words` are its path and arguments. Returns the exit code.
pub fn main(words: Vec<OsString>, context: Option<Result<Context>>) -> i32 {
    let outcome = match recording::is_wanted() {
        true => recording::tell().map(|()| 0),
        false => context.transpose().and_then(|context| run(&words, context.map(|c| c.running))),
    };
    match outcome {
        Ok(code) => code,
        Err(diagnostic) => {
            eprintln!("{diagnostic}");
            1
        }
    }
}

fn run(words: &[OsString], running: Option<Running>) -> Result<i32> {
    let Some(running) = running else {
        return Err(Diagnostic::error("system", "a test was run outside of a build").into());
    };
    let Some(program) = words.first() else {
        return Err(Diagnostic::error("system", "there is no test to run").into());
    };
    if let Some(plugins) = &running.plugins {
        beside(Path::new(program), plugins)?;
    }
    let mut all = running.runner.iter().map(OsString::from).chain(words.iter().cloned());
    let mut command = Command::new(all.next().unwrap_or_default());
    command.args(all);
    for (name, value) in &running.outer {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    // rustdoc says where the program is that holds a whole file's tests, so that each runs in a process of its own; but not
    // to those who run it for rustdoc.
    if running.runner.is_empty() && Path::new(program).file_stem() == Some("rust_out".as_ref()) {
        command.env("RUSTDOC_DOCTEST_BIN_PATH", program);
    }
    crate::environment::without_ours(&mut command);
    execute(command)
}

/// Lets a program find the plugins in the folder that `Loader::beside_program` searches. Documentation tests lie in a folder
/// of their own each, which rustdoc makes.
fn beside(program: &Path, plugins: &Path) -> Result<()> {
    let folder = program.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let place = folder.join("plugins");
    if place.exists() { Ok(()) } else { files::link_folder(plugins, &place) }
        .doing(format_args!("let {} find the plugins", program.display()))
}
