//! `cargo dynplug`: builds API libraries, hosts and plugins, and runs them.
//!
//! This program appears in several roles. As a subcommand of cargo it calls cargo ([`run`]); cargo then calls it in place
//! of rustc ([`wrapper`]), and rustc in place of the linker ([`linker`]).

mod builder;
pub mod bundle;
mod cargo;
mod check;
pub mod clean;
pub mod cli;
pub mod context;
pub mod diagnostic;
mod environment;
mod explain;
mod files;
mod floor;
mod inspect;
mod link;
pub mod linker;
mod lock;
mod manual;
mod metadata_keys;
mod new;
mod outcome;
mod plan;
mod profile;
mod recording;
pub mod runner;
mod sdk;
mod settings;
mod source;
mod strip;
mod sync;
mod sysroot;
mod terminal;
pub mod testing;
mod toolchain;
mod trust;
mod unit;
pub mod watch;
mod workspace;
pub mod wrapper;

use builder::{Builder, Prepared, Tool};
use cli::{Command, MessageFormat, RunArguments, SdkArguments};
use diagnostic::{Diagnostic, Doing, Result};
use std::ffi::OsString;
use terminal::line;

/// Runs the subcommand with these arguments (the program's name first) and returns the exit code.
pub fn run(mut words: Vec<OsString>) -> i32 {
    // cargo puts the subcommand's name first.
    if words.get(1).is_some_and(|w| w == "dynplug") {
        words.remove(1);
    }
    let for_programs = asks_for_json(&words);
    let cli = match cli::parse(words) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() && for_programs => {
            line!("{}", usage(&error).to_message());
            return 2;
        }
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            // Whoever closed the terminal needs no help text.
            let _ = error.print();
            return code;
        }
    };
    terminal::settle(&cli.messages);
    let outcome = match &cli.command {
        Command::New(arguments) => new::run(arguments),
        Command::Build(arguments) => build(arguments),
        Command::Run(arguments) => run_host(arguments),
        Command::Test(arguments) => tool(&arguments.build, &arguments.tool()),
        Command::Clippy(arguments) => tool(&arguments.build, &arguments.tool()),
        Command::Doc(arguments) => tool(&arguments.build, &arguments.tool()),
        Command::Clean(arguments) => clean::run(arguments),
        Command::Sdk(arguments) => make_sdk(arguments),
        Command::Watch(arguments) => watch::run(arguments),
        Command::Sync(arguments) => sync::run(arguments),
        Command::Bundle(arguments) => bundle::run(arguments),
        Command::Link(arguments) => link::run(arguments),
        Command::Explain(arguments) => Ok(explain::run(arguments)),
        Command::Inspect(arguments) => Ok(inspect::run(arguments)),
        Command::Check(arguments) => Ok(check::run(arguments)),
        Command::Keygen(arguments) => trust::keygen(arguments),
        Command::Sign(arguments) => trust::sign(arguments),
        Command::Verify(arguments) => trust::verify(arguments),
        Command::Pin(arguments) => trust::pin(arguments),
        Command::Completions(arguments) => manual::completions(arguments),
        Command::Man(arguments) => manual::man(arguments),
        Command::Packages(arguments) => Ok(manual::packages(arguments)),
    };
    match outcome {
        Ok(code) => code,
        Err(diagnostic) => {
            if diagnostic.code != cargo::FAILED {
                diagnostic.print(cli.messages.message_format);
            }
            i32::from(diagnostic.exit)
        }
    }
}

/// Whether messages are for programs, before it is known whether the command line can be understood.
fn asks_for_json(words: &[OsString]) -> bool {
    let words: Vec<_> = words.iter().map(|w| w.to_string_lossy()).take_while(|w| w != "--").collect();
    let pair = |pair: &[std::borrow::Cow<'_, str>]| pair[0] == "--message-format" && pair[1] == "json";
    words.iter().any(|w| w == "--message-format=json" || w == "--json") || words.windows(2).any(pair)
}

/// What clap says of a command line, as a message for programs.
fn usage(error: &clap::Error) -> Diagnostic {
    let text = error.to_string();
    let mut parts =
        text.split("\n\n").map(str::trim).filter(|part| !part.is_empty() && !part.starts_with("For more"));
    let message = parts.next().unwrap_or("the command line can't be understood");
    let d = Diagnostic::error("usage", message.strip_prefix("error: ").unwrap_or(message)).usage();
    parts.fold(d, |d, part| match part.strip_prefix("tip: ") {
        Some(tip) => d.help(tip),
        None => d.note(part),
    })
}

fn build(arguments: &cli::BuildArguments) -> Result<i32> {
    let builder = match Builder::prepare_for(arguments)? {
        Prepared::Ready(builder) => builder,
        Prepared::Done(code) => return Ok(code),
    };
    let outcome = builder.build()?;
    watch::note(&outcome)?;
    if arguments.messages.talks() && !outcome.is_empty() {
        terminal::status_of_file("Outcome", &outcome.folder, "");
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
    match arguments.build.messages.audience() {
        Some(MessageFormat::Json) => line!(
            "{}",
            serde_json::json!({
                "reason": "dynplug-sdk", "package": description.api.package, "version": description.api.version,
                "target": description.target, "profile": description.profile, "rustc": description.rustc,
                "identity": description.api.identity, "filename": exported.file, "size": size,
            })
        ),
        None => {}
        Some(MessageFormat::Human) => {
            let count = description.crates.len();
            let profile = &description.profile;
            let more = format!(" ({:.1} MB, profile {profile}, {count} shared crates)", size as f64 / 1e6);
            terminal::status_of_file("SDK", &exported.file, &more);
        }
    }
    Ok(0)
}

fn run_host(arguments: &RunArguments) -> Result<i32> {
    let mut build = arguments.build.clone();
    let named = std::mem::take(&mut build.package);
    // The plugins come along whichever host is asked for.
    let builder = Builder::of_host(&build)?;
    // What can't be run is told before it is built.
    let bin = builder.program_to_run(named.first().map(String::as_str), arguments.bin.as_deref())?;
    let outcome = builder.build()?;
    let host = outcome.the_host(Some(&bin))?;
    if !build.messages.quiet {
        terminal::status_of_file("Running", &host, "");
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
