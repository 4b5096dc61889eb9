//! The workspace's plugins, where its tests find them: beside the executables of hosts' tests, and beside the hosts that
//! these tests start.

use super::Builder;
use super::libraries::Libraries;
use crate::diagnostic::Result;
use crate::files;
use crate::outcome::Outcome;
use crate::sdk::Sdk;
use crate::workspace::Selection;
use std::path::PathBuf;

impl Builder<'_> {
    /// The folder for what cargo makes of hosts by one of its other commands. Workspaces may share a target folder; each has one
    /// of its own here, since tests of one look for plugins there while another is built.
    pub(super) fn folder_of_hosts(&self, command: &str) -> String {
        let root = self.workspace.metadata.workspace_root.as_str();
        format!("hosts-{command}-{}", files::hex(&files::sha256(root.as_bytes())[..4]))
    }

    /// Builds all plugins and puts them beside the executables that `cargo <command>` makes of hosts. Returns the folder.
    pub(super) fn findable_plugins(
        &self,
        command: &str,
        all: &Selection,
        sdk: &Sdk,
        libraries: &Libraries<'_>,
    ) -> Result<PathBuf> {
        let plans = self.plans(&all.plugins, libraries, false)?;
        let mut plugins = Vec::new();
        for (id, plan) in all.plugins.iter().zip(plans) {
            plugins.push(self.plugin(id, &libraries.below(id), plan)?);
        }
        // Here cargo puts executables by their names, and those of tests a folder deeper.
        let folder = self.work.join(self.folder_of_hosts(command)).join(&self.settings.target);
        let folder = folder.join(self.arguments.workspace.profile_folder());
        let (library, libraries) = (sdk.library(), libraries.built());
        let outcome = Outcome { folder, library, hosts: Vec::new(), runner: None, plugins, libraries };
        let place = outcome.folder.join("plugins");
        files::make_folder(&place)?;
        // A plugin that is gone from the workspace isn't found in its tests either.
        outcome.place(true, &self.work.join("placed"))?;
        for name in ["deps", "examples"] {
            let deeper = outcome.folder.join(name);
            files::make_folder(&deeper)?;
            files::link_folder(&place, &deeper.join("plugins"))?;
        }
        Ok(place)
    }
}
