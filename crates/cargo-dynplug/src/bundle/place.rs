//! Where a bundle is put: a folder or an archive, that nobody else's files are in.

use super::description::{self, Description, NAME};
use super::pack::{self, Packing};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// Where a bundle is put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A folder.
    Folder(PathBuf),
    /// An archive.
    Archive(PathBuf, Packing),
}

/// Endings of archives that aren't made here. A folder of such a name would be a surprise.
const OTHERS: [&str; 12] =
    [".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".zip", ".7z", ".deb", ".rpm", ".gz", ".xz", ".zst"];

impl Output {
    /// What a path means.
    ///
    /// # Errors
    /// When it is that of an archive that isn't made here.
    pub fn of(path: &Path) -> Result<Output> {
        let path = std::path::absolute(path).doing("find the bundle's place")?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let packing = [(".tar.zst", Packing::Zstd), (".tzst", Packing::Zstd), (".tar", Packing::Plain)];
        if let Some((_, packing)) = packing.into_iter().find(|(ending, _)| name.ends_with(ending)) {
            return Ok(Output::Archive(path, packing));
        }
        if let Some(ending) = OTHERS.iter().find(|ending| name.ends_with(*ending)) {
            return Err(Diagnostic::error(
                "archive-format",
                format!("archives with the ending {ending} aren't made here"),
            )
            .note("want FILE.tar.zst, FILE.tar, or a folder")
            .help("other programs pack a plain archive: `-o FILE.tar`, then `gzip FILE.tar` or `xz FILE.tar`")
            .usage()
            .into());
        }
        Ok(Output::Folder(path))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        match self {
            Output::Folder(path) | Output::Archive(path, _) => path,
        }
    }

    /// Says whether a bundle can be put there: nothing is, or an earlier bundle.
    ///
    /// # Errors
    /// When something else is there.
    pub fn check(&self) -> Result<()> {
        match self {
            Output::Folder(path) => check_folder(path),
            Output::Archive(path, packing) => check_archive(path, *packing),
        }
    }
}

fn taken(path: &Path, what: &str) -> Diagnostic {
    Diagnostic::error("taken", format!("{} is there already, and {what}", path.display()))
        .note("only an earlier bundle is replaced")
        .help("choose another place: `-o PATH`")
        .usage()
}

fn check_folder(path: &Path) -> Result<()> {
    let Ok(found) = path.symlink_metadata() else { return Ok(()) };
    if !found.is_dir() {
        return Err(taken(path, "is no folder").into());
    }
    let mut there = BTreeSet::new();
    list(path, "", &mut there)?;
    if there.is_empty() {
        return Ok(());
    }
    let Some((at, earlier)) = earlier(path, &there) else { return Err(taken(path, "is no bundle").into()) };
    let known: BTreeSet<&str> = earlier.files.iter().map(|f| &*f.path).chain([&*at]).collect();
    let foreign: Vec<&str> = there.iter().map(String::as_str).filter(|name| !known.contains(name)).collect();
    if foreign.is_empty() {
        return Ok(());
    }
    let mut shown = foreign.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    if foreign.len() > 5 {
        shown += &format!(" and {} more", foreign.len() - 5);
    }
    let error = taken(path, "has files that are no part of the bundle in it");
    Err(error.note(shown).help("or move these files away").into())
}

/// The description of the bundle in a folder, and where it lies.
fn earlier(folder: &Path, there: &BTreeSet<String>) -> Option<(String, Description)> {
    let is_it = |name: &&String| match name.split('/').collect::<Vec<_>>()[..] {
        [file] => file == NAME,
        ["share", "doc", _, file] => file == NAME,
        _ => false,
    };
    there.iter().filter(is_it).find_map(|name| {
        let bytes = std::fs::read(folder.join(name)).ok()?;
        Some((name.clone(), description::parse(&bytes)?))
    })
}

/// The paths of all that is in a folder, but for the folders.
fn list(folder: &Path, prefix: &str, names: &mut BTreeSet<String>) -> Result<()> {
    let what = format!("read the folder {}", folder.display());
    for entry in std::fs::read_dir(folder).doing(&what)? {
        let entry = entry.doing(&what)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().doing(&what)?.is_dir() {
            list(&entry.path(), &format!("{name}/"), names)?;
        } else {
            names.insert(name);
        }
    }
    Ok(())
}

fn check_archive(path: &Path, packing: Packing) -> Result<()> {
    let Ok(found) = path.symlink_metadata() else { return Ok(()) };
    if !found.is_file() {
        return Err(taken(path, "is no regular file").into());
    }
    match pack::description_in(path, packing) {
        Some(_) => Ok(()),
        None => Err(taken(path, "is no bundle").into()),
    }
}

/// A folder for a bundle that isn't complete, beside its place or wherever it may be.
pub struct Staging {
    folder: tempfile::TempDir,
}

impl Staging {
    /// Makes it in `parent`.
    ///
    /// # Errors
    /// When that fails.
    pub fn in_folder(parent: &Path) -> Result<Staging> {
        files::make_folder(parent)?;
        let folder = tempfile::Builder::new().prefix(".dynplug-bundle-").tempdir_in(parent);
        let folder = folder.doing(format_args!("make a folder in {}", parent.display()))?;
        // A folder of its own, since the other is for its owner only.
        files::make_folder(&folder.path().join("bundle"))?;
        Ok(Staging { folder })
    }

    /// Where the bundle is made.
    pub fn bundle(&self) -> PathBuf {
        self.folder.path().join("bundle")
    }

    /// Puts it into its place. At each moment there is the earlier bundle or the new one.
    ///
    /// # Errors
    /// When it can't be moved there.
    pub fn put(self, place: &Path) -> Result<()> {
        let what = format!("put the bundle to {}", place.display());
        let bundle = self.bundle();
        match std::fs::rename(&bundle, place) {
            Ok(()) => Ok(()),
            Err(_) if place.is_dir() => exchange(&bundle, place).doing(what),
            Err(e) => Err(e).doing(what),
        }
    }
}

/// Exchanges two folders.
fn exchange(new: &Path, old: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        if renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE).is_ok() {
            return Ok(());
        }
    }
    // Where the system can't do it in one step.
    let aside = new.with_file_name("earlier");
    std::fs::rename(old, &aside)?;
    std::fs::rename(new, old).inspect_err(|_| {
        // There is an error to tell already.
        let _ = std::fs::rename(&aside, old);
    })
}
