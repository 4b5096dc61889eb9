//! What is linked into the program: plugins, and crates with init functions, which run with the program or with a
//! plugin.
//!
//! A program that plain cargo linked has all of it in one image, where each record says which packages lie below its
//! crate. A host that `cargo dynplug` built has the shared crates in the API library and the rest in its executable, and
//! its manifest says what depends on what. From here on the two are the same:
//!
//! | a crate | runs its init functions |
//! |---|---|
//! | shared: the API crate, or below it | with the program, first |
//! | neither a plugin nor below one | with the program, after these: the host's own |
//! | not shared, below a plugin that is linked in | once, before the first such plugin that is opened |
//! | a plugin | once, when it is opened, or before another that depends on it |
//!
//! "With the program" is at `dynplug::init` or before the first plugin, as ever. The order inside each line is that of
//! [`dynplug_manifest::order`].

use crate::__private::{Entry, InitEntry};
use crate::error::{InitError, OpenError};
use crate::init::{self, InitRecord};
use crate::open;
use crate::plugin::Plugin;
use crate::process;
use crate::registry;
use crate::section;
use dynplug_manifest::manifest::CrateInfo;
use dynplug_manifest::order::{Node, order};
use dynplug_manifest::record::Fields;
use dynplug_manifest::tables::Table;
use std::path::Path;
use std::sync::OnceLock;

/// All that is linked in.
pub(crate) struct Linked {
    crates: Vec<Crate>,
    /// Those that run with the program, in their order.
    program: Vec<usize>,
    /// The others, in theirs.
    later: Vec<usize>,
    /// The plugins, by crate name, package and version.
    plugins: Vec<usize>,
}

/// A crate that is linked in, with items of ours.
pub(crate) struct Crate {
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
    pub(crate) crate_name: &'static str,
    is_plugin: bool,
    /// Whether it lies in the API library, where there is one, and not in the executable.
    in_library: bool,
    symbols: Vec<(&'static Entry, Fields<'static>)>,
    inits: Vec<(&'static InitEntry, Fields<'static>)>,
    /// The crates below it.
    below: Vec<u32>,
    /// How its init functions went.
    report: OnceLock<Vec<InitRecord>>,
}

/// What is linked in, found out once.
pub(crate) fn linked() -> &'static Linked {
    static LINKED: OnceLock<Linked> = OnceLock::new();
    LINKED.get_or_init(|| {
        let mut crates = Vec::new();
        let in_library = process::library().is_some();
        // What can't be read is of another version of dynplug, and none of ours.
        section::own_symbols().iter().flatten().for_each(|entry| add_symbol(&mut crates, entry, in_library));
        section::own_inits().iter().flatten().for_each(|entry| add_init(&mut crates, entry, in_library));
        if in_library {
            let (symbols, inits) = of_the_program();
            symbols.into_iter().for_each(|entry| add_symbol(&mut crates, entry, false));
            inits.into_iter().for_each(|entry| add_init(&mut crates, entry, false));
        }
        let shared = match process::program().or(process::library()) {
            Some(manifest) if in_library => by_manifest(&mut crates, &manifest.crates),
            _ => by_records(&mut crates),
        };
        Linked::new(crates, &shared)
    })
}

/// The tables of the executable, where the runtime lies in the API library.
fn of_the_program() -> (Vec<&'static Entry>, Vec<&'static InitEntry>) {
    let image = process::program_image();
    let Some(tables) = image.tables else { return (Vec::new(), Vec::new()) };
    let table = |address, size: u64| {
        let count = usize::try_from(size / size_of::<usize>() as u64).ok()?;
        // SAFETY: the build tool has written where the sections of the program lie; nothing else is in them.
        unsafe { open::references(image, Some(Table { address, count })) }
    };
    let mut symbols = Vec::new();
    for entry in table(tables.symbols, tables.symbols_size).unwrap_or_default() {
        // SAFETY: the pointer leads into the program, which is never unmapped, and to an entry, a static.
        symbols.push(unsafe { &*entry.cast::<Entry>() });
    }
    let mut inits = Vec::new();
    for entry in table(tables.inits, tables.inits_size).unwrap_or_default() {
        // SAFETY: as above, for an init function's entry.
        inits.push(unsafe { &*entry.cast::<InitEntry>() });
    }
    (symbols, inits)
}

fn add_symbol(crates: &mut Vec<Crate>, entry: &'static Entry, in_library: bool) {
    if let Ok(fields) = Fields::decode(entry.meta()) {
        of_crate(crates, &fields, in_library).symbols.push((entry, fields));
    }
}

fn add_init(crates: &mut Vec<Crate>, entry: &'static InitEntry, in_library: bool) {
    if let Ok(fields) = Fields::decode(entry.meta()) {
        of_crate(crates, &fields, in_library).inits.push((entry, fields));
    }
}

/// The crate that an item is of.
#[inline(never)]
fn of_crate<'c>(crates: &'c mut Vec<Crate>, fields: &Fields<'static>, in_library: bool) -> &'c mut Crate {
    let name = (fields.package, fields.version, fields.crate_name());
    let is_it = |c: &Crate| c.name() == name && c.in_library == in_library;
    let place = crates.iter().position(is_it).unwrap_or(crates.len());
    if place == crates.len() {
        crates.push(Crate {
            package: fields.package,
            version: fields.version,
            crate_name: fields.crate_name(),
            is_plugin: fields.is_plugin(),
            in_library,
            symbols: Vec::new(),
            inits: Vec::new(),
            below: Vec::new(),
            report: OnceLock::new(),
        });
    }
    &mut crates[place]
}

/// Finds out from a manifest what is below each crate, and which crates are shared.
fn by_manifest(crates: &mut [Crate], infos: &[CrateInfo]) -> Vec<bool> {
    let mut shared = Vec::with_capacity(crates.len());
    // For each crate of the manifest, which one here it is.
    let mut known = vec![None; infos.len()];
    for (at, of) in crates.iter().enumerate() {
        shared.push(of.in_library);
        let name = (of.package, of.version, of.crate_name);
        // A crate that is in both is privately in the executable, too.
        let is_it = |info: &CrateInfo| {
            (&*info.package, &*info.version, &*info.crate_name) == name && info.shared == of.in_library
        };
        if let Some(known) = infos.iter().position(is_it).and_then(|place| known.get_mut(place)) {
            *known = Some(at);
        }
    }
    for (at, of) in crates.iter_mut().enumerate() {
        let mut seen = vec![false; infos.len()];
        let mut open = Vec::new();
        open.extend(known.iter().position(|known| *known == Some(at)));
        while let Some(info) = open.pop().and_then(|place: usize| infos.get(place)) {
            for &below in &info.dependencies {
                let below = below as usize;
                match seen.get_mut(below) {
                    Some(seen) if !*seen => *seen = true,
                    _ => continue,
                }
                open.push(below);
                if let Some(Some(known)) = known.get(below) {
                    of.below.push(*known as u32);
                }
            }
        }
    }
    shared
}

/// Finds out from the records what is below each crate, and which crates are shared.
///
/// Where a plugin's record says that nobody knows, whatever is no plugin is taken to be shared: it then runs before.
fn by_records(crates: &mut [Crate]) -> Vec<bool> {
    let mut shared = vec![false; crates.len()];
    for at in 0..crates.len() {
        let Some((record, is_plugin)) = crates.get(at).and_then(|of| Some((of.record()?, of.is_plugin)))
        else {
            continue;
        };
        let mut below = Vec::new();
        for (place, other) in crates.iter().enumerate() {
            let listed = match record.packages_below() {
                Some(mut packages) => packages
                    .find(|of| (of.package, of.version) == (other.package, other.version))
                    .map(|of| of.shared),
                None => (is_plugin && !other.is_plugin).then_some(true),
            };
            let (Some(is_shared), Some(shared)) = (listed, shared.get_mut(place)) else { continue };
            if place != at {
                *shared |= is_shared && is_plugin;
                below.push(place as u32);
            }
        }
        if let Some(of) = crates.get_mut(at) {
            of.below = below;
        }
    }
    shared
}

impl Crate {
    fn name(&self) -> (&'static str, &'static str, &'static str) {
        (self.package, self.version, self.crate_name)
    }

    fn record(&self) -> Option<Fields<'static>> {
        let symbol = self.symbols.first().map(|(_, fields)| *fields);
        symbol.or_else(|| self.inits.first().map(|(_, fields)| *fields))
    }
}

impl Linked {
    fn new(crates: Vec<Crate>, shared: &[bool]) -> Linked {
        let mut below_a_plugin = vec![false; crates.len()];
        for plugin in crates.iter().filter(|c| c.is_plugin) {
            for below in plugin.below.iter().filter_map(|&below| usize::try_from(below).ok()) {
                if let Some(is) = below_a_plugin.get_mut(below) {
                    *is = true;
                }
            }
        }
        let is_shared = |at: usize| shared.get(at) == Some(&true);
        let is_later = |at: usize| !is_shared(at) && (crates[at].is_plugin || below_a_plugin[at]);
        let ordered = |wanted: &dyn Fn(usize) -> bool| {
            let mut nodes = Vec::with_capacity(crates.len());
            for (at, of) in crates.iter().enumerate() {
                nodes.push(Node { name: of.name(), dependencies: &of.below, has_init: wanted(at) });
            }
            order(&nodes)
        };
        let mut program = ordered(&is_shared);
        program.extend(ordered(&|at| !is_shared(at) && !is_later(at)));
        let later = ordered(&is_later);
        let mut plugins: Vec<usize> = Vec::new();
        for at in (0..crates.len()).filter(|&at| crates[at].is_plugin) {
            let name = |at: usize| (crates[at].crate_name, crates[at].package, crates[at].version);
            let place = plugins.iter().take_while(|&&other| name(other) <= name(at)).count();
            plugins.insert(place, at);
        }
        Linked { crates, program, later, plugins }
    }

    /// The crate at a place.
    pub(crate) fn get(&self, at: usize) -> Option<&Crate> {
        self.crates.get(at)
    }

    /// The places of the plugins.
    pub(crate) fn plugins(&self) -> &[usize] {
        &self.plugins
    }

    /// The places of the crates whose init functions run when this plugin is opened, in their order; it is the last but
    /// for those that have nothing to do with it.
    pub(crate) fn before(&self, plugin: usize) -> impl Iterator<Item = usize> {
        let below = self.crates.get(plugin).map(|c| &c.below[..]).unwrap_or_default();
        let belongs = move |at: &usize| *at == plugin || below.iter().any(|b| usize::try_from(*b) == Ok(*at));
        self.later.iter().copied().filter(belongs)
    }

    /// Runs the init functions of the crates that run with the program.
    pub(crate) fn run_program(&self) -> (Vec<InitRecord>, Result<(), InitError>) {
        let mut records = Vec::new();
        for of in self.program.iter().filter_map(|&at| self.crates.get(at)) {
            let whose = if of.in_library { process::library() } else { process::program() };
            let (more, outcome) = init::run(whose.map_or("", |m| &*m.package), of.inits.clone(), &[]);
            records.extend(more);
            if outcome.is_err() {
                return (records, outcome);
            }
        }
        (records, Ok(()))
    }

    /// Runs the init functions of one crate, for a plugin. To be called once.
    pub(crate) fn run(&self, at: usize, plugin: usize) -> Result<(), InitError> {
        let (Some(of), Some(plugin)) = (self.crates.get(at), self.crates.get(plugin)) else { return Ok(()) };
        let (records, outcome) = init::run(plugin.package, of.inits.clone(), &[]);
        of.report.get_or_init(|| records);
        outcome
    }

    /// How the init functions went that run when this plugin is opened.
    pub(crate) fn report(&self, plugin: usize) -> Vec<InitRecord> {
        let mut report = Vec::new();
        for of in self.before(plugin).filter_map(|at| self.crates.get(at)) {
            report.extend(of.report.get().into_iter().flatten().cloned());
        }
        report
    }

    /// Makes the plugin, before anything of it runs.
    ///
    /// # Errors
    ///
    /// When it exports a name twice.
    pub(crate) fn plugin(&self, path: &Path, at: usize) -> Result<Plugin, OpenError> {
        let of = &self.crates[at];
        let name = (of.package, of.version);
        let plugin =
            Plugin::new(process::program_path().to_owned(), name, &[], &of.symbols, None, Vec::new());
        match plugin.exported_twice() {
            Some((name, places)) => Err(OpenError::ExportedTwice {
                path: path.to_owned(),
                name: name.to_owned(),
                places: places.map(|(file, line)| format!("{file}:{line}")),
            }),
            None => Ok(plugin),
        }
    }

    /// The plugins with this crate name.
    fn named(&self, crate_name: &str) -> impl Iterator<Item = usize> {
        let is_it = move |at: &usize| self.crates.get(*at).is_some_and(|c| c.crate_name == crate_name);
        self.plugins.iter().copied().filter(is_it)
    }
}

/// The linked-in plugin that a path names: the last part of it is what the system calls a library of the plugin's crate.
///
/// # Errors
///
/// When several have that name.
pub(crate) fn by_path(path: &Path) -> Result<Option<LinkedIn>, OpenError> {
    match crate_name_of(path) {
        Some(name) => by_name(path, name),
        None => Ok(None),
    }
}

/// The crate that a library in this file is of, by the file's name.
#[inline(never)]
pub(crate) fn crate_name_of(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    let name = name.strip_prefix(std::env::consts::DLL_PREFIX)?.strip_suffix(std::env::consts::DLL_SUFFIX)?;
    (!name.is_empty()).then_some(name)
}

/// The linked-in plugin with this crate name; `path` is what was asked for.
///
/// # Errors
///
/// When several have that name.
#[inline(never)]
pub(crate) fn by_name(path: &Path, crate_name: &str) -> Result<Option<LinkedIn>, OpenError> {
    let linked = linked();
    let mut named = linked.named(crate_name);
    let first = named.next();
    if named.next().is_none() {
        return Ok(first.map(|at| LinkedIn { at }));
    }
    let mut plugins = Vec::new();
    for of in linked.named(crate_name).filter_map(|at| linked.get(at)) {
        plugins.push(format!("{} {}", of.package, of.version));
    }
    Err(OpenError::Ambiguous { path: path.to_owned(), plugins })
}

/// A plugin that is linked into the program; see [`linked_in`].
#[derive(Debug, Clone, Copy)]
pub struct LinkedIn {
    at: usize,
}

/// The plugins that are linked into the program, by crate name, package and version.
///
/// A plugin is linked in when a crate of the program depends on it and names it (`use hello as _;`), and the program
/// is one of plain cargo, or the plugin is not in the API library. It is found by its name before any file is.
///
/// Empty on systems whose programs don't tell what is linked into them, which is WebAssembly.
///
/// # Examples
///
/// ```
/// for plugin in dynplug::linked_in() {
///     println!("{} {}", plugin.name(), plugin.version());
/// }
/// ```
pub fn linked_in() -> impl ExactSizeIterator<Item = LinkedIn> {
    linked().plugins().iter().map(|&at| LinkedIn { at })
}

impl LinkedIn {
    fn crate_of(self) -> &'static Crate {
        &linked().crates[self.at]
    }

    /// The name of the plugin's package.
    pub fn name(self) -> &'static str {
        self.crate_of().package
    }

    /// The version of the plugin's package.
    pub fn version(self) -> &'static str {
        self.crate_of().version
    }

    /// The name of the plugin's crate, as Rust code writes it. By this it is found.
    pub fn crate_name(self) -> &'static str {
        self.crate_of().crate_name
    }

    /// Opens it, also where several have one name. That needs no promise: the compiler has seen all of it.
    ///
    /// # Errors
    ///
    /// When its init fails, or that of a crate below it.
    pub fn open(self) -> Result<&'static Plugin, OpenError> {
        self.open_as(Path::new(self.crate_name()))
    }

    /// Opens it for who asked for it by this path or name.
    pub(crate) fn open_as(self, asked: &Path) -> Result<&'static Plugin, OpenError> {
        registry::open_linked(asked, self.at)
    }

    /// What it exports.
    pub(crate) fn records(self) -> impl Iterator<Item = Fields<'static>> {
        self.crate_of().symbols.iter().map(|(_, fields)| *fields)
    }
}
