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
mod explain;
mod files;
mod inspect;
mod link;
pub mod linker;
mod lock;
mod new;
mod outcome;
mod plan;
mod profile;
mod sdk;
mod settings;
mod source;
mod sync;
mod sysroot;
mod toolchain;
mod unit;
mod workspace;
pub mod wrapper;

use builder::{Builder, Prepared, Tool};
use clap::Parser;
use cli::{Cli, Command, MessageFormat, RunArguments, SdkArguments};
use diagnostic::{Diagnostic, Doing, Result};
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
        Command::New(arguments) => (arguments.message_format, new::run(arguments)),
        Command::Build(arguments) => (arguments.message_format, build(arguments)),
        Command::Run(arguments) => (arguments.build.message_format, run_host(arguments)),
        Command::Test(arguments) => {
            (arguments.build.message_format, tool(&arguments.build, &arguments.tool()))
        }
        Command::Clippy(arguments) => {
            (arguments.build.message_format, tool(&arguments.build, &arguments.tool()))
        }
        Command::Doc(arguments) => {
            (arguments.build.message_format, tool(&arguments.build, &arguments.tool()))
        }
        Command::Sdk(arguments) => (arguments.build.message_format, make_sdk(arguments)),
        Command::Sync(arguments) => (arguments.build.message_format, sync::run(arguments)),
        Command::Link(arguments) => (arguments.message_format, link::run(arguments)),
        Command::Explain(arguments) => return explain::run(arguments),
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
    let builder = match Builder::prepare_for(arguments)? {
        Prepared::Ready(builder) => builder,
        Prepared::Done(code) => return Ok(code),
    };
    let outcome = builder.build()?;
    if arguments.message_format == MessageFormat::Human && !arguments.cargo.quiet && !outcome.is_empty() {
        eprintln!("     Outcome {}", outcome.folder.display());
    }
    Ok(0)
}

/// Runs one of cargo's commands on plugins.
fn tool(arguments: &cli::BuildArguments, tool: &Tool) -> Result<i32> {
    match Builder::prepare_for(arguments)? {
        Prepared::Ready(builder) => builder.run_tool(tool),
        Prepared::Done(code) => Ok(code),
    }
}

fn make_sdk(arguments: &SdkArguments) -> Result<i32> {
    let exported = Builder::of_host(&arguments.build)?.export(arguments.output.as_deref())?;
    let size = exported.file.metadata().doing(format_args!("read {}", exported.file.display()))?.len();
    let description = &exported.sdk.description;
    match arguments.build.message_format {
        MessageFormat::Json => println!(
            "{}",
            serde_json::json!({
                "reason": "dynplug-sdk", "package": description.api.package, "version": description.api.version,
                "target": description.target, "profile": description.profile, "rustc": description.rustc,
                "identity": description.api.identity, "filename": exported.file, "size": size,
            })
        ),
        MessageFormat::Human if arguments.build.cargo.quiet => {}
        MessageFormat::Human => eprintln!(
            "         SDK {} ({:.1} MB, {} shared crates)",
            exported.file.display(),
            size as f64 / 1e6,
            description.crates.len()
        ),
    }
    Ok(0)
}

fn run_host(arguments: &RunArguments) -> Result<i32> {
    let mut build = arguments.build.clone();
    let named = std::mem::take(&mut build.package);
    // The plugins come along whichever host is asked for.
    let builder = Builder::of_host(&build)?;
    let outcome = builder.build()?;
    let bin = arguments.bin.clone().or_else(|| named.first().cloned());
    let host = outcome.the_host(bin.as_deref())?;
    if !build.cargo.quiet {
        eprintln!("     Running {}", host.display());
    }
    let mut command = builder.program(&host);
    command.args(&arguments.arguments);
    execute(command).map_err(|error| match builder.is_for_another_machine() {
        true => Box::new(error.help(builder.runner_wanted())),
        false => error,
    })
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
