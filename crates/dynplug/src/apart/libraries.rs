//! The libraries that a plugin shares with other plugins, to go with it into its own process.

use super::StartError;
use crate::error::{NotAPlugin, OpenError};
use crate::open::{self, Wanted};
use crate::registry::library::{place, refused};
use crate::terms::Terms;
use dynplug_manifest::image::Image;
use dynplug_manifest::{Identity, LibraryReference, Manifest, Product};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// A library, as it was read.
pub(super) struct Shared {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
    #[cfg(feature = "trust")]
    pub(super) soname: String,
}

/// All that a plugin needs, and that these need, each once. The policy is asked about each.
pub(super) fn of(path: &Path, manifest: &Manifest, terms: &Terms) -> Result<Vec<Shared>, StartError> {
    let mut shared: Vec<Shared> = Vec::new();
    let mut seen: HashSet<Identity> = HashSet::new();
    let mut open: Vec<(PathBuf, LibraryReference)> = Vec::new();
    let mut needs = |open: &mut Vec<_>, path: &Path, manifest: &Manifest| {
        let new = manifest.libraries.iter().filter(|library| seen.insert(library.identity));
        open.extend(new.map(|library| (path.to_owned(), library.clone())));
    };
    needs(&mut open, path, manifest);
    while let Some((path, wanted)) = open.pop() {
        let (library, manifest) =
            read(&path, &wanted, terms).map_err(|error| refused(&path, &wanted, error))?;
        needs(&mut open, &library.path, &manifest);
        shared.push(library);
    }
    Ok(shared)
}

/// Reads the library of a file that needs it.
fn read(path: &Path, wanted: &LibraryReference, terms: &Terms) -> Result<(Shared, Manifest), OpenError> {
    let found = open::find(path, path.metadata())?;
    let file = place(path, &found.canonical, wanted);
    let bytes = open::read_judged(&file, terms)?;
    let not_a_plugin = |found| OpenError::NotAPlugin { path: file.clone(), found };
    let image = Image::parse(&bytes).map_err(|error| not_a_plugin(NotAPlugin::Image(error)))?;
    let manifest = image.manifest().map_err(|error| not_a_plugin(NotAPlugin::Image(error)))?;
    let Some(manifest) = manifest else { return Err(not_a_plugin(open::without_manifest(&image))) };
    if manifest.product != Product::PluginLibrary || manifest.id != wanted.identity {
        let Manifest { product, package, id, .. } = &manifest;
        return Err(open::another(&file, Wanted::Library(wanted), *product, package, *id));
    }
    let library = Shared {
        path: file,
        bytes,
        #[cfg(feature = "trust")]
        soname: wanted.soname.clone(),
    };
    Ok((library, manifest))
}
