//! The project of an executable with plugins linked in: a `Cargo.toml` and a `main.rs` that people can read, keep and
//! build with plain cargo.

use super::wanted::{Origin, Wanted};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files;
use cargo_metadata::Package;
use serde::Serialize;
use std::path::{Component, Path, PathBuf};
use toml::{Table, Value};

/// What the project is made of.
pub(super) struct Project<'a> {
    /// Its folder.
    pub(super) folder: &'a Path,
    /// The host's package.
    pub(super) host: &'a Package,
    /// The name of the executable.
    pub(super) bin: &'a str,
    /// The root of the host's workspace.
    pub(super) root: &'a Path,
    /// The host's features; and whether `default` is left out.
    pub(super) features: &'a [String],
    pub(super) no_default_features: bool,
    /// The plugins.
    pub(super) plugins: &'a [Wanted],
}

/// In the order in which people read it.
#[derive(Serialize)]
struct Manifest {
    package: Table,
    bin: Vec<Table>,
    dependencies: Table,
    workspace: Table,
    #[serde(skip_serializing_if = "Table::is_empty")]
    profile: Table,
    #[serde(skip_serializing_if = "Table::is_empty")]
    patch: Table,
}

impl Project<'_> {
    /// The name of its package: another than the host's, since the two are in one lock file.
    pub(super) fn package(&self) -> String {
        format!("{}-linked", self.bin)
    }

    /// Writes the project, with the lock file of the host's workspace.
    ///
    /// # Errors
    /// When a file can't be read or written.
    pub(super) fn write(&self) -> Result<()> {
        files::make_folder(&self.folder.join("src"))?;
        let text = self.manifest()?;
        files::write_whole(&self.folder.join("Cargo.toml"), text.as_bytes())?;
        files::write_whole(&self.folder.join("src/main.rs"), self.main().as_bytes())?;
        let lock = self.root.join("Cargo.lock");
        if lock.is_file() {
            let text = std::fs::read(&lock).doing(format_args!("read {}", lock.display()))?;
            files::write_whole(&self.folder.join("Cargo.lock"), &text)?;
        }
        Ok(())
    }

    fn manifest(&self) -> Result<String> {
        let path = self.root.join("Cargo.toml");
        let text = std::fs::read_to_string(&path).doing(format_args!("read {}", path.display()))?;
        let root: Table = text.parse().doing(format_args!("understand {}", path.display()))?;
        let mut package = Table::new();
        for (key, value) in [
            ("name", self.package()),
            ("version", self.host.version.to_string()),
            ("edition", self.host.edition.as_str().to_owned()),
        ] {
            package.insert(key.to_owned(), value.into());
        }
        package.insert("publish".to_owned(), false.into());
        let mut dependencies = Table::new();
        dependencies.insert("host".to_owned(), Value::Table(self.host_dependency()?));
        for plugin in self.plugins {
            dependencies.insert(key(&plugin.name), Value::Table(self.plugin_dependency(plugin)));
        }
        let mut workspace = Table::new();
        workspace.insert("resolver".to_owned(), resolver(&root, self.host).into());
        let mut bin = Table::new();
        for (key, value) in [("name", self.bin), ("path", "src/main.rs")] {
            bin.insert(key.to_owned(), value.into());
        }
        let manifest = Manifest {
            package,
            bin: vec![bin],
            dependencies,
            workspace,
            profile: table(&root, "profile"),
            patch: self.with_paths(table(&root, "patch")),
        };
        let text = toml::to_string(&manifest).doing("write the project's Cargo.toml")?;
        Ok(format!(
            "# Made by `cargo dynplug link`: `{}` with plugins linked in. Build it with plain cargo.\n\n{text}",
            self.host.name
        ))
    }

    fn main(&self) -> String {
        let mut text = format!(
            "//! `{}` with plugins linked in. Made by `cargo dynplug link`.\n\n// rustc links what is named.\n",
            self.host.name
        );
        for plugin in self.plugins {
            text += &format!("use {} as _;\n", key(&plugin.name));
        }
        text + "\nfn main() -> impl std::process::Termination {\n    host::main()\n}\n"
    }

    fn host_dependency(&self) -> Result<Table> {
        let folder = self.host.manifest_path.parent().map(|p| p.as_std_path());
        let folder =
            folder.ok_or_else(|| Diagnostic::error("cargo-metadata", "a Cargo.toml has no folder"))?;
        let mut row = Table::new();
        row.insert("package".to_owned(), self.host.name.to_string().into());
        row.insert("path".to_owned(), self.path(folder).into());
        if self.no_default_features {
            row.insert("default-features".to_owned(), false.into());
        }
        if !self.features.is_empty() {
            row.insert("features".to_owned(), self.features.to_vec().into());
        }
        Ok(row)
    }

    fn plugin_dependency(&self, plugin: &Wanted) -> Table {
        let mut row = Table::new();
        row.insert("package".to_owned(), plugin.name.clone().into());
        match &plugin.origin {
            Origin::Path(folder) => drop(row.insert("path".to_owned(), self.path(folder).into())),
            Origin::Registry(version) => drop(row.insert("version".to_owned(), version.clone().into())),
            Origin::Git(address, reference) => {
                row.insert("git".to_owned(), address.clone().into());
                row.extend(reference.clone().map(|(key, value)| (key, value.into())));
            }
        }
        row
    }

    /// How the project calls a folder: from its own place, where both lie in the host's workspace, so that the workspace can
    /// be moved.
    fn path(&self, folder: &Path) -> String {
        let inside = |path: &Path| path.starts_with(self.root);
        let path = match inside(self.folder) && inside(folder) {
            true => relative(self.folder, folder),
            false => folder.to_owned(),
        };
        // With `/` on every system, since it is written down.
        path.to_string_lossy().replace('\\', "/")
    }

    /// The table `patch` with the paths of the host's workspace as they are from the project.
    fn with_paths(&self, mut patch: Table) -> Table {
        let sources = patch.iter_mut().filter_map(|(_, source)| source.as_table_mut());
        for (_, row) in sources.flat_map(|source| source.iter_mut()) {
            if let Some(Value::String(path)) = row.get_mut("path") {
                *path = self.path(&self.root.join(&*path));
            }
        }
        patch
    }
}

/// By what name the project calls a plugin.
fn key(name: &str) -> String {
    format!("plugin_{}", name.replace('-', "_"))
}

fn table(root: &Table, key: &str) -> Table {
    root.get(key).and_then(Value::as_table).cloned().unwrap_or_default()
}

/// The version of cargo's resolver that the host's workspace has.
fn resolver(root: &Table, host: &Package) -> String {
    let named = |key: &str| root.get(key)?.get("resolver")?.as_str().map(str::to_owned);
    named("workspace").or_else(|| named("package")).unwrap_or_else(|| {
        // A virtual workspace that says nothing has the first.
        match (root.contains_key("package"), host.edition.as_str()) {
            (false, _) | (_, "2015" | "2018") => "1",
            (_, "2021") => "2",
            _ => "3",
        }
        .to_owned()
    })
}

/// The way from one folder to another.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let (mut from, mut to) = (from.components().peekable(), to.components().peekable());
    while from.peek().is_some() && from.peek() == to.peek() {
        from.next();
        to.next();
    }
    from.map(|_| Component::ParentDir).chain(to).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_from_one_folder_to_another() {
        assert_eq!(relative(Path::new("/a/b/c"), Path::new("/a/d")), Path::new("../../d"));
        assert_eq!(relative(Path::new("/a"), Path::new("/a/d/e")), Path::new("d/e"));
    }
}
