//! What can go wrong, as data. Each message is a sentence for a person; each field is for a program.

mod init;
mod lookup;

pub use init::{InitError, InitFailure};
pub use lookup::{LookupError, WrongType};

use crate::folders::file_name;
use crate::nearest::{write_names, write_nearest};
use dynplug_manifest::compare::Mismatch;
use dynplug_manifest::image::ImageError;
use dynplug_manifest::tables::TablesError;
use dynplug_manifest::{DecodeError, Identity, Product};
#[cfg(feature = "trust")]
use dynplug_trust::Untrusted;
use init::write_chain;
use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a plugin did not open.
///
/// `Debug` prints the same text as `Display`: in a host whose `main` returns the error, people read what differs and what
/// to do, and not how it is kept.
///
/// # Examples
///
/// A host that goes on without a plugin, and tells people what to do:
///
/// ```
/// use dynplug::{OpenError, Plugin};
///
/// // SAFETY: there is no such file.
/// let error = unsafe { Plugin::open("plugins/libhello.so") }.unwrap_err();
/// match &error {
///     OpenError::Mismatch { mismatch, .. } => {
///         for difference in &mismatch.differences {
///             eprintln!("[{}] {}", difference.code.name(), difference.remedy);
///         }
///     }
///     // Its text says what, where and what to do.
///     other => eprintln!("{other}"),
/// }
/// ```
#[non_exhaustive]
pub enum OpenError {
    /// The file could not be read.
    Read {
        /// The path that was asked for.
        path: PathBuf,
        /// What the system says.
        source: Arc<io::Error>,
    },
    /// What the path names is no plugin.
    NotAPlugin {
        /// The path that was asked for.
        path: PathBuf,
        /// What it is instead.
        found: NotAPlugin,
    },
    /// The plugin was compiled against another build of the API library than the one in this process.
    Mismatch {
        /// The path that was asked for.
        path: PathBuf,
        /// All that differs, with both values, who is to change, and how.
        mismatch: Box<Mismatch>,
    },
    /// This plugin has been loaded from another file.
    AlreadyLoaded {
        /// The path that was asked for.
        path: PathBuf,
        /// The path that it was loaded from.
        loaded: PathBuf,
    },
    /// This program shares nothing that a plugin in a file could use: it was not built by `cargo dynplug`. It opens what is
    /// linked in.
    HostNotShared {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// The program runs with another API library than the one that it was built with, so nothing that plugins share
    /// with it can be trusted.
    WrongApiLibrary {
        /// The path that was asked for.
        path: PathBuf,
        /// The identity of the API library that the program was built with.
        want: Identity,
        /// The identity of the one that it runs with.
        have: Identity,
    },
    /// A library that the plugin shares with other plugins can't be opened. Nothing of the plugin has run.
    Library {
        /// The path of the plugin that was asked for.
        path: PathBuf,
        /// The library's package.
        package: String,
        /// Why.
        source: Arc<OpenError>,
    },
    /// The library beside the plugin is another build than the one that the plugin was compiled against.
    OtherLibrary {
        /// The path of the library.
        path: PathBuf,
        /// The identity of the library that the plugin was compiled against.
        want: Identity,
        /// The identity of the one that is there.
        have: Identity,
    },
    /// The plugin's thread-locals are of a kind for which a running process has little room (initial-exec, as some C
    /// allocators have them).
    StaticTls {
        /// The path that was asked for.
        path: PathBuf,
        /// How many bytes each thread would need.
        size: u64,
    },
    /// The system's loader refused the file.
    Map {
        /// The path that was asked for.
        path: PathBuf,
        /// What the system says.
        source: SystemError,
    },
    /// An init function failed. The plugin stays loaded, since its constructors may have left traces, and is out of
    /// reach.
    Init {
        /// The path that was asked for.
        path: PathBuf,
        /// The function.
        function: String,
        /// Where it stands, as `file:line`.
        place: String,
        /// How it failed.
        failure: InitFailure,
    },
    /// An init function of a shared crate failed, so no plugin can be opened. This one was not loaded.
    SharedInit {
        /// The path that was asked for.
        path: PathBuf,
        /// How it failed.
        source: InitError,
    },
    /// To open the plugin, this thread would have to wait for itself: an init function or a constructor opens a plugin
    /// whose own opening, directly or through others, in this thread or in several, waits for the first.
    Cycle {
        /// The path that was asked for.
        path: PathBuf,
        /// Who waits for whom: each for the next. The last is the first. The paths are those by which the plugins are being
        /// opened; the init functions of shared crates stand as the name of the API crate's package.
        chain: Vec<PathBuf>,
    },
    /// Nobody knows how an earlier open of the plugin ended: the thread was lost on its way, in a panic of the runtime
    /// or because this process was forked meanwhile.
    Interrupted {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// No plugin of that name is linked in or lies in a folder that the loader searches.
    #[non_exhaustive]
    NotFound {
        /// The name that was asked for.
        path: PathBuf,
        /// The folders that were searched, in this order.
        searched: Vec<PathBuf>,
        /// Names that there are, the nearest first.
        nearest: Vec<String>,
        /// Whether this program opens plugins in files at all: one that plain cargo built opens what is linked in.
        opens_files: bool,
    },
    /// Several plugins that are linked into the program have one crate name. [`linked_in`](crate::linked_in) has each.
    Ambiguous {
        /// The path or name that was asked for.
        path: PathBuf,
        /// The packages, each with its version.
        plugins: Vec<String>,
    },
    /// A plugin that is linked in exports a name twice.
    ExportedTwice {
        /// The path or name that was asked for.
        path: PathBuf,
        /// The name.
        name: String,
        /// Where the two stand, as `file:line`.
        places: [String; 2],
    },
    /// The loader's policy doesn't let the file in. Nothing of it has run.
    #[cfg(feature = "trust")]
    Untrusted {
        /// The path that was asked for.
        path: PathBuf,
        /// Why.
        reason: Box<Untrusted>,
    },
    /// Plugins can't be opened on this system.
    Unsupported {
        /// The path that was asked for.
        path: PathBuf,
        /// What is missing.
        reason: &'static str,
    },
}

/// What a file is that is no plugin.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum NotAPlugin {
    /// No regular file: a folder, a pipe, a device, a socket.
    NotAFile {
        /// What it is.
        what: &'static str,
    },
    /// No image of this system's format, or a damaged one.
    Image(ImageError),
    /// An image for another processor.
    OtherMachine {
        /// What it is for.
        have: String,
        /// What this process runs on.
        want: String,
    },
    /// A plugin's crate, built by plain cargo: it has a std, an allocator and statics of its own.
    PlainBuild,
    /// Another product of `cargo dynplug`.
    Other {
        /// Which.
        product: Product,
        /// The package.
        package: String,
    },
    /// A library or executable that has nothing to do with plugins.
    Foreign {
        /// What it is.
        kind: &'static str,
    },
    /// Its tables of what it exports and starts with are not those that it was built with.
    Tables(TablesError),
    /// It lacks a part that every plugin has.
    Incomplete {
        /// Which.
        part: &'static str,
    },
}

/// What the system's loader says, in its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemError(pub(crate) String);

impl fmt::Display for SystemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for SystemError {}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Read { path, source } => {
                write!(f, "cannot read the plugin {}: {source}", path.display())
            }
            OpenError::NotAPlugin { path, found: NotAPlugin::Image(error) }
                if is_of_another_format(error) =>
            {
                write!(f, "cannot open the plugin {}: {error}", path.display())
            }
            OpenError::NotAPlugin { path, found } => write!(f, "{} is not a plugin: {found}", path.display()),
            OpenError::Mismatch { path, mismatch } => write!(f, "{}: {mismatch}", path.display()),
            OpenError::AlreadyLoaded { path, loaded } => write!(
                f,
                "the plugin {} is loaded already, from {}: one process has one copy of a plugin",
                path.display(),
                loaded.display()
            ),
            OpenError::HostNotShared { path } => write!(
                f,
                "cannot open the plugin {}: this program was built by plain cargo and shares nothing with plugins; \
                 build it with `cargo dynplug build`, or run it with `cargo dynplug run`",
                path.display()
            ),
            OpenError::WrongApiLibrary { path, want, have } => write!(
                f,
                "cannot open the plugin {}: this program was built with the API library {} and runs with {}; \
                 build it again with `cargo dynplug build`, and look for a library that is loaded in place of its own \
                 (LD_PRELOAD)",
                path.display(),
                want.short(),
                have.short()
            ),
            OpenError::Library { path, package, source } => write!(
                f,
                "cannot open the plugin {}, which needs the library of `{package}` beside it: {source}",
                path.display()
            ),
            OpenError::OtherLibrary { path, want, have } => write!(
                f,
                "{} is another build of the library than the one that the plugin was compiled against: have {}, want {}; \
                 build both again with `cargo dynplug build`",
                path.display(),
                have.short(),
                want.short()
            ),
            OpenError::StaticTls { path, size } => write!(
                f,
                "the plugin {} has {size} bytes of thread-locals that must have their place when the program starts \
                 (initial-exec); put the crate with that C code into the API crate, where it is loaded with the host",
                path.display()
            ),
            OpenError::Map { path, source } => {
                write!(f, "the system's loader refused the plugin {}: {source}", path.display())
            }
            OpenError::Init { path, function, place, failure } => write!(
                f,
                "the plugin {} did not start: its init function `{function}` at {place} {failure}",
                path.display()
            ),
            OpenError::SharedInit { path, source } => {
                write!(f, "cannot open the plugin {}: {source}", path.display())
            }
            OpenError::Cycle { path, chain } => {
                write!(
                    f,
                    "the plugin {} can't be opened here, since it would wait for itself: ",
                    path.display()
                )?;
                write_chain(f, chain)
            }
            OpenError::Interrupted { path } => write!(
                f,
                "cannot open the plugin {}: another thread was in the middle of opening plugins when it was lost, in a \
                 panic or a fork; start the program again",
                path.display()
            ),
            OpenError::NotFound { path, searched, nearest, opens_files } => {
                let name = path.display();
                write!(f, "there is no plugin `{name}`: none of that name is linked into this program, ")?;
                match &searched[..] {
                    [] => write!(
                        f,
                        "and the loader was given no folders to search; a file of that name is opened as `./{name}`"
                    )?,
                    folders => {
                        write!(
                            f,
                            "and `{}` is {} ",
                            file_name(&name.to_string().replace('-', "_")),
                            if folders.len() == 1 { "not in the folder" } else { "in none of the folders" }
                        )?;
                        for (place, folder) in folders.iter().enumerate() {
                            write!(f, "{}{}", if place == 0 { "" } else { ", " }, folder.display())?;
                        }
                    }
                }
                write_nearest(f, nearest)?;
                match *opens_files || searched.is_empty() {
                    true => Ok(()),
                    false => f.write_str(
                        "; this program was built by plain cargo and opens no files: run it with `cargo dynplug run`, and \
                         its tests with `cargo dynplug test`",
                    ),
                }
            }
            OpenError::Ambiguous { path, plugins } => {
                write!(f, "{} names several plugins that are linked into this program: ", path.display())?;
                write_names(f, plugins)?;
                f.write_str(
                    "; open one of them by `dynplug::linked_in()`, or give one another crate name (`[lib] name = …`)",
                )
            }
            OpenError::ExportedTwice { path, name, places: [one, two] } => write!(
                f,
                "the plugin {} that is linked into this program exports `{name}` twice, at {one} and at {two}; give one of \
                 them another name: `#[export(name = \"…\")]`",
                path.display()
            ),
            #[cfg(feature = "trust")]
            OpenError::Untrusted { path, reason } => {
                write!(f, "the plugin {} isn't trusted: {reason}", path.display())
            }
            OpenError::Unsupported { path, reason } => {
                write!(
                    f,
                    "cannot open the plugin {} on this system: {reason}; link it into the program, where it is opened by its \
                     name (`cargo dynplug link`)",
                    path.display()
                )
            }
        }
    }
}

/// Whether it is a product of another version of the build tool.
fn is_of_another_format(error: &ImageError) -> bool {
    matches!(error, ImageError::Manifest(DecodeError::TooOld { .. } | DecodeError::TooNew { .. }))
}

impl fmt::Debug for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl OpenError {
    /// The path that was asked for.
    fn path(&self) -> &Path {
        match self {
            OpenError::Read { path, .. }
            | OpenError::NotAPlugin { path, .. }
            | OpenError::Mismatch { path, .. }
            | OpenError::AlreadyLoaded { path, .. }
            | OpenError::HostNotShared { path }
            | OpenError::WrongApiLibrary { path, .. }
            | OpenError::Library { path, .. }
            | OpenError::OtherLibrary { path, .. }
            | OpenError::Map { path, .. }
            | OpenError::StaticTls { path, .. }
            | OpenError::Init { path, .. }
            | OpenError::SharedInit { path, .. }
            | OpenError::Cycle { path, .. }
            | OpenError::Interrupted { path }
            | OpenError::NotFound { path, .. }
            | OpenError::Ambiguous { path, .. }
            | OpenError::ExportedTwice { path, .. }
            | OpenError::Unsupported { path, .. } => path,
            #[cfg(feature = "trust")]
            OpenError::Untrusted { path, .. } => path,
        }
    }

    /// The same error for who asked by another path.
    pub(crate) fn asked_as(&self, path: PathBuf) -> OpenError {
        match self {
            OpenError::Read { source, .. } => OpenError::Read { path, source: Arc::clone(source) },
            OpenError::NotAPlugin { found, .. } => OpenError::NotAPlugin { path, found: found.clone() },
            OpenError::Mismatch { mismatch, .. } => OpenError::Mismatch { path, mismatch: mismatch.clone() },
            OpenError::AlreadyLoaded { loaded, .. } => {
                OpenError::AlreadyLoaded { path, loaded: loaded.clone() }
            }
            OpenError::HostNotShared { .. } => OpenError::HostNotShared { path },
            OpenError::WrongApiLibrary { want, have, .. } => {
                OpenError::WrongApiLibrary { path, want: *want, have: *have }
            }
            OpenError::Library { package, source, .. } => {
                OpenError::Library { path, package: package.clone(), source: Arc::clone(source) }
            }
            OpenError::OtherLibrary { want, have, .. } => {
                OpenError::OtherLibrary { path, want: *want, have: *have }
            }
            OpenError::StaticTls { size, .. } => OpenError::StaticTls { path, size: *size },
            OpenError::Map { source, .. } => OpenError::Map { path, source: source.clone() },
            OpenError::Init { function, place, failure, .. } => {
                let (function, place, failure) = (function.clone(), place.clone(), failure.clone());
                OpenError::Init { path, function, place, failure }
            }
            OpenError::SharedInit { source, .. } => OpenError::SharedInit { path, source: source.clone() },
            OpenError::Cycle { chain, .. } => OpenError::Cycle { path, chain: chain.clone() },
            OpenError::Interrupted { .. } => OpenError::Interrupted { path },
            OpenError::NotFound { searched, nearest, opens_files, .. } => OpenError::NotFound {
                path,
                searched: searched.clone(),
                nearest: nearest.clone(),
                opens_files: *opens_files,
            },
            OpenError::Ambiguous { plugins, .. } => OpenError::Ambiguous { path, plugins: plugins.clone() },
            OpenError::ExportedTwice { name, places, .. } => {
                OpenError::ExportedTwice { path, name: name.clone(), places: places.clone() }
            }
            #[cfg(feature = "trust")]
            OpenError::Untrusted { reason, .. } => OpenError::Untrusted { path, reason: reason.clone() },
            OpenError::Unsupported { reason, .. } => OpenError::Unsupported { path, reason },
        }
    }
}

// Derived, it would have the code for a copy of a path thirteen times.
impl Clone for OpenError {
    fn clone(&self) -> OpenError {
        self.asked_as(self.path().to_owned())
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            OpenError::Read { source, .. } => Some(&**source),
            OpenError::NotAPlugin { found: NotAPlugin::Image(source), .. } => Some(source),
            OpenError::Map { source, .. } => Some(source),
            OpenError::Library { source, .. } => Some(&**source),
            #[cfg(feature = "trust")]
            OpenError::Untrusted { reason, .. } => Some(&**reason),
            OpenError::SharedInit { source, .. } => Some(source),
            OpenError::Init { failure: InitFailure::Error(source), .. } => Some(&**source),
            _ => None,
        }
    }
}

impl fmt::Display for NotAPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotAPlugin::NotAFile { what } => write!(f, "it is {what}"),
            NotAPlugin::Image(error) => write!(f, "{error}"),
            NotAPlugin::OtherMachine { have, want } => {
                write!(f, "it is for another machine ({have}); this process runs on {want}")
            }
            NotAPlugin::PlainBuild => f.write_str(
                "it was built by plain cargo, and so has a std, an allocator and statics of its own; \
                 build it with `cargo dynplug build`",
            ),
            NotAPlugin::Other { product, package } => write!(f, "it is the {product} of `{package}`"),
            NotAPlugin::Foreign { kind } => write!(
                f,
                "it is {kind} that carries no manifest of dynplug; plugins are made with `cargo dynplug build`"
            ),
            NotAPlugin::Tables(error) => write!(
                f,
                "{error}, as after a tool that takes sections or their names away; build it again with `cargo dynplug build`"
            ),
            NotAPlugin::Incomplete { part } => {
                write!(f, "it lacks {part}; build it again with `cargo dynplug build`")
            }
        }
    }
}
