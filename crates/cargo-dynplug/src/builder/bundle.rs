//! What a bundle is made of: a build of hosts and the plugins for them, or of plugins alone, and what is known of the packages inside.

use super::Builder;
use crate::context;
use crate::diagnostic::{Diagnostic, Result};
use crate::outcome::Outcome;
use crate::workspace::Selection;
use cargo_metadata::Package;
use std::path::{Path, PathBuf};

/// The parts of a bundle.
pub struct Parts<'a> {
    /// Hosts, libraries and plugins; not put anywhere yet.
    pub outcome: Outcome,
    /// The host's package; of a bundle without hosts the first plugin's.
    pub main: &'a Package,
    /// The identity of the API library.
    pub identity: String,
    /// The packages of the workspace and below, as the build knows them and as cargo does.
    pub packages: Vec<(&'a context::Package, &'a Package)>,
    /// The target's triple.
    pub target: &'a str,
    /// First line of what rustc says of its version.
    pub rustc: &'a str,
    /// The compiler's sysroot.
    pub sysroot: &'a Path,
    /// A folder for what is made on the way.
    pub work: &'a Path,
    /// Where the bundle lies if nobody says otherwise.
    pub folder: PathBuf,
    /// What was built stays as it is as long as this is there.
    pub lock: std::fs::File,
}

impl Builder<'_> {
    /// Builds what goes into a bundle.
    ///
    /// # Errors
    /// When it isn't clear which host is meant, or a compilation fails (cargo has said why).
    pub fn parts(&self, plugins_alone: bool) -> Result<Parts<'_>> {
        let selection = if plugins_alone { self.plugins_alone()? } else { self.bundled()? };
        self.check_features()?;
        let lock = self.lock()?;
        self.say_notices();
        let (outcome, sdk) = self.make(&selection)?;
        let metadata = &self.workspace.metadata;
        let main = match plugins_alone {
            true => selection.plugins.first(),
            false => selection.hosts.first().filter(|_| !outcome.hosts.is_empty()),
        };
        let main = main.ok_or_else(no_host)?;
        let packages = (self.context.packages.iter())
            .filter_map(|known| {
                let is_it = |p: &&Package| p.manifest_path.parent().is_some_and(|f| f == known.manifest_dir);
                Some((known, metadata.packages.iter().find(is_it)?))
            })
            .collect();
        Ok(Parts {
            outcome,
            main: &metadata[main],
            identity: sdk.description.api.identity,
            packages,
            target: &self.settings.target,
            rustc: &self.settings.version,
            sysroot: &self.settings.sysroot,
            work: &self.work,
            lock,
            folder: self
                .base
                .join("bundle")
                .join(self.settings.outcome(self.arguments.workspace.profile_folder())),
        })
    }

    /// What goes into a bundle without hosts: the plugins that are named or all.
    fn plugins_alone(&self) -> Result<Selection> {
        let mut selection = self.workspace.selection(self.arguments)?;
        if self.arguments.package.is_empty() {
            selection.plugins.clone_from(&self.workspace.plugins);
        }
        selection.hosts.clear();
        match selection.plugins.is_empty() {
            true => Err(Diagnostic::error("no-plugin", "there is no plugin to bundle")
                .note("with `--plugins` a bundle has plugins and no host")
                .help("name one that the workspace has: `-p PLUGIN`")
                .usage()
                .into()),
            false => Ok(selection),
        }
    }

    /// What goes into a bundle: the hosts that are named or the one that there is, and the plugins that are named or all.
    fn bundled(&self) -> Result<Selection> {
        let mut selection = self.workspace.selection(self.arguments)?;
        if selection.hosts.is_empty() {
            selection.hosts.clone_from(&self.workspace.hosts);
        }
        let is_named = |id: &cargo_metadata::PackageId| {
            let name = &self.workspace.metadata[id].name;
            self.arguments.package.iter().any(|p| p.split('@').next() == Some(name.as_str()))
        };
        if selection.hosts.is_empty() {
            return Err(no_host().into());
        }
        if selection.hosts.len() > 1 && !selection.hosts.iter().any(is_named) {
            let names: Vec<String> = selection.hosts.iter().map(|id| self.workspace.name(id)).collect();
            return Err(Diagnostic::error("several-hosts", "the workspace has several hosts")
                .note(names.join(", "))
                .help("say which: `-p HOST`, several times if they are to be in one bundle")
                .usage()
                .into());
        }
        if selection.plugins.is_empty() && selection.libraries.is_empty() {
            selection.plugins.clone_from(&self.workspace.plugins);
        }
        Ok(selection)
    }
}

fn no_host() -> Diagnostic {
    Diagnostic::error("no-host", "there is no host to bundle")
        .note("a host is a package with an executable that depends on the API crate")
        .usage()
}
