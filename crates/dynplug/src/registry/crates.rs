//! The private crates that are in the process: two builds of one crate id never meet, since the compiler could not tell
//! their types apart.

use crate::error::OpenError;
use crate::process;
use dynplug_manifest::Manifest;
use dynplug_manifest::compare::{Host, Loaded, Machine, Mismatch, compare};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

/// A crate of a plugin that is loaded or about to be.
struct Held {
    content: [u8; 32],
    /// How many plugins hold this very build of it.
    plugins: usize,
    /// The first of them.
    by: Arc<(PathBuf, Manifest)>,
}

static HELD: LazyLock<Mutex<HashMap<[u8; 16], Held>>> = LazyLock::new(Mutex::default);

fn held() -> MutexGuard<'static, HashMap<[u8; 16], Held>> {
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
pub(super) fn claim(path: &Path, plugin: &Manifest) -> Result<Claim, OpenError> {
    let mut held = held();
    let private = || plugin.crates.iter().filter(|c| !c.shared);
    let others: Vec<_> = (private())
        .filter_map(|c| held.get(&c.id).filter(|h| h.content != c.content))
        .map(|h| Arc::clone(&h.by))
        .collect();
    if !others.is_empty() {
        drop(held);
        let loaded: Vec<_> = others.iter().map(|by| Loaded { path: &by.0, manifest: &by.1 }).collect();
        let Some(own) = process::library() else {
            return Err(OpenError::HostNotShared { path: path.to_owned() });
        };
        let machine = Machine { target: &own.target, has_feature: &|_| None, libraries: None };
        let differences = compare(&Host { api: own, machine, loaded: &loaded }, plugin, &[]);
        if let Some(mismatch) = Mismatch::new(plugin, differences) {
            return Err(OpenError::Mismatch { path: path.to_owned(), mismatch: Box::new(mismatch) });
        }
        return Err(OpenError::AlreadyLoaded { path: path.to_owned(), loaded: others[0].0.clone() });
    }
    let by = Arc::new((path.to_owned(), plugin.clone()));
    let mut crates = Vec::new();
    for info in private() {
        let entry = held.entry(info.id).or_insert_with(|| Held {
            content: info.content,
            plugins: 0,
            by: Arc::clone(&by),
        });
        entry.plugins += 1;
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
            if let Some(entry) = held.get_mut(id) {
                entry.plugins -= 1;
                if entry.plugins == 0 {
                    held.remove(id);
                }
            }
        }
    }
}
