//! The workspace, as the build sees it: which crate is the API crate, which are hosts, which are plugins.

use crate::cli::{BuildArguments, CargoArguments};
use crate::context::Package;
use crate::diagnostic::{Diagnostic, Doing, Result, Span};
use crate::sdk::packages::MARKER;
use crate::sdk::{Sdk, locate};
use cargo_metadata::{CrateType, DependencyKind, Metadata, MetadataCommand, PackageId, TargetKind};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

/// A workspace, and who is who in it.
#[derive(Debug)]
pub struct Workspace {
    /// What cargo says of it.
    pub metadata: Metadata,
    /// The API crate's package. Where plugins are built with an SDK, nobody need depend on it.
    pub api: Option<PackageId>,
    /// Members with executables that depend on the API crate; none where plugins are built with an SDK.
    pub hosts: Vec<PackageId>,
    /// Members that are compiled to a `cdylib` and depend on the API crate or on `dynplug`.
    pub plugins: Vec<PackageId>,
    /// Members that are compiled to a `dylib`, that plugins depend on, and that host and API crate do without: libraries that
    /// plugins share among themselves. Each stands after those that it depends on.
    pub libraries: Vec<PackageId>,
    /// The API crate's package and all below it, where the API library is built here.
    pub api_closure: BTreeSet<PackageId>,
}

impl Workspace {
    /// Finds the API crate of a workspace that has a host.
    ///
    /// # Errors
    /// When there is no API crate, or more than one, or it is an SDK's copy, of which no host is built.
    pub fn of_host(metadata: Metadata, arguments: &BuildArguments) -> Result<Workspace> {
        let graph = Graph::of(&metadata);
        let api = graph.api_crate(arguments)?;
        if metadata[&api].metadata.get(MARKER).is_some() {
            let is_named = locate::is_named(arguments, &metadata)?;
            return Err(no_sdk(&metadata[&api].name, is_named).into());
        }
        let members: Vec<&PackageId> = metadata.workspace_members.iter().collect();
        let depends = |id: &&&PackageId| graph.below(id).contains(&api) && ***id != api;
        let hosts = members.iter().filter(depends).filter(|id| is_program(&metadata, id));
        let plugins = members.iter().filter(depends).filter(|id| is_plugin(&metadata, id));
        let hosts: Vec<PackageId> = hosts.map(|id| (*id).clone()).collect();
        let plugins: Vec<PackageId> = plugins.map(|id| (*id).clone()).collect();
        let api_closure = graph.below(&api);
        let libraries = graph.libraries(&plugins, |id| api_closure.contains(id));
        Ok(Workspace { api: Some(api), hosts, plugins, libraries, api_closure, metadata })
    }

    /// A workspace of plugins for a host that is built elsewhere, whose SDK this is.
    ///
    /// # Errors
    /// When it has no plugin.
    pub fn of_plugins(metadata: Metadata, sdk: &Sdk) -> Result<Workspace> {
        let api = &sdk.description.api.package;
        let graph = Graph::of(&metadata);
        let named = |id: &PackageId, name: &str| metadata[id].name.as_str() == name;
        let depends = |id: &&PackageId| {
            graph.below(id).iter().any(|d| d != *id && (named(d, api) || named(d, "dynplug")))
        };
        let plugins: Vec<PackageId> = (metadata.workspace_members.iter())
            .filter(|id| is_plugin(&metadata, id) && depends(id))
            .cloned()
            .collect();
        if plugins.is_empty() {
            return Err(Diagnostic::error("no-plugin", "the workspace has no plugin to build with the SDK")
                .note(format!("a plugin is a `cdylib` that depends on `{api}`"))
                .help(format!(
                    "add to the package's Cargo.toml:\n[lib]\ncrate-type = [\"lib\", \"cdylib\"]\n\n[dependencies]\n{api} = …\ndynplug = …"
                ))
                .help("or make a new project: `cargo dynplug new NAME --sdk FILE`")
                .usage()
                .into());
        }
        let api = metadata.packages.iter().find(|p| p.name.as_str() == api).map(|p| p.id.clone());
        let is_shared = |id: &PackageId| {
            let package = &metadata[id];
            sdk.source_package(&package.name, &package.version.to_string()).is_some()
        };
        let libraries = graph.libraries(&plugins, is_shared);
        let api_closure = BTreeSet::new();
        Ok(Workspace { api, hosts: Vec::new(), plugins, libraries, api_closure, metadata })
    }

    /// A package as the wrapper wants to know it.
    pub fn package(&self, id: &PackageId) -> Package {
        let package = &self.metadata[id];
        let library = package.targets.iter().find(|t| {
            t.crate_types.iter().any(|c| {
                matches!(
                    c,
                    CrateType::Lib
                        | CrateType::RLib
                        | CrateType::DyLib
                        | CrateType::CDyLib
                        | CrateType::ProcMacro
                )
            }) && !t.kind.contains(&TargetKind::Example)
        });
        let manifest_dir = package.manifest_path.parent().map(PathBuf::from).unwrap_or_default();
        let source = match &package.source {
            Some(source) => source.repr.clone(),
            None => {
                let root = self.metadata.workspace_root.as_std_path();
                match manifest_dir.strip_prefix(root) {
                    Ok(inside) => format!("path+{}", inside.display()),
                    // Where it lies is this machine's affair.
                    Err(_) => "path".to_owned(),
                }
            }
        };
        Package {
            name: package.name.to_string(),
            version: package.version.to_string(),
            source,
            crate_name: library.map(|t| t.name.replace('-', "_")).unwrap_or_default(),
            manifest_dir,
        }
    }

    /// A package and all that it depends on.
    pub fn below(&self, id: &PackageId) -> BTreeSet<PackageId> {
        Graph::of(&self.metadata).below(id)
    }

    /// The name of a package.
    pub fn name(&self, id: &PackageId) -> String {
        self.metadata[id].name.to_string()
    }

    /// What a package is, with its name.
    pub fn title(&self, id: &PackageId) -> String {
        let kind = if self.plugins.contains(id) {
            "plugin"
        } else if self.libraries.contains(id) {
            "plugin library"
        } else if self.api.as_ref() == Some(id) {
            "API crate"
        } else if self.hosts.contains(id) {
            "host"
        } else {
            "package"
        };
        format!("the {kind} `{}`", self.name(id))
    }

    /// What is asked for: the members that `-p` names, or all.
    ///
    /// # Errors
    /// When a name is none of the workspace's, or is of a package that is neither host nor plugin nor API crate.
    pub fn selection(&self, arguments: &BuildArguments) -> Result<Selection> {
        if arguments.package.is_empty() {
            return Ok(self.everything());
        }
        let mut selection = Selection::default();
        for wanted in &arguments.package {
            let id = self.member(wanted)?;
            if Some(id) == self.api.as_ref() {
                selection.api = Some(id.clone());
            }
            if self.hosts.contains(id) {
                selection.hosts.push(id.clone());
            }
            if self.plugins.contains(id) {
                selection.plugins.push(id.clone());
            }
            if self.libraries.contains(id) {
                selection.libraries.push(id.clone());
            }
            let is_some = [&self.hosts, &self.plugins, &self.libraries].iter().any(|list| list.contains(id));
            if !is_some && selection.api.as_ref() != Some(id) {
                return Err(self.no_plugin(id).into());
            }
        }
        Ok(selection)
    }

    /// The member with this name, or name and version: `name@1.0.0`.
    ///
    /// # Errors
    /// When there is none.
    pub fn member(&self, wanted: &str) -> Result<&PackageId> {
        let (name, version) = wanted.split_once('@').map_or((wanted, None), |(n, v)| (n, Some(v)));
        let found = self.metadata.workspace_members.iter().find(|id| {
            let p = &self.metadata[*id];
            p.name.as_str() == name && version.is_none_or(|v| p.version.to_string() == v)
        });
        found.ok_or_else(|| self.unknown_package(wanted).into())
    }

    /// All that there is to build.
    pub fn everything(&self) -> Selection {
        let is_member = |id: &&PackageId| self.metadata.workspace_members.contains(id);
        Selection {
            api: self.api.as_ref().filter(is_member).cloned(),
            hosts: self.hosts.clone(),
            plugins: self.plugins.clone(),
            libraries: self.libraries.clone(),
        }
    }

    fn unknown_package(&self, wanted: &str) -> Diagnostic {
        let names: Vec<String> = self.metadata.workspace_members.iter().map(|id| self.name(id)).collect();
        Diagnostic::error("unknown-package", format!("the workspace has no package `{wanted}`"))
            .note(format!("its packages are: {}", names.join(", ")))
            .did_you_mean(wanted.split('@').next().unwrap_or(wanted), names.iter().map(String::as_str))
            .usage()
    }

    /// Warnings of members that nothing is built of though they depend on `dynplug`: neither does another member depend on
    /// them, nor are they products themselves. Somebody has forgotten something.
    pub fn left_out(&self) -> Vec<Diagnostic> {
        let graph = Graph::of(&self.metadata);
        let members = &self.metadata.workspace_members;
        let is_product = |id: &PackageId| {
            self.api.as_ref() == Some(id)
                || [&self.hosts, &self.plugins, &self.libraries].iter().any(|list| list.contains(id))
        };
        let used: BTreeSet<PackageId> = (members.iter())
            .flat_map(|id| graph.below(id).into_iter().filter(move |below| below != id))
            .collect();
        let names_dynplug = |id: &PackageId| {
            let dependencies = &self.metadata[id].dependencies;
            dependencies.iter().any(|d| d.name == "dynplug" && d.kind == DependencyKind::Normal)
        };
        let is_forgotten = |id: &&PackageId| !is_product(id) && !used.contains(id) && names_dynplug(id);
        let forgotten = members.iter().filter(is_forgotten);
        forgotten
            .map(|id| {
                let message =
                    format!("`{}` is left out: it is no plugin, and nothing depends on it", self.name(id));
                self.as_a_plugin(id, Diagnostic::warning("no-plugin", message))
            })
            .collect()
    }

    fn no_plugin(&self, id: &PackageId) -> Diagnostic {
        let message = format!("`{}` is neither a plugin nor a host nor the API crate", self.name(id));
        self.as_a_plugin(id, Diagnostic::error("no-plugin", message).usage())
    }

    /// Says what a member lacks for being a plugin.
    fn as_a_plugin(&self, id: &PackageId, d: Diagnostic) -> Diagnostic {
        let package = &self.metadata[id];
        let api = self.api.as_ref().map_or_else(|| "dynplug".to_owned(), |api| self.name(api));
        let depends = self.api.as_ref().is_some_and(|api| Graph::of(&self.metadata).below(id).contains(api));
        let is_typed = is_plugin(&self.metadata, id);
        let place = if is_typed {
            Span::in_manifest(package.manifest_path.as_std_path(), &["dependencies"])
        } else {
            crate_types(package)
        };
        let d = d.span(place);
        let d = if depends {
            d.note("it depends on the API crate, but has neither an executable nor `crate-type = [\"lib\", \"cdylib\"]`")
        } else {
            d.note(format!("it does not depend on the API crate `{api}`"))
        };
        let manifest = &package.manifest_path;
        d.help(match (is_typed, depends) {
            (true, _) => format!("to make it a plugin, add `{api}` to the dependencies in {manifest}"),
            (false, true) => {
                format!("to make it a plugin, add to {manifest}:\n[lib]\ncrate-type = [\"lib\", \"cdylib\"]")
            }
            (false, false) => format!(
                "to make it a plugin, let it depend on `{api}` and on `dynplug`, and add to {manifest}:\n[lib]\ncrate-type = [\"lib\", \"cdylib\"]"
            ),
        })
    }
}

/// Where a package says what its library is compiled to, or what it is called, where it doesn't.
pub fn crate_types(package: &cargo_metadata::Package) -> Option<Span> {
    let manifest = package.manifest_path.as_std_path();
    let types = Span::in_manifest(manifest, &["lib", "crate-type"]);
    let types = types.or_else(|| Span::in_manifest(manifest, &["lib", "crate_type"]));
    types.or_else(|| Span::in_manifest(manifest, &["package", "name"]))
}

/// Plugins have the copy of an API crate that came with an SDK. What is built with that alone would fit no host.
fn no_sdk(api: &str, is_named: bool) -> Diagnostic {
    let error = Diagnostic::error("no-sdk", "the host isn't built here, and plugins are built with its SDK")
        .note(format!("the API crate `{api}` is an SDK's copy: the library itself is built with the host"))
        .help("to try a plugin in the host that is installed: `cargo dynplug watch --exec COMMAND`, which has the plugins' folder in DYNPLUG_PLUGINS")
        .usage();
    if is_named {
        return error;
    }
    error
        .help("to build plugins, name the SDK: `--sdk FILE`, or DYNPLUG_SDK in the environment")
        .help("or in Cargo.toml:\n[package.metadata.dynplug]\nsdk = \"FILE\"")
}

/// What is to be built beside the API library.
#[derive(Debug, Default)]
pub struct Selection {
    /// The API crate, where it is named or everything is built and it is a member.
    pub api: Option<PackageId>,
    /// Hosts.
    pub hosts: Vec<PackageId>,
    /// Plugins.
    pub plugins: Vec<PackageId>,
    /// Libraries that plugins share, where they are named or everything is built.
    pub libraries: Vec<PackageId>,
}

fn is_program(metadata: &Metadata, id: &PackageId) -> bool {
    metadata[id].targets.iter().any(|t| t.kind.contains(&TargetKind::Bin))
}

fn is_dylib(metadata: &Metadata, id: &PackageId) -> bool {
    metadata[id].targets.iter().any(|t| t.crate_types.contains(&CrateType::DyLib))
}

fn is_plugin(metadata: &Metadata, id: &PackageId) -> bool {
    metadata[id].targets.iter().any(|t| t.crate_types.contains(&CrateType::CDyLib))
}

/// What cargo says of a workspace, as it is for `targets`: what is compiled for, and the machine that compiles.
///
/// # Errors
/// When cargo can't read it.
pub fn read_metadata(arguments: &BuildArguments, targets: &BTreeSet<&str>) -> Result<Metadata> {
    read_metadata_of(arguments.workspace.manifest_path.as_deref(), &arguments.cargo, targets)
}

/// The same for the workspace around this `Cargo.toml`.
///
/// # Errors
/// When cargo can't read it.
pub fn read_metadata_of(
    manifest: Option<&Path>,
    cargo: &CargoArguments,
    targets: &BTreeSet<&str>,
) -> Result<Metadata> {
    let mut command = MetadataCommand::new();
    if let Some(path) = manifest {
        command.manifest_path(path);
    }
    let mut options = cargo.for_reading();
    options.extend(targets.iter().map(|target| format!("--filter-platform={target}")));
    command.other_options(options);
    ask(&command)
}

/// What cargo says to a question about a workspace.
///
/// # Errors
/// When cargo can't read it.
pub fn ask(question: &MetadataCommand) -> Result<Metadata> {
    let mut command = question.cargo_command();
    crate::environment::clean(&mut command);
    command.stderr(Stdio::piped());
    let output = command.output().doing("run cargo metadata")?;
    let printed = printed(output).map_err(|why| {
        Diagnostic::error("cargo-metadata", "cargo can't read the workspace").note(why).usage()
    })?;
    let text = String::from_utf8(printed).doing("read what cargo metadata says")?;
    MetadataCommand::parse(text).doing("understand what cargo metadata says")
}

/// What cargo has printed.
///
/// # Errors
/// When it refused: why, in its own words.
pub fn printed(output: Output) -> std::result::Result<Vec<u8>, String> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(text.trim().strip_prefix("error: ").unwrap_or(text.trim()).to_owned())
}

/// Who depends on whom in the products (build scripts and tests left out).
struct Graph<'a> {
    metadata: &'a Metadata,
    below: BTreeMap<&'a PackageId, Vec<&'a PackageId>>,
}

impl<'a> Graph<'a> {
    fn of(metadata: &'a Metadata) -> Self {
        let nodes = metadata.resolve.iter().flat_map(|r| &r.nodes);
        let below = nodes
            .map(|node| {
                let normal = |d: &&cargo_metadata::NodeDep| {
                    d.dep_kinds.iter().any(|k| k.kind == DependencyKind::Normal)
                };
                (&node.id, node.deps.iter().filter(normal).map(|d| &d.pkg).collect())
            })
            .collect();
        Graph { metadata, below }
    }

    /// A package and all that it depends on.
    fn below(&self, id: &PackageId) -> BTreeSet<PackageId> {
        let mut seen = BTreeSet::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if seen.insert(id.clone()) {
                open.extend(self.below.get(id).into_iter().flatten().copied());
            }
        }
        seen
    }

    /// The members that plugins share among themselves as libraries, each after those that it depends on.
    fn libraries(&self, plugins: &[PackageId], is_shared: impl Fn(&PackageId) -> bool) -> Vec<PackageId> {
        let used: BTreeSet<PackageId> = plugins.iter().flat_map(|id| self.below(id)).collect();
        let is_library =
            |id: &&PackageId| is_dylib(self.metadata, id) && used.contains(*id) && !is_shared(id);
        let mut libraries: Vec<(usize, PackageId)> = (self.metadata.workspace_members.iter())
            .filter(is_library)
            // What lies below another has fewer packages below it.
            .map(|id| (self.below(id).len(), id.clone()))
            .collect();
        libraries.sort();
        libraries.into_iter().map(|(_, id)| id).collect()
    }

    /// The API crate: the topmost `dylib` on the way from a host to `dynplug`.
    fn api_crate(&self, arguments: &BuildArguments) -> Result<PackageId> {
        let is_dylib = |id: &PackageId| is_dylib(self.metadata, id);
        let knows_dynplug =
            |id: &PackageId| self.below(id).iter().any(|d| self.metadata[d].name.as_str() == "dynplug");
        let mut candidates: Vec<PackageId> = (self.below.keys().copied())
            .filter(|id| is_dylib(id) && self.metadata[*id].name.as_str() != "dynplug" && knows_dynplug(id))
            .cloned()
            .collect();
        if let Some(wanted) = &arguments.api {
            let named = candidates.iter().find(|id| self.metadata[*id].name.as_str() == wanted);
            return named.cloned().ok_or_else(|| self.not_an_api_crate(wanted, &candidates).into());
        }
        let members = &self.metadata.workspace_members;
        let is_bin =
            |id: &&PackageId| self.metadata[*id].targets.iter().any(|t| t.kind.contains(&TargetKind::Bin));
        let selected = |id: &&PackageId| {
            let name = self.metadata[*id].name.as_str();
            arguments.package.is_empty()
                || arguments.package.iter().any(|p| p.split('@').next() == Some(name))
        };
        let under = |ids: Vec<&PackageId>| -> Vec<PackageId> {
            let used: BTreeSet<PackageId> = ids.into_iter().flat_map(|id| self.below(id)).collect();
            candidates.iter().filter(|c| used.contains(*c)).cloned().collect()
        };
        // What is selected comes before what isn't, and what hosts use before what only plugins use, since plugins may
        // share libraries among themselves.
        let rounds: [Vec<&PackageId>; 3] = [
            members.iter().filter(is_bin).filter(selected).collect(),
            members.iter().filter(selected).collect(),
            members.iter().collect(),
        ];
        let of_hosts = under(members.iter().filter(is_bin).collect());
        if let Some(found) = rounds.into_iter().map(under).find(|c| !c.is_empty()) {
            let (used_by_hosts, others): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|id| of_hosts.contains(id));
            candidates = if used_by_hosts.is_empty() { others } else { used_by_hosts };
        }
        // Of two that build on each other, the upper one holds the lower.
        let topmost: Vec<&PackageId> = candidates
            .iter()
            .filter(|c| !candidates.iter().any(|other| other != *c && self.below(other).contains(c)))
            .collect();
        match topmost[..] {
            [] => Err(self.no_api_crate().into()),
            [one] => Ok(one.clone()),
            _ => Err(self.several_api_crates(&topmost).into()),
        }
    }

    fn no_api_crate(&self) -> Diagnostic {
        let d = Diagnostic::error("no-api-crate", "the workspace has no API crate").usage().note(
            "the API crate is the host's crate that plugins compile against: \
             it depends on `dynplug`, and the host and the plugins depend on it",
        );
        let almost = self.below.keys().find(|id| {
            let package = &self.metadata[**id];
            package.targets.iter().any(|t| t.kind.contains(&TargetKind::Lib))
                && self.metadata.workspace_members.contains(id)
                && package
                    .dependencies
                    .iter()
                    .any(|d| d.name == "dynplug" && d.kind == DependencyKind::Normal)
                && !package.targets.iter().any(|t| t.crate_types.contains(&CrateType::CDyLib))
        });
        match almost {
            Some(id) => d.span(crate_types(&self.metadata[*id])).help(format!(
                "if it is to be `{}`, add to {}:\n[lib]\ncrate-type = [\"lib\", \"dylib\"]",
                self.metadata[*id].name, self.metadata[*id].manifest_path
            )),
            None => d.help(
                "add a library crate that depends on `dynplug`, with this in its Cargo.toml:\n[lib]\ncrate-type = [\"lib\", \"dylib\"]",
            ),
        }
    }

    fn several_api_crates(&self, candidates: &[&PackageId]) -> Diagnostic {
        let mut d =
            Diagnostic::error("several-api-crates", "the workspace has more than one API crate").usage();
        for id in candidates {
            let users: Vec<&str> = (self.metadata.workspace_members.iter())
                .filter(|m| m != id && self.below(m).contains(*id))
                .map(|m| self.metadata[m].name.as_str())
                .collect();
            d = d.note(format!("`{}`, used by {}", self.metadata[*id].name, users.join(", ")));
            d = d.span(crate_types(&self.metadata[*id]));
        }
        let first = candidates.first().map(|id| self.metadata[*id].name.as_str()).unwrap_or_default();
        d.help(format!("say which one is meant: `--api {first}`, or name a host or plugin with `-p`"))
            .help("if one host needs both, let one of them depend on the other: the upper one is then the API crate")
    }

    fn not_an_api_crate(&self, wanted: &str, candidates: &[PackageId]) -> Diagnostic {
        let names: Vec<&str> = candidates.iter().map(|id| self.metadata[id].name.as_str()).collect();
        let d = Diagnostic::error("no-api-crate", format!("`{wanted}` is no API crate of this workspace"))
            .usage();
        let is_it = |id: &&PackageId| self.metadata[*id].name.as_str() == wanted;
        let named = self.metadata.workspace_members.iter().find(is_it).map(|id| &self.metadata[id]);
        let d = d.span(named.and_then(crate_types)).did_you_mean(wanted, names.iter().copied());
        if names.is_empty() { d } else { d.note(format!("API crates are: {}", names.join(", "))) }
            .note("an API crate has `crate-type = [\"lib\", \"dylib\"]` and depends on `dynplug`")
    }
}
