//! Features on the command line, as cargo is told of them for the packages of one call.

use super::Builder;
use crate::diagnostic::{Diagnostic, Result};
use crate::plan::Roots;
use cargo_metadata::PackageId;
use std::collections::BTreeSet;

impl Builder<'_> {
    /// What cargo calls a package on its command line. An id would always be clear, but cargo doesn't read one that names
    /// a folder with letters beyond ASCII.
    pub(super) fn specification(&self, id: &PackageId) -> String {
        let package = &self.workspace.metadata[id];
        let same = |p: &&cargo_metadata::Package| p.name == package.name && p.version == package.version;
        match self.workspace.metadata.packages.iter().filter(same).count() {
            1 => format!("{}@{}", package.name, package.version),
            _ => id.repr.clone(),
        }
    }

    /// The features on the command line, each a name with the package that it is meant for, if one is named.
    fn features(&self) -> impl Iterator<Item = &str> {
        let list = self.arguments.features.features.iter();
        list.flat_map(|f| f.split([',', ' '])).filter(|f| !f.is_empty())
    }

    /// The feature options for a call that builds these packages.
    pub(super) fn features_for(&self, packages: &[&PackageId]) -> Vec<String> {
        let members: Vec<&&PackageId> =
            packages.iter().filter(|id| self.workspace.metadata.workspace_members.contains(id)).collect();
        let mut words = Vec::new();
        for feature in self.features() {
            let meant = members.iter().filter(|id| self.declares(id, feature));
            words.extend(meant.map(|id| {
                let name = feature.rsplit('/').next().unwrap_or(feature);
                format!("--features={}/{name}", self.workspace.name(id))
            }));
        }
        for (on, word) in [
            (self.arguments.features.all_features, "--all-features"),
            (self.arguments.features.no_default_features, "--no-default-features"),
        ] {
            if on && !members.is_empty() {
                words.push(word.to_owned());
            }
        }
        words
    }

    fn declares(&self, id: &PackageId, feature: &str) -> bool {
        let package = &self.workspace.metadata[id];
        match feature.split_once('/') {
            Some((name, feature)) => package.name.as_str() == name && package.features.contains_key(feature),
            None => package.features.contains_key(feature),
        }
    }

    pub(super) fn feature_is_on(&self, id: &PackageId, feature: &str) -> bool {
        if self.arguments.features.all_features {
            return true;
        }
        let package = &self.workspace.metadata[id];
        let mut open: Vec<&str> = self.features().filter(|f| self.declares(id, f)).collect();
        if !self.arguments.features.no_default_features {
            open.push("default");
        }
        let mut seen = BTreeSet::new();
        while let Some(name) = open.pop() {
            let name = name.rsplit('/').next().unwrap_or(name);
            if seen.insert(name) {
                open.extend(package.features.get(name).into_iter().flatten().map(String::as_str));
            }
        }
        seen.contains(feature)
    }

    /// A feature that no package of the workspace has is a mistake, and cargo is never asked for it. One of a package that isn't
    /// built would change nothing.
    pub(super) fn check_features(&self) -> Result<()> {
        let members = &self.workspace.metadata.workspace_members;
        for feature in self.features() {
            let having: Vec<&PackageId> = members.iter().filter(|id| self.declares(id, feature)).collect();
            if having.is_empty() {
                let what = format!("no package of the workspace has the feature `{feature}`");
                let names = self.feature_names(feature);
                let error = Diagnostic::error("unknown-feature", what)
                    .did_you_mean(feature, names.iter().map(String::as_str))
                    .usage();
                return Err(match names.is_empty() {
                    true => error.note(
                        "there are no features in it: `[features]` in a package's Cargo.toml makes some",
                    ),
                    false => error.note(format!("there are: {}", names.join(", "))),
                }
                .into());
            }
            if !having.iter().any(|id| self.concerns(id, feature)) {
                return Err(self.feature_of_another(feature, having[0]).into());
            }
        }
        Ok(())
    }

    /// Whether a feature of this package means something to what is built. The API library and, for the features of crates
    /// below it, the hosts are always looked at; they are named then.
    fn concerns(&self, id: &PackageId, feature: &str) -> bool {
        let names = &self.arguments.package;
        let is_selected =
            |id: &PackageId| names.iter().any(|name| self.workspace.member(name).is_ok_and(|m| m == id));
        let is_always_built = self.workspace.api.as_ref() == Some(id) || self.workspace.hosts.contains(id);
        let is_below = || {
            let selected = self.workspace.metadata.workspace_members.iter().filter(|id| is_selected(id));
            self.workspace.libraries.contains(id)
                && selected.into_iter().any(|s| self.workspace.below(s).contains(id))
        };
        names.is_empty() || is_selected(id) || feature.contains('/') && (is_always_built || is_below())
    }

    fn feature_of_another(&self, feature: &str, having: &PackageId) -> Diagnostic {
        let (names, owner) = (self.arguments.package.join("`, `"), self.workspace.name(having));
        let (packages, have) =
            if self.arguments.package.len() == 1 { ("the package", "has") } else { ("the packages", "have") };
        let bare = feature.rsplit('/').next().unwrap_or(feature);
        let qualified = format!("{owner}/{bare}");
        let what = format!("{packages} `{names}` {have} no feature `{feature}`");
        let error = Diagnostic::error("unknown-feature", what).note(format!("`{owner}` has it")).usage();
        match self.concerns(having, &qualified) {
            true => error.help(format!("name it with its package: `--features {qualified}`")),
            false => error.help(format!("build that package too: `-p {owner}`")),
        }
    }

    /// The features that there are, written as `written` is.
    fn feature_names(&self, written: &str) -> Vec<String> {
        let members = self.workspace.metadata.workspace_packages();
        let names = members.iter().flat_map(|package| package.features.keys().map(move |f| (package, f)));
        match written.contains('/') {
            true => names.map(|(package, feature)| format!("{}/{feature}", package.name)).collect(),
            false => names.map(|(_, feature)| feature.clone()).collect(),
        }
    }

    /// What is asked of one plugin.
    pub(super) fn roots(&self, id: &PackageId, tests: bool) -> Roots {
        let meant = self.features().filter(|f| self.declares(id, f));
        Roots {
            features: meant.map(|f| f.rsplit('/').next().unwrap_or(f).to_owned()).collect(),
            all: self.arguments.features.all_features,
            no_default: self.arguments.features.no_default_features,
            tests,
        }
    }
}
