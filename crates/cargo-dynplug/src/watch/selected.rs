//! What is built and watched: the packages that are asked for, the hosts that are run, and the sources of all below them.

use super::WatchArguments;
use super::sources::Sources;
use crate::diagnostic::{Doing, Result};
use crate::sdk::locate;
use crate::settings::Settings;
use crate::workspace::{Workspace, read_metadata};
use cargo_metadata::{DependencyKind, Metadata, PackageId, TargetKind};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What is built, and from what.
#[derive(Debug, Default)]
pub(super) struct Selected {
    pub(super) sources: Sources,
    /// For the build's `-p`; all where it is empty.
    pub(super) packages: Vec<String>,
    /// How the host is run, where the workspace has one.
    pub(super) host: Option<Settings>,
}

impl Selected {
    /// Reads the workspace.
    ///
    /// # Errors
    /// When cargo can't read it, it isn't one that can be built, or has none of the packages that are named.
    pub(super) fn read(arguments: &WatchArguments) -> Result<Selected> {
        let build = &arguments.build;
        let settings = Settings::read(build.workspace.target.as_deref())?;
        let metadata = read_metadata(build, &settings.targets())?;
        let workspace = match locate::find(build, &metadata, &settings.target)? {
            Some(sdk) => Workspace::of_plugins(metadata, &sdk)?,
            None => Workspace::of_host(metadata, build)?,
        };
        let metadata = &workspace.metadata;
        let selection = workspace.selection(build)?;
        let runs = !arguments.no_run && arguments.exec.is_none();
        let is_run = |id: &&PackageId| {
            let bins = metadata[*id].targets.iter().filter(|t| t.kind.contains(&TargetKind::Bin));
            runs && arguments.bin.as_ref().is_none_or(|name| bins.map(|t| &t.name).any(|n| n == name))
        };
        let hosts: Vec<&PackageId> = workspace.hosts.iter().filter(is_run).collect();
        let mut packages = build.package.clone();
        if !packages.is_empty() {
            packages.extend(hosts.iter().map(|id| workspace.name(id)));
        }
        let wanted = selection.plugins.iter().chain(&selection.libraries).chain(&selection.hosts);
        let wanted =
            wanted.chain(selection.api.iter()).chain(workspace.api.iter()).chain(hosts.iter().copied());
        let mut sources = Sources { packages: folders_below(metadata, wanted), ..Sources::default() };
        let root = metadata.workspace_root.as_std_path();
        for name in
            ["Cargo.toml", "Cargo.lock", "rust-toolchain", "rust-toolchain.toml", ".cargo/config.toml"]
        {
            sources.files.push(root.join(name));
        }
        sources.written.push(metadata.target_directory.clone().into());
        for folder in [&build.workspace.target_dir, &build.out_dir].into_iter().flatten() {
            sources.written.push(std::path::absolute(folder).doing("find the folder of the outcome")?);
        }
        let has_host = runs && !workspace.hosts.is_empty();
        Ok(Selected { sources, packages, host: has_host.then_some(settings) })
    }
}

/// The folders of the path packages that these are made of, build scripts included.
fn folders_below<'a>(metadata: &'a Metadata, from: impl Iterator<Item = &'a PackageId>) -> BTreeSet<PathBuf> {
    let nodes = || metadata.resolve.iter().flat_map(|r| &r.nodes);
    let (mut open, mut seen): (Vec<&PackageId>, BTreeSet<&PackageId>) = (from.collect(), BTreeSet::new());
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            let counts = |d: &&cargo_metadata::NodeDep| {
                d.dep_kinds.iter().any(|k| k.kind != DependencyKind::Development)
            };
            let below = nodes().filter(|n| n.id == *id).flat_map(|n| &n.deps).filter(counts);
            open.extend(below.map(|d| &d.pkg));
        }
    }
    let local = seen.into_iter().map(|id| &metadata[id]).filter(|p| p.source.is_none());
    local.filter_map(|p| p.manifest_path.parent()).map(|p| p.as_std_path().to_owned()).collect()
}
