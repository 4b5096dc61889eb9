//! `cargo dynplug sync`: a plugin's workspace takes over the versions that the host shares, so that what the SDK has
//! stands for what cargo asks for. The copy of the SDK's sources, where the workspace has one, is brought up to date.

use crate::cli::{BuildArguments, MessageFormat, SyncArguments};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::lock::{self, Adopted};
use crate::plan::{Plan, Roots, private_by_choice};
use crate::sdk::{LOCK, Sdk, locate};
use crate::settings::Settings;
use crate::terminal::{self, line, status};
use crate::workspace::{Workspace, read_metadata};
use crate::{files, sdk};
use cargo_metadata::Metadata;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Brings a workspace in step with its SDK. Returns the exit code: 1 if something keeps its plugins from being built with
/// it, or, where nothing is to be changed, if something would be.
///
/// # Errors
/// When the SDK or the workspace can't be read, or the lock file can't be written.
pub fn run(arguments: &SyncArguments) -> Result<i32> {
    let build = &arguments.build;
    let settings = Settings::read(build.workspace.target.as_deref())?;
    let metadata = read_metadata(build, &settings.targets())?;
    let Some(sdk) = locate::find(build, &metadata, &settings.target)? else {
        return Err(Diagnostic::error("no-sdk", "nothing says which SDK the workspace is to follow")
            .help("name it: `cargo dynplug sync --sdk FILE`")
            .help("or in Cargo.toml:\n[package.metadata.dynplug]\nsdk = \"FILE\"")
            .usage()
            .into());
    };
    let sources = copies(&metadata, &sdk);
    let stale: Vec<&Copy> = sources.iter().filter(|c| c.is_stale(&sdk)).collect();
    let lock_file = metadata.workspace_root.join(LOCK).into_std_path_buf();
    let adopted = adopted(&lock_file, &metadata, &sdk)?;
    let print = || match build.messages.audience() {
        Some(MessageFormat::Json) => print_for_programs(&adopted, &stale, arguments.dry_run),
        Some(MessageFormat::Human) => print_for_people(&adopted, &stale, arguments.dry_run),
        None => {}
    };
    if arguments.dry_run {
        print();
        return Ok(i32::from(!stale.is_empty() || !adopted.changes.is_empty()));
    }
    for copy in &stale {
        copy.renew(&sdk)?;
    }
    let before = std::fs::read(&lock_file).ok();
    files::write_whole(&lock_file, adopted.text.as_bytes())?;
    match read_metadata(build, &settings.targets()) {
        Ok(metadata) => match rest(build, metadata, &sdk) {
            Ok(code) => {
                print();
                Ok(code)
            }
            Err(why) if adopted.changes.is_empty() => Err(why),
            Err(why) => {
                Err(why.note("the lock file has the host's versions by now, as far as there are any").into())
            }
        },
        Err(refused) => {
            restore(&lock_file, before.as_deref())?;
            // Somebody asks for what the host doesn't have. Who that is can be told by the versions that there were.
            let metadata = read_metadata(build, &settings.targets())?;
            match rest(build, metadata, &sdk) {
                Ok(_) => Err(refused),
                Err(why) => Err(refused.notes.iter().fold(why, |why, note| Box::new(why.note(note)))),
            }
        }
    }
}

/// Lets the lock file be what it was.
fn restore(lock_file: &Path, before: Option<&[u8]>) -> Result<()> {
    match before {
        Some(bytes) => files::write_whole(lock_file, bytes),
        None => std::fs::remove_file(lock_file).doing(format_args!("remove {}", lock_file.display())),
    }
}

/// The workspace's lock file with the versions of the SDK's.
fn adopted(lock_file: &Path, metadata: &Metadata, sdk: &Sdk) -> Result<Adopted> {
    let own = match std::fs::read_to_string(lock_file) {
        Ok(text) => Some(text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
        Err(e) => return Err(e).doing(format_args!("read {}", lock_file.display())),
    };
    let path = sdk.folder.join(LOCK);
    let theirs = std::fs::read_to_string(&path).doing(format_args!("read {}", path.display()))?;
    let description = &sdk.description;
    let shared: BTreeSet<&str> =
        description.crates.iter().chain(&description.macros).map(|u| u.package.as_str()).collect();
    let private: BTreeSet<String> =
        metadata.workspace_members.iter().flat_map(|id| private_by_choice(metadata, id)).collect();
    lock::adopt(own.as_deref(), &theirs, |name| shared.contains(name) && !private.contains(name))
}

/// Says what still keeps the plugins from being built, after cargo has had its word on the lock file.
fn rest(arguments: &BuildArguments, metadata: Metadata, sdk: &Sdk) -> Result<i32> {
    let workspace = Workspace::of_plugins(metadata, sdk)?;
    let mut errors = Vec::new();
    for plugin in &workspace.plugins {
        Plan::new(&workspace, sdk, plugin, &Roots::default(), &mut errors);
    }
    let Some(last) = errors.pop() else { return Ok(0) };
    for error in errors {
        error.print(arguments.messages.message_format);
    }
    Err(last.into())
}

/// A copy of a package of the SDK in the workspace.
struct Copy {
    /// The folder.
    folder: PathBuf,
    name: String,
    /// Of what it is a copy; nothing where it is yet to be made.
    digest: String,
}

/// The copies in the workspace of packages that the SDK has now too, and those that are to be.
fn copies(metadata: &Metadata, sdk: &Sdk) -> Vec<Copy> {
    let copies = metadata.packages.iter().filter(|p| p.source.is_none()).filter_map(|package| {
        let digest = package.metadata.get(sdk::packages::MARKER)?.get("digest")?.as_str()?.to_owned();
        let folder = package.manifest_path.parent()?.as_std_path().to_owned();
        Some(Copy { folder, name: package.name.to_string(), digest })
    });
    // The SDK's own folder is no copy.
    let mut copies: Vec<Copy> = copies.filter(|c| !c.folder.starts_with(&sdk.folder)).collect();
    // The API crate may have come to depend on more than there was.
    let api = copies.iter().find(|c| c.name == sdk.description.api.package);
    if let Some(folder) = api.and_then(|api| api.folder.parent()).map(Path::to_owned) {
        for package in &sdk.description.packages {
            let folder = folder.join(package.folder.file_name().unwrap_or_default());
            if !folder.exists() {
                copies.push(Copy { folder, name: package.name.clone(), digest: String::new() });
            }
        }
    }
    copies
}

impl Copy {
    fn original<'a>(&self, sdk: &'a Sdk) -> Option<&'a sdk::SourcePackage> {
        let name = self.folder.file_name()?;
        sdk.description.packages.iter().find(|p| p.folder.file_name() == Some(name))
    }

    fn is_stale(&self, sdk: &Sdk) -> bool {
        self.original(sdk).is_some_and(|original| original.digest != self.digest)
    }

    /// Puts the SDK's package in its place.
    fn renew(&self, sdk: &Sdk) -> Result<()> {
        let Some(original) = self.original(sdk) else { return Ok(()) };
        let parent = self.folder.parent().unwrap_or(Path::new("."));
        let staging =
            tempfile::tempdir_in(parent).doing(format_args!("make a folder in {}", parent.display()))?;
        let (new, old) = (staging.path().join("new"), staging.path().join("old"));
        files::copy_tree(&sdk.folder.join(&original.folder), &new)?;
        let what = format!("replace {}", self.folder.display());
        if self.folder.exists() {
            std::fs::rename(&self.folder, &old).doing(&what)?;
        }
        std::fs::rename(&new, &self.folder).doing(what)
    }
}

fn print_for_people(adopted: &Adopted, stale: &[&Copy], dry_run: bool) {
    let verb = if dry_run { "Would set" } else { "Setting" };
    for change in &adopted.changes {
        status(verb, &format!("{} {} -> {}", change.name, change.from, change.to));
    }
    let verb = if dry_run { "Would renew" } else { "Renewing" };
    for copy in stale {
        terminal::status_of_file(verb, &copy.folder, "");
    }
    if adopted.changes.is_empty() && stale.is_empty() {
        status("In step", "the lock file has the host's versions");
    }
}

fn print_for_programs(adopted: &Adopted, stale: &[&Copy], dry_run: bool) {
    let changes: Vec<_> = (adopted.changes.iter())
        .map(|c| serde_json::json!({ "package": c.name, "from": c.from, "to": c.to }))
        .collect();
    let renewed: Vec<_> =
        stale.iter().map(|c| serde_json::json!({ "package": c.name, "folder": c.folder })).collect();
    line!(
        "{}",
        serde_json::json!({ "reason": "dynplug-sync", "dry_run": dry_run, "versions": changes, "sources": renewed })
    );
}
