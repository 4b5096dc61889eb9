//! One open, step by step: read once, prove, map what was proven, initialise.

use crate::__private::{Entry, InitEntry};
use crate::error::{Difference, NotAPlugin, OpenError, SystemError};
use crate::init;
use crate::loader::Load;
use crate::plugin::Plugin;
use crate::process;
use crate::system::{self, Mapped};
use dynplug_manifest::image::{Image, ImageKind, Section};
use dynplug_manifest::note;
use dynplug_manifest::record::{Fields, Kind};
use dynplug_manifest::{Identity, Manifest, Product};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What tells one file from another.
pub(crate) use crate::system::FileId;

/// A file that is to be opened.
pub(crate) struct Found {
    pub(crate) canonical: PathBuf,
    pub(crate) id: FileId,
    file: File,
}

/// How an open ended.
pub(crate) enum Opened {
    Ready(&'static Plugin),
    /// Before anything was mapped.
    Refused(OpenError),
    /// After it was mapped.
    Failed(OpenError),
}

/// Finds the file and makes sure that it is one.
pub(crate) fn find(path: &Path) -> Result<Found, OpenError> {
    let unreadable = |source| OpenError::Read { path: path.to_owned(), source: Arc::new(source) };
    let canonical = path.canonicalize().map_err(unreadable)?;
    let not_a_file =
        |what| OpenError::NotAPlugin { path: path.to_owned(), found: NotAPlugin::NotAFile { what } };
    // Asked before it is opened, since opening a pipe waits for a writer and opening a device may do anything.
    let before = canonical.metadata().map_err(unreadable)?;
    if let Some(what) = system::kind_of(&before) {
        return Err(not_a_file(what));
    }
    let file = system::open_for_reading(&canonical).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if let Some(what) = system::kind_of(&metadata) {
        return Err(not_a_file(what));
    }
    Ok(Found { id: system::file_id(&canonical, &metadata), canonical, file })
}

/// Opens a file that no other thread is opening. `claim` is called before mapping with the plugin's id, and fails when
/// a plugin with that id is loaded.
///
/// # Safety
///
/// As for [`Plugin::open`].
pub(crate) unsafe fn open(
    path: &Path,
    found: &Found,
    load: Load,
    claim: impl FnOnce(Identity) -> Result<(), OpenError>,
) -> Opened {
    let proven = match prove(path, found) {
        Ok(proven) => proven,
        Err(error) => return Opened::Refused(error),
    };
    if let Err(error) = claim(proven.manifest.id) {
        return Opened::Refused(error);
    }
    // SAFETY: the bytes were proven to be a plugin for this process; that their manifest is honest is the caller's word.
    let mapped = match unsafe { system::map(&proven.bytes, &found.canonical, &proven.manifest.package, load) }
    {
        Ok(mapped) => mapped,
        Err(source) => return Opened::Failed(OpenError::Map { path: path.to_owned(), source }),
    };
    // The loader answers with a library that it has when it takes the two for one.
    let is_the_one = mapped.notes.iter().any(|n| note::find(n) == Some(&proven.note[..]));
    if !is_the_one {
        let source = SystemError("it gave another library than the one that was proven".to_owned());
        return Opened::Failed(OpenError::Map { path: path.to_owned(), source });
    }
    match start(path, proven, mapped) {
        Ok(plugin) => Opened::Ready(plugin),
        Err(error) => Opened::Failed(error),
    }
}

/// A file's bytes, read once, with what was found in them.
struct Proven {
    bytes: Vec<u8>,
    /// The manifest's bytes.
    note: Vec<u8>,
    manifest: Manifest,
    symbols: Option<Table>,
    inits: Option<Table>,
}

/// Where a table of references lies in the image.
#[derive(Clone, Copy)]
struct Table {
    address: u64,
    count: usize,
}

/// Reads the file and refuses what can't be a plugin for this process.
fn prove(path: &Path, found: &Found) -> Result<Proven, OpenError> {
    let mut bytes = Vec::new();
    let read = (&found.file).read_to_end(&mut bytes);
    read.map_err(|source| OpenError::Read { path: path.to_owned(), source: Arc::new(source) })?;
    let refused = |found| OpenError::NotAPlugin { path: path.to_owned(), found };
    let image = Image::parse(&bytes).map_err(|e| refused(NotAPlugin::Image(e)))?;
    let manifest = image.manifest().map_err(|e| refused(NotAPlugin::Image(e)))?;
    let manifest = match manifest {
        Some(manifest) if manifest.product == Product::Plugin => manifest,
        Some(Manifest { product, package, .. }) => return Err(refused(NotAPlugin::Other { product, package })),
        None => {
            let what = without_manifest(&image);
            // In a program that can open no plugin at all, that is the thing to know.
            if matches!(what, NotAPlugin::PlainBuild) {
                own_library(path)?;
            }
            return Err(refused(what));
        }
    };
    let own = own_library(path)?;
    if manifest.api.identity != own.id {
        let difference = Difference {
            host_api: format!("{} {}", own.package, own.version),
            host_identity: own.id,
            plugin_api: format!("{} {}", manifest.api.package, manifest.api.version),
            plugin_identity: manifest.api.identity,
            host_rustc: own.rustc.clone(),
            plugin_rustc: manifest.rustc.clone(),
        };
        let plugin = format!("{} {}", manifest.package, manifest.version);
        return Err(OpenError::Mismatch { path: path.to_owned(), plugin, difference: Box::new(difference) });
    }
    let note = image.manifest_bytes().ok().flatten().unwrap_or_default().to_vec();
    let symbols = table(image.section("dp_sym")).map_err(refused)?;
    let inits = table(image.section("dp_init")).map_err(refused)?;
    Ok(Proven { note, manifest, symbols, inits, bytes })
}

/// The API library in this process, if it is the one that the program was built with.
fn own_library(path: &Path) -> Result<&'static Manifest, OpenError> {
    let own = process::library().ok_or_else(|| OpenError::HostNotShared { path: path.to_owned() })?;
    match process::program() {
        Some(program) if program.api.identity != own.id => Err(OpenError::WrongApiLibrary {
            path: path.to_owned(),
            want: program.api.identity,
            have: own.id,
        }),
        _ => Ok(own),
    }
}

/// What an image is that carries no manifest.
fn without_manifest(image: &Image<'_>) -> NotAPlugin {
    if image.section("dp_exp").is_some() && image.kind() == ImageKind::SharedLibrary {
        return NotAPlugin::PlainBuild;
    }
    NotAPlugin::Foreign {
        kind: match image.kind() {
            ImageKind::SharedLibrary => "a shared library",
            ImageKind::Executable => "an executable",
            ImageKind::Relocatable => "an object file",
            _ => "an image",
        },
    }
}

/// A section of references, if there is one; whole references, and where the loader puts them.
fn table(section: Option<Section<'_>>) -> Result<Option<Table>, NotAPlugin> {
    let Some(section) = section.filter(|s| s.size > 0) else { return Ok(None) };
    let size = size_of::<usize>() as u64;
    let part = "a whole table of its exports";
    if !section.mapped || section.size % size != 0 || section.address % size != 0 {
        return Err(NotAPlugin::Incomplete { part });
    }
    let count = usize::try_from(section.size / size).map_err(|_| NotAPlugin::Incomplete { part })?;
    Ok(Some(Table { address: section.address, count }))
}

/// Reads the tables of a mapped plugin, runs its init functions and publishes it.
fn start(path: &Path, proven: Proven, mapped: Mapped) -> Result<&'static Plugin, OpenError> {
    let inside = |address: usize| mapped.extent.contains(&address);
    let foreign = || OpenError::NotAPlugin {
        path: path.to_owned(),
        found: NotAPlugin::Incomplete { part: "a table of exports that points into itself" },
    };
    // SAFETY: `dp_sym` of an honest plugin holds references to entries and nothing else, and the section lies in what
    // was mapped just now and is never unmapped.
    let entries: Vec<&'static Entry> =
        unsafe { references(&mapped, proven.symbols, inside) }.ok_or_else(foreign)?;
    // SAFETY: as above, for `dp_init`.
    let inits: Vec<&'static InitEntry> =
        unsafe { references(&mapped, proven.inits, inside) }.ok_or_else(foreign)?;
    let decoded = |meta: &'static [u8]| Fields::decode(meta).map_err(|_| foreign());
    let mut symbols = Vec::with_capacity(entries.len());
    for entry in entries {
        let fields = decoded(entry.meta())?;
        // A plugin's symbols are those of its own crate, not of its dependencies.
        if fields.kind != Kind::Init && fields.crate_name() == proven.manifest.crate_name {
            symbols.push((entry, fields));
        }
    }
    let inits =
        inits.into_iter().map(|i| Ok((i, decoded(i.meta())?))).collect::<Result<Vec<_>, OpenError>>()?;
    init::shared().and_then(|()| init::run(inits, &proven.manifest.crates)).map_err(|failed| {
        OpenError::Init {
            path: path.to_owned(),
            function: failed.function,
            place: failed.place,
            failure: failed.failure,
        }
    })?;
    Ok(Box::leak(Box::new(Plugin::new(path.to_owned(), proven.manifest, symbols))))
}

/// The references in a table, or nothing if one of them leads out of the plugin.
///
/// # Safety
///
/// The table must lie in the mapped image and hold references to `T`, each `T` a static of the image.
unsafe fn references<T>(
    mapped: &Mapped,
    table: Option<Table>,
    inside: impl Fn(usize) -> bool,
) -> Option<Vec<&'static T>> {
    let Some(table) = table else { return Some(Vec::new()) };
    let offset = usize::try_from(table.address).ok()?;
    let start = mapped.base.checked_add(offset)? as *const *const T;
    let mut found = Vec::with_capacity(table.count);
    for at in 0..table.count {
        // SAFETY: the caller's word: the table lies in the image. It is aligned, and its pages are readable once the
        // loader has relocated them.
        let pointer = unsafe { start.add(at).read() };
        if !inside(pointer as usize) || !pointer.is_aligned() {
            return None;
        }
        // SAFETY: the pointer leads into the image, and by the caller's word to a static of type `T`.
        found.push(unsafe { &*pointer });
    }
    Some(found)
}
