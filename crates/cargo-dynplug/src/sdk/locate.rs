//! Which SDK a plugin is built with, where that is not the workspace's own.

use super::{Sdk, archive};
use crate::cli::BuildArguments;
use crate::diagnostic::{Diagnostic, Doing, Result, Span};
use cargo_metadata::Metadata;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The environment variable that stands in for `--sdk`.
pub const VARIABLE: &str = "DYNPLUG_SDK";
/// The ending of an archive's name.
pub const ENDING: &str = ".sdk.tar.zst";

/// Where the user has said that the SDK is: on the command line, in the environment, or in the `Cargo.toml` of what is
/// built; in that order.
///
/// # Errors
/// When two packages that are built name different SDKs.
fn named(arguments: &BuildArguments, metadata: &Metadata) -> Result<Option<PathBuf>> {
    if let Some(path) = &arguments.sdk {
        return Ok(Some(path.clone()));
    }
    match in_the_environment() {
        Some(path) => Ok(Some(path)),
        None => in_the_manifests(arguments, metadata),
    }
}

/// Whether the user has said where the SDK is.
///
/// # Errors
/// When two packages that are built name different SDKs.
pub fn is_named(arguments: &BuildArguments, metadata: &Metadata) -> Result<bool> {
    named(arguments, metadata).map(|sdk| sdk.is_some())
}

/// The SDK that the environment names.
pub fn in_the_environment() -> Option<PathBuf> {
    std::env::var_os(VARIABLE).filter(|p| !p.is_empty()).map(PathBuf::from)
}

/// The SDK that the `Cargo.toml` of what is built, or of its workspace, names.
///
/// # Errors
/// When two packages that are built name different SDKs.
pub fn in_the_manifests(arguments: &BuildArguments, metadata: &Metadata) -> Result<Option<PathBuf>> {
    let key = |value: &serde_json::Value, folder: &Path| {
        let path = folder.join(value.get("dynplug")?.get("sdk")?.as_str()?);
        // Each package may have its own way to the same file.
        Some(path.canonicalize().unwrap_or(path))
    };
    let mut found: BTreeMap<PathBuf, (String, Option<Span>)> = BTreeMap::new();
    let selected = selected(arguments, metadata);
    for package in metadata.workspace_packages() {
        let folder = package.manifest_path.parent().map(|p| p.as_std_path()).unwrap_or(Path::new(""));
        if let Some(path) = key(&package.metadata, folder).filter(|_| selected(package.name.as_str())) {
            let manifest = package.manifest_path.as_std_path();
            found.entry(path).or_insert_with(|| (package.name.to_string(), Span::in_manifest(manifest, KEY)));
        }
    }
    if found.len() > 1 {
        let mut d = Diagnostic::error("several-sdks", "the packages to build name different SDKs").usage();
        for (path, (package, span)) in found {
            d = d.note(format!("`{package}`: {}", path.display())).span(span);
        }
        return Err(d.help("build them one by one, with `-p`").into());
    }
    let of_the_workspace = key(&metadata.workspace_metadata, metadata.workspace_root.as_std_path());
    Ok(found.into_keys().next().or(of_the_workspace))
}

/// Which packages are meant. Where the command line names none that there is, all are: what is wrong with the name is said by
/// who looks for the package.
fn selected(arguments: &BuildArguments, metadata: &Metadata) -> impl Fn(&str) -> bool {
    let members = metadata.workspace_packages();
    let names = arguments.package.iter().filter_map(|p| p.split('@').next());
    let names: Vec<String> =
        names.filter(|name| members.iter().any(|p| p.name.as_str() == *name)).map(str::to_owned).collect();
    move |name| names.is_empty() || names.iter().any(|wanted| wanted == name)
}

/// Where a `Cargo.toml` names an SDK.
pub const KEY: &[&str] = &["package", "metadata", "dynplug", "sdk"];
/// Where that of a workspace does.
pub const WORKSPACE_KEY: &[&str] = &["workspace", "metadata", "dynplug", "sdk"];

/// The place in a `Cargo.toml` that names the SDK.
fn naming(arguments: &BuildArguments, metadata: &Metadata) -> Option<Span> {
    let selected = selected(arguments, metadata);
    let packages = metadata.workspace_packages();
    let mut own = packages.iter().filter(|p| selected(p.name.as_str()));
    let found = own.find_map(|p| Span::in_manifest(p.manifest_path.as_std_path(), KEY));
    let root = metadata.workspace_root.join("Cargo.toml");
    let of_all = || Span::in_manifest(root.as_std_path(), WORKSPACE_KEY);
    Some(found.or_else(of_all)?.labelled("named here"))
}

/// Opens the SDK that these arguments, the environment or a `Cargo.toml` name. None if nothing does.
///
/// # Errors
/// As those of [`named`] and [`open`].
pub fn find(arguments: &BuildArguments, metadata: &Metadata, target: &str) -> Result<Option<Sdk>> {
    let Some(path) = named(arguments, metadata)? else { return Ok(None) };
    let sdk = open(&path, target).map_err(|error| {
        match arguments.sdk.is_some() || in_the_environment().is_some() {
            true => error,
            false => Box::new(error.span(naming(arguments, metadata))),
        }
    })?;
    Ok(Some(Sdk { by_option: arguments.sdk.is_some(), ..sdk }))
}

/// Opens the SDK at `path`: an archive, its unpacked folder, or a folder with archives, of which that for `target` is
/// taken.
///
/// # Errors
/// When there is none, it is damaged, or it is for another target or version of this tool.
pub fn open(path: &Path, target: &str) -> Result<Sdk> {
    let sdk = open_for_any(path, target)?;
    let description = &sdk.description;
    if description.tool != env!("CARGO_PKG_VERSION") {
        return Err(Diagnostic::error("sdk-tool", "the SDK was made by another version of cargo-dynplug")
            .note(format!(
                "{}: have {}, this is {}",
                path.display(),
                description.tool,
                env!("CARGO_PKG_VERSION")
            ))
            .help(format!("install that version: `cargo install cargo-dynplug@{}`", description.tool))
            .help("or ask for an SDK that this version has made")
            .into());
    }
    if description.target != target {
        return Err(Diagnostic::error("sdk-target", "the SDK is for another target")
            .note(format!("{}: have {}, want {target}", path.display(), description.target))
            .help(format!("get the host's SDK for {target}"))
            .help(format!("or build for the SDK's target: `--target {}`", description.target))
            .into());
    }
    Ok(sdk)
}

/// The same for whoever only looks: any target will do, if there is no choice.
///
/// # Errors
/// When there is none, or it is damaged.
pub fn open_for_any(path: &Path, target: &str) -> Result<Sdk> {
    let path = std::path::absolute(path).doing("find the SDK")?;
    let mut sdk = if path.join(super::DESCRIPTION).is_file() {
        Sdk::open(&path)?
    } else if path.is_dir() {
        unpacked(&the_archive(&path, target)?)?
    } else if path.exists() {
        unpacked(&path)?
    } else {
        return Err(none(&path, "there is no such file").into());
    };
    sdk.named = Some(path);
    Ok(sdk)
}

fn unpacked(file: &Path) -> Result<Sdk> {
    Sdk::open(&archive::unpack(file, &archive::cache_folder()?)?)
}

/// The archive for a target among those in a folder.
fn the_archive(folder: &Path, target: &str) -> Result<PathBuf> {
    let what = format!("read the folder {}", folder.display());
    let mut archives = Vec::new();
    for entry in std::fs::read_dir(folder).doing(&what)? {
        let path = entry.doing(&what)?.path();
        if path.file_name().is_some_and(|n| n.to_string_lossy().ends_with(ENDING)) {
            archives.push(path);
        }
    }
    archives.sort();
    if archives.is_empty() {
        return Err(none(folder, &format!("the folder holds no `*{ENDING}` and no unpacked SDK")).into());
    }
    let mut fitting = Vec::new();
    let mut targets = Vec::new();
    for path in archives {
        let description = super::Description::parse(&archive::look(&path)?, &path)?;
        match description.target == target {
            true => fitting.push(path),
            false => targets.push(description.target),
        }
    }
    match &fitting[..] {
        [one] => Ok(one.clone()),
        [] => Err(Diagnostic::error("sdk-target", "the SDK is for other targets")
            .note(format!("{}: have {}, want {target}", folder.display(), targets.join(", ")))
            .help("get the host's SDK for this target")
            .into()),
        several => {
            let mut d = Diagnostic::error(
                "several-sdks",
                format!("{} holds several SDKs for {target}", folder.display()),
            )
            .usage();
            for path in several {
                d = d.note(path.display().to_string());
            }
            Err(d.help("name the file: `--sdk FILE`").into())
        }
    }
}

fn none(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::error("no-sdk", format!("there is no SDK at {}", path.display()))
        .note(why)
        .help("the host's authors make it by `cargo dynplug sdk`: a file `<api>-<version>-<target>.sdk.tar.zst`")
        .usage()
}
