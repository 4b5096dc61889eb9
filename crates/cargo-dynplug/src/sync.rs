//! `cargo dynplug sync`: a plugin's workspace takes over the versions that the host shares, so that what the SDK has
//! stands for what cargo asks for. The copy of the SDK's sources, where the workspace has one, is brought up to date, and a
//! `Cargo.toml` that names an SDK names this one. Either all of that is done or nothing.

mod undo;

use crate::cli::{BuildArguments, MessageFormat, SyncArguments};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::lock::{self, Adopted};
use crate::plan::{Plan, Roots, private_by_choice};
use crate::sdk::naming::{self, Renaming};
use crate::sdk::{self, LOCK, Sdk, locate};
use crate::settings::Settings;
use crate::terminal::{self, line, status};
use crate::workspace::{Workspace, read_metadata};
use cargo_metadata::Metadata;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use undo::Undo;

/// Brings a workspace in step with its SDK. Returns the exit code: where nothing is to be changed, 1 if something would be.
///
/// # Errors
/// When the SDK or the workspace can't be read, something can't be written, or something keeps the plugins from being built.
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
    let lock_file = metadata.workspace_root.join(LOCK).into_std_path_buf();
    let changes = Changes {
        adopted: adopted(&lock_file, &metadata, &sdk)?,
        stale: sources.iter().filter(|c| c.is_stale(&sdk)).collect(),
        renamings: match &sdk.named {
            Some(path) if sdk.by_option => naming::renamings(build, &metadata, path)?,
            _ => Vec::new(),
        },
    };
    let print = || match build.messages.audience() {
        Some(MessageFormat::Json) => changes.print_for_programs(arguments.dry_run),
        Some(MessageFormat::Human) => changes.print_for_people(arguments.dry_run),
        None => {}
    };
    if arguments.dry_run {
        print();
        return Ok(i32::from(changes.are_some()));
    }
    let mut undo = Undo::default();
    match changes.make(build, &lock_file, &sdk, &settings, &mut undo) {
        Ok(()) => {
            print();
            Ok(0)
        }
        Err(why) => {
            undo.restore()?;
            Err(if changes.are_some() { Box::new(why.note("nothing was changed")) } else { why })
        }
    }
}

/// What brings a workspace in step.
struct Changes<'a> {
    /// The lock file.
    adopted: Adopted,
    /// The copies of the SDK's sources that are of another one.
    stale: Vec<&'a Copy>,
    /// What names another SDK than the one that the command line does.
    renamings: Vec<Renaming>,
}

impl Changes<'_> {
    fn are_some(&self) -> bool {
        !self.stale.is_empty() || !self.adopted.changes.is_empty() || !self.renamings.is_empty()
    }

    /// Makes them, and sees whether the plugins can be built then.
    fn make(
        &self,
        build: &BuildArguments,
        lock_file: &Path,
        sdk: &Sdk,
        settings: &Settings,
        undo: &mut Undo,
    ) -> Result<()> {
        for copy in &self.stale {
            copy.renew(sdk, undo)?;
        }
        for renaming in &self.renamings {
            undo.write(&renaming.manifest, &renaming.text)?;
        }
        let mut of_the_lock = Undo::default();
        of_the_lock.write(lock_file, &self.adopted.text)?;
        match read_metadata(build, &settings.targets()) {
            Ok(metadata) => {
                // cargo has had its word on the lock file, and may have written more than we did.
                undo.take(of_the_lock);
                rest(build, metadata, sdk)
            }
            Err(refused) => {
                of_the_lock.restore()?;
                // Somebody asks for what the host doesn't have. Who that is can be told by the versions that there were.
                let metadata = read_metadata(build, &settings.targets())?;
                match rest(build, metadata, sdk) {
                    Ok(()) => Err(refused),
                    Err(why) => Err(refused.notes.iter().fold(why, |why, note| Box::new(why.note(note)))),
                }
            }
        }
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
fn rest(arguments: &BuildArguments, metadata: Metadata, sdk: &Sdk) -> Result<()> {
    let workspace = Workspace::of_plugins(metadata, sdk)?;
    let mut errors = Vec::new();
    for plugin in &workspace.plugins {
        Plan::new(&workspace, sdk, plugin, &Roots::default(), &mut errors);
    }
    let Some(last) = errors.pop() else { return Ok(()) };
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
    fn renew(&self, sdk: &Sdk, undo: &mut Undo) -> Result<()> {
        let Some(original) = self.original(sdk) else { return Ok(()) };
        undo.replace(&self.folder, &sdk.folder.join(&original.folder))
    }
}

impl Changes<'_> {
    fn print_for_people(&self, dry_run: bool) {
        let (set, renew) = if dry_run { ("Would set", "Would renew") } else { ("Setting", "Renewing") };
        for change in &self.adopted.changes {
            status(set, &format!("{} {} -> {}", change.name, change.from, change.to));
        }
        for Renaming { manifest, from, to, .. } in &self.renamings {
            terminal::status_of_file(set, manifest, &format!(": sdk {from} -> {to}"));
        }
        for copy in &self.stale {
            terminal::status_of_file(renew, &copy.folder, "");
        }
        if !self.are_some() {
            status("In step", "the lock file has the host's versions");
        }
    }

    fn print_for_programs(&self, dry_run: bool) {
        let changes: Vec<_> = (self.adopted.changes.iter())
            .map(|c| serde_json::json!({ "package": c.name, "from": c.from, "to": c.to }))
            .collect();
        let named: Vec<_> = (self.renamings.iter())
            .map(|r| serde_json::json!({ "manifest_path": r.manifest, "from": r.from, "to": r.to }))
            .collect();
        let renewed: Vec<_> = (self.stale.iter())
            .map(|c| serde_json::json!({ "package": c.name, "folder": c.folder }))
            .collect();
        line!(
            "{}",
            serde_json::json!({
                "reason": "dynplug-sync", "dry_run": dry_run,
                "versions": changes, "sources": renewed, "named": named,
            })
        );
    }
}
