//! The sources of the API crate and of all packages below it that no registry has. Whoever writes a plugin depends on
//! them by their path: for plain cargo and for editors, which know nothing of SDKs. Each gets a `Cargo.toml` of its own
//! that needs no workspace around it.

use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files;
use crate::source;
use cargo_metadata::{Dependency, DependencyKind, Metadata, Node, Package, PackageId, Target, TargetKind};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The key beneath `package.metadata` by which a copy says of what it is one.
pub const MARKER: &str = "dynplug-sdk";
/// The folder beneath an SDK's.
const FOLDER: &str = "source";

/// A package whose source is in an SDK.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourcePackage {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its folder, relative to the SDK's. It stays the same from one version of the package to the next, so that what
    /// depends on it by its path need not change.
    pub folder: PathBuf,
    /// A hash over the files that it was made of, as hexadecimal digits.
    pub digest: String,
}

/// Writes the packages below `api`, itself included, that are found by their path, beneath `folder`.
///
/// # Errors
/// When a file can't be read or written, or a package has sources outside of its folder.
pub fn write(metadata: &Metadata, api: &PackageId, folder: &Path) -> Result<Vec<SourcePackage>> {
    let nodes: BTreeMap<&PackageId, &Node> =
        metadata.resolve.iter().flat_map(|r| &r.nodes).map(|n| (&n.id, n)).collect();
    let packages = below(metadata, api, &nodes);
    let names = folder_names(metadata, &packages);
    let mut written = Vec::new();
    for id in packages {
        let package = &metadata[id];
        let Some(from) = package.manifest_path.parent().map(|p| p.as_std_path()) else { continue };
        let Some(name) = names.get(id) else { continue };
        let digest = source::hash(from)?;
        let relative = Path::new(FOLDER).join(name);
        let to = folder.join(&relative);
        for file in source::files(from)? {
            let inside = file.strip_prefix(from).unwrap_or(&file);
            if matches!(inside.to_str(), Some("Cargo.toml" | "Cargo.lock")) {
                continue;
            }
            let to = to.join(inside);
            files::make_folder(to.parent().unwrap_or(folder))?;
            files::copy_if_changed(&file, &to)?;
        }
        let writer = Writer { metadata, names: &names, package, node: nodes.get(id).copied(), from };
        files::make_folder(&to)?;
        files::write_whole(&to.join("Cargo.toml"), writer.manifest(&digest)?.as_bytes())?;
        written.push(SourcePackage {
            name: package.name.to_string(),
            version: package.version.to_string(),
            folder: relative,
            digest,
        });
    }
    written.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(written)
}

/// The packages below `api` that are found by their path.
fn below<'a>(
    metadata: &'a Metadata,
    api: &PackageId,
    nodes: &BTreeMap<&'a PackageId, &'a Node>,
) -> BTreeSet<&'a PackageId> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&PackageId> = nodes.get_key_value(api).map(|(id, _)| *id).into_iter().collect();
    while let Some(id) = open.pop() {
        // Below one of a registry there is nothing that has no registry, but for what a `[patch]` put there.
        if found.insert(id) {
            let deps = nodes.get(id).into_iter().flat_map(|n| &n.deps);
            let counts = |d: &&cargo_metadata::NodeDep| {
                d.dep_kinds.iter().any(|k| k.kind != DependencyKind::Development)
            };
            open.extend(deps.filter(counts).map(|d| &d.pkg));
        }
    }
    found.retain(|id| metadata[id].source.is_none());
    found
}

/// What the folders are called: as the packages, with the version where there are several of one name.
fn folder_names<'a>(
    metadata: &Metadata,
    packages: &BTreeSet<&'a PackageId>,
) -> BTreeMap<&'a PackageId, String> {
    let name = |id: &PackageId| metadata[id].name.to_string();
    packages
        .iter()
        .map(|id| {
            let alone = packages.iter().filter(|other| name(other) == name(id)).count() == 1;
            let full = format!("{}-{}", name(id), metadata[*id].version);
            (*id, if alone { name(id) } else { full })
        })
        .collect()
}

/// What a package's `Cargo.toml` is written from.
struct Writer<'a> {
    metadata: &'a Metadata,
    names: &'a BTreeMap<&'a PackageId, String>,
    package: &'a Package,
    node: Option<&'a Node>,
    from: &'a Path,
}

impl Writer<'_> {
    fn manifest(&self, digest: &str) -> Result<String> {
        let mut manifest = Table::new();
        manifest.insert("package".to_owned(), Value::Table(self.package_table(digest)?));
        if let Some(library) = self.package.targets.iter().find(|t| is_library(t)) {
            manifest.insert("lib".to_owned(), Value::Table(self.library_table(library)?));
        }
        let features = self.package.features.iter().map(|(name, items)| (name.clone(), list(items)));
        manifest.insert("features".to_owned(), Value::Table(features.collect()));
        for dependency in &self.package.dependencies {
            let kind = match dependency.kind {
                DependencyKind::Normal => "dependencies",
                DependencyKind::Build => "build-dependencies",
                _ => continue,
            };
            let mut at = &mut manifest;
            if let Some(target) = &dependency.target {
                at = table(at, "target")?;
                at = table(at, &target.to_string())?;
            }
            let name = dependency.rename.as_ref().unwrap_or(&dependency.name).clone();
            table(at, kind)?.insert(name, Value::Table(self.dependency(dependency)));
        }
        // Its authors look after its warnings; whoever depends on it can't.
        let quiet = Table::from_iter([("warnings".to_owned(), Value::from("allow"))]);
        manifest.insert(
            "lints".to_owned(),
            Value::Table(Table::from_iter([("rust".to_owned(), Value::Table(quiet))])),
        );
        let text = toml::to_string(&manifest).doing("write a packaged Cargo.toml")?;
        Ok(format!("# Written by `cargo dynplug sdk` from {}'s own.\n\n{text}", self.package.name))
    }

    fn package_table(&self, digest: &str) -> Result<Table> {
        let package = self.package;
        let mut table = Table::new();
        let mut set = |key: &str, value: Value| drop(table.insert(key.to_owned(), value));
        set("name", package.name.to_string().into());
        set("version", package.version.to_string().into());
        set("edition", package.edition.to_string().into());
        set("publish", false.into());
        for key in ["autobins", "autoexamples", "autotests", "autobenches"] {
            set(key, false.into());
        }
        let texts = [
            ("rust-version", package.rust_version.as_ref().map(ToString::to_string)),
            ("description", package.description.clone()),
            ("license", package.license.clone()),
            ("repository", package.repository.clone()),
            ("homepage", package.homepage.clone()),
            ("documentation", package.documentation.clone()),
            ("links", package.links.clone()),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                set(key, text.into());
            }
        }
        for (key, texts) in [
            ("authors", &package.authors),
            ("keywords", &package.keywords),
            ("categories", &package.categories),
        ] {
            if !texts.is_empty() {
                set(key, list(texts));
            }
        }
        let script = package.targets.iter().find(|t| t.kind.contains(&TargetKind::CustomBuild));
        set(
            "build",
            match script {
                Some(script) => self.inside(script)?.into(),
                None => false.into(),
            },
        );
        let marker = Table::from_iter([("digest".to_owned(), Value::from(digest))]);
        let mut own = match Value::try_from(&package.metadata) {
            Ok(Value::Table(own)) => own,
            // There is none, or it holds what TOML has no word for.
            _ => Table::new(),
        };
        own.insert(MARKER.to_owned(), Value::Table(marker));
        set("metadata", Value::Table(own));
        Ok(table)
    }

    fn library_table(&self, library: &Target) -> Result<Table> {
        let mut table = Table::new();
        table.insert("name".to_owned(), library.name.clone().into());
        table.insert("path".to_owned(), self.inside(library)?.into());
        if library.kind.contains(&TargetKind::ProcMacro) {
            table.insert("proc-macro".to_owned(), true.into());
        } else {
            let types: Vec<String> = library.crate_types.iter().map(ToString::to_string).collect();
            table.insert("crate-type".to_owned(), list(&types));
        }
        Ok(table)
    }

    /// Where a target's source lies in the package.
    fn inside(&self, target: &Target) -> Result<String> {
        match target.src_path.as_std_path().strip_prefix(self.from) {
            Ok(inside) => Ok(inside.to_string_lossy().replace('\\', "/")),
            Err(_) => Err(Diagnostic::error(
                "source-outside",
                format!(
                    "`{}` has a source file outside of its folder, which can't be packaged",
                    self.package.name
                ),
            )
            .note(format!("{} is not below {}", target.src_path, self.from.display()))
            .help("move the file into the package")
            .into()),
        }
    }

    fn dependency(&self, dependency: &Dependency) -> Table {
        let mut table = Table::new();
        let mut set = |key: &str, value: Value| drop(table.insert(key.to_owned(), value));
        if dependency.rename.is_some() {
            set("package", dependency.name.clone().into());
        }
        let requirement = dependency.req.to_string();
        if requirement != "*" || (dependency.source.is_some() && dependency.path.is_none()) {
            set("version", requirement.into());
        }
        let resolved = self.resolved(dependency);
        if let Some(name) = resolved.and_then(|p| self.names.get(&p.id)) {
            set("path", format!("../{name}").into());
        } else if dependency.path.is_some() {
            // Optional, and off: cargo doesn't look for it.
            set("path", format!("../{}", dependency.name).into());
        } else if let Some(git) = git(resolved.and_then(|p| p.source.as_ref()).or(dependency.source.as_ref()))
        {
            for (key, value) in git {
                set(&key, value.into());
            }
        } else if let Some(index) = &dependency.registry {
            set("registry-index", index.clone().into());
        }
        if dependency.optional {
            set("optional", true.into());
        }
        if !dependency.uses_default_features {
            set("default-features", false.into());
        }
        if !dependency.features.is_empty() {
            set("features", list(&dependency.features));
        }
        table
    }

    /// The package that cargo took for a dependency, whatever a `[patch]` did.
    fn resolved(&self, dependency: &Dependency) -> Option<&Package> {
        let fits = |p: &&Package| {
            p.name.as_str() == dependency.name
                && (dependency.req.matches(&p.version) || dependency.path.is_some())
        };
        let deps = self.node.into_iter().flat_map(|n| &n.deps);
        deps.map(|d| &self.metadata[&d.pkg]).find(fits)
    }
}

/// `git`, and the commit, of a source that is a repository.
fn git(source: Option<&cargo_metadata::Source>) -> Option<Vec<(String, String)>> {
    let rest = source?.repr.strip_prefix("git+")?;
    let (rest, commit) = match rest.split_once('#') {
        Some((rest, commit)) => (rest, Some(commit)),
        None => (rest, None),
    };
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut keys = vec![("git".to_owned(), address.to_owned())];
    match (query.split_once('='), commit) {
        // Spelled as it is elsewhere in a workspace, it is the same repository to cargo.
        (Some((key @ ("branch" | "tag" | "rev"), value)), _) => keys.push((key.to_owned(), value.to_owned())),
        (_, Some(commit)) if query.is_empty() => keys.push(("rev".to_owned(), commit.to_owned())),
        _ => {}
    }
    Some(keys)
}

fn is_library(target: &Target) -> bool {
    target.kind.iter().any(|k| {
        matches!(
            k,
            TargetKind::Lib
                | TargetKind::RLib
                | TargetKind::DyLib
                | TargetKind::CDyLib
                | TargetKind::StaticLib
                | TargetKind::ProcMacro
        )
    })
}

/// The table of this name, made if it isn't there.
fn table<'a>(at: &'a mut Table, name: &str) -> Result<&'a mut Table> {
    let value = at.entry(name).or_insert_with(|| Value::Table(Table::new()));
    value.as_table_mut().ok_or_else(|| {
        Diagnostic::error("system", format!("`{name}` is no table in a packaged Cargo.toml")).into()
    })
}

fn list(texts: &[String]) -> Value {
    Value::Array(texts.iter().map(|t| Value::from(t.as_str())).collect())
}
