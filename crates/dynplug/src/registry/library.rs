//! Libraries that plugins share among themselves: they lie beside the plugins, and each is opened before the first plugin
//! that needs it, by the steps that plugins go through.

use super::{REGISTRY, find};
use crate::error::OpenError;
use crate::open::{Found, Wanted};
use crate::plugin::Plugin;
use crate::terms::Terms;
use dynplug_manifest::{LibraryReference, Manifest};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Opens the libraries of the plugin at `path`, those that aren't there yet.
///
/// # Safety
///
/// As for [`Plugin::open`], for the libraries.
pub(super) unsafe fn bring(
    path: &Path,
    plugin: &Found,
    manifest: &Manifest,
    terms: &Terms,
) -> Result<Vec<&'static Plugin>, OpenError> {
    let mut libraries = Vec::with_capacity(manifest.libraries.len());
    for wanted in &manifest.libraries {
        // Loaded by whatever plugin, from wherever it lay.
        let library = match REGISTRY.with_id(wanted.identity) {
            Some(library) => accepted(path, wanted, library, terms)?,
            // SAFETY: the caller's obligation is handed on as it is.
            None => unsafe { open(path, plugin, wanted, terms) }?,
        };
        libraries.push(library);
    }
    Ok(libraries)
}

/// # Safety
///
/// As for [`bring`].
unsafe fn open(
    path: &Path,
    plugin: &Found,
    wanted: &LibraryReference,
    terms: &Terms,
) -> Result<&'static Plugin, OpenError> {
    let file = match terms.library(wanted.identity) {
        Some(file) => file.to_owned(),
        None => place(path, &plugin.canonical, wanted),
    };
    // SAFETY: the caller's obligation is handed on as it is.
    let outcome = unsafe { find(&file, file.metadata(), terms, Wanted::Library(wanted)) };
    // Another thread may have loaded a copy of it meanwhile, which does as well.
    outcome.or_else(|source| match (source, REGISTRY.with_id(wanted.identity)) {
        (OpenError::AlreadyLoaded { .. }, Some(library)) => accepted(path, wanted, library, terms),
        (source, _) => Err(refused(path, wanted, source)),
    })
}

/// A library that is there, if whoever is trusted speaks for it.
fn accepted(
    path: &Path,
    wanted: &LibraryReference,
    library: &'static Plugin,
    terms: &Terms,
) -> Result<&'static Plugin, OpenError> {
    #[cfg(feature = "trust")]
    terms.accept(library.path(), library).map_err(|source| refused(path, wanted, source))?;
    #[cfg(not(feature = "trust"))]
    let _ = (path, wanted, terms);
    Ok(library)
}

/// The error of the first library that [`bring`] would not open, as far as that is known without opening any. `look` says
/// what is the matter with the file of a library.
pub(crate) fn missing(
    path: &Path,
    plugin: &Found,
    manifest: &Manifest,
    mut look: impl FnMut(&Path, &LibraryReference) -> Option<OpenError>,
) -> Option<OpenError> {
    for wanted in &manifest.libraries {
        if REGISTRY.with_id(wanted.identity).is_none()
            && let Some(source) = look(&place(path, &plugin.canonical, wanted), wanted)
        {
            return Some(refused(path, wanted, source));
        }
    }
    None
}

/// The error of a plugin whose library is refused.
#[cold]
pub(crate) fn refused(path: &Path, wanted: &LibraryReference, source: OpenError) -> OpenError {
    OpenError::Library { path: path.to_owned(), package: wanted.package.clone(), source: Arc::new(source) }
}

/// Where a plugin's library lies: beside the plugin's file, or beside the link that leads to it.
pub(crate) fn place(path: &Path, canonical: &Path, wanted: &LibraryReference) -> PathBuf {
    // A name with a folder in it would lead away from there. No library has it, and so none is found.
    let name = wanted.soname.rsplit(['/', '\\']).next().unwrap_or_default();
    let file = canonical.with_file_name(name);
    let by_link = path.with_file_name(name);
    if !file.exists() && by_link.exists() { by_link } else { file }
}
