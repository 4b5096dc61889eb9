//! `cargo dynplug link`: an executable of a host with plugins linked in, by plain cargo. The host's library has a public
//! `main`; a small project around it names the plugins.

mod project;
mod wanted;

use crate::cli::{CargoArguments, LinkArguments, MessageFormat};
use crate::diagnostic::{Diagnostic, Doing, Result, Span};
use crate::files;
use crate::inspect::{linked_in, read};
use crate::sdk::packages::{self, MARKER, There};
use crate::terminal::{self, line};
use crate::workspace::{crate_types, read_metadata_of};
use cargo_metadata::{CrateType, DependencyKind, Message, Metadata, Package, TargetKind};
use dynplug_manifest::record::Kind;
use project::Project;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use wanted::{Origin, Wanted};

/// Links, and says what was linked. Returns the exit code.
///
/// # Errors
/// When the host or a plugin isn't there or isn't of the form that it takes, when cargo fails, or a file can't be written.
pub fn run(arguments: &LinkArguments) -> Result<i32> {
    let metadata =
        read_metadata_of(arguments.workspace.manifest_path.as_deref(), &arguments.cargo, &BTreeSet::new())?;
    let host = the_host(&metadata, arguments.package.as_deref())?;
    let bin = the_bin(host, arguments.bin.as_deref())?;
    let mut plugins = Vec::new();
    for text in &arguments.with {
        let plugin = Wanted::parse(text, &metadata)?;
        if plugins.iter().any(|other: &Wanted| other.name == plugin.name) {
            return Err(Diagnostic::error(
                "unknown-plugin",
                format!("the plugin `{}` is named twice", plugin.name),
            )
            .usage()
            .into());
        }
        plugins.push(plugin);
    }
    let base = match &arguments.workspace.target_dir {
        Some(folder) => std::path::absolute(folder).doing("find the target folder")?,
        None => metadata.target_directory.as_std_path().to_owned(),
    };
    let folder = match &arguments.project {
        Some(folder) => std::path::absolute(folder).doing("find the project's folder")?,
        None => base.join("dynplug").join("link").join(bin),
    };
    let plugins = plugins
        .into_iter()
        .map(|plugin| with_the_hosts(plugin, &metadata, &folder, arguments))
        .collect::<Result<Vec<_>>>()?;
    let features: Vec<String> = (arguments.features.features.iter())
        .flat_map(|f| f.split([',', ' ']))
        .filter(|f| !f.is_empty())
        .map(str::to_owned)
        .chain(host.features.keys().filter(|_| arguments.features.all_features).cloned())
        .collect();
    let project = Project {
        folder: &folder,
        host,
        bin,
        root: metadata.workspace_root.as_std_path(),
        features: &features,
        no_default_features: arguments.features.no_default_features,
        plugins: &plugins,
    };
    // cargo locks its own folders, and not what is taken from there.
    let target = base.join("dynplug").join("link-target");
    files::make_folder(&target)?;
    let _lock = files::lock(&target, arguments.messages.quiet)?;
    project.write()?;
    let asked_for = check(&folder, arguments, &plugins)?;
    let made = build(&project, &target, arguments, &asked_for)?;
    let output = match &arguments.output {
        Some(path) if path.is_dir() => path.join(made.file_name().unwrap_or_default()),
        Some(path) => path.clone(),
        None => base
            .join("dynplug")
            .join(arguments.workspace.target.as_deref().unwrap_or_default())
            .join(arguments.workspace.profile_folder())
            .join("linked")
            .join(made.file_name().unwrap_or_default()),
    };
    let output = std::path::absolute(output).doing("find the place for the executable")?;
    if let Some(folder) = output.parent() {
        files::make_folder(folder)?;
    }
    files::copy_if_changed(&made, &output)?;
    tell(&output, &folder, arguments, &plugins)?;
    Ok(0)
}

/// The package whose executable is made.
fn the_host<'a>(metadata: &'a Metadata, wanted: Option<&str>) -> Result<&'a Package> {
    let members = metadata.workspace_packages();
    let is_host = |p: &&Package| has(p, &[TargetKind::Bin]) && depends_on_dynplug(metadata, p);
    let hosts: Vec<&Package> = members.iter().copied().filter(|p| is_host(p)).collect();
    let names =
        |packages: &[&Package]| packages.iter().map(|p| p.name.to_string()).collect::<Vec<_>>().join(", ");
    let host = match (wanted, &hosts[..]) {
        (Some(name), _) => members.iter().copied().find(|p| p.name.as_str() == name).ok_or_else(|| {
            Diagnostic::error("unknown-package", format!("the workspace has no package `{name}`"))
                .note(format!("its packages are: {}", names(&members)))
                .did_you_mean(name, members.iter().map(|p| p.name.as_str()))
                .usage()
        })?,
        (None, [one]) => one,
        (None, []) => {
            return Err(Diagnostic::error("no-host", "the workspace has no host")
                .note("a host is a package with an executable that depends on an API crate")
                .usage()
                .into());
        }
        (None, several) => {
            return Err(Diagnostic::error("several-hosts", "there are several hosts")
                .note(names(several))
                .help("say which: `-p NAME`")
                .usage()
                .into());
        }
    };
    if !has(host, &[TargetKind::Lib, TargetKind::RLib]) {
        return Err(Diagnostic::error("host-without-library", format!("`{}` has no library", host.name))
            .span(Span::in_manifest(host.manifest_path.as_std_path(), &["package", "name"]))
            .note("the executable with the plugins calls the host's `main`, and so that has to be in a library")
            .help(format!(
                "move the program to src/lib.rs, with `pub fn main()`, and let src/main.rs call it: `fn main() -> impl std::process::Termination {{ {}::main() }}`",
                host.name.replace('-', "_")
            ))
            .usage()
            .into());
    }
    Ok(host)
}

fn has(package: &Package, kinds: &[TargetKind]) -> bool {
    package.targets.iter().any(|t| t.kind.iter().any(|k| kinds.contains(k)))
}

/// Whether `dynplug` is below a package.
fn depends_on_dynplug(metadata: &Metadata, package: &Package) -> bool {
    let nodes: BTreeMap<_, _> = metadata.resolve.iter().flat_map(|r| &r.nodes).map(|n| (&n.id, n)).collect();
    let (mut open, mut seen) = (vec![&package.id], BTreeSet::new());
    while let Some(id) = open.pop() {
        if metadata[id].name.as_str() == "dynplug" {
            return true;
        }
        if seen.insert(id) {
            let deps = nodes.get(id).into_iter().flat_map(|n| &n.deps);
            open.extend(
                deps.filter(|d| d.dep_kinds.iter().any(|k| k.kind == DependencyKind::Normal)).map(|d| &d.pkg),
            );
        }
    }
    false
}

/// The executable that is to be named so.
fn the_bin<'a>(host: &'a Package, wanted: Option<&str>) -> Result<&'a str> {
    let bins: Vec<&str> = (host.targets.iter())
        .filter(|t| t.kind.contains(&TargetKind::Bin))
        .map(|t| t.name.as_str())
        .collect();
    let default = host.default_run.as_deref();
    let found = match wanted {
        Some(name) => bins.iter().find(|b| **b == name),
        None => bins.iter().find(|b| Some(**b) == default || bins.len() == 1),
    };
    found.copied().ok_or_else(|| {
        let d = match wanted {
            Some(name) => Diagnostic::error("unknown-host", format!("there is no executable `{name}`")),
            None => Diagnostic::error("several-hosts", format!("`{}` has several executables", host.name)),
        };
        let d = d.note(format!("there are: {}", bins.join(", ")));
        let d = d.did_you_mean(wanted.unwrap_or_default(), bins.iter().copied().filter(|_| wanted.is_some()));
        d.help("say which: `--bin NAME`, or `default-run` in the package's Cargo.toml").usage().into()
    })
}

/// A plugin that was made with an SDK depends on copies of the API crate and of `dynplug`. Linked in, it has to be compiled
/// against the host's own: it is copied into the project, with a `Cargo.toml` that leads there.
fn with_the_hosts(
    plugin: Wanted,
    host: &Metadata,
    project: &Path,
    arguments: &LinkArguments,
) -> Result<Wanted> {
    let Origin::Path(folder) = &plugin.origin else { return Ok(plugin) };
    if host.workspace_packages().iter().any(|p| p.manifest_path.parent() == folder.to_str().map(Into::into)) {
        return Ok(plugin);
    }
    let own = read_metadata_of(Some(&folder.join("Cargo.toml")), &unlocked(arguments), &BTreeSet::new())?;
    let local = |p: &&Package| p.source.is_none();
    let mut there = There::new();
    for copy in own.packages.iter().filter(local).filter(|p| p.metadata.get(MARKER).is_some()) {
        let is_it = |p: &&Package| p.name == copy.name && p.version == copy.version;
        let original = host.packages.iter().filter(local).find(is_it);
        if let Some(folder) = original.and_then(|p| p.manifest_path.parent()) {
            there.insert((copy.name.to_string(), copy.version.to_string()), folder.as_std_path().to_owned());
        }
    }
    let root = own.workspace_packages().into_iter().find(|p| p.name.as_str() == plugin.name);
    let (false, Some(root)) = (there.is_empty(), root) else { return Ok(plugin) };
    let to = project.join("plugins").join(&plugin.name);
    files::make_folder(&to.join(packages::FOLDER))?;
    let written = packages::write_beside(&own, &root.id, &to, &there)?;
    let copy = written.iter().find(|w| w.name == plugin.name && w.version == root.version.to_string());
    Ok(match copy {
        Some(copy) => Wanted { origin: Origin::Path(to.join(&copy.folder)), ..plugin },
        None => plugin,
    })
}

/// How cargo is asked about a project whose lock file is not complete yet.
fn unlocked(arguments: &LinkArguments) -> CargoArguments {
    let cargo = arguments.cargo.clone();
    CargoArguments { locked: false, offline: cargo.offline || cargo.frozen, frozen: false, ..cargo }
}

/// Sees to it that every plugin is there and has something to link, before anything is compiled. Returns the packages that
/// cargo is to be asked for besides the executable's.
fn check(folder: &Path, arguments: &LinkArguments, plugins: &[Wanted]) -> Result<Vec<String>> {
    // The plugins are new to the host's lock file.
    let metadata =
        read_metadata_of(Some(&folder.join("Cargo.toml")), &unlocked(arguments), &BTreeSet::new())?;
    let copies: Vec<&Package> = metadata.packages.iter().filter(|p| p.name.as_str() == "dynplug").collect();
    if let [_, _, ..] = copies[..] {
        let mut d =
            Diagnostic::error("second-dynplug", "the host and a plugin depend on two copies of `dynplug`");
        for copy in copies {
            d = d.note(format!("{} in {}", copy.version, copy.manifest_path));
        }
        return Err(d
            .note("in one program they would be two crates, and each would open plugins, and start them, for itself")
            .help("let the plugin depend on the `dynplug` of the host, and on the host's API crate")
            .usage()
            .into());
    }
    for plugin in plugins {
        let Some(package) = metadata.packages.iter().find(|p| p.name.as_str() == plugin.name) else {
            continue;
        };
        if has(package, &[TargetKind::Lib, TargetKind::RLib]) {
            continue;
        }
        return Err(Diagnostic::error(
            "no-plugin",
            format!("`{}` can't be linked into another crate", plugin.name),
        )
        .span(crate_types(package))
        .note("its library has no form that Rust code can depend on")
        .help(format!("in {}:\n[lib]\ncrate-type = [\"lib\", \"cdylib\"]", package.manifest_path))
        .usage()
        .into());
    }
    // Where it isn't asked for them, cargo lets rustc prefer shared libraries for crates that are a `dylib` too, and with
    // them a std that unwinds, which panics that abort can't be linked with.
    let is_dylib = |p: &&Package| p.targets.iter().any(|t| t.crate_types.contains(&CrateType::DyLib));
    Ok(metadata.packages.iter().filter(is_dylib).map(|p| format!("{}@{}", p.name, p.version)).collect())
}

/// Builds the project, and returns the executable.
fn build(
    project: &Project<'_>,
    target: &Path,
    arguments: &LinkArguments,
    asked_for: &[String],
) -> Result<PathBuf> {
    let mut cargo = crate::environment::cargo();
    // In the host's workspace, so that its configuration and its toolchain are used.
    cargo.current_dir(project.root);
    cargo.args(["build", "--manifest-path"]).arg(project.folder.join("Cargo.toml"));
    cargo.arg("--target-dir").arg(target);
    cargo.args(["--profile", arguments.workspace.profile(), "--package", &project.package()]);
    cargo.args(asked_for.iter().flat_map(|package| ["--package", package]));
    cargo.args(
        arguments.cargo.for_building().into_iter().filter(|word| word != "--locked" && word != "--frozen"),
    );
    cargo.args(arguments.messages.for_cargo());
    if arguments.cargo.frozen {
        cargo.arg("--offline");
    }
    if let Some(target) = &arguments.workspace.target {
        cargo.args(["--target", target]);
    }
    cargo.arg(match arguments.messages.message_format {
        MessageFormat::Human => "--message-format=json-render-diagnostics",
        MessageFormat::Json => "--message-format=json",
    });
    cargo.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = cargo.spawn().doing("run cargo")?;
    let mut made = None;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.doing("read what cargo says")?;
            if arguments.messages.message_format == MessageFormat::Json {
                terminal::print_line(&line);
            }
            if let Ok(Message::CompilerArtifact(artifact)) = serde_json::from_str(&line) {
                made = artifact.executable.map(PathBuf::from).or(made);
            }
        }
    }
    if !child.wait().doing("wait for cargo")?.success() {
        return Err(
            Diagnostic { exit: 1, ..Diagnostic::error(crate::cargo::FAILED, "cargo build failed") }.into()
        );
    }
    made.ok_or_else(|| Diagnostic::error("system", "cargo made no executable").into())
}

/// Says what was made, and with `--list` what is in it.
fn tell(output: &Path, project: &Path, arguments: &LinkArguments, plugins: &[Wanted]) -> Result<()> {
    let bytes = read(output).doing(format_args!("read {}", output.display()))?;
    let found = linked_in(&bytes);
    let of = |plugin: &Wanted| found.iter().filter(|r| r.package == plugin.name).collect::<Vec<_>>();
    if arguments.messages.message_format == MessageFormat::Json {
        let list: Vec<_> = (plugins.iter())
            .map(|plugin| {
                let records = of(plugin);
                serde_json::json!({
                    "package": plugin.name, "version": records.first().map(|r| r.version),
                    "exports": records.iter().filter(|r| r.kind != Kind::Init).map(|r| r.name).collect::<Vec<_>>(),
                })
            })
            .collect();
        line!(
            "{}",
            serde_json::json!({
                "reason": "dynplug-linked", "filename": output, "project": project, "plugins": list,
            })
        );
        return Ok(());
    }
    for plugin in plugins.iter().filter(|plugin| of(plugin).is_empty()) {
        terminal::diagnostic(
            &Diagnostic::warning("no-exports", format!("`{}` exports nothing and has no init", plugin.name))
                .help("mark what hosts are to find with `#[dynplug::export]`"),
        );
    }
    if !arguments.messages.quiet {
        terminal::status_of_file("Linked", output, "");
    }
    if arguments.list {
        for plugin in plugins {
            let records = of(plugin);
            line!("{} {}", plugin.name, records.first().map(|r| r.version).unwrap_or_default());
            for record in records.iter().filter(|r| r.kind != Kind::Init) {
                line!("    {}  {}", record.name, record.signature);
            }
        }
    }
    Ok(())
}
