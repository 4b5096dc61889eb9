//! `cargo dynplug check`: whether plugins fit a host, by the comparison that opening them makes, without loading
//! anything.
//!
//! For programs it is one object for each file, which docs/src/json.md describes under `dynplug-check`.

use crate::cli::{CheckArguments, MessageFormat};
use crate::inspect::{About, Details, Other, read};
use crate::sdk::locate;
use crate::terminal::{self, Progress, Stream, line};
use dynplug_manifest::compare::{Difference, Host, Loaded, Machine, Mismatch, compare, required_features};
use dynplug_manifest::cpu;
use dynplug_manifest::diagnostics::Code;
use dynplug_manifest::manifest::{Manifest, Product};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// By which messages of this kind are known.
const REASON: &str = "dynplug-check";

/// What came of one file.
enum Verdict {
    /// With the features that nobody can tell of.
    Fits {
        plugin: String,
        version: String,
        unknown: Vec<String>,
    },
    Mismatch(Mismatch),
    Other(Other),
    Unreadable(String),
}

impl Verdict {
    fn exit(&self) -> i32 {
        match self {
            Verdict::Fits { unknown, .. } if !unknown.is_empty() => 2,
            Verdict::Fits { .. } => 0,
            Verdict::Mismatch(_) | Verdict::Other(_) => 1,
            Verdict::Unreadable(_) => 2,
        }
    }
}

/// Prints for each file whether it fits. The exit code: 0 if all do, 1 if one does not, else 2 if it can't be told.
pub fn run(arguments: &CheckArguments) -> i32 {
    let for_programs = arguments.format() == MessageFormat::Json;
    // The command line has one of them.
    let named = arguments.host.as_deref().or(arguments.sdk.as_deref()).unwrap_or(Path::new(""));
    let host = match &arguments.sdk {
        Some(path) => TheHost::of_sdk(path, &arguments.files),
        None => TheHost::find(named),
    };
    let host = match host {
        Ok(host) => host,
        Err(message) => {
            let message = format!("cannot tell what fits {}: {message}", named.display());
            if for_programs {
                for path in &arguments.files {
                    line!(
                        "{}",
                        json!({ "reason": REASON, "file": path.to_string_lossy(), "fits": null, "message": message })
                    );
                }
            } else {
                terminal::error(&message);
            }
            return 2;
        }
    };
    let mut exits = Vec::new();
    let progress = Progress::of_files("Checking", arguments.files.len());
    for (at, path) in arguments.files.iter().enumerate() {
        progress.more(1);
        let verdict = verdict(path, &host);
        exits.push(verdict.exit());
        if for_programs {
            line!("{}", as_json(path, &verdict));
        } else {
            if at > 0 {
                line!();
            }
            print_for_people(path, &verdict, &host);
        }
    }
    // That one does not fit is known, whatever can't be told of the others.
    [1, 2].into_iter().find(|code| exits.contains(code)).unwrap_or(0)
}

/// Whether a plugin fits a host. A processor that can't be asked is no reason against it.
///
/// # Errors
/// When it doesn't, or that can't be told; in words.
pub(crate) fn fits(plugin: &Path, host: &Path) -> Result<(), String> {
    match verdict(plugin, &TheHost::find(host)?) {
        Verdict::Fits { .. } => Ok(()),
        Verdict::Mismatch(mismatch) => Err(mismatch.to_string()),
        Verdict::Other(other) => Err(other.what),
        Verdict::Unreadable(error) => Err(error),
    }
}

fn verdict(path: &Path, host: &TheHost) -> Verdict {
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) => return Verdict::Unreadable(error.to_string()),
    };
    let details = match About::of(&bytes) {
        About::Other(other) => return Verdict::Other(other),
        About::Product(details) => details,
    };
    let Details { manifest, image, damage, .. } = *details;
    let has_feature = |feature: &str| host.of_this_machine().then(|| cpu::has(feature)).flatten();
    let loaded: Vec<Loaded<'_>> =
        host.executable.iter().map(|(path, manifest)| Loaded { path, manifest }).collect();
    let differences = compare(
        &Host {
            api: &host.api,
            // Which libraries the system finds depends on how the host is started.
            machine: Machine { target: &host.api.target, has_feature: &has_feature, libraries: None },
            loaded: &loaded,
        },
        &manifest,
        image.needed(),
    );
    match (Mismatch::new(&manifest, differences), damage) {
        (Some(mismatch), _) => Verdict::Mismatch(mismatch),
        (None, Some(what)) => Verdict::Other(Other { code: Code::Damaged, what }),
        (None, None) => {
            let unknown = required_features(&manifest).filter(|feature| has_feature(feature).is_none());
            let unknown = unknown.map(str::to_owned).collect();
            let Manifest { package: plugin, version, .. } = manifest;
            Verdict::Fits { plugin, version, unknown }
        }
    }
}

fn print_for_people(path: &Path, verdict: &Verdict, host: &TheHost) {
    let (path, link) = (path.display(), terminal::linked(path, Stream::Output));
    match verdict {
        Verdict::Fits { plugin, version, unknown } => {
            let (plugin, version) = (plugin.escape_debug(), version.escape_debug());
            line!("{link}: the plugin `{plugin}` {version} fits {}", host.path.display());
            if !unknown.is_empty() {
                line!(
                    "  if the processor has {}, which can't be told here",
                    unknown.join(", ").escape_debug()
                );
            }
        }
        Verdict::Mismatch(mismatch) => line!("{link}: {mismatch}"),
        Verdict::Other(other) => {
            line!(
                "{link}: {}{}\n  [{}] {}",
                // Of what can't be read, nobody knows.
                if other.code == Code::Format { "" } else { "not a plugin: " },
                other.what,
                other.code,
                other.code.diagnostic().remedy
            );
        }
        Verdict::Unreadable(error) => terminal::error(&format!("could not read {path}: {error}")),
    }
}

fn as_json(path: &Path, verdict: &Verdict) -> Value {
    let file = path.to_string_lossy();
    match verdict {
        Verdict::Fits { plugin, version, unknown } => json!({
            "reason": REASON, "file": file, "fits": if unknown.is_empty() { Value::from(true) } else { Value::Null },
            "plugin": plugin, "version": version, "differences": [], "unknown": unknown,
        }),
        Verdict::Mismatch(Mismatch { plugin, version, differences }) => json!({
            "reason": REASON, "file": file, "fits": false, "plugin": plugin, "version": version,
            "differences": differences.iter().map(difference_as_json).collect::<Vec<_>>(), "unknown": [],
        }),
        Verdict::Other(other) => json!({
            "reason": REASON, "file": file, "fits": false, "message": other.what,
            "differences": [{
                "code": other.code.name(), "what": other.what, "host": "opens plugins", "plugin": other.what,
                "side": "plugin", "remedy": other.code.diagnostic().remedy,
            }],
        }),
        Verdict::Unreadable(error) => {
            json!({ "reason": REASON, "file": file, "fits": null, "message": error })
        }
    }
}

fn difference_as_json(difference: &Difference) -> Value {
    let Difference { code, what, host, plugin, side, remedy } = difference;
    json!({
        "code": code.name(), "what": what, "host": host, "plugin": plugin,
        "side": side.to_string(), "remedy": remedy,
    })
}

/// The host, as far as files tell.
struct TheHost {
    /// The path that was asked for.
    path: PathBuf,
    /// The manifest of the API library.
    api: Manifest,
    /// The executable, where it is known.
    executable: Option<(PathBuf, Manifest)>,
}

impl TheHost {
    /// Finds the API library: `path` itself, in the folder, or the one that the executable names.
    fn find(path: &Path) -> Result<TheHost, String> {
        if path.is_dir() {
            return TheHost::in_folder(path);
        }
        if path.to_string_lossy().ends_with(locate::ENDING) {
            return Err("it is an SDK: `--sdk` names one".to_owned());
        }
        let (manifest, run_paths) = product(path)?;
        match manifest.product {
            Product::ApiLibrary => Ok(TheHost { path: path.to_owned(), api: manifest, executable: None }),
            Product::Plugin | Product::PluginLibrary => Err(format!(
                "it is the {} `{}`; give the host's executable, its API library or its folder",
                manifest.product,
                manifest.package.escape_debug()
            )),
            Product::Host => TheHost::of_executable(path, manifest, &run_paths),
        }
    }

    /// The API library in an SDK. Of several SDKs in a folder, that for the target of the first plugin.
    fn of_sdk(path: &Path, plugins: &[PathBuf]) -> Result<TheHost, String> {
        let target = plugins.iter().find_map(|p| product(p).ok()).map(|(manifest, _)| manifest.target);
        let sdk =
            locate::open_for_any(path, &target.unwrap_or_default()).map_err(|d| match d.notes.first() {
                Some(note) => format!("{} ({note})", d.message),
                None => d.message.clone(),
            })?;
        let (api, _) = product(&sdk.library())?;
        Ok(TheHost { path: path.to_owned(), api, executable: None })
    }

    fn of_executable(path: &Path, manifest: Manifest, run_paths: &[PathBuf]) -> Result<TheHost, String> {
        let soname = &manifest.api.soname;
        // A name with a folder in it would lead away from where the system looks.
        if soname.is_empty() || Path::new(soname).components().count() != 1 || soname.contains(['/', '\\']) {
            return Err("its manifest names no API library".to_owned());
        }
        let beside = path.parent().map(Path::to_owned).unwrap_or_default();
        let folders = run_paths.iter().chain([&beside]);
        let Some(library) = folders.map(|folder| folder.join(soname)).find(|file| file.is_file()) else {
            return Err(format!(
                "its API library {} is neither beside it nor on its run path",
                soname.escape_debug()
            ));
        };
        let (api, _) = product(&library)?;
        if api.product != Product::ApiLibrary || api.id != manifest.api.identity {
            return Err(format!(
                "{} is not the API library that it was built with; build both again with `cargo dynplug build`",
                library.display()
            ));
        }
        Ok(TheHost { path: path.to_owned(), api, executable: Some((path.to_owned(), manifest)) })
    }

    fn in_folder(folder: &Path) -> Result<TheHost, String> {
        let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let mut libraries: Vec<(PathBuf, Manifest)> = Vec::new();
        for path in paths {
            // What else lies there is of no interest, whatever it is.
            let Ok((manifest, _)) = product(&path) else { continue };
            let known = libraries.iter().any(|(_, library)| library.id == manifest.id);
            if manifest.product == Product::ApiLibrary && !known {
                libraries.push((path, manifest));
            }
        }
        match libraries.len() {
            0 => Err("there is no API library in the folder".to_owned()),
            1 => {
                let api = libraries.pop().map(|(_, manifest)| manifest);
                let api = api.ok_or("there is no API library in the folder")?;
                Ok(TheHost { path: folder.to_owned(), api, executable: None })
            }
            _ => {
                let names: Vec<String> = libraries.iter().map(|(p, _)| p.display().to_string()).collect();
                Err(format!("there are several API libraries; give one of {}", names.join(", ")))
            }
        }
    }

    /// Whether the host would run on this very machine, so that its processor can be asked.
    fn of_this_machine(&self) -> bool {
        let mut parts = self.api.target.split('-');
        let architecture = parts.next().unwrap_or_default();
        let system = std::env::consts::OS;
        architecture == std::env::consts::ARCH
            && (parts.any(|part| part == system) || (system == "macos" && self.api.target.contains("darwin")))
    }
}

/// The manifest of a file, and the folders in which it looks for libraries.
fn product(path: &Path) -> Result<(Manifest, Vec<PathBuf>), String> {
    let bytes = read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    match About::of(&bytes) {
        About::Product(details) => {
            let Details { manifest, .. } = *details;
            // The system resolves links before it says where a program lies.
            let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
            let folders = run_paths(&bytes, place.parent().unwrap_or(Path::new("")));
            Ok((manifest, folders))
        }
        About::Other(Other { code: Code::PlainHost | Code::PlainBuild, .. }) => Err(format!(
            "plain cargo built it, so it shares nothing with plugins; {}",
            Code::PlainHost.diagnostic().remedy
        )),
        About::Other(Other { code: Code::NotAPlugin, what }) => {
            Err(format!("{} is {what}; a host is built by `cargo dynplug build`", path.display()))
        }
        About::Other(other) => Err(format!("{}: {}", path.display(), other.what)),
    }
}

/// The folders of an ELF file's `DT_RPATH` or `DT_RUNPATH`, with `$ORIGIN` filled in.
fn run_paths(bytes: &[u8], origin: &Path) -> Vec<PathBuf> {
    use object::elf::{DT_RPATH, DT_RUNPATH};
    use object::read::elf::{Dyn, ElfFile64};
    let Ok(file) = ElfFile64::<object::Endianness>::parse(bytes) else { return Vec::new() };
    let endian = file.endian();
    let segments = file.elf_program_headers();
    let found = || -> object::read::Result<Vec<PathBuf>> {
        use object::read::elf::{FileHeader, ProgramHeader};
        let sections = file.elf_header().sections(endian, bytes)?;
        let mut folders = Vec::new();
        for segment in segments {
            let Some(entries) = segment.dynamic(endian, bytes)? else { continue };
            let Some((_, link)) = sections.dynamic(endian, bytes)? else { continue };
            let strings = sections.strings(endian, bytes, link)?;
            for entry in entries {
                if matches!(entry.d_tag(endian), DT_RPATH | DT_RUNPATH) {
                    let list = String::from_utf8_lossy(entry.string(endian, strings)?).into_owned();
                    let origin = origin.to_string_lossy();
                    folders.extend(list.split(':').filter(|f| !f.is_empty()).map(|folder| {
                        PathBuf::from(folder.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin))
                    }));
                }
            }
        }
        Ok(folders)
    };
    found().unwrap_or_default()
}
