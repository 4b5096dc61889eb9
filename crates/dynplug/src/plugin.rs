//! A plugin that is open: its symbols, found by name, with the types checked.

use crate::__private::Entry;
use crate::error::{LookupError, OpenError, WrongType};
use crate::init::InitRecord;
use crate::loader::Loader;
use crate::names::{Entrance, Names};
use crate::nearest;
use crate::open::Wanted;
use crate::origin::Origin;
use dynplug_manifest::record::{Fields, Kind};
use dynplug_manifest::sorted::sorted_by;
use dynplug_manifest::{Identity, Product};
#[cfg(feature = "trust")]
use dynplug_trust::{Vouched, Voucher};
use std::any::{TypeId, type_name};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A plugin that is open. It stays so as long as the process lives.
pub struct Plugin {
    path: PathBuf,
    name: &'static str,
    version: &'static str,
    /// In the order of their names.
    symbols: Vec<Symbol>,
    names: Names,
    /// The file; none for a plugin that is linked in.
    origin: Option<Origin>,
    inits: Vec<InitRecord>,
    /// Its identity, where it is a library that plugins share.
    library: Option<Identity>,
    libraries: Vec<&'static Plugin>,
    #[cfg(feature = "trust")]
    voucher: Option<Voucher>,
}

/// Something that a plugin exports: a function or a static.
pub struct Symbol {
    name: &'static str,
    entry: &'static Entry,
    of: &'static Of,
}

/// What all symbols of a plugin have in common.
struct Of {
    plugin: &'static str,
    /// The plugin's own copies of crates.
    private: &'static [String],
}

/// What a symbol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SymbolKind {
    /// A function. Its type is a function pointer's.
    Function,
    /// A static `X`. Its type is `&'static X`.
    Static,
}

impl Plugin {
    /// Opens the plugin in the file `path`, a relative one as seen from the working directory. Nothing is searched for.
    ///
    /// A plugin that is linked into the program comes before any file: if the last part of the path is what the system calls
    /// a library of its crate (`libhello.so` for the crate `hello`), it is opened, whether there is such a file or not. See
    /// [`linked_in`](crate::linked_in).
    ///
    /// The init functions of all crates that are new to the program run before this returns. The same file gives the
    /// same plugin, whatever the spelling of its path.
    ///
    /// It may be called from any thread, and from init functions and constructors too. Who asks for a plugin that
    /// another thread is opening waits for it; who would wait for itself that way gets [`OpenError::Cycle`]. Only waits
    /// of this function can be seen: an init function that waits by other means (a channel, a join) for a thread that
    /// opens its plugin waits for ever. In the child of a fork all plugins are there and more can be opened, provided
    /// that the system's allocator and loader work in a child, as glibc's do. What another thread was opening as the
    /// process was forked may give [`OpenError::Interrupted`] there; so does everything new where that thread was
    /// mapping it just then.
    ///
    /// # Errors
    ///
    /// When the file is no plugin, does not fit this host, or its init fails. A file that is refused has not run.
    ///
    /// # Safety
    ///
    /// The file must be an honest product of `cargo dynplug build`: what its manifest says must be true. That it fits
    /// this process is checked; that somebody forged a manifest can't be.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use dynplug::Plugin;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // SAFETY: our own build made the file.
    /// let plugin = unsafe { Plugin::open("plugins/libhello.so") }?;
    /// let greet: fn(&str) -> String = plugin.lookup("greet")?;
    /// println!("{}", greet("world"));
    /// # Ok(())
    /// # }
    /// ```
    pub unsafe fn open(path: impl AsRef<Path>) -> Result<&'static Plugin, OpenError> {
        // SAFETY: the caller's obligation is handed on as it is.
        unsafe { Loader::new().open(path) }
    }

    pub(crate) fn new(
        path: PathBuf,
        (name, version): (&'static str, &'static str),
        private: &'static [String],
        entries: &[(&'static Entry, Fields<'static>)],
        origin: Option<Origin>,
        inits: Vec<InitRecord>,
    ) -> Plugin {
        let order = sorted_by(entries, |(_, a), (_, b)| a.name.cmp(b.name));
        // Copied, so that they lie beside each other, and not each in a record of its own.
        let mut text = String::new();
        order
            .iter()
            .filter_map(|place| entries.get(*place))
            .for_each(|(_, fields)| text.push_str(fields.name));
        let mut text: &'static str = text.leak();
        let of: &'static Of = Box::leak(Box::new(Of { plugin: name, private }));
        let (mut symbols, mut names) = (Vec::with_capacity(order.len()), Vec::with_capacity(order.len()));
        for place in order {
            if let Some(&(entry, fields)) = entries.get(place)
                && let Some((name, rest)) = text.split_at_checked(fields.name.len())
            {
                text = rest;
                names.push((name, entry));
                symbols.push(Symbol { name, entry, of });
            }
        }
        let names = Names::of(&names);
        Plugin {
            path,
            name,
            version,
            symbols,
            names,
            origin,
            inits,
            library: None,
            libraries: Vec::new(),
            #[cfg(feature = "trust")]
            voucher: None,
        }
    }

    /// Notes what libraries it shares with other plugins, and whether it is such a library itself.
    pub(crate) fn with_libraries(self, library: Option<Identity>, libraries: Vec<&'static Plugin>) -> Plugin {
        Plugin { library, libraries, ..self }
    }

    /// Notes what a policy has found out about its file.
    #[cfg(feature = "trust")]
    pub(crate) fn vouched(self, voucher: Option<Voucher>) -> Plugin {
        Plugin { voucher, ..self }
    }

    /// What the policy by which it was opened has found out about its file, be it that nobody speaks for it.
    #[cfg(feature = "trust")]
    pub(crate) fn found_out(&self) -> Option<&Voucher> {
        self.voucher.as_ref()
    }

    /// Notes how its init functions went.
    pub(crate) fn started(self, inits: Vec<InitRecord>) -> Plugin {
        Plugin { inits, ..self }
    }

    /// A name that is exported twice, and where. The build tool makes no such plugin; plain cargo doesn't look.
    pub(crate) fn exported_twice(&self) -> Option<(&'static str, [(&'static str, u32); 2])> {
        let mut pairs = self.symbols.iter().zip(self.symbols.iter().skip(1));
        let (one, two) = pairs.find(|(one, two)| one.name() == two.name())?;
        let (one_place, two_place) = (one.place(), two.place());
        Some((one.name(), [one_place.min(two_place), one_place.max(two_place)]))
    }

    /// The function or static with this name, as a value of type `T`: a function pointer (`fn(&str) -> String`, of any
    /// ABI, `unsafe` where the function is) or a reference to a static (`&'static AtomicU64`).
    ///
    /// The value is the plugin's own: calling it is calling through a function pointer, and nothing stands between.
    ///
    /// # Errors
    ///
    /// When the plugin exports no such name, or exports it with another type.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn f(plugin: &'static dynplug::Plugin) -> Result<(), dynplug::LookupError> {
    /// use std::sync::atomic::{AtomicI64, Ordering};
    ///
    /// let v: &AtomicI64 = plugin.lookup("V")?;
    /// let f: fn() = plugin.lookup("f")?;
    /// v.store(7, Ordering::Relaxed);
    /// f();
    /// # Ok(())
    /// # }
    /// ```
    pub fn lookup<T: Copy + 'static>(&self, name: &str) -> Result<T, LookupError> {
        match self.names.find(name) {
            Some(found)
                if found.type_id() == TypeId::of::<T>() && size_of::<T>() == size_of::<*const ()>() =>
            {
                let address = found.address();
                // SAFETY: as in `Symbol::downcast`; what was found is the symbol's own.
                Ok(unsafe { std::mem::transmute_copy::<*const (), T>(&address) })
            }
            found => Err(self.not_so(name, found.map(Entrance::place), type_name::<T>())),
        }
    }

    /// The error of a name that isn't there, or of a type that is another.
    #[cold]
    #[inline(never)]
    fn not_so(&self, name: &str, place: Option<usize>, want: &str) -> LookupError {
        match place.and_then(|place| self.symbols.get(place)) {
            Some(symbol) => LookupError::WrongType(symbol.wrong_type(want)),
            None => self.not_found(name),
        }
    }

    /// The symbol with this name, whatever its type.
    ///
    /// # Errors
    ///
    /// When the plugin exports no such name.
    ///
    /// # Examples
    ///
    /// A function that plugins have in one of two forms:
    ///
    /// ```no_run
    /// # fn f(plugin: &'static dynplug::Plugin) -> Result<(), dynplug::LookupError> {
    /// let run = plugin.symbol("run")?;
    /// match run.downcast::<fn(&str)>() {
    ///     Ok(run) => run("now"),
    ///     Err(_) => run.downcast::<fn()>().map_err(dynplug::LookupError::WrongType)?(),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn symbol(&self, name: &str) -> Result<&Symbol, LookupError> {
        let found = self.names.find(name).and_then(|found| self.symbols.get(found.place()));
        found.ok_or_else(|| self.not_found(name))
    }

    #[cold]
    #[inline(never)]
    fn not_found(&self, name: &str) -> LookupError {
        let mut near = nearest::Nearest::to(name);
        self.symbols.iter().for_each(|symbol| near.add(symbol.name));
        LookupError::NotFound {
            plugin: self.name().to_owned(),
            name: name.to_owned(),
            nearest: near.names(),
            exports: self.symbols.len(),
            first: self.symbols.iter().take(5).map(|symbol| symbol.name().to_owned()).collect(),
        }
    }

    /// All that the plugin exports, in the order of the names.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn f(plugin: &'static dynplug::Plugin) {
    /// for symbol in plugin.symbols() {
    ///     let (file, line) = symbol.place();
    ///     println!("{}  {}  {file}:{line}", symbol.name(), symbol.signature());
    /// }
    /// # }
    /// ```
    pub fn symbols(&self) -> impl ExactSizeIterator<Item = &Symbol> {
        self.symbols.iter()
    }

    /// The name of the plugin's package.
    pub fn name(&self) -> &str {
        self.name
    }

    /// The version of the plugin's package.
    pub fn version(&self) -> &str {
        self.version
    }

    /// The path by which it was opened first; that of the program, for a plugin that is linked into it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is linked into the program, and was not loaded from a file.
    pub fn is_linked_in(&self) -> bool {
        self.origin.is_none()
    }

    /// How the init functions of the plugin's own crate and of its private crates went, in the order in which they ran.
    ///
    /// Those of shared crates run once for the program, and are in [`init_report`](crate::init_report). In a plugin that
    /// is linked in, a private crate is the same for all plugins and runs for the first of them; it stands in the reports
    /// of all.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn f(plugin: &'static dynplug::Plugin) {
    /// for record in plugin.init_report() {
    ///     println!("{}::{} took {:?}", record.crate_name, record.function, record.duration);
    /// }
    /// # }
    /// ```
    pub fn init_report(&self) -> &[InitRecord] {
        &self.inits
    }

    /// The libraries that it shares with other plugins and not with the host, each after those that it needs itself. One
    /// is opened before the first plugin that needs it, and is there once for the process.
    ///
    /// A library can be asked what a plugin can: for its name, its path, how its init functions went, what it exports.
    pub fn libraries(&self) -> &[&'static Plugin] {
        &self.libraries
    }

    /// What it is, and the identity of a library; of a plugin zeros.
    pub(crate) fn product(&self) -> (Product, Identity) {
        self.library.map_or((Product::Plugin, Identity::ZERO), |identity| (Product::PluginLibrary, identity))
    }

    /// Whether it is what is wanted.
    pub(crate) fn is(&self, wanted: Wanted<'_>) -> bool {
        let (product, id) = self.product();
        wanted.is(product, id)
    }

    /// Who speaks for its file: which key has signed it, or that it is pinned. None for a plugin that is linked in, and for one
    /// that was opened without a policy, or by one that didn't ask for it.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn f(plugin: &'static dynplug::Plugin) {
    /// match plugin.voucher() {
    ///     Some(voucher) => println!("{} {}: {voucher}", plugin.name(), plugin.version()),
    ///     None => println!("{} {}", plugin.name(), plugin.version()),
    /// }
    /// # }
    /// ```
    #[cfg(feature = "trust")]
    pub fn voucher(&self) -> Option<&Voucher> {
        self.voucher.as_ref().filter(|voucher| *voucher.by() != Vouched::Nobody)
    }

    /// Whether the file at the plugin's path no longer has the bytes that were loaded: it was overwritten, truncated,
    /// removed, replaced, or a link on the way was set to another file. The running plugin stays as it is.
    ///
    /// It is the path by which the plugin was opened first, as seen from the working directory of then. A file of
    /// another size has changed. The same file (device, inode and time of birth) with the same size and the same time of
    /// its last write has not, when that write was more than two seconds old as the plugin was loaded. In all other
    /// cases the file is read, and its bytes decide: a file that was replaced by the same bytes has not changed. A path
    /// that leads to nothing, or to something that is no file, has changed.
    ///
    /// A plugin that is linked in has no file of its own, so it never has.
    ///
    /// # Errors
    ///
    /// When the file is there and can't be looked at or read.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn f(plugin: &dynplug::Plugin) -> std::io::Result<()> {
    /// if plugin.changed_on_disk()? {
    ///     println!("start the program again to run the new {}", plugin.name());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn changed_on_disk(&self) -> io::Result<bool> {
        self.origin.as_ref().map_or(Ok(false), Origin::changed)
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("name", &self.name())
            .field("version", &self.version())
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Symbol {
    /// The name by which lookup finds it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What the item's author wrote. It was read before, when the plugin was opened.
    #[inline(never)]
    fn fields(&self) -> Option<Fields<'static>> {
        Fields::decode(self.entry.meta()).ok()
    }

    /// Whether it is a function or a static.
    pub fn kind(&self) -> SymbolKind {
        match self.fields() {
            Some(Fields { kind: Kind::Static, .. }) => SymbolKind::Static,
            _ => SymbolKind::Function,
        }
    }

    /// Its declaration, as its author wrote it: `fn greet(name: &str) -> String`.
    pub fn signature(&self) -> &'static str {
        self.fields().map_or("", |fields| fields.signature)
    }

    /// Its documentation; empty where there is none.
    pub fn docs(&self) -> &'static str {
        self.fields().map_or("", |fields| fields.docs)
    }

    /// Where it is declared: file and line.
    pub fn place(&self) -> (&'static str, u32) {
        self.fields().map_or(("", 0), |fields| (fields.file, fields.line))
    }

    /// The type that [`downcast`](Self::downcast) wants, as the compiler prints it.
    pub fn type_name(&self) -> &'static str {
        self.entry.type_name()
    }

    /// How it is served to other processes.
    #[cfg(feature = "process")]
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    pub(crate) fn wire(&self) -> Option<&'static crate::wire::Wire> {
        self.entry.wire()
    }

    #[cfg(feature = "process")]
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    pub(crate) fn type_id(&self) -> TypeId {
        self.entry.type_id()
    }

    /// What keeps it from being called from another process, in words.
    #[cfg(feature = "process")]
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    pub(crate) fn obstacles(&self) -> Vec<String> {
        let fields = self.fields();
        match fields.as_ref().and_then(Fields::in_the_way) {
            Some(obstacles) => obstacles.iter().map(ToString::to_string).collect(),
            None => vec!["it was built without dynplug's feature `process`".to_owned()],
        }
    }

    /// Whether [`downcast`](Self::downcast) to `T` would succeed.
    ///
    /// # Examples
    ///
    /// All plugins' commands, whatever they are called:
    ///
    /// ```no_run
    /// # fn f(plugin: &'static dynplug::Plugin) {
    /// type Command = fn(&[String]) -> Result<(), String>;
    ///
    /// let commands = plugin.symbols().filter(|symbol| symbol.is::<Command>());
    /// commands.for_each(|command| println!("{}: {}", command.name(), command.docs()));
    /// # }
    /// ```
    pub fn is<T: 'static>(&self) -> bool {
        self.entry.type_id() == TypeId::of::<T>()
    }

    /// The symbol as a value of type `T`; see [`Plugin::lookup`].
    ///
    /// # Errors
    ///
    /// When that is not the symbol's type.
    pub fn downcast<T: Copy + 'static>(&self) -> Result<T, WrongType> {
        if self.is::<T>() && size_of::<T>() == size_of::<*const ()>() {
            let address: *const () = self.entry.address();
            // SAFETY: the entry's author promised that the address is a value of the type with this id, and `T` is
            // that type: a function pointer or a reference for the life of the process, both of a pointer's size.
            // The id is to be believed because the plugin was compiled against this process's own API library.
            return Ok(unsafe { std::mem::transmute_copy::<*const (), T>(&address) });
        }
        Err(self.wrong_type(type_name::<T>()))
    }

    #[cold]
    #[inline(never)]
    fn wrong_type(&self, want: &str) -> WrongType {
        let have = self.type_name();
        // Two types of one name come from two copies of a crate: one of those that the plugin has for itself.
        let named = |name: &&String| {
            have.match_indices(&format!("{name}::"))
                .any(|(at, _)| !have[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'))
        };
        let copies = self.of.private.iter().filter(|_| have == want).filter(named).cloned().collect();
        WrongType {
            plugin: self.of.plugin.to_owned(),
            name: self.name().to_owned(),
            have: have.to_owned(),
            want: want.to_owned(),
            copies,
        }
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Symbol")
            .field("name", &self.name())
            .field("signature", &self.signature())
            .finish_non_exhaustive()
    }
}
