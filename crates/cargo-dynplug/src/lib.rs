//! `cargo dynplug`: builds API libraries, hosts and plugins, and runs them.
//!
//! This program appears in three roles. As a subcommand of cargo it calls cargo ([`run`]); cargo then calls it in place
//! of rustc ([`wrapper`]), and rustc in place of the linker ([`linker`]).

mod builder;
mod cargo;
mod check;
pub mod cli;
pub mod context;
pub mod diagnostic;
mod environment;
mod files;
mod inspect;
pub mod linker;
mod outcome;
mod profile;
mod sdk;
mod settings;
mod source;
mod sysroot;
mod unit;
mod workspace;
pub mod wrapper;

use clap::Parser;
use cli::{Cli, Command, MessageFormat, RunArguments};
#[cfg(not(unix))]
use diagnostic::Doing;
use diagnostic::{Diagnostic, Result};
use std::ffi::OsString;

/// Runs the subcommand with these arguments (the program's name first) and returns the exit code.
pub fn run(mut words: Vec<OsString>) -> i32 {
    // cargo puts the subcommand's name first.
    if words.get(1).is_some_and(|w| w == "dynplug") {
        words.remove(1);
    }
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            // Whoever closed the terminal needs no help text.
            let _ = error.print();
            return code;
        }
    };
    let (format, outcome) = match &cli.command {
        Command::Build(arguments) => (arguments.message_format, build(arguments)),
        Command::Run(arguments) => (arguments.build.message_format, run_host(arguments)),
        Command::Inspect(arguments) => return inspect::run(arguments),
        Command::Check(arguments) => return check::run(arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(diagnostic) => {
            if diagnostic.code != cargo::FAILED {
                match format {
                    MessageFormat::Human => eprint!("{diagnostic}"),
                    MessageFormat::Json => println!("{}", diagnostic.to_message()),
                }
            }
            i32::from(diagnostic.exit)
        }
    }
}

fn build(arguments: &cli::BuildArguments) -> Result<i32> {
    let outcome = builder::Builder::new(arguments)?.build()?;
    if arguments.message_format == MessageFormat::Human && !arguments.cargo.quiet && !outcome.is_empty() {
        eprintln!("     Outcome {}", outcome.folder.display());
    }
    Ok(0)
}

fn run_host(arguments: &RunArguments) -> Result<i32> {
    let mut build = arguments.build.clone();
    let named = std::mem::take(&mut build.package);
    // The plugins come along whichever host is asked for.
    let outcome = builder::Builder::new(&build)?.build()?;
    let bin = arguments.bin.clone().or_else(|| named.first().cloned());
    let host = outcome.the_host(bin.as_deref())?;
    if !build.cargo.quiet {
        eprintln!("     Running {}", host.display());
    }
    let mut command = std::process::Command::new(&host);
    environment::clean(&mut command);
    command.args(&arguments.arguments);
    execute(command)
}

#[cfg(unix)]
fn execute(mut command: std::process::Command) -> Result<i32> {
    use std::os::unix::process::CommandExt;
    // In our place, so that signals and the exit code are the host's own.
    let error = command.exec();
    Err(Diagnostic::error("system", format!("could not run {}", command.get_program().to_string_lossy()))
        .note(error.to_string())
        .into())
}

#[cfg(not(unix))]
fn execute(mut command: std::process::Command) -> Result<i32> {
    let status = command.status().doing("run the host")?;
    Ok(status.code().unwrap_or(1))
}
