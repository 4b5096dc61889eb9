//! Which plugins this process has: the same file is the same plugin, opened once, step by step.

mod crates;
#[cfg(all(not(loom), test))]
mod explore;
#[cfg(all(unix, not(all(loom, test))))]
mod fork;
pub(crate) mod library;
mod machine;
#[cfg(test)]
mod model;
#[cfg(test)]
mod script;
#[cfg(all(not(loom), test))]
mod stress;
mod sync;
mod table;
mod waiting;

use crate::error::{InitError, OpenError};
use crate::events;
use crate::init::shared as run_shared;
use crate::linked::{self, linked};
use crate::open::{self, Wanted};
use crate::origin::{Content, Stamp};
use crate::plugin::Plugin;
use crate::process;
use crate::system::{self, FileId};
use crate::terms::Terms;
use library::bring;
use machine::{Asked, Entered, Halt, Machine, Opening, Parts, What};
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Instant;
use waiting::Step;

/// The machine's parts, as they are in production.
struct Real;

impl Parts for Real {
    type File = Source;
    type Stamp = Stamp;
    type Content = Content;
    type Plugin = &'static Plugin;
    type Error = Arc<OpenError>;
    type Once = Arc<InitError>;
}

/// Where a plugin comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    /// In a file.
    File(FileId),
    /// In the program; which, the list of crates that are linked in says.
    LinkedIn(usize),
}

static REGISTRY: LazyLock<Machine<Real>> = LazyLock::new(|| {
    #[cfg(all(unix, not(all(loom, test))))]
    fork::watch();
    Machine::new()
});

/// Opens a plugin, or gives the one that is open.
///
/// # Safety
///
/// As for [`Plugin::open`].
pub(crate) unsafe fn open(path: &Path, terms: &Terms) -> Result<&'static Plugin, OpenError> {
    match linked::by_path(path) {
        Ok(None) => {}
        Ok(Some(linked)) => return linked.open_as(path),
        Err(error) => {
            events::refused(path, &error);
            return Err(error);
        }
    }
    // SAFETY: the caller's obligation is handed on as it is.
    unsafe { open_file(path, terms) }
}

/// Opens the plugin in a file, whatever is linked in.
///
/// # Safety
///
/// As for [`Plugin::open`].
pub(crate) unsafe fn open_file(path: &Path, terms: &Terms) -> Result<&'static Plugin, OpenError> {
    if let Some(reason) = system::UNSUPPORTED {
        let error = OpenError::Unsupported { path: path.to_owned(), reason };
        events::refused(path, &error);
        return Err(error);
    }
    // Who asks again pays for one look at the file and one at a table.
    let seen = path.metadata();
    if let Ok(metadata) = &seen
        && let Some(plugin) =
            REGISTRY.known(path, Source::File(system::file_id_at(path, metadata)), Stamp::of(metadata))
        && plugin.is(Wanted::Plugin)
    {
        #[cfg(feature = "trust")]
        terms.accept(path, plugin).inspect_err(|error| events::refused(path, error))?;
        return Ok(plugin);
    }
    // SAFETY: the caller's obligation is handed on as it is.
    let outcome = unsafe { find(path, seen, terms, Wanted::Plugin) };
    if let Err(error) = &outcome {
        events::refused(path, error);
    }
    outcome
}

/// # Safety
///
/// As for [`Plugin::open`].
unsafe fn find(
    path: &Path,
    seen: io::Result<Metadata>,
    terms: &Terms,
    wanted: Wanted<'_>,
) -> Result<&'static Plugin, OpenError> {
    let found = open::find(path, seen)?;
    let file = Source::File(found.id);
    let asked = Asked::<Real> { path, canonical: &found.canonical, file, stamp: found.stamp };
    match REGISTRY.enter(&asked).map_err(|halt| halted(path, halt))? {
        Entered::Known(plugin) if plugin.is(wanted) => {
            #[cfg(feature = "trust")]
            terms.accept(path, plugin)?;
            Ok(plugin)
        }
        Entered::Known(plugin) => {
            let (product, id) = plugin.product();
            Err(open::another(path, wanted, product, plugin.name(), id))
        }
        // SAFETY: the caller's obligation is handed on as it is.
        Entered::Ours(opening) => unsafe { go_through(path, terms, wanted, &found, &asked, opening) },
    }
}

/// Goes through all steps of an open. No lock is held; `opening` sees to it that those who wait are told, whatever
/// happens.
///
/// # Safety
///
/// As for [`Plugin::open`].
unsafe fn go_through(
    path: &Path,
    terms: &Terms,
    wanted: Wanted<'_>,
    found: &open::Found,
    asked: &Asked<'_, Real>,
    opening: Opening<'_, Real>,
) -> Result<&'static Plugin, OpenError> {
    let halted = |halt| halted(path, halt);
    let began = Instant::now();
    let mut proven = open::prove(path, found, wanted, terms)?;
    let content = proven.content();
    opening.claim(proven.id(), content).map_err(halted)?;
    let private = crates::claim(path, proven.manifest())?;
    let proved = Instant::now();
    // Before anything of the plugin is there, constructors included.
    shared().map_err(halted)?;
    // SAFETY: the caller's obligation is handed on: whoever made an honest plugin made its libraries.
    let libraries = unsafe { bring(path, found, proven.manifest(), terms) }?;
    let mapping = REGISTRY.loader(path).map_err(halted)?;
    #[cfg(feature = "trust")]
    terms.lets_in(path, proven.needed(), system::is_in_process)?;
    let waited = Instant::now();
    opening.mapping();
    // SAFETY: the caller's obligation is handed on as it is.
    let outcome = unsafe { open::map(path, found, &mut proven, terms, wanted) };
    drop(mapping);
    let mapped = match outcome {
        Ok(mapped) => mapped,
        Err(open::NotMapped::Nothing(error)) => {
            opening.unmapped();
            return Err(error);
        }
        Err(open::NotMapped::Something(error)) => {
            private.keep();
            return Err(failed(opening, error));
        }
    };
    private.keep();
    let placed = Instant::now();
    match open::start(path, found, &proven, content, &mapped, libraries) {
        Ok(plugin) => {
            opening.ready(asked, plugin);
            events::opened(
                plugin,
                &events::Durations {
                    prove: proved - began,
                    wait: waited - proved,
                    map: placed - waited,
                    init: placed.elapsed(),
                },
            );
            Ok(plugin)
        }
        Err(error) => Err(failed(opening, error)),
    }
}

/// Opens a plugin that is linked in, or gives it when it is open.
pub(crate) fn open_linked(path: &Path, at: usize) -> Result<&'static Plugin, OpenError> {
    let outcome = find_linked(path, at);
    if let Err(error) = &outcome {
        events::refused(path, error);
    }
    outcome
}

/// The steps of an open of which nothing has to be proven or mapped.
///
/// What fails here is remembered by the crate whose init function failed, and is the same error at the next open.
fn find_linked(path: &Path, at: usize) -> Result<&'static Plugin, OpenError> {
    let halted = |halt| halted(path, halt);
    // A canonical path of a file is absolute.
    let canonical = PathBuf::from(format!("linked in/{at}"));
    let asked = Asked::<Real> { path, canonical: &canonical, file: Source::LinkedIn(at), stamp: Stamp::NONE };
    let opening = match REGISTRY.enter(&asked).map_err(halted)? {
        Entered::Known(plugin) => return Ok(plugin),
        Entered::Ours(opening) => opening,
    };
    let began = Instant::now();
    shared().map_err(halted)?;
    let waited = Instant::now();
    let linked = linked();
    let plugin = linked.plugin(path, at)?;
    for of in linked.before(at) {
        let run = || linked.run(of, at).map_err(Arc::new);
        // Who waits for the plugin's own crate waits for the plugin.
        let step = if of == at { Step::Plugin(path.to_owned()) } else { Step::Crate(of) };
        REGISTRY.once(What::Crate(of), step, &run).map_err(|halt| match halt {
            Halt::Once(error) => error.of_plugin(path),
            halt => halted(halt),
        })?;
    }
    let plugin: &'static Plugin = Box::leak(Box::new(plugin.started(linked.report(at))));
    opening.ready(&asked, plugin);
    let none = std::time::Duration::ZERO;
    let durations =
        events::Durations { prove: none, wait: waited - began, map: none, init: waited.elapsed() };
    events::opened(plugin, &durations);
    Ok(plugin)
}

/// Has the error remembered.
#[cold]
fn failed(opening: Opening<'_, Real>, error: OpenError) -> OpenError {
    opening.failed(Arc::new(error.clone()));
    error
}

fn shared() -> Result<(), Halt<Real>> {
    REGISTRY.once(What::Program, Step::Shared, &|| run_shared().map_err(Arc::new))
}

/// Runs the init functions of the shared crates now, and not when the first plugin is opened.
///
/// Without this call they run when a plugin is opened for the first time, before anything of that plugin does. They run
/// once for the program, whoever asks first; who asks later gets the same answer. Behind them run those of the program's
/// own crates. Plugins that are linked in, and crates that are there for them alone, are left for their own opening.
///
/// # Errors
///
/// When one of them fails or panics; those after it don't run, and no plugin opens any more. An init function of a shared
/// crate that calls this waits for itself, which is an error and no hang.
///
/// # Examples
///
/// ```
/// dynplug::init()?;
/// # Ok::<(), dynplug::InitError>(())
/// ```
pub fn init() -> Result<(), InitError> {
    shared().map_err(|halt| match halt {
        Halt::Once(error) => (*error).clone(),
        Halt::Cycle(chain) => InitError::Cycle { chain: names(chain) },
        // What else there is has to do with a plugin.
        Halt::Lost | Halt::AlreadyLoaded(_) | Halt::Failed(_) => InitError::Interrupted,
    })
}

#[cold]
fn halted(path: &Path, halt: Halt<Real>) -> OpenError {
    let path = path.to_owned();
    match halt {
        Halt::Cycle(chain) => OpenError::Cycle { path, chain: names(chain) },
        Halt::AlreadyLoaded(loaded) => OpenError::AlreadyLoaded { path, loaded },
        Halt::Failed(error) => error.asked_as(path),
        Halt::Once(source) => OpenError::SharedInit { path, source: (*source).clone() },
        Halt::Lost => OpenError::Interrupted { path },
    }
}

fn names(chain: Vec<Step>) -> Vec<PathBuf> {
    let mut names = Vec::with_capacity(chain.len());
    for step in chain {
        names.push(match step {
            Step::Plugin(path) => path,
            Step::Shared => {
                PathBuf::from(process::library().map_or("the shared crates", |library| &*library.package))
            }
            Step::Crate(at) => PathBuf::from(linked().get(at).map_or("a crate", |of| of.package)),
        });
    }
    names
}
