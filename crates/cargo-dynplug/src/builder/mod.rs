//! A build from beginning to end: the API library and the hosts, the SDK, the plugins against it, the outcome.

mod bundle;
mod export;
mod features;
mod findable;
mod folders;
mod libraries;
mod plugin;
mod runner;
mod tools;

use crate::cargo::{Cargo, Relay, Said};
use crate::cli::{BuildArguments, MessageFormat};
use crate::context::{Context, Package, Phase, Running};
use crate::diagnostic::{Diagnostic, Doing, Level, Result};
use crate::files;
use crate::linker;
use crate::metadata_keys;
use crate::outcome::{Host, Outcome};
use crate::profile;
use crate::sdk::links::{self, Place, Script};
use crate::sdk::{Making, Sdk, locate};
use crate::settings::Settings;
use crate::toolchain;
use crate::workspace::{Selection, Workspace, read_metadata};
pub use bundle::Parts;
use cargo_metadata::{CrateType, Message, PackageId, TargetKind};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
pub use tools::Tool;

/// The name by which cargo calls this program in place of rustdoc.
pub const RUSTDOC_SHIM: &str = "dynplug-rustdoc";
/// The name by which cargo and rustdoc call it to run tests.
const RUNNER_SHIM: &str = "dynplug-test-runner";

/// A build under way.
pub struct Builder<'a> {
    arguments: &'a BuildArguments,
    workspace: Workspace,
    settings: Settings,
    /// The SDK of a host that is built elsewhere.
    sdk: Option<Sdk>,
    /// `target/dynplug`
    base: PathBuf,
    /// What is made on the way.
    work: PathBuf,
    context: Context,
    /// What cargo has said so far.
    said: Said,
}

/// What came of preparing a build.
pub enum Prepared<'a> {
    /// It can begin.
    Ready(Box<Builder<'a>>),
    /// It was done by another run of this program, with the compiler that it takes; this is the exit code.
    Done(i32),
}

/// What cargo built for hosts.
struct Hosts {
    /// The API library.
    library: PathBuf,
    /// The executables.
    hosts: Vec<Host>,
    /// What build scripts told those of dependents, with the folders of what they made.
    scripts: Vec<(Script, PathBuf)>,
}

impl<'a> Builder<'a> {
    /// Reads the workspace and cargo's configuration, finds the SDK where another than the workspace's own is asked for,
    /// and prepares the folders.
    ///
    /// # Errors
    /// When the workspace isn't one that can be built, the SDK isn't there or is for another machine or compiler, or a
    /// folder can't be made.
    pub fn prepare_for(arguments: &'a BuildArguments) -> Result<Prepared<'a>> {
        let settings = Settings::read(arguments.workspace.target.as_deref())?;
        let metadata = read_metadata(arguments, &settings.targets())?;
        let Some(sdk) = locate::find(arguments, &metadata, &settings.target)? else {
            let builder = Self::prepare(arguments, Workspace::of_host(metadata, arguments)?, settings, None)?;
            return Ok(Prepared::Ready(Box::new(builder)));
        };
        if let Some(code) = toolchain::choose(&sdk, &settings, arguments)? {
            return Ok(Prepared::Done(code));
        }
        let workspace = Workspace::of_plugins(metadata, &sdk)?;
        let builder = Self::prepare(arguments, workspace, settings, Some(sdk))?;
        Ok(Prepared::Ready(Box::new(builder)))
    }

    /// The same for a workspace that has a host, whatever SDK it names.
    ///
    /// # Errors
    /// When the workspace isn't one that can be built, or a folder can't be made.
    pub fn of_host(arguments: &'a BuildArguments) -> Result<Self> {
        let settings = Settings::read(arguments.workspace.target.as_deref())?;
        let metadata = read_metadata(arguments, &settings.targets())?;
        Self::prepare(arguments, Workspace::of_host(metadata, arguments)?, settings, None)
    }

    fn prepare(
        arguments: &'a BuildArguments,
        workspace: Workspace,
        settings: Settings,
        sdk: Option<Sdk>,
    ) -> Result<Self> {
        if settings.is_static {
            return Err(static_target(&settings.target).into());
        }
        let manifest = workspace.metadata.workspace_root.join("Cargo.toml");
        profile::check(arguments.workspace.profile(), manifest.as_std_path(), &arguments.cargo.config)?;
        let base = match &arguments.workspace.target_dir {
            Some(folder) => std::path::absolute(folder).doing("find the target folder")?.join("dynplug"),
            None => workspace.metadata.target_directory.as_std_path().join("dynplug"),
        };
        let work = base.join("build");
        folders::forget_other_tools(&work)?;
        // A target folder may be a link, and rustc names libraries by where they really are.
        let work = work.canonicalize().doing(format_args!("find {}", work.display()))?;
        for name in ["bin", "left-out", "libraries", "reports"] {
            files::make_folder(&work.join(name))?;
        }
        let linker_shim = work.join("bin").join("dynplug-cc");
        let this = std::env::current_exe().doing("find this program")?;
        files::link(&this, &linker_shim)?;
        for name in [RUSTDOC_SHIM, RUNNER_SHIM] {
            files::link(&this, &work.join("bin").join(name))?;
        }
        let api = match (&sdk, &workspace.api) {
            (Some(sdk), api) => {
                let known = api.as_ref().map(|id| workspace.package(id).manifest_dir);
                let api = &sdk.description.api;
                Package {
                    name: api.package.clone(),
                    version: api.version.clone(),
                    source: String::new(),
                    crate_name: api.crate_name.clone(),
                    manifest_dir: known.unwrap_or_default(),
                }
            }
            (None, Some(api)) => workspace.package(api),
            (None, None) => return Err(Diagnostic::error("no-api-crate", "there is no API crate").into()),
        };
        let mut remap = folders::remap(&workspace.metadata, &settings, &base);
        remap.push((work.display().to_string(), "/dynplug/target/build".to_owned()));
        if let Some(sdk) = &sdk {
            remap.push((sdk.folder.display().to_string(), "/dynplug/sdk".to_owned()));
        }
        let context = Context {
            target: settings.target.clone(),
            profile: arguments.workspace.profile().to_owned(),
            rustc: settings.version.clone(),
            cpu_features: settings.cpu_features.clone(),
            sysroot: settings.toolchain().view(true, &work)?,
            bare_sysroot: settings.toolchain().view(false, &work)?,
            has_std: settings.toolchain().has_std(),
            remap,
            user_wrapper: settings.wrapper.clone(),
            linker: settings.linker.clone(),
            linker_shim,
            rustdoc: settings.rustdoc.clone(),
            reports: work.join("reports"),
            libraries: work.join("libraries"),
            left_out: work.join("left-out"),
            api,
            api_closure: workspace.api_closure.iter().map(|id| workspace.package(id).manifest_dir).collect(),
            packages: workspace.metadata.packages.iter().map(|p| workspace.package(&p.id)).collect(),
            running: Running {
                runner: settings.runner.iter().map(|w| w.to_string_lossy().into_owned()).collect(),
                ..Running::default()
            },
            phase: Phase::Hosts { hosts: BTreeSet::new() },
        };
        let said = Said::nothing(settings.settled);
        Ok(Builder { arguments, workspace, settings, sdk, base, work, context, said })
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
        let everything = self.arguments.package.is_empty();
        if everything {
            self.workspace.left_out().iter().for_each(|warning| self.say(warning));
        }
        let (outcome, sdk) = self.make(&selection)?;
        outcome.place(everything, &self.work.join("placed"))?;
        if !everything {
            let misfits = outcome.misfits(&sdk.description.api.identity, &self.work.join("placed"));
            partial_build(&outcome.folder, &misfits).iter().for_each(|warning| self.say(warning));
        }
        if self.arguments.messages.message_format == MessageFormat::Json {
            outcome.print_messages(&sdk.description.api);
        }
        Ok(outcome)
    }

    /// Builds what is selected, and puts it nowhere yet.
    fn make(&self, selection: &Selection) -> Result<(Outcome, Sdk)> {
        let (sdk, hosts) = self.sdk_and_hosts(&selection.hosts)?;
        let libraries = self.libraries(selection, &sdk)?;
        let plans = self.plans(&selection.plugins, &libraries, false)?;
        let mut plugins = Vec::new();
        for (id, plan) in selection.plugins.iter().zip(plans) {
            plugins.push(self.plugin(id, &libraries.below(id), plan)?);
        }
        let folder = match &self.arguments.out_dir {
            Some(folder) => std::path::absolute(folder).doing("find the outcome's folder")?,
            None => self.base.join(self.settings.outcome(self.arguments.workspace.profile_folder())),
        };
        let library = sdk.library();
        self.said.finish();
        let runner = if hosts.is_empty() { None } else { self.runner(&library)? };
        Ok((Outcome { folder, library, hosts, runner, plugins, libraries: libraries.built() }, sdk))
    }

    /// A program of the target, yet to be run.
    pub fn program(&self, program: &Path) -> Command {
        self.settings.program(program)
    }

    /// Whether what is built is for another machine than this one.
    pub fn is_for_another_machine(&self) -> bool {
        self.settings.target != self.settings.host
    }

    /// How to say what runs the target's programs.
    pub fn runner_wanted(&self) -> String {
        let target = &self.settings.target;
        let variable = target.to_uppercase().replace(['-', '.'], "_");
        format!(
            "this machine may need a program that runs those of {target}: name it as `target.{target}.runner` in cargo's \
             configuration, or in `CARGO_TARGET_{variable}_RUNNER`"
        )
    }

    /// The SDK that plugins are built with, and where it is the workspace's own, the hosts.
    fn sdk_and_hosts(&self, selected: &[PackageId]) -> Result<(Sdk, Vec<Host>)> {
        if let Some(sdk) = &self.sdk {
            return Ok((sdk.clone(), Vec::new()));
        }
        let built = self.hosts(selected)?;
        let parent = self.work.join("sdk").join(self.arguments.workspace.profile_folder());
        Ok((self.make_sdk(&built, &parent)?, built.hosts))
    }

    /// Makes the SDK of what was built for hosts, in a folder beneath `parent`.
    fn make_sdk(&self, built: &Hosts, parent: &Path) -> Result<Sdk> {
        self.sdk_of(&built.library, &built.scripts, parent)
    }

    /// Makes an SDK of a library that was linked, in a folder beneath `parent`.
    fn sdk_of(&self, library: &Path, scripts: &[(Script, PathBuf)], parent: &Path) -> Result<Sdk> {
        let library = linker::describe(library, &self.context)?.ok_or_else(|| {
            Diagnostic::error("bad-product", format!("{} carries no manifest", library.display()))
        })?;
        let making = Making {
            library: &library,
            rustc: &self.settings.version,
            target: &self.settings.target,
            profile: self.arguments.workspace.profile(),
            scripts,
        };
        making.make(parent)
    }

    fn say_notices(&self) {
        let manifest = self.workspace.metadata.workspace_root.join("Cargo.toml");
        for notice in profile::notices(
            self.arguments.workspace.profile(),
            manifest.as_std_path(),
            &self.settings.rustflags,
        ) {
            self.say(&notice);
        }
        metadata_keys::unknown(&self.workspace.metadata).iter().for_each(|warning| self.say(warning));
        if let Some(sdk) = &self.sdk {
            self.sdk_is_of_another_profile(sdk).iter().for_each(|warning| self.say(warning));
        }
    }

    /// A warning where somebody builds with optimisations for a host that has none: that is seldom the host that is meant.
    fn sdk_is_of_another_profile(&self, sdk: &Sdk) -> Option<Diagnostic> {
        let (ours, theirs) = (self.arguments.workspace.profile(), sdk.description.profile.as_str());
        if theirs != "dev" || matches!(ours, "dev" | "test") {
            return None;
        }
        Some(
            Diagnostic::warning(
                "sdk-profile",
                format!("the SDK is of the profile `{theirs}`, and what is built is of `{ours}`"),
            )
            .note("plugins fit hosts of the SDK's profile, whatever their own: the shared crates are compiled as the SDK has them")
            .help(format!("for hosts of the profile `{ours}`, get the SDK that was made with it: `cargo dynplug sdk --profile {ours}`")),
        )
    }

    /// Says something of the build.
    pub fn say(&self, diagnostic: &Diagnostic) {
        match self.arguments.messages.message_format {
            MessageFormat::Human if self.arguments.messages.quiet && diagnostic.level != Level::Error => {}
            format => diagnostic.print(format),
        }
    }

    /// One build of a target folder at a time: cargo locks its own folders, this is for what lies around them.
    fn lock(&self) -> Result<std::fs::File> {
        files::lock(&self.work, self.arguments.messages.quiet)
    }

    /// The executables of a host, with the features that are on, before they are built.
    fn programs(&self, id: &PackageId) -> impl Iterator<Item = Host> {
        let package = &self.workspace.metadata[id];
        let programs = package.targets.iter().filter(|t| t.kind.contains(&TargetKind::Bin));
        let built = programs.filter(|t| t.required_features.iter().all(|f| self.feature_is_on(id, f)));
        built.map(|t| Host {
            name: t.name.clone(),
            file: PathBuf::new(),
            default: package.default_run.clone(),
        })
    }

    /// The name of the executable that is to be run: of all, or of the package with this name; the one that is named.
    ///
    /// # Errors
    /// When there is none, or several and no word on which.
    pub fn program_to_run(&self, package: Option<&str>, bin: Option<&str>) -> Result<String> {
        let mut hosts: Vec<&PackageId> = self.workspace.hosts.iter().collect();
        let all = || self.workspace.hosts.iter().flat_map(|id| self.programs(id));
        // `-p` takes the name of an executable too.
        if let Some(name) = package.filter(|name| !all().any(|host| host.name == *name)) {
            let id = self.workspace.member(name)?;
            hosts.retain(|host| *host == id);
            if hosts.is_empty() {
                let what = format!("{} can't be run: it is no host", self.workspace.title(id));
                let names: Vec<String> =
                    self.workspace.hosts.iter().map(|id| self.workspace.name(id)).collect();
                let error = Diagnostic::error("unknown-host", what).usage();
                return Err(match names.is_empty() {
                    true => error.note("the workspace has none"),
                    false => error.note(format!("hosts are: {}", names.join(", "))).help(
                        "plugins are built with whatever host is run: leave `-p` away, or name the host",
                    ),
                }
                .into());
            }
        }
        let programs: Vec<Host> = hosts.into_iter().flat_map(|id| self.programs(id)).collect();
        let named = package.filter(|name| programs.iter().any(|host| host.name == *name));
        Host::to_run(&programs, bin.or(named)).map(|host| host.name.clone())
    }

    /// The API library and the hosts.
    fn hosts(&self, selected: &[PackageId]) -> Result<Hosts> {
        let Some(api) = &self.workspace.api else {
            return Err(Diagnostic::error("no-api-crate", "there is no API crate to build").into());
        };
        let metadata = &self.workspace.metadata;
        let dirs = self.workspace.hosts.iter().map(|id| self.workspace.package(id).manifest_dir).collect();
        let context = Context { phase: Phase::Hosts { hosts: dirs }, ..self.context.clone() };
        // Features are resolved over all hosts whatever is selected, so that the selection doesn't move the identity.
        let packages: Vec<&PackageId> = std::iter::once(api).chain(&self.workspace.hosts).collect();
        let mut cargo = self.cargo("build", &context, "hosts", &packages)?;
        cargo.rustflag(format!("-Cmetadata=dynplug-{}", env!("CARGO_PKG_VERSION")));
        cargo.word("--lib");
        cargo.words(
            selected.iter().flat_map(|id| self.programs(id)).map(|host| format!("--bin={}", host.name)),
        );
        let mut library = None;
        let mut hosts = Vec::new();
        let mut outs = Vec::new();
        cargo.run(self.arguments.messages.message_format, |message| match message {
            Message::CompilerArtifact(artifact) => {
                if artifact.package_id == *api && artifact.target.crate_types.contains(&CrateType::DyLib) {
                    library = shared(&artifact.filenames);
                }
                if let Some(file) = artifact.executable.filter(|_| selected.contains(&artifact.package_id)) {
                    hosts.push(Host {
                        name: artifact.target.name,
                        file: file.into(),
                        default: metadata[&artifact.package_id].default_run.clone(),
                    });
                }
            }
            Message::BuildScriptExecuted(script) => {
                outs.push((script.package_id, PathBuf::from(script.out_dir)))
            }
            _ => {}
        })?;
        let library = library.ok_or_else(|| {
            Diagnostic::error(
                "system",
                format!("cargo made no shared library of `{}`", self.workspace.name(api)),
            )
        })?;
        Ok(Hosts { library, hosts, scripts: self.scripts(&outs)? })
    }

    /// What the build scripts of packages with `links` told those of their dependents. `outs` has the folder of what each
    /// script made.
    fn scripts(&self, outs: &[(PackageId, PathBuf)]) -> Result<Vec<(Script, PathBuf)>> {
        let folder = self.work.join("hosts");
        // A package that is compiled for the machine that compiles too has run its script for that as well.
        let of_the_target = folder.join(&self.settings.target);
        let metadata = &self.workspace.metadata;
        // Scripts of std's own crates speak to nobody else.
        let known = |id: &PackageId| metadata.packages.iter().any(|p| p.id == *id);
        let outs: Vec<_> =
            outs.iter().filter(|(id, out)| out.starts_with(&of_the_target) && known(id)).collect();
        let title = |id: &PackageId| (metadata[id].name.to_string(), metadata[id].version.to_string());
        let places = outs.iter().map(|(id, out)| {
            let (name, version) = title(id);
            Place::out(&name, &version, out)
        });
        let sources = metadata.packages.iter().map(|p| {
            let (name, version) = title(&p.id);
            Place::source(&name, &version, &self.workspace.package(&p.id).manifest_dir)
        });
        let places: Vec<Place> = places.chain(sources).collect();
        let mut scripts = Vec::new();
        for (id, out) in outs.into_iter().filter(|(id, _)| metadata[id].links.is_some()) {
            let (package, version) = title(id);
            let values = links::read(&out.with_file_name("output"), &places, &self.base)?;
            let source = self.workspace.package(id).source;
            scripts.push((Script { package, version, source, values }, out.clone()));
        }
        scripts.sort_by(|(a, _), (b, _)| (&a.package, &a.version).cmp(&(&b.package, &b.version)));
        Ok(scripts)
    }

    /// A call of cargo with what all have in common.
    fn cargo(
        &self,
        command: &str,
        context: &Context,
        folder: &str,
        packages: &[&PackageId],
    ) -> Result<Cargo> {
        let relay = Relay::new(&self.said, context.compiled());
        let mut cargo = Cargo::new(command, self.settings.rustflags.clone(), relay);
        if let Some(path) = &self.arguments.workspace.manifest_path {
            cargo.word("--manifest-path").word(path);
        }
        cargo.word("--target").word(&self.settings.target);
        cargo.word("--target-dir").word(self.work.join(folder));
        cargo.word("--profile").word(self.arguments.workspace.profile());
        cargo.words(self.arguments.cargo.for_building());
        cargo.words(self.arguments.messages.for_cargo());
        for id in packages {
            cargo.word("--package").word(self.specification(id));
        }
        cargo.words(self.features_for(packages));
        cargo.variables(self.variables());
        let this = std::env::current_exe().doing("find this program")?;
        cargo.wrapper(&this, &context.write(&self.work)?);
        Ok(cargo)
    }
}

impl Builder<'_> {
    /// Environment variables by which cargo is told how to compile.
    fn variables(&self) -> Vec<(String, String)> {
        let mut variables = profile::overrides(self.arguments.workspace.profile());
        variables.extend(crate::environment::native_flags(&self.context.target, &self.context.remap));
        variables
    }
}

/// Says that what lies in the outcome is of two builds, if anything there doesn't fit what was built now.
fn partial_build(folder: &Path, misfits: &[PathBuf]) -> Option<Diagnostic> {
    if misfits.is_empty() {
        return None;
    }
    let names = misfits.iter().filter_map(|file| Some(file.file_name()?.to_string_lossy()));
    let names: Vec<_> = names.collect();
    let what = format!(
        "{} has parts of an earlier build, which don't fit those that were built now",
        folder.display()
    );
    let warning = Diagnostic::warning("partial-build", what)
        .note(format!("they were made with another API library: {}", names.join(", ")))
        .help("build everything: leave `-p` away");
    Some(warning)
}

fn static_target(target: &str) -> Diagnostic {
    Diagnostic::error("static-target", format!("programs for {target} are linked statically, and load nothing"))
        .help("with the C library as a shared one: `-C target-feature=-crt-static` in the rustflags, for everything")
        .help("or link the plugins in: `cargo dynplug link`")
        .usage()
}

/// The shared library among an artifact's files.
fn shared(files: &[cargo_metadata::camino::Utf8PathBuf]) -> Option<PathBuf> {
    files.iter().find(|f| matches!(f.extension(), Some("so" | "dylib" | "dll"))).map(PathBuf::from)
}
