//! How a crate stands among others: whether it is a plugin, and which packages are below it.
//!
//! In a program that plain cargo links there is no manifest that would say this at run time, and the order of init
//! functions hangs on it. So each record says it. Under `cargo dynplug` manifests know better, and nothing is said here:
//! what lies around a crate is not part of what it is.
//!
//! What is known while macros run: the compiler's own command line, since macros run in its process; what cargo tells
//! in the environment; the lock file, for all packages; the `Cargo.toml` of packages that are found by their paths, which
//! tells apart what the lock file puts together, the dependencies of a library and those of its tests; and, of the crates
//! that the compiler was given, where their sources are.

use crate::lock::{self, Package};
use crate::toml::{Table, Value};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// How the crate that is being compiled stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) is_plugin: bool,
    /// As a record has it: see `dynplug_manifest::record`.
    pub(crate) below: String,
}

/// Nobody knows.
const UNKNOWN: &str = "?";

/// Names the lock file, where it is not where cargo puts it.
const LOCK: &str = "DYNPLUG_LOCK";

/// Set by `cargo dynplug`.
const BUILD_TOOL: &str = "DYNPLUG_CONTEXT";

/// These have no init functions.
const OWN: [&str; 5] = ["dynplug", "dynplug-macros", "dynplug-manifest", "dynplug-process", "dynplug-trust"];

/// How the crate that is being compiled stands. Found out once; an editor's macros live on and serve other crates.
pub(crate) fn standing() -> Standing {
    static KNOWN: Mutex<Option<([Option<String>; 2], Standing)>> = Mutex::new(None);
    let key = ["CARGO_MANIFEST_DIR", "CARGO_CRATE_NAME"].map(|name| env::var(name).ok());
    let mut known = KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    match &*known {
        Some((of, standing)) if *of == key => standing.clone(),
        _ => {
            let standing = Compilation::current().standing();
            *known = Some((key, standing.clone()));
            standing
        }
    }
}

/// One call of the compiler.
struct Compilation {
    words: Vec<String>,
    package_dir: PathBuf,
    package: String,
    version: String,
    crate_name: String,
    by_the_build_tool: bool,
    lock: Option<PathBuf>,
    working_dir: PathBuf,
    /// Where cargo was called, as shells say it.
    called_from: Option<PathBuf>,
}

impl Compilation {
    fn current() -> Compilation {
        let text = |name| env::var(name).unwrap_or_default();
        let mut words = Vec::new();
        for word in env::args_os().map(|word| word.to_string_lossy().into_owned()) {
            // A command line that is too long for the system stands in a file.
            match word.strip_prefix('@').and_then(|file| fs::read_to_string(file).ok()) {
                Some(more) => words.extend(more.lines().map(str::to_owned)),
                None => words.push(word),
            }
        }
        Compilation {
            words,
            package_dir: text("CARGO_MANIFEST_DIR").into(),
            package: text("CARGO_PKG_NAME"),
            version: text("CARGO_PKG_VERSION"),
            crate_name: text("CARGO_CRATE_NAME"),
            by_the_build_tool: env::var_os(BUILD_TOOL).is_some(),
            lock: env::var_os(LOCK).map(PathBuf::from),
            working_dir: env::current_dir().unwrap_or_default(),
            called_from: env::var_os("PWD").map(PathBuf::from),
        }
    }

    fn standing(&self) -> Standing {
        let manifest = manifest_in(&self.package_dir).unwrap_or_default();
        let below = match self.by_the_build_tool {
            true => String::new(),
            false => self.below(&manifest).unwrap_or_else(|| UNKNOWN.to_owned()),
        };
        Standing { is_plugin: self.is_plugin(&manifest), below }
    }

    /// What follows an option of the compiler, each time that it stands there.
    fn values(&self, option: &str) -> Vec<&str> {
        let mut values = Vec::new();
        let mut words = self.words.iter();
        while let Some(word) = words.next() {
            if word == option {
                values.extend(words.next().map(|value| &**value));
            } else {
                values.extend(word.strip_prefix(option).and_then(|rest| rest.strip_prefix('=')));
            }
        }
        values
    }

    /// Whether it is the library of a package whose crate types have `cdylib` among them. cargo leaves the type out where
    /// the system has no such libraries, and the build tool where a plugin is linked into a host.
    fn is_plugin(&self, manifest: &Table) -> bool {
        let types: Vec<&str> =
            self.values("--crate-type").iter().flat_map(|value| value.split(',')).collect();
        if types.contains(&"cdylib") {
            return true;
        }
        let own = self.package.replace('-', "_");
        let library = manifest.text(&["lib", "name"]).unwrap_or(&own);
        !types.contains(&"bin")
            && !types.contains(&"proc-macro")
            && self.crate_name == library
            && has_crate_type(manifest, "cdylib")
    }

    /// The packages below that can have init functions, as a record has them.
    fn below(&self, manifest: &Table) -> Option<String> {
        let mut packages = self.lock_file()?;
        let own = packages.iter().position(|package| self.is_own(package))?;
        let mut folders: Vec<Option<PathBuf>> = vec![None; packages.len()];
        follow_paths(&mut packages, &mut folders, own, &self.package_dir, manifest);
        let below = lock::below(&packages, own);
        // The crates that the compiler was given lie anywhere.
        for folder in self.values("--extern").into_iter().filter_map(|given| self.folder_of(given)) {
            let Some(manifest) = manifest_in(&folder) else { continue };
            let named = |package: &Package| manifest.text(&["package", "name"]) == Some(&package.name);
            let of_version = |package: &Package| {
                manifest.text(&["package", "version"]).is_none_or(|version| version == package.version)
            };
            let mut candidates = below.iter().copied();
            if let Some(place) = candidates.find(|&at| named(&packages[at]) && of_version(&packages[at])) {
                folders[place].get_or_insert(folder);
            }
        }
        let reaches_dynplug = |at: usize| {
            let further = lock::below(&packages, at);
            further.iter().any(|&at| packages[at].name == "dynplug")
        };
        let matters = |at: usize| at != own && !OWN.contains(&&*packages[at].name) && reaches_dynplug(at);
        let mut listed: Vec<usize> = below.into_iter().filter(|&at| matters(at)).collect();
        let is_library = |at: usize| {
            let manifest = folders[at].as_deref().and_then(manifest_in);
            manifest.is_some_and(|manifest| has_crate_type(&manifest, "dylib"))
        };
        // Above the API crate, a `dylib` is what plugins share among themselves.
        let libraries: Vec<usize> = listed.iter().copied().filter(|&at| is_library(at)).collect();
        let mut shared: Vec<usize> = Vec::new();
        for &library in &libraries {
            let below = lock::below(&packages, library);
            if !libraries.iter().any(|&other| other != library && below.contains(&other)) {
                shared.push(library);
                shared.extend(below);
            }
        }
        listed.sort_by_key(|&at| (&packages[at].name, &packages[at].version, &packages[at].source));
        let mut text = String::new();
        for at in listed {
            let Package { name, version, .. } = &packages[at];
            let end = if shared.contains(&at) { " shared" } else { "" };
            let start = if text.is_empty() { "" } else { "\n" };
            text += &format!("{start}{name} {version}{end}");
        }
        Some(text)
    }

    fn is_own(&self, package: &Package) -> bool {
        package.name == self.package && package.version == self.version
    }

    /// The packages of the lock file that this crate is compiled by.
    ///
    /// cargo calls the compiler in the root of the workspace, and for a package of somebody else's in that package's own
    /// folder, where a lock file of no meaning may lie. The target folder is mostly in the workspace.
    fn lock_file(&self) -> Option<Vec<Package>> {
        let read = |path: PathBuf| fs::read_to_string(path).ok().map(|text| lock::parse(&text));
        if let Some(lock) = &self.lock {
            return read(lock.clone());
        }
        let output = self.values("--out-dir").first().map(|folder| self.working_dir.join(folder));
        let places = [
            output.as_deref(),
            Some(&*self.working_dir),
            Some(&*self.package_dir),
            self.called_from.as_deref(),
        ];
        let ancestors = places.into_iter().flatten().flat_map(Path::ancestors);
        let mut found: Vec<Vec<Package>> = ancestors
            .filter_map(|folder| read(folder.join("Cargo.lock")))
            .filter(|packages| packages.iter().any(|package| self.is_own(package)))
            .collect();
        // In a lock file of its own, a package from elsewhere has no source.
        let foreign = [".cargo-ok", ".cargo-checksum.json", ".cargo_vcs_info.json"];
        let is_foreign = foreign.iter().any(|name| self.package_dir.join(name).exists());
        let fits = |packages: &Vec<Package>| {
            packages.iter().any(|package| self.is_own(package) && package.source.is_some() == is_foreign)
        };
        let place = found.iter().position(fits).unwrap_or(0);
        (place < found.len()).then(|| found.swap_remove(place))
    }

    /// The folder of the package of a crate that the compiler was given: beside the crate's file, cargo has the list of its
    /// sources, the root of them first.
    fn folder_of(&self, given: &str) -> Option<PathBuf> {
        let (_, file) = given.split_once('=')?;
        let stem = Path::new(file).file_stem()?.to_str()?;
        let stem = stem.strip_prefix("lib").unwrap_or(stem);
        let list = fs::read_to_string(Path::new(file).with_file_name(format!("{stem}.d"))).ok()?;
        let (_, sources) = list.lines().next()?.split_once(": ")?;
        let mut root = String::new();
        let mut chars = sources.chars();
        while let Some(next) = chars.next() {
            match next {
                ' ' => break,
                '\\' if chars.as_str().starts_with(' ') => root.extend(chars.next()),
                other => root.push(other),
            }
        }
        let root = self.working_dir.join(root);
        root.ancestors().skip(1).find(|folder| folder.join("Cargo.toml").is_file()).map(Path::to_owned)
    }
}

fn manifest_in(folder: &Path) -> Option<Table> {
    fs::read_to_string(folder.join("Cargo.toml")).ok().map(|text| Table::parse(&text))
}

fn has_crate_type(manifest: &Table, wanted: &str) -> bool {
    let types = ["crate-type", "crate_type"].into_iter().filter_map(|key| manifest.get(&["lib", key]));
    types.into_iter().any(|types| match types {
        Value::List(types) => types.iter().any(|t| matches!(t, Value::Text(t) if t == wanted)),
        Value::Text(text) => text == wanted,
        _ => false,
    })
}

/// From a package that lies in `folder` on to those that it finds by their paths: notes where these lie, and takes away
/// what only tests and build scripts depend on.
fn follow_paths(
    packages: &mut [Package],
    folders: &mut [Option<PathBuf>],
    own: usize,
    folder: &Path,
    manifest: &Table,
) {
    let mut open = vec![(own, folder.to_owned(), manifest.clone())];
    while let Some((at, folder, manifest)) = open.pop() {
        if folders[at].is_some() {
            continue;
        }
        let depends = dependencies(&folder, &manifest);
        let edges = std::mem::take(&mut packages[at].dependencies);
        packages[at].dependencies =
            edges.into_iter().filter(|&edge| depends.iter().any(|d| d.name == packages[edge].name)).collect();
        for (name, path) in depends.into_iter().filter_map(|d| Some((d.name, d.path?))) {
            let is_it = |&edge: &usize| packages[edge].name == name && packages[edge].source.is_none();
            let place = packages[at].dependencies.iter().copied().find(is_it);
            if let (Some(place), Some(manifest)) = (place, manifest_in(&path)) {
                open.push((place, path, manifest));
            }
        }
        folders[at] = Some(folder);
    }
}

/// What a package depends on.
struct Dependency {
    /// The name of the other package.
    name: String,
    /// Its folder, where it is found by its path.
    path: Option<PathBuf>,
}

/// The dependencies of a package's library: not those of its tests or its build script.
fn dependencies(folder: &Path, manifest: &Table) -> Vec<Dependency> {
    let targets = manifest.table(&["target"]).into_iter().flat_map(Table::iter);
    let of_targets = targets.filter_map(|(_, target)| match target {
        Value::Table(target) => target.table(&["dependencies"]),
        _ => None,
    });
    let tables = manifest.table(&["dependencies"]).into_iter().chain(of_targets);
    let mut workspace = None;
    tables
        .flat_map(Table::iter)
        .map(|(key, value)| {
            let Value::Table(spec) = value else { return Dependency { name: key.to_owned(), path: None } };
            if !matches!(spec.get(&["workspace"]), Some(Value::Bare(yes)) if yes == "true") {
                return dependency(key, spec, folder);
            }
            let workspace = workspace.get_or_insert_with(|| workspace_of(folder, manifest));
            let named = workspace.as_ref().and_then(|(root, workspace)| {
                Some(dependency(key, workspace.table(&["workspace", "dependencies", key])?, root))
            });
            named.unwrap_or_else(|| Dependency { name: key.to_owned(), path: None })
        })
        .collect()
}

fn dependency(key: &str, spec: &Table, folder: &Path) -> Dependency {
    let name = spec.text(&["package"]).unwrap_or(key).to_owned();
    Dependency { name, path: spec.text(&["path"]).map(|path| folder.join(path)) }
}

/// The root of the workspace that a package is a member of.
fn workspace_of(folder: &Path, manifest: &Table) -> Option<(PathBuf, Table)> {
    if let Some(named) = manifest.text(&["package", "workspace"]) {
        let root = folder.join(named);
        return manifest_in(&root).map(|manifest| (root, manifest));
    }
    folder.ancestors().find_map(|folder| {
        let manifest = manifest_in(folder)?;
        manifest.get(&["workspace"]).is_some().then(|| (folder.to_owned(), manifest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packages in a folder, as cargo would have them.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = env::temp_dir().join(format!("dynplug-standing-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        fn file(&self, path: &str, text: &str) -> &Folder {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            self
        }

        /// The compilation of a package's library.
        fn compilation(&self, package: &str, words: &str) -> Compilation {
            Compilation {
                words: words
                    .split_whitespace()
                    .map(|w| w.replace("ROOT", self.0.to_str().unwrap()))
                    .collect(),
                package_dir: self.0.join(package),
                package: package.to_owned(),
                version: "0.1.0".to_owned(),
                crate_name: package.replace('-', "_"),
                by_the_build_tool: false,
                lock: None,
                working_dir: self.0.clone(),
                called_from: None,
            }
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// A lock file of packages without sources, and of one from a registry.
    fn lock(packages: &[(&str, &[&str])]) -> String {
        let mut text = "version = 4\n".to_owned();
        for (name, dependencies) in packages {
            text += &format!("\n[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\n");
            if name.starts_with("registry") {
                text += "source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
            }
            let lines: String = dependencies.iter().map(|d| format!(" \"{d}\",\n")).collect();
            text += &format!("dependencies = [\n{lines}]\n");
        }
        text
    }

    fn plugins() -> Folder {
        let folder = Folder::new(&format!("plugins-{:?}", std::thread::current().id()));
        folder
            .file(
                "Cargo.lock",
                &lock(&[
                    ("api", &["dynplug", "hello", "registry-shared"]),
                    ("common", &["api", "dynplug"]),
                    ("dynplug", &["dynplug-macros"]),
                    ("dynplug-macros", &["dynplug"]),
                    ("hello", &["api", "common", "dynplug", "late", "registry-private", "tests-only"]),
                    ("late", &["dynplug"]),
                    ("registry-plain", &[]),
                    ("registry-private", &["dynplug", "registry-plain"]),
                    ("registry-shared", &["dynplug"]),
                    ("tests-only", &["dynplug", "hello"]),
                ]),
            )
            .file("Cargo.toml", "[workspace]\n[workspace.dependencies]\napi = { path = \"api\" }\n")
            .file(
                "api/Cargo.toml",
                "[package]\nname = \"api\"\n[lib]\ncrate-type = [\"lib\", \"dylib\"]\n[dependencies]\ndynplug = \"0\"\n\
                 registry-shared = \"0\"\n[dev-dependencies]\nhello = { path = \"../hello\" }\n",
            )
            .file(
                "hello/Cargo.toml",
                "[package]\nname = \"hello\"\n[lib]\ncrate-type = [\"lib\", \"cdylib\"]\n[dependencies]\n\
                 api.workspace = true\ncommon = { path = \"../common\" }\ndynplug = \"0\"\nregistry-private = \"0\"\n\
                 [target.'cfg(all())'.dependencies]\nlater = { path = \"../late\", package = \"late\" }\n\
                 [dev-dependencies]\ntests-only = { path = \"../tests-only\" }\n",
            )
            .file(
                "common/Cargo.toml",
                "[package]\nname = \"common\"\n[lib]\ncrate-type = [\"lib\", \"dylib\"]\n[dependencies]\n\
                 api.workspace = true\ndynplug = \"0\"\n",
            )
            .file("late/Cargo.toml", "[package]\nname = \"late\"\n[dependencies]\ndynplug = \"0\"\n");
        folder
    }

    #[test]
    fn what_is_below_is_what_the_library_depends_on_and_what_tests_want_is_not() {
        let folder = plugins();
        let standing = folder.compilation("hello", "rustc --crate-type lib").standing();
        let below = "api 0.1.0 shared\ncommon 0.1.0\nlate 0.1.0\nregistry-private 0.1.0\nregistry-shared 0.1.0 shared";
        assert_eq!(standing, Standing { is_plugin: true, below: below.to_owned() });
        let standing = folder.compilation("api", "rustc --crate-type lib --crate-type=dylib").standing();
        assert_eq!(standing, Standing { is_plugin: false, below: "registry-shared 0.1.0".to_owned() });
    }

    #[test]
    fn a_plugin_is_told_by_the_command_line_or_by_the_manifest() {
        let folder = plugins();
        let is_plugin = |package: &str, words: &str| folder.compilation(package, words).standing().is_plugin;
        assert!(is_plugin("late", "rustc --crate-type lib,cdylib"));
        assert!(!is_plugin("late", "rustc --crate-type lib"));
        assert!(is_plugin("hello", "rustc --test"));
        assert!(!is_plugin("hello", "rustc --crate-type bin"));
    }

    #[test]
    fn the_build_tool_is_told_nothing() {
        let folder = plugins();
        let mut compilation = folder.compilation("hello", "rustc");
        compilation.by_the_build_tool = true;
        assert_eq!(compilation.standing(), Standing { is_plugin: true, below: String::new() });
    }

    #[test]
    fn a_package_from_elsewhere_is_looked_up_in_the_lock_file_of_the_build() {
        let folder = Folder::new("elsewhere");
        folder
            .file(
                "work/Cargo.lock",
                &lock(&[
                    ("dynplug", &[]),
                    ("registry-api", &["dynplug"]),
                    ("registry-hello", &["registry-api"]),
                ]),
            )
            .file(
                "registry-hello/Cargo.lock",
                &lock(&[("late", &["dynplug"]), ("registry-hello", &["late"])]).replace("source", "#"),
            )
            .file(
                "registry-hello/Cargo.toml",
                "[package]\nname = \"registry-hello\"\n[dependencies]\nregistry-api = \"0\"\n",
            )
            .file("registry-hello/.cargo-ok", "")
            .file(
                "registry api/Cargo.toml",
                "[package]\nname = \"registry-api\"\nversion = \"0.1.0\"\n[lib]\ncrate-type = [\"dylib\"]\n",
            )
            .file(
                "work/target/deps/registry_api-1.d",
                &format!("a.rmeta: {}/src/lib.rs b.rs\n\nb.rs:\n", folder.0.join("registry\\ api").display()),
            );
        let words = "rustc --out-dir ROOT/work/target/deps --extern noprelude:registry_api=ROOT/work/target/deps/libregistry_api-1.rmeta";
        let mut compilation = folder.compilation("registry-hello", words);
        compilation.working_dir = folder.0.join("registry-hello");
        assert_eq!(compilation.standing().below, "registry-api 0.1.0 shared");
        compilation.words.clear();
        compilation.package = "unheard-of".to_owned();
        assert_eq!(compilation.standing().below, UNKNOWN);
    }
}
