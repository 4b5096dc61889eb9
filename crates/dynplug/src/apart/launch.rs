//! What is started for a plugin: the runner, the plugin's file, and the API library that it was built with.

use super::{OwnProcess, RUNNER, StartError, libraries};
use crate::error::{NotAPlugin, OpenError};
use crate::open::{self, Wanted};
use crate::process;
use crate::system;
use crate::terms::Terms;
use dynplug_manifest::image::Image;
use dynplug_manifest::{Identity, LibraryReference, Manifest, Product};
use dynplug_process::confine::Confinement;
use dynplug_process::keeper::Program;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What is to be started, and what it says of itself.
pub(super) struct Launch {
    pub(super) program: Program,
    /// The plugin's package.
    pub(super) name: String,
    /// Whether host and plugin were compiled against one API library.
    pub(super) shares_types: bool,
}

/// Finds all that the plugin in a file needs, with the bytes that were read of it.
pub(super) fn launch(
    path: &Path,
    bytes: &[u8],
    options: &OwnProcess,
    terms: &Terms,
) -> Result<Launch, StartError> {
    let manifest = manifest_of(path, bytes)?;
    let runner = runner(options)?;
    let shares_types = process::library().is_some_and(|own| own.id == manifest.api.identity);
    let library = library(path, &manifest.api, shares_types, terms)?;
    let shared = libraries::of(path, &manifest, terms)?;
    #[cfg(feature = "trust")]
    for (path, bytes) in std::iter::once((path, bytes)).chain(shared.iter().map(|it| (&*it.path, &*it.bytes)))
    {
        let is_shared = |name: &str| shared.iter().any(|library| library.soname == name);
        brings_nothing(path, bytes, terms, |name| name == manifest.api.soname || is_shared(name))?;
    }
    let name = &manifest.package;
    let sealed = |bytes: &[u8], path: &Path| {
        system::sealed_copy(bytes, name)
            .map(OwnedFd::from)
            .map_err(|source| StartError::Read { path: path.to_owned(), source })
    };
    let library = match library {
        // The host itself runs with this file.
        Library::Own(path, _, bytes) if options.confinement.is_some() => own_copy(&path, &bytes)?,
        Library::Own(_, file, _) => file.into(),
        Library::Beside(path, bytes) => sealed(&bytes, &path)?,
    };
    let mut files = vec![library, sealed(bytes, path)?];
    for library in &shared {
        files.push(sealed(&library.bytes, &library.path)?);
    }
    let own = [std::process::id().to_string(), options.threads.to_string(), shared.len().to_string()];
    let own = own.map(OsString::from);
    let confinement = options.confinement.iter().flat_map(Confinement::to_args);
    let arguments = own.into_iter().chain(confinement).collect();
    Ok(Launch {
        program: Program {
            path: runner,
            arguments,
            variables: options.variables.clone(),
            inherits: options.inherits,
            files,
        },
        name: manifest.package,
        shares_types,
    })
}

fn refused(path: &Path, found: NotAPlugin) -> StartError {
    StartError::Open(OpenError::NotAPlugin { path: path.to_owned(), found })
}

fn parsed<'b>(path: &Path, bytes: &'b [u8]) -> Result<Image<'b>, StartError> {
    Image::parse(bytes).map_err(|error| refused(path, NotAPlugin::Image(error)))
}

fn manifest_of(path: &Path, bytes: &[u8]) -> Result<Manifest, StartError> {
    let image = parsed(path, bytes)?;
    match image.manifest().map_err(|error| refused(path, NotAPlugin::Image(error)))? {
        Some(manifest) if manifest.product == Product::Plugin => Ok(manifest),
        Some(other) => {
            Err(open::another(path, Wanted::Plugin, other.product, &other.package, other.id).into())
        }
        None => Err(refused(path, open::without_manifest(&image))),
    }
}

fn runner(options: &OwnProcess) -> Result<PathBuf, StartError> {
    if let Some(runner) = &options.runner {
        return Ok(runner.clone());
    }
    let mut searched = Vec::new();
    if let Some(folder) = process::program_path().parent() {
        let path = folder.join(RUNNER);
        if path.is_file() {
            return Ok(path);
        }
        searched.push(path);
    }
    Err(StartError::NoRunner { searched })
}

enum Library {
    Own(PathBuf, File, Vec<u8>),
    Beside(PathBuf, Vec<u8>),
}

/// The API library that the plugin was built with: the host's own, or one that lies beside the plugin or in a folder `lib` there. The
/// policy is asked about the latter, as about the plugin: whoever may write beside a plugin could otherwise run what he likes.
fn library(path: &Path, api: &LibraryReference, is_own: bool, terms: &Terms) -> Result<Library, StartError> {
    let mut searched = Vec::new();
    if is_own && let Some(own) = system::own_path() {
        let mut bytes = Vec::new();
        let read = File::open(&own).and_then(|mut file| file.read_to_end(&mut bytes).map(|_| file));
        match read {
            Ok(file) if identity_of(&bytes) == Some(api.identity) => {
                return Ok(Library::Own(own, file, bytes));
            }
            _ => searched.push(own),
        }
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    for file in [folder.join(&api.soname), folder.join("lib").join(&api.soname)] {
        match file.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                searched.push(file);
                continue;
            }
            Err(source) => return Err(StartError::Read { path: file, source }),
            Ok(_) => {}
        }
        let bytes = open::read_judged(&file, terms)?;
        if identity_of(&bytes) == Some(api.identity) {
            #[cfg(feature = "trust")]
            brings_nothing(&file, &bytes, terms, |name| name == api.soname)?;
            return Ok(Library::Beside(file, bytes));
        }
        searched.push(file);
    }
    Err(StartError::NoLibrary { path: path.to_owned(), library: api.soname.clone(), searched })
}

/// Makes sure that a file brings nothing into its process that nobody speaks for: what the host has, it may have, and what it is
/// expected to.
#[cfg(feature = "trust")]
fn brings_nothing(
    path: &Path,
    bytes: &[u8],
    terms: &Terms,
    is_expected: impl Fn(&str) -> bool,
) -> Result<(), StartError> {
    if terms.policy.is_none() {
        return Ok(());
    }
    let image = parsed(path, bytes)?;
    let needed: Vec<String> = image.needed().iter().map(|name| (*name).to_owned()).collect();
    terms.lets_in(path, &needed, |name| is_expected(name) || system::is_in_process(name))?;
    Ok(())
}

fn identity_of(bytes: &[u8]) -> Option<Identity> {
    let manifest = Image::parse(bytes).ok()?.manifest().ok()??;
    (manifest.product == Product::ApiLibrary).then_some(manifest.id)
}

/// A copy of the host's own API library, one for all processes: a confined process can open no file, but what is in memory.
fn own_copy(path: &Path, bytes: &[u8]) -> Result<OwnedFd, StartError> {
    static COPY: Mutex<Option<File>> = Mutex::new(None);
    let failed = |source| StartError::Read { path: path.to_owned(), source };
    let mut copy = COPY.lock().unwrap_or_else(PoisonError::into_inner);
    let file = match &*copy {
        Some(file) => file,
        None => copy.insert(system::sealed_copy(bytes, "the API library").map_err(failed)?),
    };
    file.try_clone().map(OwnedFd::from).map_err(failed)
}
