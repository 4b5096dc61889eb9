//! What the build tells the rustc wrapper and the linker, which run as processes of their own below cargo:
//! a JSON file whose path they find in an environment variable.

use crate::diagnostic::{Doing, Result};
use crate::plan::Plan;
use crate::wrapper::invocation::Invocation;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

/// The environment variable with the path of the context's file. Its presence makes this program a rustc wrapper.
pub const CONTEXT_VARIABLE: &str = "DYNPLUG_CONTEXT";
/// The environment variable by which the wrapper tells the linker what is being linked; empty or absent where that is no
/// product of ours.
pub const LINK_VARIABLE: &str = "DYNPLUG_LINK";
/// The environment variable with the file into which the linker writes what it has to say.
pub const REPORT_VARIABLE: &str = "DYNPLUG_REPORT";
/// The environment variable by which `#[export]` learns under which name rustc knows the API crate.
pub const API_EXTERN_VARIABLE: &str = "DYNPLUG_API_EXTERN";

/// Where the crates come from that std is made of, where cargo compiles it: they belong to the compiler, and are none of the
/// registry's whatever they are called.
pub const STD: &str = "std";

/// One call of cargo.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Context {
    /// The target's triple.
    pub target: String,
    /// The name of cargo's profile.
    pub profile: String,
    /// First line of what rustc says of its version.
    pub rustc: String,
    /// The processor features that are compiled with, beyond those that the target always has.
    pub cpu_features: Vec<String>,
    /// The sysroot without a shared std.
    pub sysroot: PathBuf,
    /// The sysroot without any std, for builds that compile it.
    pub bare_sysroot: PathBuf,
    /// Whether the toolchain has a std for the target.
    pub has_std: bool,
    /// What paths are called in what is compiled: (prefix, replacement), the last match wins.
    pub remap: Vec<(String, String)>,
    /// The user's own rustc wrapper.
    pub user_wrapper: Option<PathBuf>,
    /// The linker that the user's configuration names, or rustc's default.
    pub linker: PathBuf,
    /// This program under the name by which rustc calls it as the linker.
    pub linker_shim: PathBuf,
    /// rustdoc.
    pub rustdoc: PathBuf,
    /// A folder for what the linker has to say.
    pub reports: PathBuf,
    /// A folder for what is known of API libraries.
    pub libraries: PathBuf,
    /// A folder with a mark for each package that was left out of a plugin's build.
    pub left_out: PathBuf,
    /// The API crate.
    pub api: Package,
    /// Manifest folders of the packages below the API crate, itself included.
    pub api_closure: BTreeSet<PathBuf>,
    /// Every package of the workspace and below.
    pub packages: Vec<Package>,
    /// How tests are run.
    pub running: Running,
    /// What is built.
    pub phase: Phase,
}

/// How the executables of tests are run, which cargo starts through this program.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Running {
    /// The program around them that the user's configuration names, with its arguments.
    pub runner: Vec<String>,
    /// The folder with the plugins that they are to find beside themselves.
    pub plugins: Option<PathBuf>,
    /// Environment variables that were set for cargo, with what they were before.
    pub outer: Vec<(String, Option<String>)>,
}

/// What a call of cargo is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Phase {
    /// The API library and the hosts.
    Hosts {
        /// Manifest folders of the packages whose executables are hosts.
        hosts: BTreeSet<PathBuf>,
    },
    /// One plugin, or a library that plugins share, against an SDK; or the tests of a host, in the same way.
    Plugin {
        /// The package of the plugin, library or host.
        plugin: Package,
        /// The SDK's folder.
        sdk: PathBuf,
        /// The folders of the libraries above it that the plugin shares with others.
        libraries: Vec<PathBuf>,
        /// What is compiled of its dependencies.
        plan: Box<Plan>,
        /// What for.
        purpose: Purpose,
    },
}

/// What a plugin is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// To be opened by a host.
    Host,
    /// To be a library that plugins share among themselves.
    Library,
    /// To be looked into by cargo's other commands: as a library, with test executables around it.
    Tool,
    /// The same for a host or the API crate: its executables, those of its tests too, are hosts.
    HostTool,
}

/// A package, as the wrapper needs to know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it comes from, in cargo's words; a path relative to the workspace for path packages.
    pub source: String,
    /// The name of its library crate, where it has one.
    pub crate_name: String,
    /// The folder of its `Cargo.toml`.
    pub manifest_dir: PathBuf,
}

impl Context {
    /// Reads the context of this process, if there is one.
    pub fn from_environment() -> Option<Result<Context>> {
        let path = std::env::var_os(CONTEXT_VARIABLE)?;
        Some(Self::read(Path::new(&path)))
    }

    fn read(path: &Path) -> Result<Context> {
        let bytes = std::fs::read(path).doing(format_args!("read {}", path.display()))?;
        serde_json::from_slice(&bytes).doing(format_args!("understand {}", path.display()))
    }

    /// Writes the context beneath `folder` and returns the file's path.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        let name = match &self.phase {
            Phase::Hosts { .. } => format!("context-{}.json", self.profile),
            Phase::Plugin { plugin, purpose: Purpose::Host | Purpose::Library, .. } => {
                format!("context-{}-{}.json", self.profile, plugin.name)
            }
            Phase::Plugin { plugin, purpose: Purpose::HostTool, .. } => {
                format!("context-{}-{}-host-tool.json", self.profile, plugin.name)
            }
            Phase::Plugin { plugin, .. } => format!("context-{}-{}-tool.json", self.profile, plugin.name),
        };
        let path = folder.join(name);
        let json = serde_json::to_vec(self).doing("write the context")?;
        crate::files::write_whole(&path, &json)?;
        Ok(path)
    }

    /// Where a crate that is compiled comes from: see [`Package::source`], and [`STD`].
    pub fn source_of(&self, call: &Invocation, manifest_dir: &Path) -> String {
        match call.is_of_std() {
            true => STD.to_owned(),
            false => self.package(manifest_dir).map(|p| p.source.clone()).unwrap_or_default(),
        }
    }

    /// The packages that are compiled, as cargo calls them: name and version. None if all are, since there is no SDK yet.
    pub fn compiled(&self) -> Option<HashSet<String>> {
        let Phase::Plugin { plan, .. } = &self.phase else { return None };
        let folders = plan.private.iter().chain(&plan.host_side);
        Some(folders.filter_map(|f| self.package(f)).map(|p| format!("{} v{}", p.name, p.version)).collect())
    }

    /// The package with this manifest folder.
    pub fn package(&self, manifest_dir: &Path) -> Option<&Package> {
        self.packages.iter().find(|p| p.manifest_dir == manifest_dir)
    }
}
