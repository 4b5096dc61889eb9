//! `cargo dynplug clean`: what `cargo clean` does, for what this program made. What plain cargo made stays.

use crate::cli::{MessageArguments, WorkspaceArguments};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::outcome::manifest_in;
use crate::settings::Settings;
use crate::terminal::{self, line};
use crate::{environment, files, workspace};
use cargo_metadata::{Metadata, MetadataCommand};
use clap::Args;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Arguments of `clean`.
#[derive(Debug, Args)]
pub struct CleanArguments {
    /// Only what was made of this package
    #[arg(short, long = "package", value_name = "SPEC", help_heading = "Packages")]
    pub package: Vec<String>,
    /// Say what would be removed, and remove nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Profile and places.
    #[command(flatten)]
    pub workspace: WorkspaceArguments,
    /// What is printed, and how.
    #[command(flatten)]
    pub messages: MessageArguments,
}

/// Removes what was asked for. Returns the exit code.
///
/// # Errors
/// When the workspace can't be read, cargo doesn't know a package, or a file can't be removed.
pub fn run(arguments: &CleanArguments) -> Result<i32> {
    let metadata = members(arguments)?;
    let base = match &arguments.workspace.target_dir {
        Some(folder) => std::path::absolute(folder).doing("find the target folder")?.join("dynplug"),
        None => metadata.target_directory.as_std_path().join("dynplug"),
    };
    let work = base.join("build");
    let is_named = arguments.workspace.release || arguments.workspace.profile.is_some();
    let everything = arguments.package.is_empty() && !is_named;
    let lock = match work.is_dir() && !arguments.dry_run {
        true => Some(files::lock(&work, arguments.messages.quiet)?),
        false => None,
    };
    let found =
        if everything { all_below(&base) } else { Part { arguments, is_named }.files(&base, &work)? };
    let count = found.len();
    let size: u64 = found.iter().filter_map(|file| Some(files::stamp(file)?.0)).sum();
    if arguments.dry_run {
        for file in found.iter().filter(|_| arguments.messages.verbose > 0) {
            line!("{}", file.display());
        }
    } else if everything {
        // Before the folder that holds it.
        drop(lock);
        if base.exists() {
            std::fs::remove_dir_all(&base).doing(format_args!("remove {}", base.display()))?;
        }
    } else {
        for file in &found {
            std::fs::remove_file(file).doing(format_args!("remove {}", file.display()))?;
        }
    }
    if arguments.messages.talks() {
        let verb = if arguments.dry_run { "Would remove" } else { "Removed" };
        let files = if count == 1 { "file" } else { "files" };
        terminal::status(verb, &format!("{count} {files}, {:.1} MB total", size as f64 / 1e6));
    }
    Ok(0)
}

/// The workspace, without what its packages depend on.
fn members(arguments: &CleanArguments) -> Result<Metadata> {
    let mut command = MetadataCommand::new();
    command.no_deps();
    if let Some(path) = &arguments.workspace.manifest_path {
        command.manifest_path(path);
    }
    workspace::ask(&command)
}

/// A part of what was made: of some packages, or with one profile.
struct Part<'a> {
    arguments: &'a CleanArguments,
    /// Whether a profile is named.
    is_named: bool,
}

impl Part<'_> {
    /// The files that belong to it.
    fn files(&self, base: &Path, work: &Path) -> Result<Vec<PathBuf>> {
        let target = Settings::read(self.arguments.workspace.target.as_deref())?.target;
        let mut found = Vec::new();
        for entry in std::fs::read_dir(work).into_iter().flatten().flatten() {
            // cargo's own mark of its target folders.
            if entry.path().join("CACHEDIR.TAG").is_file() {
                found.extend(self.of_cargo(&entry.path(), &target)?);
            }
        }
        let folder = self.arguments.workspace.profile_folder();
        let outcome = all_below(base).into_iter().filter(|file| !file.starts_with(work));
        found.extend(outcome.filter(|file| {
            let of_profile = !self.is_named || file.iter().any(|name| name == folder);
            of_profile && (self.arguments.package.is_empty() || self.is_of_packages(file))
        }));
        Ok(found)
    }

    fn is_of_packages(&self, file: &Path) -> bool {
        let names = || self.arguments.package.iter().filter_map(|spec| spec.split('@').next());
        manifest_in(file).is_some_and(|manifest| names().any(|name| name == manifest.package))
    }

    /// The files that cargo would remove from one of its target folders.
    fn of_cargo(&self, folder: &Path, target: &str) -> Result<Vec<PathBuf>> {
        let mut command = environment::cargo();
        command
            .args(["clean", "--dry-run", "--verbose", "--color=never", "--target", target, "--target-dir"])
            .arg(folder);
        if let Some(path) = &self.arguments.workspace.manifest_path {
            command.arg("--manifest-path").arg(path);
        }
        if self.is_named {
            command.args(["--profile", self.arguments.workspace.profile()]);
        }
        let words = self.arguments.package.iter().flat_map(|spec| [OsString::from("--package"), spec.into()]);
        let output = command.args(words).output().doing("run cargo clean")?;
        let printed = workspace::printed(output).map_err(|why| {
            Diagnostic::error("cargo", "cargo can't say what is to be removed").note(why).usage()
        })?;
        let text = String::from_utf8_lossy(&printed);
        let files = text.lines().map(PathBuf::from).filter(|path| path.starts_with(folder));
        Ok(files.filter(|path| path.symlink_metadata().is_ok_and(|data| !data.is_dir())).collect())
    }
}

/// All files below a folder, links too. What can't be read is none.
fn all_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                _ => found.push(entry.path()),
            }
        }
    }
    found
}
