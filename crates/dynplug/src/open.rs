//! One open, step by step: read once, prove, map what was proven, initialise.

use crate::__private::{Entry, InitEntry};
use crate::about::About;
#[cfg(feature = "trust")]
use crate::ahead::{self, Ahead};
use crate::error::{NotAPlugin, OpenError, SystemError};
use crate::init;
use crate::origin::{Content, Origin, Stamp};
use crate::partial::Partial;
use crate::plugin::Plugin;
use crate::process;
use crate::registry::library;
use crate::system::{self, Mapped};
use crate::terms::Terms;
#[cfg(feature = "trust")]
use crate::terms::compared;
use dynplug_manifest::compare::{Host, Loaded, Machine, Mismatch, compare};
use dynplug_manifest::cpu;
use dynplug_manifest::image::{Endian, Image, ImageError, ImageKind};
use dynplug_manifest::record::{Fields, Kind};
use dynplug_manifest::tables::{RECORDS, Table, Tables};
use dynplug_manifest::{Identity, LibraryReference, Manifest, Product};
#[cfg(feature = "trust")]
use dynplug_trust::Voucher;
use std::fs::{File, Metadata};
use std::io::{self, Read};
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
    #[cfg(feature = "trust")]
    pub(crate) metadata: Metadata,
    file: File,
}

/// What a file is opened as.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// A plugin.
    Plugin,
    /// This build of a library that plugins share.
    Library(&'a LibraryReference),
}

impl Wanted<'_> {
    /// Whether a product with this id is what is wanted.
    pub(crate) fn is(self, product: Product, id: Identity) -> bool {
        match self {
            Wanted::Plugin => product == Product::Plugin,
            Wanted::Library(library) => product == Product::PluginLibrary && id == library.identity,
        }
    }
}

/// The error of a product of the build tool that isn't the one that is wanted.
#[cold]
#[inline(never)]
pub(crate) fn another(
    path: &Path,
    wanted: Wanted<'_>,
    product: Product,
    package: &str,
    id: Identity,
) -> OpenError {
    match wanted {
        Wanted::Library(library) if product == Product::PluginLibrary => {
            OpenError::OtherLibrary { path: path.to_owned(), want: library.identity, have: id }
        }
        _ => not_a_plugin(path, NotAPlugin::Other { product, package: package.to_owned() }),
    }
}

/// Why there is no plugin in memory that could be started.
pub(crate) enum NotMapped {
    /// The loader refused it, and nothing of it is there.
    Nothing(OpenError),
    /// The loader mapped something else, or a part, which may have run.
    Something(OpenError),
}

/// The error of a file that is no plugin.
#[cold]
#[inline(never)]
fn not_a_plugin(path: &Path, found: NotAPlugin) -> OpenError {
    OpenError::NotAPlugin { path: path.to_owned(), found }
}

/// The error of a file that can't be read.
#[cold]
#[inline(never)]
fn unreadable(path: &Path, source: io::Error) -> OpenError {
    OpenError::Read { path: path.to_owned(), source: Arc::new(source) }
}

/// Finds the file and makes sure that it is one. `seen` is what the system said of the path just now.
pub(crate) fn find(path: &Path, seen: io::Result<Metadata>) -> Result<Found, OpenError> {
    // Asked before it is opened, since opening a pipe waits for a writer and opening a device may do anything.
    of_a_file(path, seen)?;
    let file = system::open_for_reading(path).map_err(|source| unreadable(path, source))?;
    let metadata = of_a_file(path, file.metadata())?;
    let canonical = system::canonical(&file, path).map_err(|source| unreadable(path, source))?;
    Ok(Found {
        id: system::file_id(&file, &canonical, &metadata),
        stamp: Stamp::of(&metadata),
        #[cfg(feature = "trust")]
        metadata,
        canonical,
        file,
    })
}

/// What the system says of a file, if it is one.
#[inline(never)]
fn of_a_file(path: &Path, metadata: io::Result<Metadata>) -> Result<Metadata, OpenError> {
    let metadata = metadata.map_err(|source| unreadable(path, source))?;
    match system::kind_of(&metadata) {
        Some(what) => Err(not_a_plugin(path, NotAPlugin::NotAFile { what })),
        None => Ok(metadata),
    }
}

/// Maps what was proven, and makes sure that this is what was mapped. Constructors run.
///
/// # Safety
///
/// As for [`Plugin::open`].
pub(crate) unsafe fn map(
    path: &Path,
    found: &Found,
    proven: &mut Proven,
    terms: &Terms,
    wanted: Wanted<'_>,
) -> Result<Mapped, NotMapped> {
    // By this others find a library.
    let name = match wanted {
        Wanted::Library(library) => &library.soname,
        Wanted::Plugin => &proven.manifest.package,
    };
    #[cfg(feature = "trust")]
    let copy = proven.ahead.take().and_then(|ahead| ahead.copy);
    #[cfg(not(feature = "trust"))]
    let copy = None;
    // SAFETY: the bytes were proven to be a plugin for this process, and a copy that was made ahead holds them; that their
    // manifest is honest is the caller's word.
    let mapped = unsafe { system::map(&proven.bytes, copy, &found.canonical, name, terms) };
    let mapped =
        mapped.map_err(|source| NotMapped::Nothing(OpenError::Map { path: path.to_owned(), source }))?;
    let gave_another = || {
        let source = SystemError("it gave another library than the one that was proven".to_owned());
        OpenError::Map { path: path.to_owned(), source }
    };
    // The loader answers with a library that it has when it takes the two for one.
    if !mapped.is_new {
        return Err(NotMapped::Nothing(gave_another()));
    }
    if mapped.manifest != Some(&proven.note[..]) {
        return Err(NotMapped::Something(gave_another()));
    }
    // Plugins find it by its name, which another library in the process may have too.
    if let Wanted::Library(library) = wanted
        && !mapped.answers_to(&library.soname)
    {
        let source = SystemError(format!("it doesn't know it by its name {}", library.soname));
        return Err(NotMapped::Something(OpenError::Map { path: path.to_owned(), source }));
    }
    Ok(mapped)
}

/// A file's bytes, read once, with what was found in them.
pub(crate) struct Proven {
    bytes: Arc<Vec<u8>>,
    /// The manifest's bytes.
    note: Vec<u8>,
    manifest: Arc<Manifest>,
    tables: Tables,
    /// The libraries that the loader will look for.
    #[cfg(feature = "trust")]
    needed: Vec<String>,
    #[cfg(feature = "trust")]
    voucher: Option<Voucher>,
    #[cfg(feature = "trust")]
    ahead: Option<Ahead>,
}

impl Proven {
    /// Which plugin it is.
    pub(crate) fn id(&self) -> Identity {
        self.manifest.id
    }

    /// What it says of itself.
    pub(crate) fn manifest(&self) -> &Arc<Manifest> {
        &self.manifest
    }

    #[cfg(feature = "trust")]
    pub(crate) fn needed(&self) -> &[String] {
        &self.needed
    }

    pub(crate) fn content(&self) -> Content {
        #[cfg(feature = "trust")]
        if let Some(ahead) = &self.ahead {
            return ahead.content;
        }
        Content::of(&self.bytes)
    }
}

/// What was found in a file's bytes.
struct Examined {
    manifest: Arc<Manifest>,
    /// The manifest's bytes.
    note: Vec<u8>,
    tables: Tables,
}

/// More bytes than any loader keeps free for thread-locals of the initial-exec model: glibc keeps 1664, and takes 512 of
/// them for its own libraries.
const STATIC_TLS: u64 = 4096;

fn read_whole(path: &Path, found: &Found) -> Result<Vec<u8>, OpenError> {
    let mut bytes = Vec::new();
    let read = (&found.file).read_to_end(&mut bytes);
    read.map_err(|source| unreadable(path, source))?;
    Ok(bytes)
}

/// Reads the file and refuses what can't be a plugin for this process.
pub(crate) fn prove(
    path: &Path,
    found: &Found,
    wanted: Wanted<'_>,
    terms: &Terms,
) -> Result<Proven, OpenError> {
    let bytes = Arc::new(read_whole(path, found)?);
    #[cfg(feature = "trust")]
    let (judged, ahead) = ahead::judge(path, found, &bytes, terms)?;
    #[cfg(not(feature = "trust"))]
    let _ = terms;
    let image = Image::parse(&bytes).map_err(|e| not_a_plugin(path, NotAPlugin::Image(e)))?;
    let Examined { manifest, note, tables } = examine(path, &image, manifest_of(&image), wanted)?;
    Ok(Proven {
        note,
        tables,
        #[cfg(feature = "trust")]
        needed: image.needed().iter().map(|name| (*name).to_owned()).collect(),
        #[cfg(feature = "trust")]
        voucher: compared(path, judged, &manifest)?,
        #[cfg(feature = "trust")]
        ahead,
        manifest,
        bytes,
    })
}

/// The bytes of a file that is to run in another process, a plugin or its API library, if the policy lets it in. Whether it fits is
/// that process's to say.
#[cfg(all(feature = "process", target_os = "linux"))]
pub(crate) fn read_judged(path: &Path, terms: &Terms) -> Result<Vec<u8>, OpenError> {
    let found = find(path, path.metadata())?;
    let bytes = read_whole(path, &found)?;
    #[cfg(feature = "trust")]
    if terms.policy.is_some() {
        let judged = terms.judge(path, &found, &bytes)?;
        let image = Image::parse(&bytes).map_err(|e| not_a_plugin(path, NotAPlugin::Image(e)))?;
        if let Some(manifest) = manifest_of(&image).map_err(|e| not_a_plugin(path, NotAPlugin::Image(e)))? {
            compared(path, judged, &manifest)?;
        }
    }
    #[cfg(not(feature = "trust"))]
    let _ = terms;
    Ok(bytes)
}

/// What a file says of itself, and why it can't be a plugin for this process: what [`prove`] would say, from those parts of
/// the file that are needed for it.
pub(crate) fn look(path: &Path, partial: &mut Partial, terms: &Terms) -> (Option<About>, Option<OpenError>) {
    look_as(path, partial, Wanted::Plugin, terms, 0, &mut Vec::new())
}

/// Libraries that need libraries that need … deeper than anybody would have them; a circle of them is told when it is
/// opened.
const DEEPEST: usize = 16;

fn look_as(
    path: &Path,
    partial: &mut Partial,
    wanted: Wanted<'_>,
    terms: &Terms,
    depth: usize,
    seen: &mut Vec<Identity>,
) -> (Option<About>, Option<OpenError>) {
    let mut found = match find(path, path.metadata()) {
        Ok(found) => found,
        Err(error) => return (None, Some(error)),
    };
    let read = match partial.read(&mut found.file) {
        Ok(bytes) => Image::parse(bytes).map_err(|e| not_a_plugin(path, NotAPlugin::Image(e))),
        Err(source) => Err(unreadable(path, source)),
    };
    let image = match read {
        Ok(image) => image,
        Err(error) => return (None, Some(error)),
    };
    let manifest = manifest_of(&image);
    let known = manifest.as_ref().ok().and_then(|manifest| manifest.clone());
    let refusal = examine(path, &image, manifest, wanted).err();
    let about = known.as_ref().map(|manifest| About::of_file(manifest, &image));
    #[cfg(feature = "trust")]
    let refusal = match &known {
        Some(manifest) if refusal.is_none() => {
            look_at_trust(path, &mut found, partial, manifest, terms).err()
        }
        _ => refusal,
    };
    #[cfg(not(feature = "trust"))]
    let _ = terms;
    let (None, Some(manifest), true) = (&refusal, known, depth < DEEPEST) else { return (about, refusal) };
    let look = |file: &Path, library: &LibraryReference| {
        // Each once, however often it is named: whoever forges manifests could name it without end.
        if seen.contains(&library.identity) {
            return None;
        }
        seen.push(library.identity);
        look_as(file, partial, Wanted::Library(library), terms, depth + 1, seen).1
    };
    (about, library::missing(path, &found, &manifest, look))
}

/// Refuses what a policy refuses, for which all of the file has to be read.
#[cfg(feature = "trust")]
fn look_at_trust(
    path: &Path,
    found: &mut Found,
    partial: &mut Partial,
    manifest: &Manifest,
    terms: &Terms,
) -> Result<(), OpenError> {
    if terms.policy.is_none() {
        return Ok(());
    }
    // What was looked at is what is judged.
    let bytes = partial.rest(&mut found.file).map_err(|source| unreadable(path, source))?;
    let judged = terms.judge(path, found, bytes)?;
    compared(path, judged, manifest).map(drop)
}

type FoundManifest = Result<Option<Arc<Manifest>>, ImageError>;

fn manifest_of(image: &Image<'_>) -> FoundManifest {
    Ok(image.manifest()?.map(Arc::new))
}

/// Refuses what can't be a plugin for this process.
#[inline(never)]
fn examine(
    path: &Path,
    image: &Image<'_>,
    manifest: FoundManifest,
    wanted: Wanted<'_>,
) -> Result<Examined, OpenError> {
    let refused = |found| not_a_plugin(path, found);
    if let Some(found) = other_machine(image) {
        return Err(refused(found));
    }
    let manifest = match manifest.map_err(|e| refused(NotAPlugin::Image(e)))? {
        Some(manifest) if wanted.is(manifest.product, manifest.id) => manifest,
        Some(other) => return Err(another(path, wanted, other.product, &other.package, other.id)),
        None => {
            let what = without_manifest(image);
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
    fits(path, &host, &manifest, image.needed())?;
    let note = image.manifest_bytes().ok().flatten().unwrap_or_default().to_vec();
    let tables = Tables::of(image, &manifest).map_err(|error| refused(NotAPlugin::Tables(error)))?;
    Ok(Examined { manifest, note, tables })
}

/// Refuses a plugin that doesn't fit the host.
#[inline(never)]
pub(crate) fn fits(
    path: &Path,
    host: &Host<'_>,
    plugin: &Manifest,
    needed: &[&str],
) -> Result<(), OpenError> {
    match Mismatch::new(plugin, compare(host, plugin, needed)) {
        Some(mismatch) => Err(OpenError::Mismatch { path: path.to_owned(), mismatch: Box::new(mismatch) }),
        None => Ok(()),
    }
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
#[inline(never)]
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
pub(crate) fn without_manifest(image: &Image<'_>) -> NotAPlugin {
    if image.section(RECORDS).is_some() && image.kind() == ImageKind::SharedLibrary {
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

/// Reads the tables of a mapped plugin, runs its init functions and makes a plugin of it.
pub(crate) fn start(
    path: &Path,
    found: &Found,
    proven: &Proven,
    content: Content,
    mapped: &Mapped,
    libraries: Vec<&'static Plugin>,
) -> Result<&'static Plugin, OpenError> {
    let foreign =
        || not_a_plugin(path, NotAPlugin::Incomplete { part: "a table of exports that points into itself" });
    // SAFETY: `dp_sym` of an honest plugin holds references to entries and nothing else, and the section lies in what
    // was mapped just now and is never unmapped.
    let entries = unsafe { references(mapped, proven.tables.symbols) }.ok_or_else(foreign)?;
    // SAFETY: as above, for `dp_init`.
    let starts = unsafe { references(mapped, proven.tables.inits) }.ok_or_else(foreign)?;
    let decoded = |meta: &'static [u8]| Fields::decode(meta).map_err(|_| foreign());
    let mut symbols = Vec::with_capacity(entries.len());
    for entry in entries {
        // SAFETY: the pointer leads into the image, and in an honest plugin to an entry, a static.
        let entry: &'static Entry = unsafe { &*entry.cast() };
        let fields = decoded(entry.meta())?;
        // A plugin's symbols are those of its own crate, not of its dependencies.
        if fields.kind != Kind::Init && fields.crate_name() == proven.manifest.crate_name {
            symbols.push((entry, fields));
        }
    }
    let mut inits = Vec::with_capacity(starts.len());
    for start in starts {
        // SAFETY: as above, for an init function's entry.
        let start: &'static InitEntry = unsafe { &*start.cast() };
        inits.push((start, decoded(start.meta())?));
    }
    let (report, outcome) = init::run(&proven.manifest.package, inits, &proven.manifest.crates);
    outcome.map_err(|error| error.of_plugin(path))?;
    let origin = Origin::new(path, found.id, found.stamp, content);
    let manifest = &proven.manifest;
    let name: (&'static str, &'static str) =
        (manifest.package.clone().leak(), manifest.version.clone().leak());
    let mut private = Vec::new();
    for own in manifest.crates.iter().filter(|c| !c.shared) {
        private.push(own.crate_name.clone());
    }
    let plugin = Plugin::new(path.to_owned(), name, private.leak(), &symbols, Some(origin), report);
    let library = (manifest.product == Product::PluginLibrary).then_some(manifest.id);
    let plugin = plugin.with_libraries(library, libraries);
    #[cfg(feature = "trust")]
    let plugin = plugin.vouched(proven.voucher.clone());
    Ok(Box::leak(Box::new(plugin)))
}

/// What the references in a table lead to, or nothing if one of them leads out of the plugin or to no entry's alignment.
///
/// # Safety
///
/// The table must lie in the mapped image.
#[inline(never)]
pub(crate) unsafe fn references(mapped: &Mapped, table: Option<Table>) -> Option<Vec<*const ()>> {
    // One function for both kinds of entry.
    const ALIGN: usize = align_of::<Entry>();
    const { assert!(ALIGN == align_of::<InitEntry>()) };
    let Some(table) = table else { return Some(Vec::new()) };
    let offset = usize::try_from(table.address).ok()?;
    let start = mapped.base.checked_add(offset)? as *const *const ();
    let mut found = Vec::with_capacity(table.count);
    for at in 0..table.count {
        // SAFETY: the caller's word: the table lies in the image. It is aligned, and its pages are readable once the
        // loader has relocated them.
        let pointer = unsafe { start.add(at).read() };
        if !mapped.extent.contains(&pointer.addr()) || pointer.addr() % ALIGN != 0 {
            return None;
        }
        found.push(pointer);
    }
    Some(found)
}
