//! One open, step by step: read once, prove, map what was proven, initialise.

use crate::__private::{Entry, InitEntry};
use crate::error::{InitError, NotAPlugin, OpenError, SystemError};
use crate::init;
use crate::loader::Load;
use crate::origin::{Content, Origin, Stamp};
use crate::plugin::Plugin;
use crate::process;
use crate::system::{self, Mapped};
use dynplug_manifest::compare::{Host, Loaded, Machine, Mismatch, compare};
use dynplug_manifest::cpu;
use dynplug_manifest::image::{Endian, Image, ImageKind, Section};
use dynplug_manifest::note;
use dynplug_manifest::record::{Fields, Kind, Records};
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
    /// From before it was read.
    pub(crate) stamp: Stamp,
    file: File,
}

/// Why there is no plugin in memory that could be started.
pub(crate) enum NotMapped {
    /// The loader refused it, and nothing of it is there.
    Nothing(OpenError),
    /// The loader mapped something else, or a part, which may have run.
    Something(OpenError),
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
    Ok(Found { id: system::file_id(&canonical, &metadata), stamp: Stamp::of(&metadata), canonical, file })
}

/// Maps what was proven, and makes sure that this is what was mapped. Constructors run.
///
/// # Safety
///
/// As for [`Plugin::open`].
pub(crate) unsafe fn map(
    path: &Path,
    found: &Found,
    proven: &Proven,
    load: Load,
) -> Result<Mapped, NotMapped> {
    // SAFETY: the bytes were proven to be a plugin for this process; that their manifest is honest is the caller's word.
    let mapped = unsafe { system::map(&proven.bytes, &found.canonical, &proven.manifest.package, load) };
    let mapped =
        mapped.map_err(|source| NotMapped::Nothing(OpenError::Map { path: path.to_owned(), source }))?;
    let another = || {
        let source = SystemError("it gave another library than the one that was proven".to_owned());
        OpenError::Map { path: path.to_owned(), source }
    };
    // The loader answers with a library that it has when it takes the two for one.
    if !mapped.is_new {
        return Err(NotMapped::Nothing(another()));
    }
    if !mapped.notes.iter().any(|n| note::find(n) == Some(&proven.note[..])) {
        return Err(NotMapped::Something(another()));
    }
    Ok(mapped)
}

/// A file's bytes, read once, with what was found in them.
pub(crate) struct Proven {
    bytes: Vec<u8>,
    /// The manifest's bytes.
    note: Vec<u8>,
    manifest: Manifest,
    symbols: Option<Table>,
    inits: Option<Table>,
}

impl Proven {
    /// Which plugin it is.
    pub(crate) fn id(&self) -> Identity {
        self.manifest.id
    }

    /// What it says of itself.
    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub(crate) fn content(&self) -> Content {
        Content::of(&self.bytes)
    }
}

/// Where a table of references lies in the image.
#[derive(Clone, Copy)]
struct Table {
    address: u64,
    count: usize,
}

/// More bytes than any loader keeps free for thread-locals of the initial-exec model: glibc keeps 1664, and takes 512 of
/// them for its own libraries.
const STATIC_TLS: u64 = 4096;

/// Reads the file and refuses what can't be a plugin for this process.
pub(crate) fn prove(path: &Path, found: &Found) -> Result<Proven, OpenError> {
    let mut bytes = Vec::new();
    let read = (&found.file).read_to_end(&mut bytes);
    read.map_err(|source| OpenError::Read { path: path.to_owned(), source: Arc::new(source) })?;
    let refused = |found| OpenError::NotAPlugin { path: path.to_owned(), found };
    let image = Image::parse(&bytes).map_err(|e| refused(NotAPlugin::Image(e)))?;
    if let Some(found) = other_machine(&image) {
        return Err(refused(found));
    }
    let manifest = image.manifest().map_err(|e| refused(NotAPlugin::Image(e)))?;
    let manifest = match manifest {
        Some(manifest) if manifest.product == Product::Plugin => manifest,
        Some(Manifest { product, package, .. }) => {
            return Err(refused(NotAPlugin::Other { product, package }));
        }
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
    let has_feature: &dyn Fn(&str) -> Option<bool> = &cpu::has;
    // "Can't tell" is no reason to refuse: the loader itself will say.
    let libraries: &dyn Fn(&str) -> bool = &|name| system::is_there(name) != Some(false);
    let machine = Machine { target: &own.target, has_feature, libraries: Some(libraries) };
    let program = process::program().map(|manifest| Loaded { path: process::program_path(), manifest });
    let host = Host { api: own, machine, loaded: program.as_slice() };
    if image.static_tls() && image.tls_size() > STATIC_TLS {
        return Err(OpenError::StaticTls { path: path.to_owned(), size: image.tls_size() });
    }
    let differences = compare(&host, &manifest, image.needed());
    if let Some(mismatch) = Mismatch::new(&manifest, differences) {
        return Err(OpenError::Mismatch { path: path.to_owned(), mismatch: Box::new(mismatch) });
    }
    let note = image.manifest_bytes().ok().flatten().unwrap_or_default().to_vec();
    let symbols = table(image.section("dp_sym")).map_err(refused)?;
    let inits = table(image.section("dp_init")).map_err(refused)?;
    if !is_whole(&image, symbols, inits) {
        return Err(refused(NotAPlugin::Incomplete { part: "a whole table of its exports" }));
    }
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

/// What an image is that this processor, or this process, can't run.
fn other_machine(image: &Image<'_>) -> Option<NotAPlugin> {
    let endian = if cfg!(target_endian = "big") { Endian::Big } else { Endian::Little };
    let fits = image.machine().name() == std::env::consts::ARCH
        && u32::from(image.bits()) == usize::BITS
        && image.endian() == endian;
    let describe = |machine: &str, bits: u32, endian: Endian| format!("{machine}, {bits} bits, {endian}");
    (!fits).then(|| NotAPlugin::OtherMachine {
        have: describe(&image.machine().to_string(), u32::from(image.bits()), image.endian()),
        want: describe(std::env::consts::ARCH, usize::BITS, endian),
    })
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

/// Whether the tables have as many entries as there are records of exported items and init functions. Tools that take
/// sections away, or their names, would otherwise leave a plugin that opens with no exports and does not start.
fn is_whole(image: &Image<'_>, symbols: Option<Table>, inits: Option<Table>) -> bool {
    let bytes = image.section("dp_exp").map(|section| section.data).unwrap_or_default();
    let (mut exported, mut started) = (0, 0);
    for record in Records::new(bytes) {
        match record {
            Ok(record) if record.kind == Kind::Init => started += 1,
            Ok(_) => exported += 1,
            Err(_) => return false,
        }
    }
    let count = |table: Option<Table>| table.map_or(0, |table| table.count);
    !image.sections().is_empty() && count(symbols) == exported && count(inits) == started
}

/// Reads the tables of a mapped plugin, runs its init functions and makes a plugin of it.
pub(crate) fn start(
    path: &Path,
    found: &Found,
    proven: Proven,
    content: Content,
    mapped: &Mapped,
) -> Result<&'static Plugin, OpenError> {
    let inside = |address: usize| mapped.extent.contains(&address);
    let foreign = || OpenError::NotAPlugin {
        path: path.to_owned(),
        found: NotAPlugin::Incomplete { part: "a table of exports that points into itself" },
    };
    // SAFETY: `dp_sym` of an honest plugin holds references to entries and nothing else, and the section lies in what
    // was mapped just now and is never unmapped.
    let entries: Vec<&'static Entry> =
        unsafe { references(mapped, proven.symbols, inside) }.ok_or_else(foreign)?;
    // SAFETY: as above, for `dp_init`.
    let inits: Vec<&'static InitEntry> =
        unsafe { references(mapped, proven.inits, inside) }.ok_or_else(foreign)?;
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
    let (report, outcome) = init::run(&proven.manifest.package, inits, &proven.manifest.crates);
    outcome.map_err(|error| match error {
        InitError::Failed { package: _, function, place, failure } => {
            OpenError::Init { path: path.to_owned(), function, place, failure }
        }
        source => OpenError::SharedInit { path: path.to_owned(), source },
    })?;
    let origin = Origin::new(path, found.id, found.stamp, content);
    let plugin = Plugin::new(path.to_owned(), proven.manifest, symbols).started(origin, report);
    Ok(Box::leak(Box::new(plugin)))
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
