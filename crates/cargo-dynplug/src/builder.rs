//! A build from beginning to end: the API library and the hosts, the SDK, the plugins against it, the outcome.

use crate::cargo::{Cargo, Made};
use crate::cli::{BuildArguments, MessageFormat};
use crate::context::{Context, Package, Phase};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files;
use crate::linker;
use crate::outcome::{Host, Outcome};
use crate::profile;
use crate::sdk::Sdk;
use crate::settings::Settings;
use crate::source;
use crate::sysroot;
use crate::workspace::Workspace;
use cargo_metadata::{CrateType, Message, PackageId, TargetKind};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A build under way.
pub struct Builder<'a> {
    arguments: &'a BuildArguments,
    workspace: Workspace,
    settings: Settings,
    /// `target/dynplug`
    base: PathBuf,
    /// What is made on the way.
    work: PathBuf,
    context: Context,
}

impl<'a> Builder<'a> {
    /// Reads the workspace and cargo's configuration, and prepares the folders.
    ///
    /// # Errors
    /// When the workspace isn't one that can be built, or a folder can't be made.
    pub fn new(arguments: &'a BuildArguments) -> Result<Self> {
        let workspace = Workspace::read(arguments)?;
        let settings = Settings::read()?;
        let base = match &arguments.target_dir {
            Some(folder) => std::path::absolute(folder).doing("find the target folder")?.join("dynplug"),
            None => workspace.metadata.target_directory.as_std_path().join("dynplug"),
        };
        let work = base.join("build");
        forget_other_tools(&work)?;
        for name in ["bin", "libraries", "reports"] {
            files::make_folder(&work.join(name))?;
        }
        let linker_shim = work.join("bin").join("dynplug-cc");
        let this = std::env::current_exe().doing("find this program")?;
        files::link(&this, &linker_shim)?;
        let context = Context {
            target: settings.target.clone(),
            profile: arguments.profile().to_owned(),
            rustc: settings.version.clone(),
            cpu_features: settings.cpu_features.clone(),
            sysroot: sysroot::view(
                &settings.sysroot,
                &settings.target,
                &settings.host,
                &settings.version,
                &work,
            )?,
            remap: remap(&workspace, &settings, &base),
            user_wrapper: settings.wrapper.clone(),
            linker: settings.linker.clone(),
            linker_shim,
            reports: work.join("reports"),
            libraries: work.join("libraries"),
            api: workspace.package(&workspace.api),
            api_closure: workspace.api_closure.iter().map(|id| workspace.package(id).manifest_dir).collect(),
            packages: workspace.metadata.packages.iter().map(|p| workspace.package(&p.id)).collect(),
            phase: Phase::Hosts { hosts: BTreeSet::new() },
        };
        Ok(Builder { arguments, workspace, settings, base, work, context })
    }

    /// Builds what was asked for.
    ///
    /// # Errors
    /// When a compilation fails (cargo has said why), a check does, or a file can't be written.
    pub fn build(&self) -> Result<Outcome> {
        let selection = self.workspace.selection(self.arguments)?;
        self.check_features()?;
        let _lock = self.lock()?;
        self.say_notices();
        let (library, hosts) = self.hosts(&selection.hosts)?;
        let described = linker::describe(&library, &self.context)?.ok_or_else(|| {
            Diagnostic::error("bad-product", format!("{} carries no manifest", library.display()))
        })?;
        let parent = self.work.join("sdk").join(self.arguments.profile_folder());
        let sdk = Sdk::make(&described, &self.settings.version, &self.settings.target, &parent)?;
        let mut plugins = Vec::new();
        for id in &selection.plugins {
            plugins.push(self.plugin(id, &sdk)?);
        }
        let folder = match &self.arguments.out_dir {
            Some(folder) => std::path::absolute(folder).doing("find the outcome's folder")?,
            None => self.base.join(self.arguments.profile_folder()),
        };
        let everything = self.arguments.package.is_empty();
        let outcome = Outcome { folder, library: sdk.library(), hosts, plugins };
        outcome.place(everything)?;
        if self.arguments.message_format == MessageFormat::Json {
            outcome.print_messages(&sdk.description.api);
        }
        Ok(outcome)
    }

    fn say_notices(&self) {
        let manifest = self.workspace.metadata.workspace_root.join("Cargo.toml");
        for notice in
            profile::notices(self.arguments.profile(), manifest.as_std_path(), &self.settings.rustflags)
        {
            self.say(&notice);
        }
    }

    fn say(&self, diagnostic: &Diagnostic) {
        match self.arguments.message_format {
            MessageFormat::Json => println!("{}", diagnostic.to_message()),
            MessageFormat::Human if self.arguments.cargo.quiet => {}
            MessageFormat::Human => eprint!("{diagnostic}"),
        }
    }

    /// One build of a target folder at a time: cargo locks its own folders, this is for what lies around them.
    fn lock(&self) -> Result<std::fs::File> {
        let path = self.work.join(".lock");
        let file = std::fs::File::create(&path).doing(format_args!("make {}", path.display()))?;
        if file.try_lock().is_err() {
            if !self.arguments.cargo.quiet {
                eprintln!("    Blocking waiting for another build in {}", self.work.display());
            }
            file.lock().doing(format_args!("lock {}", path.display()))?;
        }
        Ok(file)
    }

    /// The API library and the hosts. Returns the library's file and the executables.
    fn hosts(&self, selected: &[PackageId]) -> Result<(PathBuf, Vec<Host>)> {
        let api = &self.workspace.api;
        let dirs = self.workspace.hosts.iter().map(|id| self.workspace.package(id).manifest_dir).collect();
        let context = Context { phase: Phase::Hosts { hosts: dirs }, ..self.context.clone() };
        // Features are resolved over all hosts whatever is selected, so that the selection doesn't move the identity.
        let packages: Vec<&PackageId> = std::iter::once(api).chain(&self.workspace.hosts).collect();
        let mut cargo = self.cargo(&context, "hosts", &packages)?;
        cargo.rustflag(format!("-Cmetadata=dynplug-{}", env!("CARGO_PKG_VERSION")));
        cargo.word("--lib");
        for id in selected {
            for target in
                self.workspace.metadata[id].targets.iter().filter(|t| t.kind.contains(&TargetKind::Bin))
            {
                let wanted = |f: &String| self.feature_is_on(id, f);
                if target.required_features.iter().all(wanted) {
                    cargo.word(format!("--bin={}", target.name));
                }
            }
        }
        let mut library = None;
        let mut hosts = Vec::new();
        cargo.run(self.arguments.message_format, |message| {
            let Message::CompilerArtifact(artifact) = message else { return };
            if artifact.package_id == *api && artifact.target.crate_types.contains(&CrateType::DyLib) {
                library = shared(&artifact.filenames);
            }
            if let Some(file) = artifact.executable.filter(|_| selected.contains(&artifact.package_id)) {
                hosts.push(Host {
                    name: artifact.target.name,
                    file: file.into(),
                    default: self.workspace.metadata[&artifact.package_id].default_run.clone(),
                });
            }
        })?;
        let library = library.ok_or_else(|| {
            Diagnostic::error(
                "system",
                format!("cargo made no shared library of `{}`", self.workspace.name(api)),
            )
        })?;
        Ok((library, hosts))
    }

    /// One plugin, against the SDK.
    fn plugin(&self, id: &PackageId, sdk: &Sdk) -> Result<Made> {
        let plugin = self.workspace.package(id);
        let context = Context {
            phase: Phase::Plugin { plugin: plugin.clone(), sdk: sdk.folder.clone() },
            ..self.context.clone()
        };
        let mut cargo = self.cargo(&context, "plugins", &[id])?;
        cargo.rustflag(format!("-Cmetadata=dynplug-{}", self.plugin_id(id, &plugin, sdk)?));
        cargo.word("--lib");
        let mut file = None;
        cargo.run(self.arguments.message_format, |message| {
            if let Message::CompilerArtifact(artifact) = message
                && artifact.package_id == *id
                && artifact.target.crate_types.contains(&CrateType::CDyLib)
            {
                file = shared(&artifact.filenames);
            }
        })?;
        let file = file.ok_or_else(|| {
            Diagnostic::error("system", format!("cargo made no shared library of `{}`", plugin.name))
        })?;
        Ok(Made { name: plugin.name, crate_name: plugin.crate_name, version: plugin.version, file })
    }

    /// What tells the private crates of this plugin from those of any other: everything that is known before it is
    /// compiled and is the same on every machine.
    fn plugin_id(&self, id: &PackageId, plugin: &Package, sdk: &Sdk) -> Result<String> {
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
        for dependency in &package.dependencies {
            text += &format!("{} {} {:?}\n", dependency.name, dependency.req, dependency.features);
        }
        let mut below: Vec<String> = (self.workspace.below(id).iter())
            .map(|id| self.workspace.package(id))
            .map(|p| format!("{} {} {}\n", p.name, p.version, p.source))
            .collect();
        below.sort();
        text.extend(below);
        // Two plugins of one name, and two builds of one plugin, share no type of a private crate either. The plugin's own
        // crate has its sources in its id anyway; without others there is nothing to compile again.
        let is_private = |below: &PackageId| below != id && !self.workspace.api_closure.contains(below);
        if self.workspace.below(id).iter().any(is_private) {
            text += &source::hash(&plugin.manifest_dir)?;
        }
        Ok(files::hex(&files::sha256(text.as_bytes())[..16]))
    }

    /// A call of cargo with what all have in common.
    fn cargo(&self, context: &Context, folder: &str, packages: &[&PackageId]) -> Result<Cargo> {
        let mut cargo = Cargo::build(self.settings.rustflags.clone());
        if let Some(path) = &self.arguments.manifest_path {
            cargo.word("--manifest-path").word(path);
        }
        cargo.word("--target").word(&self.settings.target);
        cargo.word("--target-dir").word(self.work.join(folder));
        cargo.word("--profile").word(self.arguments.profile());
        cargo.words(self.arguments.cargo.for_building());
        for id in packages {
            cargo.word("--package").word(self.specification(id));
        }
        cargo.words(self.features_for(packages));
        cargo.variables(profile::overrides(self.arguments.profile()));
        cargo.variables(crate::environment::native_flags(&context.target, &context.remap));
        let this = std::env::current_exe().doing("find this program")?;
        cargo.wrapper(&this, &context.write(&self.work)?);
        Ok(cargo)
    }

    /// What cargo calls a package on its command line. An id would always be clear, but cargo doesn't read one that names
    /// a folder with letters beyond ASCII.
    fn specification(&self, id: &PackageId) -> String {
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
    fn features_for(&self, packages: &[&PackageId]) -> Vec<String> {
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

    fn feature_is_on(&self, id: &PackageId, feature: &str) -> bool {
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

    /// A feature that no package of the workspace has is a mistake, and cargo is never asked for it.
    fn check_features(&self) -> Result<()> {
        let members = &self.workspace.metadata.workspace_members;
        match self.features().find(|f| !members.iter().any(|id| self.declares(id, f))) {
            Some(unknown) => Err(Diagnostic::error(
                "unknown-feature",
                format!("no package of the workspace has the feature `{unknown}`"),
            )
            .usage()
            .into()),
            None => Ok(()),
        }
    }
}

/// cargo doesn't know that this program has changed, and would keep what another one made of the same sources.
fn forget_other_tools(work: &Path) -> Result<()> {
    let this = std::env::current_exe().doing("find this program")?;
    let metadata = this.metadata().doing("find this program")?;
    let stamp = format!("{} {} {:?}", env!("CARGO_PKG_VERSION"), metadata.len(), metadata.modified().ok());
    let path = work.join("tool");
    if work.is_dir() && std::fs::read_to_string(&path).is_ok_and(|s| s != stamp) {
        std::fs::remove_dir_all(work).doing(format_args!("remove {}", work.display()))?;
    }
    files::make_folder(work)?;
    files::write_whole(&path, stamp.as_bytes())
}

/// The shared library among an artifact's files.
fn shared(files: &[cargo_metadata::camino::Utf8PathBuf]) -> Option<PathBuf> {
    files.iter().find(|f| matches!(f.extension(), Some("so" | "dylib" | "dll"))).map(PathBuf::from)
}

/// What folders are called in what is compiled, so that it says nothing of this machine and is the same on any other.
/// The last that fits is used.
fn remap(workspace: &Workspace, settings: &Settings, base: &Path) -> Vec<(String, String)> {
    let mut remap = Vec::new();
    let mut add = |from: &Path, to: String| {
        // Also by the name that the system has for it: rustc resolves links in the folder where it runs.
        for from in [Some(from.to_owned()), from.canonicalize().ok()].into_iter().flatten() {
            let pair = (from.display().to_string(), to.clone());
            if !pair.0.is_empty() && !remap.contains(&pair) {
                remap.push(pair);
            }
        }
    };
    // Debuggers that are started in the workspace find its sources.
    add(workspace.metadata.workspace_root.as_std_path(), ".".to_owned());
    if let Some(home) = &settings.cargo_home {
        add(home, "/dynplug/cargo".to_owned());
    }
    for package in &workspace.metadata.packages {
        let Some(folder) = package.manifest_path.parent() else { continue };
        match &package.source {
            Some(source) if source.repr.starts_with("git+") => {}
            // The folder's name holds a hash of the registry's address, which may be that of a mirror.
            Some(_) => {
                if let Some(parent) = folder.parent() {
                    add(parent.as_std_path(), "/dynplug/registry".to_owned());
                }
            }
            None if !folder.starts_with(&workspace.metadata.workspace_root) => {
                add(folder.as_std_path(), format!("/dynplug/path/{}-{}", package.name, package.version));
            }
            None => {}
        }
    }
    add(base, "/dynplug/target".to_owned());
    remap
}
