//! Libraries that plugins share among themselves: each is built once, on top of the SDK, before the plugins above it.

use super::Builder;
use crate::context::Purpose;
use crate::diagnostic::Result;
use crate::outcome::PluginLibrary;
use crate::sdk::Sdk;
use crate::workspace::{Selection, Workspace};
use cargo_metadata::PackageId;

/// The SDK, and what was built on top of it.
pub(super) struct Libraries<'a> {
    workspace: &'a Workspace,
    sdk: Sdk,
    /// Each after those that it needs.
    built: Vec<(PackageId, Sdk)>,
}

impl Libraries<'_> {
    /// The SDK with the libraries below a package.
    pub(super) fn below(&self, id: &PackageId) -> Sdk {
        let below = self.workspace.below(id);
        let libraries = self.built.iter().filter(|(library, _)| library != id && below.contains(library));
        Sdk { libraries: libraries.map(|(_, library)| library.clone()).collect(), ..self.sdk.clone() }
    }

    /// What was built.
    pub(super) fn built(&self) -> Vec<PluginLibrary> {
        let libraries = self.built.iter().map(|(_, library)| PluginLibrary {
            file: library.library(),
            description: library.description.api.clone(),
        });
        libraries.collect()
    }
}

impl Builder<'_> {
    /// Builds the libraries below the selected plugins, and those that are selected themselves.
    pub(super) fn libraries(&self, selection: &Selection, sdk: &Sdk) -> Result<Libraries<'_>> {
        let mut libraries = Libraries { workspace: &self.workspace, sdk: sdk.clone(), built: Vec::new() };
        let wanted = selection.plugins.iter().chain(&selection.libraries);
        let wanted: Vec<_> = wanted.map(|id| self.workspace.below(id)).collect();
        for id in self.workspace.libraries.iter().filter(|id| wanted.iter().any(|below| below.contains(id))) {
            let library = self.library(id, &libraries)?;
            libraries.built.push((id.clone(), library));
        }
        Ok(libraries)
    }

    fn library(&self, id: &PackageId, libraries: &Libraries<'_>) -> Result<Sdk> {
        let plan = self.plans(std::slice::from_ref(id), libraries, false)?.pop().unwrap_or_default();
        let file = self.shared_library(id, &libraries.below(id), plan, Purpose::Library)?;
        let parent = self.work.join("plugin-libraries").join(self.arguments.workspace.profile_folder());
        Ok(Sdk { of_plugins: true, ..self.sdk_of(&file, &[], &parent)? })
    }
}
