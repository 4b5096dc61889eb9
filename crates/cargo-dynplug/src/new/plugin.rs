//! A plugin for the host of an SDK, in a workspace of its own. The SDK's sources are copied into it, so that plain cargo
//! and editors understand it without this program, and so does whoever gets the project without the SDK.

use super::staging::Staging;
use super::{Made, Request, begin, crate_name, fill, names, portable, quoted};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::sdk::packages::{SourcePackage, place};
use crate::sdk::{LOCK, Sdk};
use crate::unit::Unit;
use crate::{files, lock, toolchain};
use cargo_metadata::Source;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The folder of a project with the SDK's sources.
const COPIES: &str = "sdk";

/// Makes the project.
///
/// # Errors
/// When the name is taken by a crate that the host shares, or a file can't be read or written.
pub(super) fn make(request: &Request<'_>, sdk: &Sdk) -> Result<Made> {
    let description = &sdk.description;
    let shared = description.crates.iter().chain(&description.macros).map(|u| u.package.as_str());
    if let Some(error) = names::taken(&request.name, shared.map(|name| (name, "what the host shares"))) {
        return Err(error.into());
    }
    let staging = Staging::begin(request)?;
    let project = staging.project();
    begin(request, &request.name, "--lib", &project)?;
    for package in &description.packages {
        files::copy_tree(&sdk.folder.join(&package.folder), &project.join(copy_of(package)))?;
    }
    let named = place_of(sdk, &request.place);
    let api = &description.api;
    let values = [
        ("package", quoted(&request.name)),
        ("sdk", quoted(&portable(&named)?)),
        ("dependencies", dependencies(sdk)?),
        ("patches", patches(&description.packages)),
    ];
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let manifest = fill(include_str!("templates/plugin.toml"), &values);
    write(&project, "Cargo.toml", manifest.trim_end())?;
    let values = [
        ("api", api.crate_name.as_str()),
        ("plugin", &crate_name(&request.name)),
        ("package", &request.name),
    ];
    write(&project, "src/lib.rs", &fill(include_str!("templates/plugin.rs"), &values))?;
    let mut contents = vec![
        ("Cargo.toml".to_owned(), "the package, and which SDK it is built with".to_owned()),
        ("src/lib.rs".to_owned(), "the plugin, with tests".to_owned()),
    ];
    let path = sdk.folder.join(LOCK);
    let theirs = std::fs::read_to_string(&path).doing(format_args!("read {}", path.display()))?;
    write(&project, LOCK, &lock::adopt(None, &theirs, |_| true)?.text)?;
    contents.push((LOCK.to_owned(), "the versions that the host shares".to_owned()));
    if let Some(channel) = toolchain::channel(&description.rustc) {
        let text = fill(include_str!("templates/toolchain.toml"), &[("channel", &quoted(&channel))]);
        write(&project, "rust-toolchain.toml", &text)?;
        contents.push(("rust-toolchain.toml".to_owned(), format!("the compiler, Rust {channel}")));
    }
    if !description.packages.is_empty() {
        contents.push((COPIES.to_owned(), "sources of the SDK, for plain cargo and editors".to_owned()));
    }
    staging.finish()?;
    Ok(Made {
        kind: "plugin",
        api: format!("{} {}", api.package, api.version),
        sdk: sdk.named.clone(),
        packages: vec![(request.name.clone(), "")],
        contents,
        changed: Vec::new(),
        next: vec![
            ("cargo dynplug build".to_owned(), "builds the plugin for the host"),
            ("cargo dynplug test".to_owned(), "tests it as the host would run it"),
            ("cargo test".to_owned(), "tests it by itself"),
        ],
    })
}

/// Writes a file of the project.
pub(super) fn write(project: &Path, name: &str, text: &str) -> Result<()> {
    let path = project.join(name);
    if let Some(folder) = path.parent() {
        files::make_folder(folder)?;
    }
    files::write_whole(&path, format!("{}\n", text.trim_end()).as_bytes())
}

/// How the project calls the SDK: relative where the two lie side by side, so that both can be moved.
fn place_of(sdk: &Sdk, project: &Path) -> PathBuf {
    let named = sdk.named.as_deref().unwrap_or(&sdk.folder);
    let named = named.canonicalize().unwrap_or_else(|_| named.to_owned());
    let name = named.file_name().filter(|_| named.parent() == project.parent());
    match (name, named.strip_prefix(project)) {
        (_, Ok(inside)) => inside.to_owned(),
        (Some(name), _) => Path::new("..").join(name),
        _ => named,
    }
}

/// Where a package of the SDK is in the project.
fn copy_of(package: &SourcePackage) -> PathBuf {
    Path::new(COPIES).join(package.folder.file_name().unwrap_or_default())
}

/// The lines for `dynplug` and the API crate, as the SDK has them.
fn dependencies(sdk: &Sdk) -> Result<String> {
    let description = &sdk.description;
    let mut lines = BTreeMap::new();
    for name in ["dynplug", &description.api.package] {
        let mut found = description.crates.iter().filter(|u| u.package == name);
        let Some(unit) = found.next() else {
            return Err(Diagnostic::error(
                "damaged-sdk",
                format!("the SDK has no crate of the package `{name}`"),
            )
            .into());
        };
        lines.insert(name, Value::Table(dependency(sdk, unit)).to_string());
    }
    Ok(lines.iter().map(|(name, line)| format!("{name} = {line}\n")).collect())
}

/// How a `Cargo.toml` says that it depends on a shared crate: with its features, so that plain cargo compiles what the
/// host has.
fn dependency(sdk: &Sdk, unit: &Unit) -> Table {
    let mut rows = match sdk.source_package(&unit.package, &unit.version) {
        Some(package) => {
            let folder = package.folder.file_name().unwrap_or_default().to_string_lossy();
            Table::from_iter([("path".to_owned(), format!("{COPIES}/{folder}").into())])
        }
        None => {
            let mut rows = place(&Source { repr: unit.source.clone() });
            rows.insert("version".to_owned(), format!("={}", unit.version).into());
            rows
        }
    };
    let has_default = |f: &String| f == "default";
    if unit.package == sdk.description.api.package {
        let features: Vec<String> = unit.features.iter().filter(|f| !has_default(f)).cloned().collect();
        if !features.is_empty() {
            rows.insert("features".to_owned(), features.into());
        }
        if !unit.features.iter().any(has_default) && has_defaults(sdk, unit) {
            rows.insert("default-features".to_owned(), false.into());
        }
    }
    rows
}

/// Whether a package has default features that could be left out; said of those too whose `Cargo.toml` isn't in the SDK.
fn has_defaults(sdk: &Sdk, unit: &Unit) -> bool {
    let Some(package) = sdk.source_package(&unit.package, &unit.version) else { return true };
    let manifest = std::fs::read_to_string(sdk.folder.join(&package.folder).join("Cargo.toml"));
    let table = manifest.ok().and_then(|text| text.parse::<Table>().ok());
    table.is_none_or(|t| t.get("features").is_some_and(|f| f.get("default").is_some()))
}

/// The tables that put the SDK's packages in the place of those from elsewhere, where the host's workspace does.
fn patches(packages: &[SourcePackage]) -> String {
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in packages {
        let folder = package.folder.file_name().unwrap_or_default().to_string_lossy();
        let mut rows = Table::from_iter([("path".to_owned(), Value::from(format!("{COPIES}/{folder}")))]);
        if folder != package.name {
            rows.insert("package".to_owned(), package.name.clone().into());
        }
        for source in &package.patches {
            let line = format!("{} = {}\n", quoted(&folder), Value::Table(rows.clone()));
            tables.entry(patched(source)).or_default().push(line);
        }
    }
    tables.iter().map(|(source, lines)| format!("\n[patch.{source}]\n{}", lines.concat())).collect()
}

/// What `[patch]` calls a source.
fn patched(source: &str) -> String {
    let known = Source { repr: source.to_owned() };
    if known.is_crates_io() || source == "sparse+https://index.crates.io/" {
        return "crates-io".to_owned();
    }
    let url = source.strip_prefix("registry+").or(source.strip_prefix("git+")).unwrap_or(source);
    quoted(url.split(['?', '#']).next().unwrap_or(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_name_their_sources_as_cargo_does() {
        let package = |name: &str, folder: &str, patches: &[&str]| SourcePackage {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            folder: Path::new("source").join(folder),
            digest: String::new(),
            patches: patches.iter().map(|p| (*p).to_owned()).collect(),
        };
        let packages = [
            package("a", "a", &["registry+https://github.com/rust-lang/crates.io-index"]),
            package(
                "b",
                "b-1.0.0",
                &["git+https://a.example/b.git?branch=main#0123", "registry+https://a.example/i"],
            ),
            package("c", "c", &[]),
        ];
        let text = patches(&packages);
        let table: Table = text.parse().unwrap();
        let of = |source: &str| table["patch"][source].to_string();
        assert_eq!(of("crates-io"), "{ a = { path = \"sdk/a\" } }");
        for source in ["https://a.example/b.git", "https://a.example/i"] {
            assert_eq!(of(source), "{ \"b-1.0.0\" = { package = \"b\", path = \"sdk/b-1.0.0\" } }");
        }
        assert!(!text.contains("sdk/c"));
    }
}
