//! Completions for shells and man pages, made of the command line itself.
//!
//! `cargo dynplug …` is completed by the shells as an argument of cargo, for which cargo has completions of its own. bash
//! and fish are told here to ask ours where the first word is `dynplug`; zsh's completion of cargo looks for a function
//! `_cargo-dynplug` by itself.
//!
//! After `-p` come the packages of the workspace, for which the shells ask the subcommand `packages`.

use crate::cli::{self, CompletionsArguments, ManArguments, PackagesArguments};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files;
use crate::terminal::{self, line};
use crate::workspace::ask;
use cargo_metadata::MetadataCommand;
use clap_complete::Shell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The program's name, as cargo and the shells look for it.
const PROGRAM: &str = "cargo-dynplug";

/// Prints completions. Returns the exit code.
///
/// # Errors
/// None as yet.
pub fn completions(arguments: &CompletionsArguments) -> Result<i32> {
    let shell = arguments.shell;
    let script = script(shell);
    match arguments.messages.json() {
        true => {
            let shell = shell.to_string();
            line!(
                "{}",
                serde_json::json!({ "reason": "dynplug-completions", "shell": shell, "script": script })
            );
        }
        false => line!("{}", script.trim_end()),
    }
    Ok(0)
}

fn script(shell: Shell) -> String {
    // clap_complete calls a program with a `-` by two names in what it writes for bash.
    let name = if shell == Shell::Bash { "cargo_dynplug" } else { PROGRAM };
    let mut bytes = Vec::new();
    let mut command = visible(&cli::command()).name(name).bin_name(name);
    clap_complete::generate(shell, &mut command, name, &mut bytes);
    let script = String::from_utf8_lossy(&bytes).into_owned();
    match shell {
        Shell::Bash => {
            let script = script.replace("default cargo_dynplug\n", "default cargo-dynplug\n");
            script + include_str!("manual/cargo.bash")
        }
        Shell::Fish => script + include_str!("manual/cargo.fish"),
        Shell::Zsh => {
            // What follows runs at once where zsh loads the file as a function.
            let end = "if [ \"$funcstack[1]\" = ";
            let with_packages = concat!(include_str!("manual/packages.zsh"), "\nif [ \"$funcstack[1]\" = ");
            script.replace(":SPEC:_default", ":SPEC:_cargo-dynplug_packages").replacen(end, with_packages, 1)
        }
        _ => script,
    }
}

/// The command line without what is hidden: clap_complete would show that.
fn visible(whole: &clap::Command) -> clap::Command {
    let subcommands = whole.get_subcommands().filter(|sub| !sub.is_hide_set()).cloned();
    clap::Command::new(PROGRAM)
        .version(env!("CARGO_PKG_VERSION"))
        .args(whole.get_arguments().cloned())
        .subcommands(subcommands)
}

/// Prints the names of the workspace's packages. Returns the exit code: where there is no workspace, a completion has nothing
/// to say.
pub fn packages(arguments: &PackagesArguments) -> i32 {
    let mut question = MetadataCommand::new();
    question.no_deps().other_options(["--offline".to_owned()]);
    if let Some(path) = &arguments.manifest_path {
        question.manifest_path(path);
    }
    match ask(&question) {
        Ok(metadata) => {
            let packages = metadata.workspace_packages();
            let names: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
            names.iter().for_each(|name| line!("{name}"));
            0
        }
        Err(_) => 1,
    }
}

/// Prints a man page, or writes all. Returns the exit code.
///
/// # Errors
/// When there is no such page, or the folder can't be made or written.
pub fn man(arguments: &ManArguments) -> Result<i32> {
    let command = cli::command().name(PROGRAM).bin_name("cargo dynplug").display_name(PROGRAM);
    // clap_mangen fills in what is derived, the names of the pages among it.
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let subcommands = || command.get_subcommands().filter(|sub| !sub.is_hide_set());
    let named = |sub: &clap::Command| format!("{PROGRAM}-{}", sub.get_name());
    let Some(folder) = &arguments.output else {
        let text = match &arguments.command {
            None => page(&command, PROGRAM)?,
            Some(name) => {
                let sub = subcommands().find(|sub| sub.get_name() == name).ok_or_else(|| {
                    Diagnostic::error("unknown-subcommand", format!("there is no subcommand `{name}`"))
                        .did_you_mean(name, subcommands().map(clap::Command::get_name))
                        .usage()
                })?;
                page(sub, &named(sub))?
            }
        };
        line!("{}", text.trim_end());
        return Ok(0);
    };
    files::make_folder(folder)?;
    let mut written = vec![write_page(&command, PROGRAM, folder)?];
    for sub in subcommands() {
        written.push(write_page(sub, &named(sub), folder)?);
    }
    match arguments.messages.json() {
        true => line!("{}", serde_json::json!({ "reason": "dynplug-man", "files": written })),
        false if arguments.messages.quiet => {}
        false => {
            let more = format!(" ({} pages)", written.len());
            terminal::status_of_file("Wrote", folder, &more);
        }
    }
    Ok(0)
}

/// Letters beyond ASCII as roff has them, whatever it takes its input for.
fn in_roff(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_ascii() {
            true => out.push(c),
            false => out.push_str(&format!("\\[u{:04X}]", u32::from(c))),
        }
    }
    out
}

fn write_page(command: &clap::Command, name: &str, folder: &Path) -> Result<PathBuf> {
    let path = folder.join(format!("{name}.1"));
    let path = std::path::absolute(&path).doing("find the place of a page")?;
    files::write_whole(&path, page(command, name)?.as_bytes())?;
    Ok(path)
}

fn page(command: &clap::Command, name: &str) -> Result<String> {
    let command = command.clone().display_name(name);
    let mut bytes = Vec::new();
    let man =
        clap_mangen::Man::new(command).title(name).source(format!("{PROGRAM} {}", env!("CARGO_PKG_VERSION")));
    man.render(&mut bytes).doing(format_args!("make the page of {name}"))?;
    // What clap has after the options has no name there.
    let text = String::from_utf8_lossy(&bytes).replace(".SH EXTRA\nExamples:\n", ".SH EXAMPLES\n");
    Ok(in_roff(&text))
}
