//! One plugin: its plan, its id, its compilation against the SDK.

use super::libraries::Libraries;
use super::{Builder, shared};
use crate::cargo::{Cargo, Made};
use crate::context::{Context, Package, Phase, Purpose, Running};
use crate::diagnostic::{Diagnostic, Result};
use crate::files;
use crate::plan::Plan;
use crate::sdk::Sdk;
use crate::source;
use crate::wrapper::left_out;
use cargo_metadata::{CrateType, Message, PackageId};
use std::collections::BTreeSet;
use std::path::PathBuf;

impl Builder<'_> {
    /// Plans the builds of all plugins, with their tests if asked for, and says of all what keeps them from being built.
    pub(super) fn plans(
        &self,
        plugins: &[PackageId],
        libraries: &Libraries<'_>,
        tests: bool,
    ) -> Result<Vec<Plan>> {
        let mut errors = Vec::new();
        let mut plan = |id| {
            let sdk = libraries.below(id);
            Plan::new(&self.workspace, &sdk, id, &self.roots(id, tests), &mut errors)
        };
        let plans = plugins.iter().map(&mut plan).collect();
        let Some(last) = errors.pop() else { return Ok(plans) };
        for error in &errors {
            self.say(error);
        }
        Err(last.into())
    }

    /// One plugin, against the SDK.
    pub(super) fn plugin(&self, id: &PackageId, sdk: &Sdk, plan: Plan) -> Result<Made> {
        let plugin = self.workspace.package(id);
        let file = self.shared_library(id, sdk, plan, Purpose::Host)?;
        Ok(Made { name: plugin.name, crate_name: plugin.crate_name, version: plugin.version, file })
    }

    /// Has cargo compile a plugin, or a library of plugins. Returns the file.
    pub(super) fn shared_library(
        &self,
        id: &PackageId,
        sdk: &Sdk,
        plan: Plan,
        purpose: Purpose,
    ) -> Result<PathBuf> {
        let kind = if purpose == Purpose::Library { CrateType::DyLib } else { CrateType::CDyLib };
        let running = self.context.running.clone();
        let mut cargo = self.cargo_for_plugin("build", id, sdk, plan, purpose, running)?;
        cargo.word("--lib");
        let mut file = None;
        cargo.run(self.arguments.messages.message_format, |message| {
            if let Message::CompilerArtifact(artifact) = message
                && artifact.package_id == *id
                && artifact.target.crate_types.contains(&kind)
            {
                file = shared(&artifact.filenames);
            }
        })?;
        file.ok_or_else(|| {
            let name = self.workspace.name(id);
            Diagnostic::error("system", format!("cargo made no shared library of `{name}`")).into()
        })
    }

    /// A call of cargo that compiles a plugin, a library of plugins, or the tests of a host.
    pub(super) fn cargo_for_plugin(
        &self,
        command: &str,
        id: &PackageId,
        sdk: &Sdk,
        plan: Plan,
        purpose: Purpose,
        running: Running,
    ) -> Result<Cargo> {
        let plugin = self.workspace.package(id);
        let plugin_id = self.plugin_id(id, &plugin, sdk, &plan)?;
        for package in plan.private.iter().chain(&plan.host_side) {
            left_out::forget(&self.context.left_out, package)?;
        }
        let mut folder = plugins_folder(sdk);
        // cargo doesn't know that the same crate comes out otherwise.
        match purpose {
            Purpose::Host | Purpose::Library => {}
            Purpose::Tool => folder += &format!("-{command}"),
            Purpose::HostTool => folder = self.folder_of_hosts(command),
        }
        let libraries = sdk.libraries.iter().map(|library| library.folder.clone()).collect();
        let mut context = Context {
            running,
            phase: Phase::Plugin {
                plugin,
                sdk: sdk.folder.clone(),
                libraries,
                plan: Box::new(plan),
                purpose,
            },
            ..self.context.clone()
        };
        if sdk.has_std() {
            context.sysroot = self.settings.toolchain().view_of(sdk, &self.work)?;
            context.has_std = true;
        }
        let mut cargo = self.cargo(command, &context, &folder, &[id])?;
        cargo.rustflag(format!("-Cmetadata=dynplug-{plugin_id}"));
        Ok(cargo)
    }

    /// What packages are called on every machine.
    fn names(&self, folders: &BTreeSet<PathBuf>) -> BTreeSet<String> {
        let packages = self.context.packages.iter().filter(|p| folders.contains(&p.manifest_dir));
        packages.map(|p| format!("{} {} {}", p.name, p.version, p.source)).collect()
    }

    /// What tells the private crates of this plugin from those of any other: everything that is known before it is
    /// compiled and is the same on every machine.
    fn plugin_id(&self, id: &PackageId, plugin: &Package, sdk: &Sdk, plan: &Plan) -> Result<String> {
        let package = &self.workspace.metadata[id];
        let mut text = format!(
            "{} {} {} {} {:?} {:?} {:?}\n{} {}\n",
            plugin.name,
            plugin.version,
            plugin.source,
            plugin.crate_name,
            package.authors,
            package.description,
            package.repository,
            sdk.description.api.identity,
            env!("CARGO_PKG_VERSION"),
        );
        for library in &sdk.libraries {
            text += &format!("{}\n", library.description.api.identity);
        }
        for dependency in &package.dependencies {
            text += &format!("{} {} {:?}\n", dependency.name, dependency.req, dependency.features);
        }
        let mut below: Vec<String> = (self.workspace.below(id).iter())
            .map(|id| self.workspace.package(id))
            .map(|p| format!("{} {} {}\n", p.name, p.version, p.source))
            .collect();
        below.sort();
        text.extend(below);
        // The same packages may be shared in one build and private in the next.
        text += &format!("{:?}\n", self.names(&plan.private));
        // Two plugins of one name, and two builds of one plugin, share no type of a private crate either. The plugin's own
        // crate has its sources in its id anyway; without others there is nothing to compile again.
        if plan.private.len() > 1 {
            text += &source::hash(&plugin.manifest_dir)?;
        }
        Ok(files::hex(&files::sha256(text.as_bytes())[..16]))
    }
}

/// The folder for what cargo makes of plugins. cargo doesn't notice that stubs lead to another SDK.
fn plugins_folder(sdk: &Sdk) -> String {
    match sdk.is_external() {
        false => "plugins".to_owned(),
        true => {
            let key = files::sha256(sdk.folder.as_os_str().as_encoded_bytes());
            format!("plugins-{}", files::hex(&key[..8]))
        }
    }
}
