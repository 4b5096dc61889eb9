//! A host with its API crate and a first plugin: a workspace that runs as it is.

use super::plugin::write;
use super::staging::Staging;
use super::{Made, Request, begin, crate_name, fill, portable, quoted, reads};
use crate::diagnostic::{Diagnostic, Doing, Result, Span};
use crate::lock;
use std::path::{Path, PathBuf};

/// The version of `dynplug` that goes with this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Makes the workspace. `dynplug` is where the user says that the runtime's sources are.
///
/// # Errors
/// When the runtime isn't there or of another version, or a file can't be written.
pub(super) fn make(request: &Request<'_>, dynplug: Option<&Path>) -> Result<Made> {
    if let Some(error) = super::names::taken(&request.name, []) {
        return Err(error.into());
    }
    let dynplug = Dynplug::find(dynplug)?;
    let staging = Staging::begin(request)?;
    let project = staging.project();
    begin(request, &request.name, "--bin", &project)?;
    // cargo has begun a package where a workspace is to be.
    let begun = project.join("src");
    std::fs::remove_dir_all(&begun).doing(format_args!("remove {}", begun.display()))?;

    let name = request.name.as_str();
    let (host, api, plugin) =
        (crate_name(name), crate_name(&format!("{name}-api")), crate_name(&format!("{name}-hello")));
    let dependency = dynplug.dependency()?;
    let values =
        [("package", name), ("host", &host), ("api", &api), ("plugin", &plugin), ("dynplug", &dependency)];
    let templates = [
        ("Cargo.toml", include_str!("templates/host_workspace.toml"), "the workspace"),
        ("api/Cargo.toml", include_str!("templates/host_api.toml"), ""),
        ("api/src/lib.rs", include_str!("templates/host_api.rs"), "what host and plugins share"),
        ("host/Cargo.toml", include_str!("templates/host.toml"), ""),
        ("host/src/lib.rs", include_str!("templates/host_lib.rs"), "the host"),
        ("host/src/main.rs", include_str!("templates/host_main.rs"), "the host's program"),
        ("plugins/hello/Cargo.toml", include_str!("templates/host_plugin.toml"), ""),
        ("plugins/hello/src/lib.rs", include_str!("templates/host_plugin.rs"), "a first plugin, with tests"),
    ];
    let mut contents = Vec::new();
    for (path, template, what) in templates {
        write(&project, path, &fill(template, &values))?;
        if !what.is_empty() {
            contents.push((path.to_owned(), what.to_owned()));
        }
    }
    if let Some(text) = dynplug.lock()? {
        write(&project, crate::sdk::LOCK, &text)?;
        contents.push((crate::sdk::LOCK.to_owned(), "the versions that dynplug is tested with".to_owned()));
    }
    staging.finish()?;
    Ok(Made {
        kind: "host",
        api: format!("{name}-api 0.1.0"),
        sdk: None,
        packages: vec![
            (format!("{name}-api"), "api"),
            (name.to_owned(), "host"),
            (format!("{name}-hello"), "plugins/hello"),
        ],
        contents,
        changed: Vec::new(),
        next: vec![
            ("cargo dynplug run".to_owned(), "builds everything and runs the host"),
            ("cargo dynplug new plugins/NAME".to_owned(), "makes one more plugin"),
            ("cargo dynplug sdk".to_owned(), "makes the SDK, with which others build plugins"),
        ],
    })
}

/// Where the runtime comes from.
enum Dynplug {
    /// A folder with its `Cargo.toml`.
    Folder(PathBuf),
    /// The registry.
    Registry,
}

impl Dynplug {
    /// Where the user says that it is; else beside this program's own sources, where they still are what they were; else
    /// the registry.
    fn find(named: Option<&Path>) -> Result<Dynplug> {
        let Some(named) = named else {
            let own = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("dynplug");
            let is_it = || version(&own).is_ok_and(|v| v == VERSION);
            return Ok(match own.join("Cargo.toml").is_file() && is_it() {
                true => Dynplug::Folder(own),
                false => Dynplug::Registry,
            });
        };
        // The package, or the repository that holds it.
        let candidates = [named.to_owned(), named.join("crates").join("dynplug")];
        let [package, inside] = candidates.map(|folder| version(&folder).map(|version| (folder, version)));
        // Where it is in neither, the folder that was named is the one to speak of.
        let (found, have) = inside.or(package)?;
        if have != VERSION {
            return Err(Diagnostic::error("tool-version", "`dynplug` has another version than this program")
                .span(Span::in_manifest(&found.join("Cargo.toml"), &["package", "version"]))
                .note(format!("{}: have {have}, want {VERSION}", found.display()))
                .help("build cargo-dynplug of the same sources: `cargo install --path crates/cargo-dynplug`")
                .usage()
                .into());
        }
        let what = format!("find {}", found.display());
        Ok(Dynplug::Folder(found.canonicalize().doing(what)?))
    }

    /// How a `Cargo.toml` says so.
    fn dependency(&self) -> Result<String> {
        match self {
            Dynplug::Folder(folder) => Ok(format!("{{ path = {} }}", quoted(&portable(folder)?))),
            Dynplug::Registry => Ok(quoted(VERSION)),
        }
    }

    /// The versions that it is tested with, so that the workspace begins with what is known to work.
    fn lock(&self) -> Result<Option<String>> {
        let Dynplug::Folder(folder) = self else { return Ok(None) };
        let Some(path) = folder.ancestors().map(|f| f.join(crate::sdk::LOCK)).find(|f| f.is_file()) else {
            return Ok(None);
        };
        let theirs = std::fs::read_to_string(&path).doing(format_args!("read {}", path.display()))?;
        Ok(Some(lock::adopt(None, &theirs, |name| name == "dynplug")?.text))
    }
}

/// The version of the `dynplug` in a folder.
fn version(folder: &Path) -> Result<String> {
    let manifest = folder.join("Cargo.toml");
    let canonical = manifest.canonicalize().ok();
    let is_it = |p: &&cargo_metadata::Package| {
        p.name.as_str() == "dynplug" && p.manifest_path.as_std_path().canonicalize().ok() == canonical
    };
    let metadata = reads(&manifest);
    match metadata.iter().flat_map(|m| &m.packages).find(is_it) {
        Some(package) => Ok(package.version.to_string()),
        None => Err(Diagnostic::error("no-dynplug", format!("{} holds no `dynplug`", folder.display()))
            .help("name the folder of the package `dynplug`, or of the repository that holds it")
            .usage()
            .into()),
    }
}
