//! The sources of the shared path packages, in the SDK: the API crate and what it takes from folders beside it. No
//! registry has them, so a plugin depends on these copies by path, and plain cargo and rust-analyzer work with it.
//!
//! A package is copied as it would be published, with a `Cargo.toml` of its own that needs no workspace around it.

mod manifest;

pub use manifest::{MARKER, place};

use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files;
use crate::source;
use cargo_metadata::{Dependency, DependencyKind, Metadata, Node, NodeDep, Package, PackageId, TargetKind};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// The folder of an SDK where the packages are.
pub const FOLDER: &str = "source";

/// A package whose source is in the SDK.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourcePackage {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Its folder, relative to the SDK's: `source/<name>`, so that what depends on it by its path need not change when its
    /// version does. Where there are several packages of one name, `source/<name>-<version>`.
    pub folder: PathBuf,
    /// The hash over the files of the package that it was copied from.
    pub digest: String,
    /// The sources in place of which `[patch]` put this package, where a package from elsewhere depends on it. Whoever
    /// depends on both has to patch them too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<String>,
}

/// Copies the API crate's package, and every path package below it, to `folder`. What a former call left there is
/// removed.
///
/// # Errors
/// When a package can't be copied, or what cargo would package of it has not all that its compilation wants.
pub fn write(metadata: &Metadata, api: &PackageId, folder: &Path) -> Result<Vec<SourcePackage>> {
    write_beside(metadata, api, folder, &There::new())
}

/// Packages that are somewhere already: their folders, by name and version.
pub type There = BTreeMap<(String, String), PathBuf>;

/// The same for the package `root`, where some of what lies below it is `there` already: the copies lead to that.
///
/// # Errors
/// As for [`write`].
pub fn write_beside(
    metadata: &Metadata,
    root: &PackageId,
    folder: &Path,
    there: &There,
) -> Result<Vec<SourcePackage>> {
    let closure = Closure { there, ..Closure::below(metadata, root)? };
    let patches = closure.patches();
    let mut written = Vec::new();
    let mut kept = BTreeSet::new();
    for package in closure.local().filter(|package| closure.elsewhere(package).is_none()) {
        let home = home(package)?;
        // With `/` on every system, since it is written down.
        let place = PathBuf::from(format!("{FOLDER}/{}", closure.folder_name(package)));
        let copies = Copies::of(package, home)?;
        let digest = source::hash(home)?;
        let text = manifest::write(&closure, package, home, &copies, &digest)?;
        for (name, from) in &copies.files {
            put(&folder.join(&place).join(name), |to| files::copy_if_changed(from, to).map(drop))?;
            kept.insert(folder.join(&place).join(name));
        }
        let to = folder.join(&place).join("Cargo.toml");
        put(&to, |to| files::write_whole(to, text.as_bytes()))?;
        kept.insert(to);
        written.push(SourcePackage {
            name: package.name.to_string(),
            version: package.version.to_string(),
            folder: place,
            digest,
            patches: patches.get(&package.id).cloned().unwrap_or_default().into_iter().collect(),
        });
    }
    written.sort_by(|a, b| a.folder.cmp(&b.folder));
    remove_others(&folder.join(FOLDER), &kept)?;
    Ok(written)
}

/// The folder where a package is now.
fn home(package: &Package) -> Result<&Path> {
    let parent = package.manifest_path.parent().map(|p| p.as_std_path());
    parent.ok_or_else(|| Diagnostic::error("cargo-metadata", "a Cargo.toml has no folder").into())
}

fn put(to: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if let Some(folder) = to.parent() {
        files::make_folder(folder)?;
    }
    write(to)
}

/// Removes the files beneath `folder` that aren't among `kept`, and the folders that are empty then.
fn remove_others(folder: &Path, kept: &BTreeSet<PathBuf>) -> Result<()> {
    let what = format!("tidy up the folder {}", folder.display());
    for entry in std::fs::read_dir(folder).doing(&what)? {
        let entry = entry.doing(&what)?;
        let path = entry.path();
        if entry.file_type().doing(&what)?.is_dir() {
            remove_others(&path, kept)?;
            if std::fs::read_dir(&path).doing(&what)?.next().is_none() {
                std::fs::remove_dir(&path).doing(&what)?;
            }
        } else if !kept.contains(&path) {
            std::fs::remove_file(&path).doing(&what)?;
        }
    }
    Ok(())
}

/// The library of a package, which is what others depend on.
pub fn library(package: &Package) -> Option<&cargo_metadata::Target> {
    let is_library = |kind: &TargetKind| {
        matches!(
            kind,
            TargetKind::Lib
                | TargetKind::RLib
                | TargetKind::DyLib
                | TargetKind::CDyLib
                | TargetKind::StaticLib
                | TargetKind::ProcMacro
        )
    };
    package.targets.iter().find(|t| t.kind.iter().any(is_library))
}

static NOTHING: There = There::new();

/// The API crate's package and all that its build takes, tests left out.
struct Closure<'a> {
    packages: BTreeMap<&'a PackageId, (&'a Package, &'a Node)>,
    there: &'a There,
}

impl<'a> Closure<'a> {
    fn below(metadata: &'a Metadata, api: &PackageId) -> Result<Self> {
        let packages: BTreeMap<&PackageId, &Package> = metadata.packages.iter().map(|p| (&p.id, p)).collect();
        let resolve = metadata.resolve.iter().flat_map(|r| &r.nodes);
        let nodes: BTreeMap<&PackageId, &Node> = resolve.map(|n| (&n.id, n)).collect();
        let mut closure = Closure { packages: BTreeMap::new(), there: &NOTHING };
        let mut open = vec![api];
        while let Some(id) = open.pop() {
            let (Some((id, package)), Some(node)) = (packages.get_key_value(id), nodes.get(id)) else {
                return Err(Diagnostic::error(
                    "cargo-metadata",
                    "cargo doesn't say what the API crate needs",
                )
                .note(format!("nothing is known of the package {id}"))
                .into());
            };
            if closure.packages.insert(id, (package, node)).is_none() {
                open.extend(node.deps.iter().filter(|d| is_built(d)).map(|d| &d.pkg));
            }
        }
        // cargo warns of a dependency that has no library, and goes on without it.
        closure.packages.retain(|id, (package, _)| *id == api || library(package).is_some());
        Ok(closure)
    }

    /// The packages that no registry and no git repository has.
    fn local(&self) -> impl Iterator<Item = &'a Package> {
        self.packages.values().map(|(p, _)| *p).filter(|p| p.source.is_none())
    }

    /// The folder of a package that isn't copied.
    fn elsewhere(&self, package: &Package) -> Option<&'a Path> {
        self.there.get(&(package.name.to_string(), package.version.to_string())).map(PathBuf::as_path)
    }

    /// How a package's folder is called. Two path packages of one name and version can't be in one lock file.
    fn folder_name(&self, package: &Package) -> String {
        match self.local().filter(|p| p.name == package.name).count() {
            0 | 1 => package.name.to_string(),
            _ => format!("{}-{}", package.name, package.version),
        }
    }

    /// The package that a line of a `Cargo.toml` leads to. None if it isn't part of the build.
    fn resolved(&self, package: &Package, line: &Dependency) -> Option<&'a Package> {
        let (_, node) = self.packages.get(&package.id)?;
        let is_kind =
            |d: &&NodeDep| d.dep_kinds.iter().any(|k| k.kind == line.kind && k.target == line.target);
        let named = |d: &'a NodeDep| {
            let (package, _) = self.packages.get(&d.pkg)?;
            (package.name.as_str() == line.name).then_some((d.name.as_str(), *package))
        };
        let found: Vec<_> = node.deps.iter().filter(is_kind).filter_map(named).collect();
        // Where a package is there more than once, under several names or from several sources, the line that fits
        // best is the one.
        let renamed = line.rename.as_ref().map(|r| r.replace('-', "_"));
        let fit = |(name, package): &(&str, &Package)| {
            let by_name = renamed.as_ref().is_none_or(|r| r == name);
            let by_source = match (&line.source, &package.source) {
                (Some(line), Some(package)) => package.repr.split('#').next() == Some(line.repr.as_str()),
                (None, None) => line.path.as_deref() == package.manifest_path.parent(),
                _ => false,
            };
            (by_name, by_source, line.req.matches(&package.version))
        };
        found.into_iter().max_by_key(fit).map(|(_, package)| package)
    }

    /// For each path package the sources that packages from elsewhere name, and get it in place of.
    fn patches(&self) -> BTreeMap<&'a PackageId, BTreeSet<String>> {
        let mut patches: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for (package, _) in self.packages.values().filter(|(p, _)| p.source.is_some()) {
            for line in package.dependencies.iter().filter(|l| l.kind != DependencyKind::Development) {
                let resolved = self.resolved(package, line).filter(|r| r.source.is_none());
                if let (Some(source), Some(resolved)) = (&line.source, resolved) {
                    patches.entry(&resolved.id).or_default().insert(source.repr.clone());
                }
            }
        }
        patches
    }

    /// The features that a package has in this build.
    fn features(&self, package: &Package) -> BTreeSet<&'a str> {
        let node = self.packages.get(&package.id).map(|(_, node)| *node);
        node.iter().flat_map(|n| &n.features).map(|f| f.as_str()).collect()
    }
}

/// Whether a dependency is more than a test's.
fn is_built(dependency: &NodeDep) -> bool {
    let built = |kind| matches!(kind, DependencyKind::Normal | DependencyKind::Build);
    dependency.dep_kinds.iter().any(|k| built(k.kind))
}

/// What is copied of a package.
struct Copies {
    /// Names relative to the package's folder, with `/`, and where they are now.
    files: BTreeMap<String, PathBuf>,
}

impl Copies {
    /// What cargo would package, but what it makes itself.
    fn of(package: &Package, home: &Path) -> Result<Copies> {
        // cargo refuses to list what it would refuse to publish, which is none of our business.
        let names = listed(home).map_or_else(|| beneath(home), Ok)?;
        let made_by_cargo = ["Cargo.toml", "Cargo.toml.orig", "Cargo.lock", ".cargo_vcs_info.json"];
        let mut files = BTreeMap::new();
        for name in names.into_iter().filter(|n| !made_by_cargo.contains(&n.as_str())) {
            let path = home.join(&name);
            files.insert(name, path);
        }
        // They may lie above the package, and are at its top when it's packaged, unless another file is there.
        for outside in [&package.license_file, &package.readme].into_iter().flatten() {
            let path = home.join(outside);
            let name = outside.file_name().filter(|_| inside(home, &path).is_none() && path.is_file());
            if let Some(name) = name.filter(|name| !home.join(name).exists()) {
                files.insert(name.to_owned(), path);
            }
        }
        let copies = Copies { files };
        let wanted = library(package).into_iter().chain(build_script(package));
        for target in wanted {
            let path = target.src_path.as_std_path();
            if copies.name_of(home, path).is_none() {
                return Err(Diagnostic::error("sdk-source", "the SDK can't hold the source of a package")
                    .note(format!("{} {}, in {}", package.name, package.version, home.display()))
                    .note(format!("{} is not among the files that cargo would package", path.display()))
                    .help("see `cargo package --list` there: what is ignored, excluded or outside of the package's folder is not packaged")
                    .into());
            }
        }
        Ok(copies)
    }

    /// How a file is called in the copy.
    fn name_of(&self, home: &Path, path: &Path) -> Option<String> {
        let inside = inside(home, path);
        let name = inside.or_else(|| Some(path.file_name()?.to_str()?.to_owned()))?;
        let from = self.files.get(&name)?;
        (from == path || from.canonicalize().ok()? == path.canonicalize().ok()?).then_some(name)
    }
}

/// The build script.
fn build_script(package: &Package) -> Option<&cargo_metadata::Target> {
    package.targets.iter().find(|t| t.kind.contains(&TargetKind::CustomBuild))
}

/// The name of a file relative to a folder, with `/`. None if it isn't in it.
fn inside(folder: &Path, path: &Path) -> Option<String> {
    let mut words = Vec::new();
    for part in path.strip_prefix(folder).ok()?.components() {
        match part {
            Component::Normal(word) => words.push(word.to_str()?),
            Component::CurDir => {}
            Component::ParentDir => drop(words.pop()?),
            _ => return None,
        }
    }
    Some(words.join("/"))
}

/// What cargo would package. None if it can't say.
fn listed(home: &Path) -> Option<Vec<String>> {
    let mut cargo = crate::environment::cargo();
    cargo.args(["package", "--list", "--allow-dirty", "--quiet", "--manifest-path"]);
    cargo.arg(home.join("Cargo.toml"));
    // So that nothing is made in the workspaces that the packages come from.
    let target = tempfile::tempdir().ok()?;
    cargo.arg("--target-dir").arg(target.path());
    let output = cargo.stdin(std::process::Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.lines().map(|l| l.replace('\\', "/")).collect())
}

/// All files of a package.
fn beneath(home: &Path) -> Result<Vec<String>> {
    Ok(source::files(home)?.iter().filter_map(|f| inside(home, f)).collect())
}

#[cfg(test)]
mod tests;
