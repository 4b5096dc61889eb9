//! `cargo dynplug new`: a plugin for the host of an SDK, a host with all that belongs to it, or one more plugin in a
//! workspace that is there. Everything is made in a folder beside its place and checked there, so that nothing
//! half-made is left when something fails.

mod host;
mod member;
mod names;
mod plugin;
mod staging;

use crate::cli::{BuildArguments, CargoArguments, MessageFormat, NewArguments, WorkspaceArguments};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::sdk::locate;
use crate::settings::Settings;
use crate::terminal::{self, Stream, line};
use crate::workspace::{Workspace, read_metadata};
use cargo_metadata::Metadata;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Makes a project. Returns the exit code.
///
/// # Errors
/// When the place is taken, the name is none for a package, nothing says for which host a plugin is to be, or a file
/// can't be read or written.
pub fn run(arguments: &NewArguments) -> Result<i32> {
    let settings = Settings::read(None)?;
    let request = Request::new(arguments)?;
    let sdk = |path: &Path| plugin::make(&request, &locate::open(path, &settings.target)?);
    let made = match &arguments.sdk {
        _ if arguments.host => host::make(&request, arguments.dynplug.as_deref())?,
        Some(path) => sdk(path)?,
        None => {
            let around = around(&request, &settings)?;
            match (around, locate::in_the_environment()) {
                (Some(Around::Fits { workspace, sdk }), _) => {
                    member::make(&request, &workspace, sdk.as_deref())?
                }
                (_, Some(path)) => sdk(&path)?,
                (Some(Around::WithoutApi(root)), None) => {
                    let why =
                        format!("the workspace in {} has no API crate and names no SDK", root.display());
                    return Err(for_which_host(&why).into());
                }
                (None, None) => {
                    let why = format!("{} is not inside of a workspace", request.place.display());
                    return Err(for_which_host(&why).into());
                }
            }
        }
    };
    match arguments.messages.message_format {
        MessageFormat::Json => line!("{}", made.to_message(&request)),
        MessageFormat::Human if arguments.messages.quiet => {}
        MessageFormat::Human => made.print(&request),
    }
    Ok(0)
}

/// What is to be made.
struct Request<'a> {
    arguments: &'a NewArguments,
    /// The project's folder.
    place: PathBuf,
    /// The package's name.
    name: String,
}

impl<'a> Request<'a> {
    fn new(arguments: &'a NewArguments) -> Result<Self> {
        let path = &arguments.path;
        let what = format!("find {}", path.display());
        // What is there may be called by `..` or a link.
        let place = if path.exists() {
            path.canonicalize().doing(what)?
        } else {
            std::path::absolute(path).doing(what)?
        };
        let name = match &arguments.name {
            Some(name) => name.clone(),
            None => place.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
        };
        Ok(Request { arguments, place, name })
    }

    /// The first folder above the project's that is there.
    fn above(&self) -> &Path {
        self.place.ancestors().skip(1).find(|p| p.is_dir()).unwrap_or(Path::new("/"))
    }
}

/// What was made.
struct Made {
    /// What it is, in a word: `plugin` or `host`.
    kind: &'static str,
    /// The API crate, as its package and version.
    api: String,
    /// The SDK.
    sdk: Option<PathBuf>,
    /// The packages, and their folders relative to the project's.
    packages: Vec<(String, &'static str)>,
    /// What is where, relative to the project's folder, and what it is.
    contents: Vec<(String, String)>,
    /// Files elsewhere that were changed.
    changed: Vec<PathBuf>,
    /// What can be done with it: a command, and what it does.
    next: Vec<(String, &'static str)>,
}

impl Made {
    fn print(&self, request: &Request<'_>) {
        let of = match self.kind {
            "host" => format!("with its API crate `{}` and a first plugin", self.api),
            _ => format!("for hosts with the API crate `{}`", self.api),
        };
        let place = terminal::linked(&request.place, Stream::Error);
        terminal::status("Created", &format!("the {} `{}` {of} in {place}", self.kind, request.name));
        let table = |rows: &mut dyn Iterator<Item = (&str, &str)>| {
            for (left, right) in rows {
                terminal::say(&format!("{:>12} {left:<34} {right}\n", ""));
            }
        };
        table(&mut self.contents.iter().map(|(path, what)| (path.as_str(), what.as_str())));
        for path in &self.changed {
            terminal::status_of_file("Changed", path, "");
        }
        terminal::status("Next", "in that folder:");
        table(&mut self.next.iter().map(|(command, what)| (command.as_str(), *what)));
    }

    fn to_message(&self, request: &Request<'_>) -> serde_json::Value {
        let package = |(name, folder): &(String, &str)| serde_json::json!({ "name": name, "manifest_path": request.place.join(folder).join("Cargo.toml") });
        let files: Vec<PathBuf> = self.contents.iter().map(|(path, _)| request.place.join(path)).collect();
        let next: Vec<&str> = self.next.iter().map(|(command, _)| command.as_str()).collect();
        serde_json::json!({
            "reason": "dynplug-new", "kind": self.kind, "name": request.name, "folder": request.place,
            "api": self.api, "sdk": self.sdk, "packages": self.packages.iter().map(package).collect::<Vec<_>>(),
            "files": files, "changed": self.changed, "next": next,
        })
    }
}

/// The workspace around a project that is to be made.
enum Around {
    /// One that plugins can be members of, and the SDK that they are built with, if it isn't the workspace's own.
    Fits { workspace: Box<Workspace>, sdk: Option<PathBuf> },
    /// Another one, by its root.
    WithoutApi(PathBuf),
}

/// The workspace around the project, if there is one.
fn around(request: &Request<'_>, settings: &Settings) -> Result<Option<Around>> {
    let above = request.above();
    if !above.ancestors().any(|folder| folder.join("Cargo.toml").is_file()) {
        return Ok(None);
    }
    let root = root_manifest(above)?;
    let build = BuildArguments {
        workspace: WorkspaceArguments { manifest_path: Some(root.clone()), ..WorkspaceArguments::default() },
        api: request.arguments.api.clone(),
        cargo: CargoArguments { offline: request.arguments.offline, ..CargoArguments::default() },
        ..BuildArguments::default()
    };
    let metadata = read_metadata(&build, &settings.targets())?;
    if let Some(path) = locate::in_the_manifests(&build, &metadata)? {
        let sdk = locate::open(&path, &settings.target)?;
        let workspace = Box::new(Workspace::of_plugins(metadata, &sdk)?);
        return Ok(Some(Around::Fits { workspace, sdk: sdk.named }));
    }
    match Workspace::of_host(metadata, &build) {
        Ok(workspace) => Ok(Some(Around::Fits { workspace: Box::new(workspace), sdk: None })),
        Err(error) if error.code == "no-api-crate" && build.api.is_none() => {
            let root = root.parent().unwrap_or(Path::new("")).to_owned();
            Ok(Some(Around::WithoutApi(root)))
        }
        Err(error) => Err(error),
    }
}

/// The `Cargo.toml` of the workspace that a folder is in.
fn root_manifest(folder: &Path) -> Result<PathBuf> {
    let mut cargo = crate::environment::cargo();
    cargo.args(["locate-project", "--workspace", "--message-format=plain"]).current_dir(folder);
    let output = cargo.stdin(Stdio::null()).output().doing("run cargo locate-project")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if !output.status.success() {
        return Err(cargo_said("cargo can't find the workspace", &text(&output.stderr)).into());
    }
    Ok(PathBuf::from(text(&output.stdout)))
}

/// An error of cargo's as one of ours.
fn cargo_said(message: &str, text: &str) -> Diagnostic {
    let text = text.trim().trim_start_matches("error: ");
    Diagnostic::error("cargo", message).note(text).usage()
}

fn for_which_host(why: &str) -> Diagnostic {
    Diagnostic::error("no-host", "nothing says for which host the plugin is to be")
        .note(why)
        .help("for a host whose SDK you have: `cargo dynplug new PATH --sdk FILE`")
        .help("for a host of your own: run it with a PATH inside of the host's workspace")
        .help("for a host that is yet to be made, with a first plugin: `cargo dynplug new PATH --host`")
        .usage()
}

/// Lets cargo begin the package `name` as `cargo new` does: it knows which names are allowed, and begins the history that
/// the user wants.
fn begin(request: &Request<'_>, name: &str, kind: &str, folder: &Path) -> Result<()> {
    let mut cargo = crate::environment::cargo();
    // cargo has two names for it, by whether the folder is there.
    cargo.args([if folder.is_dir() { "init" } else { "new" }, "--quiet", kind, "--name", name]);
    if let Some(vcs) = &request.arguments.vcs {
        cargo.arg(format!("--vcs={vcs}"));
    }
    let output = cargo.arg(folder).stdin(Stdio::null()).output().doing("run cargo new")?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    // What follows is of no use to whoever didn't call cargo.
    let text = text.lines().next().unwrap_or_default();
    let message = format!("cargo can't make the package `{name}`");
    Err(names::with_suggestion(cargo_said(&message, text), &request.name).into())
}

/// Asks cargo whether it can read what was made.
fn check(project: &Path, request: &Request<'_>) -> Result<Metadata> {
    reads(&project.join("Cargo.toml")).map_err(|text| {
        // People know the project by its place.
        let text = text.replace(&project.display().to_string(), &request.place.display().to_string());
        cargo_said("cargo can't read what was made", &text).into()
    })
}

/// What cargo says of a `Cargo.toml`, or why it can't read it.
fn reads(manifest: &Path) -> Result<Metadata, String> {
    let mut cargo = crate::environment::cargo();
    cargo.args(["metadata", "--format-version=1", "--no-deps", "--offline", "--manifest-path"]);
    let output = cargo.arg(manifest).stdin(Stdio::null()).output().map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    cargo_metadata::MetadataCommand::parse(text).map_err(|e| e.to_string())
}

/// A template with what stands for its placeholders, which look like `@this@`.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("@{name}@"), value))
}

/// A text as TOML writes it.
pub fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A path as a `Cargo.toml` can hold it: with `/` where that means the same.
pub fn portable(path: &Path) -> Result<String> {
    let text = path.to_str().ok_or_else(|| {
        Diagnostic::error("system", format!("a Cargo.toml can't name the path {}", path.display()))
            .note("it is not UTF-8")
    })?;
    Ok(if cfg!(windows) { text.replace('\\', "/") } else { text.to_owned() })
}

/// What rustc calls the library of a package.
fn crate_name(package: &str) -> String {
    package.replace('-', "_")
}
