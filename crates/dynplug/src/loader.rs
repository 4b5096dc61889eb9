//! How plugins are opened and found, where the defaults aren't what is wanted.

use crate::discover::{self, Discovery, Place};
use crate::error::OpenError;
use crate::events;
use crate::folders;
use crate::linked::{self, linked_in};
use crate::nearest::Nearest;
use crate::plugin::Plugin;
use crate::registry;
use crate::terms::Terms;
use std::error::Error;
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Opens plugins in a way of one's own; [`Plugin::open`] is the one with the defaults.
///
/// A loader that knows folders finds plugins by their names. It knows none by itself: each of the methods that name
/// folders adds to the list, and the list is searched in the order of the calls.
///
/// # Examples
///
/// ```no_run
/// use dynplug::Loader;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let loader = Loader::new().folders_in("APP_PLUGINS").beside_program().conventional("app");
/// // SAFETY: whoever can write to these folders may run what he likes here.
/// let plugin = unsafe { loader.open("hello") }?;
/// for found in &loader.discover().found {
///     match found.fits() {
///         Ok(()) => println!("{} fits", found.place()),
///         Err(reason) => println!("{reason}"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Loader {
    pub(crate) terms: Terms,
    unfit: Unfit,
    folders: Vec<PathBuf>,
    #[cfg(feature = "process")]
    pub(crate) apart: Apart,
}

/// Where plugins run that are started.
#[cfg(feature = "process")]
#[derive(Debug, Clone, Default)]
pub(crate) struct Apart {
    pub(crate) place: crate::apart::RunIn,
    pub(crate) options: crate::apart::OwnProcess,
}

/// What is mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Load {
    /// A private copy that nobody can change any more. The bytes that were proven are the bytes that are mapped, and
    /// whatever happens to the file afterwards is nothing to the process.
    ///
    /// # Platform-specific behaviour
    ///
    /// A sealed file in memory on Linux. A temporary file on Windows, to which nobody else can write: while the process
    /// lives it can't be removed, so the next process that makes copies removes it. A temporary file on macOS, which is
    /// removed once it is mapped. Elsewhere the file itself is mapped.
    #[default]
    PrivateCopy,
    /// The file itself. Processes that load the same file share its pages, and tools that look for the file find it.
    /// Who writes to the file while it is loaded changes the running program.
    ///
    /// # Platform-specific behaviour
    ///
    /// On Windows the system lets nobody write to a file that is loaded, or remove it.
    InPlace,
}

/// What [`Loader::open_all`] does when something does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Unfit {
    /// It opens the others, and says which did not open and why.
    #[default]
    Skip,
    /// It fails. When that can be told before, it opens none.
    Fail,
}

impl Loader {
    /// A loader with the defaults, and no folders.
    pub const fn new() -> Self {
        Loader {
            terms: Terms::DEFAULT,
            unfit: Unfit::Skip,
            folders: Vec::new(),
            #[cfg(feature = "process")]
            apart: Apart { place: crate::apart::RunIn::Host, options: crate::apart::OwnProcess::new() },
        }
    }

    /// Chooses what is mapped.
    ///
    /// # Examples
    ///
    /// ```
    /// use dynplug::{Load, Loader};
    ///
    /// // For a profiler that looks for the file. Nobody may write to it while the program runs.
    /// let loader = Loader::new().beside_program().load(Load::InPlace);
    /// ```
    #[must_use]
    pub fn load(mut self, load: Load) -> Self {
        self.terms.load = load;
        self
    }

    /// Chooses what [`open_all`](Self::open_all) does with what does not open.
    ///
    /// # Examples
    ///
    /// ```
    /// use dynplug::{Loader, Unfit};
    ///
    /// let loader = Loader::new().folder("plugins").unfit(Unfit::Fail);
    /// // SAFETY: there is no such folder.
    /// let opened = unsafe { loader.open_all() }?;
    /// assert!(opened.plugins.is_empty());
    /// # Ok::<(), dynplug::NotAllOpened>(())
    /// ```
    #[must_use]
    pub fn unfit(mut self, unfit: Unfit) -> Self {
        self.unfit = unfit;
        self
    }

    /// Adds a folder, a relative one as seen from the working directory when something is looked for.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folders.push(folder.into());
        self
    }

    /// Adds the folders that an environment variable lists, in the way of `PATH`. One that isn't set lists none. It is read
    /// now.
    #[must_use]
    pub fn folders_in(mut self, variable: impl AsRef<OsStr>) -> Self {
        self.folders.extend(folders::listed_in(variable.as_ref()));
        self
    }

    /// Adds the folder `plugins` beside the program, where `cargo dynplug build` puts plugins.
    #[must_use]
    pub fn beside_program(mut self) -> Self {
        self.folders.extend(folders::beside_program());
        self
    }

    /// Adds the folders where this system has the plugins of a program with the name `host`.
    ///
    /// # Platform-specific behaviour
    ///
    /// | system | folders, in this order |
    /// |---|---|
    /// | macOS | `~/Library/Application Support/<host>/plugins`, `/Library/Application Support/<host>/plugins` |
    /// | Windows | `%APPDATA%\<host>\plugins`, `%ProgramData%\<host>\plugins` |
    /// | others | `$XDG_DATA_HOME/<host>/plugins` (`~/.local/share` where that isn't set), `~/.local/lib/<host>/plugins`, and below `/usr/local` and then `/usr`: `lib64/<host>/plugins` where addresses have 64 bits, `lib/<host>/plugins` |
    #[must_use]
    pub fn conventional(mut self, host: &str) -> Self {
        self.folders.extend(folders::conventional(host));
        self
    }

    /// The folders that are searched, in their order.
    ///
    /// # Examples
    ///
    /// ```
    /// use dynplug::Loader;
    /// use std::path::Path;
    ///
    /// let loader = Loader::new().folder("first").folders_in("NO_SUCH_VARIABLE").folder("second");
    /// assert_eq!(loader.folders(), [Path::new("first"), Path::new("second")]);
    /// ```
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// Opens a plugin by its name or its path.
    ///
    /// What has no separator and no dot in it, `hello`, is a name: that of a plugin's crate, or of its package, with dashes
    /// for underscores. The plugin of this name that is linked into the program is opened. If there is none, the first
    /// folder that has something with the name of that crate's library (`libhello.so`, `hello.dll`) decides: that is
    /// opened, and if it can't be, that is the error; no other is tried. [`discover`](Self::discover) tells which other
    /// files have the name.
    ///
    /// Anything else is a path, and is opened as by [`Plugin::open`]. A file that is called `hello` is opened as
    /// `./hello`.
    ///
    /// # Errors
    ///
    /// As for [`Plugin::open`]; and [`OpenError::NotFound`] when nothing has the name.
    ///
    /// # Safety
    ///
    /// As for [`Plugin::open`]; by a name, for whatever lies in the folders. With [`Load::InPlace`], moreover, nobody may
    /// write to the file as long as the process lives: what is proven and what is mapped are then the same only as long as
    /// the file stays the same.
    pub unsafe fn open(&self, plugin: impl AsRef<Path>) -> Result<&'static Plugin, OpenError> {
        let plugin = plugin.as_ref();
        match folders::crate_name_of(plugin) {
            Some(name) => match self.find(plugin, &name) {
                Ok(Place::LinkedIn(linked)) => linked.open_as(plugin),
                // SAFETY: the caller's obligation is handed on as it is.
                Ok(Place::File(file)) => unsafe { registry::open_file(&file, &self.terms) },
                Err(error) => {
                    events::refused(plugin, &error);
                    Err(error)
                }
            },
            // SAFETY: as above.
            None => unsafe { registry::open(plugin, &self.terms) },
        }
    }

    /// The file that [`open`](Self::open) would open; none where the plugin is linked in.
    #[cfg(feature = "process")]
    pub(crate) fn file_of(&self, plugin: &Path) -> Result<Option<PathBuf>, OpenError> {
        match folders::crate_name_of(plugin) {
            Some(name) => match self.find(plugin, &name)? {
                Place::LinkedIn(_) => Ok(None),
                Place::File(file) => Ok(Some(file)),
            },
            None => Ok(linked::by_path(plugin)?.is_none().then(|| plugin.to_owned())),
        }
    }

    /// Where the plugin with this name is.
    fn find(&self, asked: &Path, crate_name: &str) -> Result<Place, OpenError> {
        if let Some(linked) = linked::by_name(asked, crate_name)? {
            return Ok(Place::LinkedIn(linked));
        }
        let file_name = folders::file_name(crate_name);
        for file in self.folders.iter().map(|folder| folder.join(&file_name)) {
            match file.symlink_metadata() {
                Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                // What can't be looked at decides, too: opening it says why.
                _ => return Ok(Place::File(file)),
            }
        }
        Err(self.not_found(asked, crate_name))
    }

    #[cold]
    fn not_found(&self, asked: &Path, crate_name: &str) -> OpenError {
        let mut names: Vec<String> = Vec::new();
        linked_in().for_each(|plugin| names.push(plugin.crate_name().to_owned()));
        for folder in &self.folders {
            for file in discover::candidates(folder).0 {
                if let Some(name) = linked::crate_name_of(&file) {
                    names.push(name.to_owned());
                }
            }
        }
        let mut nearest = Nearest::to(crate_name);
        names.iter().for_each(|name| nearest.add(name));
        OpenError::NotFound {
            path: asked.to_owned(),
            searched: self.folders.clone(),
            nearest: nearest.names(),
            opens_files: crate::is_shared(),
        }
    }

    /// Looks at all plugins that are linked in and at all files in the folders that by their names can be plugins, and
    /// says of each what it is, whether it fits this process, and if not, why. Nothing of them runs, and of a file only
    /// those parts are read that say what it is.
    ///
    /// The files are those with the system's ending for libraries (`.so`, `.dylib`, `.dll`), whatever they are: a folder, a
    /// pipe or a text of such a name is listed with the reason why it is no plugin. Other entries are counted. Folders in
    /// a folder are not searched.
    ///
    /// # Examples
    ///
    /// ```
    /// use dynplug::Loader;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let folder = std::env::temp_dir().join(format!("some plugins {}", std::process::id()));
    /// std::fs::create_dir_all(&folder)?;
    /// let file = folder.join(format!("no-plugin{}", std::env::consts::DLL_SUFFIX));
    /// std::fs::write(&file, "a text")?;
    ///
    /// let discovery = Loader::new().folder(&folder).discover();
    /// let found = &discovery.found[0];
    /// assert_eq!(found.path(), Some(&*file));
    /// println!("{}: {}", found.place(), found.fits().unwrap_err());
    /// # std::fs::remove_dir_all(&folder)
    /// # }
    /// ```
    pub fn discover(&self) -> Discovery {
        discover::discover(&self.folders, &self.terms)
    }

    /// Opens all plugins that [`discover`](Self::discover) finds, in its order, but for those that are shadowed: of
    /// several of one name the first.
    ///
    /// # Errors
    ///
    /// With [`Unfit::Skip`] none. With [`Unfit::Fail`], when one does not fit or does not open, or a folder can't be read.
    /// What does not fit is known before any is opened, and then none is.
    ///
    /// # Safety
    ///
    /// As for [`open`](Self::open), for all that lies in the folders.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use dynplug::Loader;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // SAFETY: our own build made what lies beside the program.
    /// let opened = unsafe { Loader::new().beside_program().open_all() }?;
    /// for (place, reason) in opened.discovery.refused() {
    ///     eprintln!("not opened: {place}: {reason}");
    /// }
    /// println!("{} plugins", opened.plugins.len());
    /// # Ok(())
    /// # }
    /// ```
    pub unsafe fn open_all(&self) -> Result<Opened, NotAllOpened> {
        let mut discovery = self.discover();
        let mut plugins: Vec<&'static Plugin> = Vec::new();
        let fails = self.unfit == Unfit::Fail;
        if fails && discovery.is_unfit() {
            return Err(NotAllOpened { plugins, discovery });
        }
        for found in &mut discovery.found {
            if found.shadowed_by().is_some() || found.fits().is_err() {
                continue;
            }
            // SAFETY: the caller's obligation is handed on as it is.
            match unsafe { found.open() } {
                // Two paths may lead to one file.
                Ok(plugin) if plugins.iter().any(|other| std::ptr::eq(*other, plugin)) => {}
                Ok(plugin) => plugins.push(plugin),
                Err(error) => {
                    found.refused(error);
                    if fails {
                        return Err(NotAllOpened { plugins, discovery });
                    }
                }
            }
        }
        Ok(Opened { plugins, discovery })
    }
}

/// What [`Loader::open_all`] gives.
#[derive(Debug)]
#[non_exhaustive]
pub struct Opened {
    /// The plugins, in the order in which they were opened.
    pub plugins: Vec<&'static Plugin>,
    /// All that was found, what did not open among it.
    pub discovery: Discovery,
}

/// Something did not open, and the loader was told to fail then. `Debug` prints the same text as `Display`.
#[non_exhaustive]
pub struct NotAllOpened {
    /// The plugins that were opened before; they stay open.
    pub plugins: Vec<&'static Plugin>,
    /// All that was found, what did not fit or open among it.
    pub discovery: Discovery,
}

impl Discovery {
    /// Whether something that would be opened can't be.
    fn is_unfit(&self) -> bool {
        let unfit = self.found.iter().any(|found| found.fits().is_err() && found.shadowed_by().is_none());
        unfit || self.folders.iter().any(|folder| folder.error.is_some())
    }
}

impl fmt::Display for NotAllOpened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not all plugins could be opened:")?;
        for folder in &self.discovery.folders {
            if let Some(error) = &folder.error {
                write!(f, "\n{}: {error}", folder.path.display())?;
            }
        }
        for (place, reason) in self.discovery.refused() {
            // A reason names the path itself.
            match place {
                Place::File(_) => write!(f, "\n{reason}")?,
                Place::LinkedIn(_) => write!(f, "\n{place}: {reason}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for NotAllOpened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for NotAllOpened {}
