//! Which plugins this process has: the same file is the same plugin, and only one thread opens it.

use crate::error::OpenError;
use crate::loader::Load;
use crate::open::{self, FileId, Opened};
use crate::plugin::Plugin;
use dynplug_manifest::Identity;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

/// What is known of one plugin.
#[derive(Clone)]
enum State {
    /// A thread is on its way through the open.
    Opening(ThreadId),
    /// It can be used.
    Ready(&'static Plugin),
    /// Its init failed; it is loaded and stays out of reach.
    Failed(Arc<OpenError>),
}

#[derive(Default)]
struct Known {
    files: HashMap<FileId, State>,
    /// Canonical paths, since a file that is replaced under its path stays the same plugin.
    paths: HashMap<PathBuf, FileId>,
    /// Plugins that are mapped, by their id.
    ids: HashMap<Identity, PathBuf>,
}

static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
static CHANGED: Condvar = Condvar::new();

fn known() -> MutexGuard<'static, Known> {
    // Nothing panics while it holds the lock, and every change is a single insertion.
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens a plugin, or gives the one that is open.
///
/// # Safety
///
/// As for [`Plugin::open`].
pub(crate) unsafe fn open(path: &Path, load: Load) -> Result<&'static Plugin, OpenError> {
    let file = open::find(path)?;
    let id = {
        let mut known = known();
        let id = known.paths.get(&file.canonical).copied().unwrap_or(file.id);
        loop {
            match known.files.get(&id) {
                Some(State::Ready(plugin)) => return Ok(plugin),
                Some(State::Failed(error)) => return Err((**error).clone()),
                Some(State::Opening(thread)) if *thread == std::thread::current().id() => {
                    return Err(OpenError::Cycle { path: path.to_owned() });
                }
                Some(State::Opening(_)) => {
                    known = CHANGED.wait(known).unwrap_or_else(PoisonError::into_inner);
                }
                None => break,
            }
        }
        known.files.insert(id, State::Opening(std::thread::current().id()));
        known.paths.insert(file.canonical.clone(), id);
        id
    };
    // From here on no lock is held. Whatever happens, those who wait are told.
    let mut entry = Entry { id, canonical: &file.canonical, state: None };
    let claim = |identity: Identity| {
        let mut known = known();
        match known.ids.get(&identity) {
            Some(loaded) => Err(OpenError::AlreadyLoaded { path: path.to_owned(), loaded: loaded.clone() }),
            None => {
                known.ids.insert(identity, path.to_owned());
                Ok(())
            }
        }
    };
    // SAFETY: the caller's obligation is handed on as it is.
    match unsafe { open::open(path, &file, load, claim) } {
        Opened::Ready(plugin) => {
            entry.state = Some(State::Ready(plugin));
            Ok(plugin)
        }
        Opened::Refused(error) => Err(error),
        Opened::Failed(error) => {
            entry.state = Some(State::Failed(Arc::new(error.clone())));
            Err(error)
        }
    }
}

/// The place of a plugin that is being opened; says how it went when it is dropped.
struct Entry<'a> {
    id: FileId,
    canonical: &'a Path,
    state: Option<State>,
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        let mut known = known();
        match self.state.take() {
            Some(state) => {
                known.files.insert(self.id, state);
            }
            // A refused plugin leaves no trace.
            None => {
                known.files.remove(&self.id);
                known.paths.remove(self.canonical);
            }
        }
        drop(known);
        CHANGED.notify_all();
    }
}
