//! What plugins there are: those that are linked in, and files in folders, each with what it says of itself and whether
//! it fits this process. Nothing of them runs.

use crate::about::About;
use crate::error::{NotAPlugin, OpenError};
use crate::folders;
use crate::linked::{self, LinkedIn, linked_in};
use crate::open;
use crate::partial::Partial;
use crate::plugin::Plugin;
use crate::registry;
use crate::terms::Terms;
use dynplug_manifest::Product;
use dynplug_manifest::sorted::{arrange, sorted_by};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a [`Loader`](crate::Loader) finds.
#[derive(Debug)]
#[non_exhaustive]
pub struct Discovery {
    /// The plugins that are linked in, and then the files that by their names can be plugins, folder by folder in the
    /// order of the search and in each in the order of their names.
    pub found: Vec<Found>,
    /// The folders.
    pub folders: Vec<Folder>,
}

/// A folder that was searched.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Folder {
    /// Its path, as it was given to the loader.
    pub path: PathBuf,
    /// How many entries it has whose names no plugin can have, such as `README.md`. Nobody looked at them.
    pub skipped: usize,
    /// Libraries that plugins share among themselves. Those bring them along, and nobody opens them by their names.
    pub libraries: Vec<PathBuf>,
    /// Why it was not read. That it isn't there is no error: then it is empty, and `is_there` is false.
    pub error: Option<Arc<io::Error>>,
    /// Whether there is such a folder.
    pub is_there: bool,
}

/// Where a plugin is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Place {
    /// It is linked into the program.
    LinkedIn(LinkedIn),
    /// In this file.
    File(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::LinkedIn(plugin) => write!(f, "{} {} (linked in)", plugin.name(), plugin.version()),
            Place::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A plugin, or a file that by its name could be one.
#[derive(Debug)]
pub struct Found {
    name: Option<String>,
    place: Place,
    about: Option<About>,
    // In a box, for the code to drop one is large.
    refusal: Option<Box<OpenError>>,
    shadowed_by: Option<Place>,
    terms: Terms,
}

impl Found {
    /// The name by which [`Loader::open`](crate::Loader::open) looks for it, the crate's; none for a file that isn't called as
    /// the system calls a crate's library, which is opened by its path alone.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The file; none for a plugin that is linked in.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::LinkedIn(_) => None,
        }
    }

    /// What it says of itself; none where there is nothing to read.
    pub fn about(&self) -> Option<&About> {
        self.about.as_ref()
    }

    /// Whether it fits this process, by all that opening it checks before anything of it is mapped. What depends on which
    /// plugins are open by then (a copy of one, another build of a private crate) is told when it is opened.
    ///
    /// In what [`Loader::open_all`](crate::Loader::open_all) gives, this is also why it did not open.
    ///
    /// # Errors
    ///
    /// What opening it would give.
    pub fn fits(&self) -> Result<(), &OpenError> {
        self.refusal.as_deref().map_or(Ok(()), Err)
    }

    /// What is found by its name in its stead: whatever comes first in the order of the search.
    pub fn shadowed_by(&self) -> Option<&Place> {
        self.shadowed_by.as_ref()
    }

    /// Opens just this one, also where another is found by its name.
    ///
    /// # Errors
    ///
    /// As for [`Plugin::open`].
    ///
    /// # Safety
    ///
    /// As for [`Loader::open`](crate::Loader::open).
    pub unsafe fn open(&self) -> Result<&'static Plugin, OpenError> {
        match &self.place {
            Place::LinkedIn(plugin) => plugin.open(),
            // SAFETY: the caller's obligation is handed on as it is.
            Place::File(path) => unsafe { registry::open_file(path, &self.terms) },
        }
    }

    pub(crate) fn refused(&mut self, error: OpenError) {
        self.refusal = Some(Box::new(error));
    }
}

impl Discovery {
    /// What does not fit, or did not open.
    pub fn refused(&self) -> impl Iterator<Item = (&Place, &OpenError)> {
        self.found.iter().filter_map(|found| Some((&found.place, found.refusal.as_deref()?)))
    }

    /// What is there by a name that something before it has.
    pub fn shadowed(&self) -> impl Iterator<Item = &Found> {
        self.found.iter().filter(|found| found.shadowed_by.is_some())
    }
}

/// Looks at all that is linked in, and at the files in the folders.
pub(crate) fn discover(folders: &[PathBuf], terms: &Terms) -> Discovery {
    let mut discovery = Discovery { found: Vec::new(), folders: Vec::new() };
    for plugin in linked_in() {
        discovery.found.push(Found {
            name: Some(plugin.crate_name().to_owned()),
            place: Place::LinkedIn(plugin),
            about: Some(About::of_linked(plugin)),
            refusal: None,
            shadowed_by: None,
            terms: terms.clone(),
        });
    }
    let linked_count = discovery.found.len();
    let mut partial = Partial::default();
    let mut seen = Vec::new();
    for path in folders {
        // A folder that is listed twice, or by two paths, is one.
        let canonical = path.canonicalize();
        if let Ok(canonical) = canonical {
            if seen.contains(&canonical) {
                continue;
            }
            seen.push(canonical);
        }
        let (files, mut folder) = candidates(path);
        for path in files {
            let name = linked::crate_name_of(&path);
            let name = name.filter(|name| folders::is_crate_name(name)).map(str::to_owned);
            let (about, refusal) = open::look(&path, &mut partial, terms);
            if let Some(OpenError::NotAPlugin { found, .. }) = &refusal
                && matches!(found, NotAPlugin::Other { product: Product::PluginLibrary, .. })
            {
                folder.libraries.push(path);
                continue;
            }
            let refusal = refusal.map(Box::new);
            discovery.found.push(Found {
                name,
                place: Place::File(path),
                about,
                refusal,
                shadowed_by: None,
                terms: terms.clone(),
            });
        }
        discovery.folders.push(folder);
    }
    shadow(&mut discovery.found, linked_count);
    discovery
}

/// Notes which files are found by no name, since something before them has it. Plugins that are linked in shadow no plugin
/// that is linked in: a name that several of them have is an error.
fn shadow(found: &mut [Found], linked: usize) {
    let name = |found: &Found| found.name.clone().unwrap_or_default();
    let order = sorted_by(found, |a, b| a.name.cmp(&b.name));
    let mut first: Option<usize> = None;
    for at in order {
        match (first, found.get(at)) {
            (Some(first), Some(this)) if this.name.is_some() && found.get(first).map(name) == this.name => {
                let by = found.get(first).map(|first| first.place.clone());
                if let Some(this) = found.get_mut(at).filter(|_| at >= linked) {
                    this.shadowed_by = by;
                }
            }
            _ => first = Some(at),
        }
    }
}

/// The files of a folder that by their names can be plugins.
pub(crate) fn candidates(folder: &Path) -> (Vec<PathBuf>, Folder) {
    let mut told =
        Folder { path: folder.to_owned(), skipped: 0, libraries: Vec::new(), error: None, is_there: true };
    let mut files = Vec::new();
    let mut read = || -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().as_encoded_bytes();
            match name.ends_with(std::env::consts::DLL_SUFFIX.as_bytes()) {
                true => files.push(path),
                false => told.skipped += 1,
            }
        }
        Ok(())
    };
    match read() {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => told.is_there = false,
        Err(error) => told.error = Some(Arc::new(error)),
    }
    // The order in a folder is anybody's guess.
    let order = sorted_by(&files, |a, b| a.as_os_str().cmp(b.as_os_str()));
    arrange(&mut files, order);
    (files, told)
}
