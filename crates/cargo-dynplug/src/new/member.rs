//! One more plugin in a workspace that is there: a host's, or one of plugins.

use super::plugin::write;
use super::staging::Place;
use super::{Made, Request, begin, check, crate_name, fill, names, portable, quoted};
use crate::diagnostic::{Diagnostic, Doing, Result, Span};
use crate::files;
use crate::sdk::packages;
use crate::workspace::Workspace;
use cargo_metadata::{Dependency, DependencyKind, Package};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Makes the package and enters it into the workspace, whose plugins are built with `sdk`, if that isn't its own.
///
/// # Errors
/// When the name or place is taken, the workspace doesn't take the package for a member, or a file can't be written.
pub(super) fn make(request: &Request<'_>, workspace: &Workspace, sdk: Option<&Path>) -> Result<Made> {
    let metadata = &workspace.metadata;
    let api = workspace.api.as_ref().map(|id| &metadata[id]).ok_or_else(|| {
        Diagnostic::error("no-api-crate", "no plugin of the workspace depends on the API crate of its SDK")
            .help("make a project of its own: `cargo dynplug new PATH --sdk FILE`, outside of the workspace")
            .usage()
    })?;
    let members = metadata.workspace_packages();
    let members = members.iter().map(|p| (p.name.as_str(), "the packages of the workspace"));
    let shared = workspace.api_closure.iter().map(|id| (metadata[id].name.as_str(), "what the host shares"));
    if let Some(error) = names::taken(&request.name, members.chain(shared)) {
        return Err(error.into());
    }
    let root = metadata.workspace_root.join("Cargo.toml").into_std_path_buf();
    let place = Place::take(request)?;
    let undo = Undo::new(&root)?;
    begin(request, &request.name, "--lib", &request.place)?;

    let declared = declared_by_the_workspace(&root)?;
    let mut lines = Vec::new();
    let mut others: Vec<&Package> = metadata.workspace_packages();
    others.push(api);
    for name in ["dynplug", api.name.as_str()] {
        lines.push(match declared.iter().any(|d| d == name) {
            true => format!("{name}.workspace = true\n"),
            false => dependency(name, &others, workspace, &request.place)?,
        });
    }
    lines.sort();
    let path = request.place.join("Cargo.toml");
    let begun = std::fs::read_to_string(&path).doing(format_args!("read {}", path.display()))?;
    let inherits = metadata.workspace_metadata.get("dynplug").is_some_and(|d| d.get("sdk").is_some());
    let sdk = sdk.filter(|_| !inherits);
    write(&request.place, "Cargo.toml", &completed(&begun, &lines.concat(), sdk, &request.place)?)?;
    let (api_crate, plugin) = (library_name(api), crate_name(&request.name));
    let values = [("api", &*api_crate), ("plugin", &plugin), ("package", &request.name)];
    write(&request.place, "src/lib.rs", &fill(include_str!("templates/plugin.rs"), &values))?;

    let checked = check(&request.place, request)?;
    let is_member = |p: &&Package| p.name.as_str() == request.name;
    if checked.workspace_root != metadata.workspace_root
        || !checked.workspace_packages().iter().any(is_member)
    {
        return Err(Diagnostic::error("no-member", "the workspace does not take the plugin for a member")
            .span({
                let manifest = metadata.workspace_root.join("Cargo.toml");
                let place = |key| Span::in_manifest(manifest.as_std_path(), &["workspace", key]);
                place("exclude").or_else(|| place("members"))
            })
            .note(format!("the workspace is in {}", metadata.workspace_root))
            .help("see `exclude` in its Cargo.toml")
            .usage()
            .into());
    }
    place.keep();
    let changed = undo.keep();
    Ok(Made {
        kind: "plugin",
        api: format!("{} {}", api.name, api.version),
        sdk: sdk.map(Path::to_owned),
        packages: vec![(request.name.clone(), "")],
        contents: vec![
            ("Cargo.toml".to_owned(), "the package".to_owned()),
            ("src/lib.rs".to_owned(), "the plugin, with tests".to_owned()),
        ],
        changed,
        next: vec![
            ("cargo dynplug build".to_owned(), "builds the workspace, the plugin too"),
            ("cargo dynplug test".to_owned(), "tests its plugins as the host would run them"),
        ],
    })
}

/// What the workspace's `Cargo.toml` was before, into which cargo enters new members. It is that again unless it is kept.
struct Undo<'a> {
    root: &'a Path,
    text: Vec<u8>,
    kept: bool,
}

impl<'a> Undo<'a> {
    fn new(root: &'a Path) -> Result<Self> {
        let text = std::fs::read(root).doing(format_args!("read {}", root.display()))?;
        Ok(Undo { root, text, kept: false })
    }

    /// Lets it stay as it is. Says what changed.
    fn keep(mut self) -> Vec<PathBuf> {
        self.kept = true;
        let is_same = std::fs::read(self.root).is_ok_and(|now| now == self.text);
        if is_same { Vec::new() } else { vec![self.root.to_owned()] }
    }
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        if !self.kept {
            // There is an error under way already.
            let _ = files::write_whole(self.root, &self.text);
        }
    }
}

/// The packages that the workspace's `Cargo.toml` has in `[workspace.dependencies]` under their own names.
fn declared_by_the_workspace(root: &Path) -> Result<Vec<String>> {
    let what = format!("read {}", root.display());
    let text = std::fs::read_to_string(root).doing(&what)?;
    let table: Table = text.parse::<Table>().doing(&what)?;
    let list = table.get("workspace").and_then(|w| w.get("dependencies")).and_then(Value::as_table);
    let own = list.into_iter().flatten().filter(|(_, value)| value.get("package").is_none());
    Ok(own.map(|(name, _)| name.clone()).collect())
}

/// The line for a package that others of the workspace depend on, as they do.
fn dependency(name: &str, others: &[&Package], workspace: &Workspace, from: &Path) -> Result<String> {
    let metadata = &workspace.metadata;
    let is_it = |d: &&Dependency| d.name == name && d.kind == DependencyKind::Normal;
    let declared = others.iter().flat_map(|p| &p.dependencies).find(is_it);
    let mut rows = Table::new();
    let folder = match declared {
        Some(declared) => declared.path.as_ref().map(|p| p.as_std_path().to_owned()),
        None => {
            let package = metadata.packages.iter().find(|p| p.name.as_str() == name && p.source.is_none());
            package.and_then(|p| p.manifest_path.parent()).map(|p| p.as_std_path().to_owned())
        }
    };
    match (folder, declared.and_then(|d| d.source.as_ref())) {
        (Some(folder), _) => {
            rows.insert("path".to_owned(), portable(&files::relative(from, &folder))?.into());
        }
        (None, source) => rows.extend(source.map(packages::place).unwrap_or_default()),
    }
    if let Some(declared) = declared {
        let version = declared.req.to_string();
        if version != "*" || rows.is_empty() {
            rows.insert("version".to_owned(), version.into());
        }
        if !declared.uses_default_features {
            rows.insert("default-features".to_owned(), false.into());
        }
        if !declared.features.is_empty() {
            rows.insert("features".to_owned(), declared.features.clone().into());
        }
    }
    if rows.is_empty() {
        return Err(Diagnostic::error("no-dynplug", format!("nothing in the workspace depends on `{name}`"))
            .usage()
            .into());
    }
    Ok(format!("{name} = {}\n", Value::Table(rows)))
}

/// The `Cargo.toml` that cargo has begun, as that of a plugin.
fn completed(begun: &str, dependencies: &str, sdk: Option<&Path>, place: &Path) -> Result<String> {
    let lib = "[lib]\ncrate-type = [\"lib\", \"cdylib\"]\n";
    let metadata = match sdk {
        Some(path) => {
            format!(
                "[package.metadata.dynplug]\nsdk = {}\n\n",
                quoted(&portable(&files::relative(place, path))?)
            )
        }
        None => String::new(),
    };
    let title = "[dependencies]\n";
    let (before, after) = begun.split_once(title).unwrap_or((begun, ""));
    Ok(format!("{}\n\n{metadata}{lib}\n{title}{dependencies}{after}", before.trim_end()))
}

/// The name of a package's library.
fn library_name(package: &Package) -> String {
    let library = package.targets.iter().find(|t| t.crate_types.contains(&cargo_metadata::CrateType::DyLib));
    crate_name(library.map_or(package.name.as_str(), |t| &t.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_began_is_completed() {
        let begun = "[package]\nname = \"x\"\n\n[dependencies]\n\n[lints]\nworkspace = true\n";
        let text =
            completed(begun, "a = 1\n", Some(Path::new("/w/a.sdk.tar.zst")), Path::new("/w/x")).unwrap();
        let table: Table = text.parse().unwrap();
        assert_eq!(table["dependencies"]["a"].as_integer(), Some(1));
        assert_eq!(table["lints"]["workspace"].as_bool(), Some(true));
        assert_eq!(table["package"]["metadata"]["dynplug"]["sdk"].as_str(), Some("../a.sdk.tar.zst"));
        assert_eq!(table["lib"]["crate-type"].as_array().map(Vec::len), Some(2));
    }
}
