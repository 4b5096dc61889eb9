//! The plan of a plugin's build: what of its dependencies the SDK stands for, and what is compiled. It is made before
//! cargo compiles anything, so that what can't fit is said at once, with whoever wants it.

mod errors;
mod features;

use crate::diagnostic::Diagnostic;
use crate::lock::are_compatible;
use crate::sdk::packages::MARKER;
use crate::sdk::{Held, Sdk, SourcePackage};
use crate::source;
use crate::unit::Unit;
use crate::workspace::Workspace;
use cargo_metadata::{DependencyKind, Metadata, Package, PackageId, TargetKind};
pub use errors::missing_features;
use features::Features;
pub use features::Roots;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

/// What is done with each package of a plugin's build, by the folder of its `Cargo.toml`. What isn't named is needed by
/// shared crates alone, and neither compiled nor run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Plan {
    /// Packages that the SDK stands for, and where they come from in the SDK's words.
    pub shared: BTreeMap<PathBuf, String>,
    /// Packages that are compiled into the plugin, itself included.
    pub private: BTreeSet<PathBuf>,
    /// Packages that run while the plugin is compiled: what build scripts and proc macros of its own are made of.
    pub host_side: BTreeSet<PathBuf>,
}

/// What the SDK has for a package.
enum Standing<'a> {
    /// The same crate.
    Same(Held<'a>),
    /// Another version that cargo takes for compatible.
    OtherVersion(Held<'a>),
    /// The same version from elsewhere, though both are meant to be one crate.
    OtherSource(Held<'a>),
    /// Nothing.
    None,
}

impl Plan {
    /// Plans the build of one plugin, with `roots` for the features that are asked for. `errors` receives everything
    /// that keeps the plugin from being built with this SDK.
    pub fn new(
        workspace: &Workspace,
        sdk: &Sdk,
        plugin: &PackageId,
        roots: &Roots,
        errors: &mut Vec<Diagnostic>,
    ) -> Plan {
        let metadata = &workspace.metadata;
        let planner = Planner {
            workspace,
            sdk,
            private: private_by_choice(metadata, plugin),
            nodes: metadata.resolve.iter().flat_map(|r| &r.nodes).map(|n| (&n.id, n)).collect(),
        };
        let features =
            Features::resolve(metadata, plugin, roots, |id| matches!(planner.standing(id), Standing::None));
        let mut plan = Plan::default();
        for (id, wanted) in features.packages() {
            let folder = workspace.package(id).manifest_dir;
            match planner.standing(id) {
                // The API crate itself, for its tests: the SDK has the library, and the tests may want its script's outcome.
                Standing::Same(Held { unit, .. }) if id == plugin => {
                    plan.shared.insert(folder.clone(), unit.source.clone());
                    plan.host_side.insert(folder);
                }
                _ if id == plugin => drop(plan.private.insert(folder)),
                Standing::Same(Held { unit, .. }) if unit.proc_macro => {
                    let more = wanted.iter().any(|f| f != "default" && !unit.features.contains(f));
                    plan.shared.insert(folder, unit.source.clone());
                    // One with more features is compiled for the plugin; shared crates keep naming the SDK's own.
                    if more {
                        planner.run_by(id, &mut plan.host_side);
                    }
                }
                Standing::Same(held) => {
                    let unit = held.unit;
                    let missing: Vec<String> = (wanted.iter())
                        .filter(|f| *f != "default" && !unit.features.contains(f))
                        .cloned()
                        .collect();
                    if !missing.is_empty() {
                        let chain = missing.first().map(|f| features.chain(id, f)).unwrap_or_default();
                        let title = workspace.title(plugin);
                        let place = features.declared(id, missing.first().map(String::as_str));
                        let by = missing
                            .first()
                            .and_then(|f| features.wanted_by(id, f))
                            .filter(|by| *by != plugin);
                        let by = by.map(|by| &metadata[by]);
                        errors
                            .push(missing_features(held, &missing, &title, chain.as_deref(), by).span(place));
                    }
                    plan.shared.insert(folder, unit.source.clone());
                }
                Standing::OtherVersion(held) => {
                    errors.push(errors::other_version(workspace, sdk, plugin, id, held.unit, &features))
                }
                Standing::OtherSource(held) => {
                    errors.push(errors::other_source(workspace, sdk, plugin, id, held.unit, &features))
                }
                Standing::None if is_proc_macro(&metadata[id]) => planner.run_by(id, &mut plan.host_side),
                Standing::None => {
                    plan.private.insert(folder);
                    for dependency in planner.dependencies(id, &[DependencyKind::Build]) {
                        planner.run_by(dependency, &mut plan.host_side);
                    }
                }
            }
        }
        for dependency in planner.dependencies(plugin, &[DependencyKind::Build]) {
            planner.run_by(dependency, &mut plan.host_side);
        }
        plan
    }
}

struct Planner<'a> {
    workspace: &'a Workspace,
    sdk: &'a Sdk,
    private: BTreeSet<String>,
    nodes: HashMap<&'a PackageId, &'a cargo_metadata::Node>,
}

impl<'a> Planner<'a> {
    /// What the SDK has for a package.
    fn standing(&self, id: &PackageId) -> Standing<'a> {
        let package = &self.workspace.metadata[id];
        let name = package.name.as_str();
        if self.private.contains(name) || self.private.contains(&format!("{name}@{}", package.version)) {
            return Standing::None;
        }
        let is_macro = is_proc_macro(package);
        let version = package.version.to_string();
        let mut others = Standing::None;
        let sdk: &'a Sdk = self.sdk;
        let all = sdk.layers().flat_map(|sdk| sdk.list(is_macro).iter().map(move |unit| Held { unit, sdk }));
        for held in all.filter(|held| held.unit.package == name) {
            let unit = held.unit;
            if unit.version == version {
                match self.is_same(package, held) {
                    Some(true) => return Standing::Same(held),
                    Some(false) => {}
                    None => others = Standing::OtherSource(held),
                }
            } else if !is_macro
                && (are_compatible(&unit.version, &version) || is_copied(package))
                && self.is_meant(package, unit)
            {
                // Of a macro, another version makes no other type.
                others = Standing::OtherVersion(held);
            }
        }
        others
    }

    /// Whether a package is the SDK's crate of its name and version; none if it should be, but was replaced.
    fn is_same(&self, package: &Package, held: Held<'_>) -> Option<bool> {
        let unit = held.unit;
        // What this workspace has built, it calls by its own names.
        if !held.sdk.is_external() {
            return Some(self.workspace.package(&package.id).source == unit.source);
        }
        if is_ours(package.name.as_str()) {
            return Some(true);
        }
        let Some(source) = &package.source else {
            if let Some(packaged) = self.sdk.source_package(&unit.package, &unit.version)
                && is_copy(package, packaged)
            {
                return Some(true);
            }
            let is_api = unit.package == self.sdk.description.api.package;
            let replaced = self.declared_elsewhere(&package.id) || is_api || is_copied(package);
            return if replaced { None } else { Some(false) };
        };
        match (source.repr.split_once('+'), unit.source.split_once('+')) {
            // What the host took from elsewhere is what it shares, whatever name it has there.
            (Some(("registry" | "sparse", _)), Some(("path" | "git", _)) | None) => Some(true),
            (Some(("git", ours)), Some(("git", theirs))) => Some(same_commit(ours, theirs)),
            (Some(("git", _)), _) if self.declared_elsewhere(&package.id) => None,
            _ => Some(source.repr == unit.source),
        }
    }

    /// Whether two versions are meant to be one crate: not two crates that happen to have one name.
    fn is_meant(&self, package: &Package, unit: &Unit) -> bool {
        match &package.source {
            None => {
                let is_api = unit.package == self.sdk.description.api.package;
                self.sdk.is_external()
                    && (is_api
                        || is_copied(package)
                        || is_ours(package.name.as_str())
                        || self.declared_elsewhere(&package.id))
            }
            Some(source) => {
                source.repr == unit.source
                    || (source.repr.starts_with("registry") && !unit.source.starts_with("registry"))
            }
        }
    }

    /// Whether somebody depends on this package as one of a registry's, so that a `[patch]` replaced it.
    fn declared_elsewhere(&self, id: &PackageId) -> bool {
        let metadata = &self.workspace.metadata;
        let name = metadata[id].name.as_str();
        self.nodes.values().filter(|n| n.deps.iter().any(|d| d.pkg == *id)).any(|n| {
            metadata[&n.id]
                .dependencies
                .iter()
                .any(|d| d.name == name && d.source.as_ref().is_some_and(|s| s.repr.starts_with("registry")))
        })
    }

    fn dependencies(&self, id: &PackageId, kinds: &[DependencyKind]) -> Vec<&'a PackageId> {
        let deps = self.nodes.get(id).into_iter().flat_map(|n| &n.deps);
        deps.filter(|d| d.dep_kinds.iter().any(|k| kinds.contains(&k.kind))).map(|d| &d.pkg).collect()
    }

    /// Adds a package that runs while others are compiled, and all that it is made of.
    fn run_by(&self, id: &PackageId, host_side: &mut BTreeSet<PathBuf>) {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if host_side.insert(self.workspace.package(id).manifest_dir) {
                open.extend(self.dependencies(id, &[DependencyKind::Normal, DependencyKind::Build]));
            }
        }
    }
}

/// The packages that a plugin wants a copy of its own of: `[package.metadata.dynplug] private = […]`.
pub fn private_by_choice(metadata: &Metadata, plugin: &PackageId) -> BTreeSet<String> {
    let list = metadata[plugin].metadata.get("dynplug").and_then(|d| d.get("private"));
    let names = list.and_then(|l| l.as_array()).into_iter().flatten();
    names.filter_map(|n| n.as_str()).map(str::to_owned).collect()
}

/// The crates of this project, which are the same whereever they come from.
fn is_ours(name: &str) -> bool {
    matches!(name, "dynplug" | "dynplug-macros" | "dynplug-manifest" | "dynplug-process" | "dynplug-trust")
}

fn is_proc_macro(package: &Package) -> bool {
    package.targets.iter().any(|t| t.kind.contains(&TargetKind::ProcMacro))
}

/// Whether a package came with an SDK, be it this one or an older one.
fn is_copied(package: &Package) -> bool {
    package.metadata.get(MARKER).is_some()
}

/// Whether a path package is the SDK's copy of a crate, or holds the same files.
fn is_copy(package: &Package, packaged: &SourcePackage) -> bool {
    let marker = package.metadata.get(MARKER).and_then(|m| m.get("digest")).and_then(|d| d.as_str());
    match marker {
        Some(digest) => digest == packaged.digest,
        None => {
            let folder = package.manifest_path.parent();
            folder.is_some_and(|f| source::hash(f.as_std_path()).is_ok_and(|d| d == packaged.digest))
        }
    }
}

/// Whether two git sources name the same commit of the same repository, by whatever branch or tag.
fn same_commit(ours: &str, theirs: &str) -> bool {
    let parts = |source: &str| {
        let (rest, commit) = source.split_once('#')?;
        Some((rest.split('?').next()?.trim_end_matches(".git").to_owned(), commit.to_owned()))
    };
    parts(ours).is_some_and(|p| Some(p) == parts(theirs))
}
