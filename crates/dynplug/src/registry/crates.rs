//! The private crates that are in the process: two builds of one crate id never meet, since the compiler could not tell
//! their types apart.

use super::table::{Table, hash};
use crate::error::OpenError;
use crate::open;
use crate::process;
use dynplug_manifest::Manifest;
use dynplug_manifest::compare::{Host, Loaded, Machine};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A crate of a plugin that is loaded or about to be.
struct Held {
    id: [u8; 16],
    content: [u8; 32],
    /// How many plugins hold this very build of it.
    plugins: usize,
    /// The first of them.
    by: Arc<(PathBuf, Arc<Manifest>)>,
}

static HELD: Mutex<Table<Held>> = Mutex::new(Table::new());

/// The lock, for the time of a fork. Nobody takes another lock of the registry's while this one is held.
#[cfg_attr(any(not(unix), loom), allow(dead_code))]
pub(super) struct Frozen {
    _guard: MutexGuard<'static, Table<Held>>,
}

/// Takes the lock, so that a fork finds it free of other threads.
#[cfg_attr(any(not(unix), loom), allow(dead_code))]
pub(super) fn freeze() -> Frozen {
    Frozen { _guard: held() }
}

fn held() -> MutexGuard<'static, Table<Held>> {
    // Nothing panics while it holds the lock.
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The claim of a plugin on its private crates. Dropped, it is given up, unless the plugin was mapped.
pub(super) struct Claim {
    crates: Vec<[u8; 16]>,
}

/// Claims a plugin's private crates.
///
/// # Errors
///
/// When another build of one of them is there.
pub(super) fn claim(path: &Path, plugin: &Arc<Manifest>) -> Result<Claim, OpenError> {
    let mut held = held();
    let private = || plugin.crates.iter().filter(|c| !c.shared);
    let mut others = Vec::new();
    for info in private() {
        match held.get(hash(&info.id), |h| h.id == info.id) {
            Some(other) if other.content != info.content => others.push(Arc::clone(&other.by)),
            _ => {}
        }
    }
    if !others.is_empty() {
        drop(held);
        let mut loaded = Vec::with_capacity(others.len());
        for by in &others {
            loaded.push(Loaded { path: &by.0, manifest: &by.1 });
        }
        let Some(own) = process::library() else {
            return Err(OpenError::HostNotShared { path: path.to_owned() });
        };
        let machine = Machine { target: &own.target, has_feature: &|_| None, libraries: None };
        open::fits(path, &Host { api: own, machine, loaded: &loaded }, plugin, &[])?;
        return Err(OpenError::AlreadyLoaded { path: path.to_owned(), loaded: others[0].0.clone() });
    }
    let by = Arc::new((path.to_owned(), Arc::clone(plugin)));
    let mut crates = Vec::new();
    for info in private() {
        let hash = hash(&info.id);
        match held.get_mut(hash, |h| h.id == info.id) {
            Some(entry) => entry.plugins += 1,
            None => {
                let by = Arc::clone(&by);
                held.insert(hash, Held { id: info.id, content: info.content, plugins: 1, by });
            }
        }
        crates.push(info.id);
    }
    Ok(Claim { crates })
}

impl Claim {
    /// The plugin is mapped, and stays so.
    pub(super) fn keep(mut self) {
        self.crates.clear();
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.crates.is_empty() {
            return;
        }
        let mut held = held();
        for id in &self.crates {
            let hash = hash(id);
            if let Some(entry) = held.get_mut(hash, |h| h.id == *id) {
                entry.plugins -= 1;
                if entry.plugins == 0 {
                    held.remove(hash, |h| h.id == *id);
                }
            }
        }
    }
}
