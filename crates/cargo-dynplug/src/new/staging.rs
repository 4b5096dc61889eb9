//! The place of a new project: taken, free, or half-made and cleared again.

use super::{Request, check, reads, root_manifest};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files;
use std::path::{Path, PathBuf};

/// Where a project is to be. Until it is kept, it is cleared of all that came to be there.
pub(super) struct Place<'a> {
    path: &'a Path,
    /// The folders that weren't there, the lowest first.
    missing: Vec<&'a Path>,
    kept: bool,
}

impl<'a> Place<'a> {
    /// Takes the place.
    ///
    /// # Errors
    /// When something is there.
    pub(super) fn take(request: &'a Request<'_>) -> Result<Self> {
        is_free(&request.place)?;
        let path = &request.place;
        let missing = path.ancestors().take_while(|p| !p.exists()).collect();
        Ok(Place { path, missing, kept: false })
    }

    /// Lets all stay that is there.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // There is an error under way already, and what can't be removed is somebody else's by now.
        for entry in std::fs::read_dir(self.path).into_iter().flatten().flatten() {
            let path = entry.path();
            let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
        }
        for folder in &self.missing {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// A folder beside the project's place in which it is made.
pub(super) struct Staging<'a> {
    request: &'a Request<'a>,
    /// The `Cargo.toml` of the workspace around it.
    around: Option<PathBuf>,
    // Dropped first: the place may be in folders that are only there for it.
    folder: tempfile::TempDir,
    place: Place<'a>,
}

impl<'a> Staging<'a> {
    /// Makes the folder.
    ///
    /// # Errors
    /// When there is something at the project's place, or nothing can be made there.
    pub(super) fn begin(request: &'a Request<'a>) -> Result<Self> {
        let place = Place::take(request)?;
        let above = request.above();
        let is_inside = above.ancestors().any(|folder| folder.join("Cargo.toml").is_file());
        let around = if is_inside { root_manifest(above).ok() } else { None };
        // One that can't be read isn't made worse.
        let around = around.filter(|root| reads(root).is_ok());
        let parent = request.place.parent().unwrap_or(Path::new("/"));
        files::make_folder(parent)?;
        let folder = tempfile::Builder::new().prefix(".dynplug-new-").tempdir_in(parent);
        let folder = folder.doing(format_args!("make a folder in {}", parent.display()))?;
        // So that cargo takes this for the workspace of what it begins here, and leaves the one around it alone.
        files::write_whole(&folder.path().join("Cargo.toml"), b"[workspace]\n")?;
        Ok(Staging { request, around, folder, place })
    }

    /// Where the project is made.
    pub(super) fn project(&self) -> PathBuf {
        self.folder.path().join(self.request.place.file_name().unwrap_or_default())
    }

    /// Puts the project into its place, if cargo can read it, and what is around it as before.
    ///
    /// # Errors
    /// When it can't, or something came to be there in the meantime, or nothing can be written there.
    pub(super) fn finish(self) -> Result<()> {
        let project = self.project();
        let Staging { request, around, folder, place: taken } = self;
        let place = &request.place;
        let manifest = folder.path().join("Cargo.toml");
        std::fs::remove_file(&manifest).doing(format_args!("remove {}", manifest.display()))?;
        check(&project, request)?;
        is_free(place)?;
        let what = format!("make {}", place.display());
        if place.is_dir() {
            // Somebody may be working in it.
            move_into(&project, place).doing(what)?;
        } else {
            std::fs::rename(project, place).doing(what)?;
        }
        // A workspace around it may take whatever is in this folder for members.
        drop(folder);
        if let Some(root) = around
            && let Err(said) = reads(&root)
        {
            return Err(Diagnostic::error("taken", format!("{} is a workspace's", place.display()))
                .note(format!("with the project there, cargo can't read {}: {said}", root.display()))
                .help("choose a folder outside of that workspace, or name this one in its `exclude`")
                .usage()
                .into());
        }
        taken.keep();
        Ok(())
    }
}

/// Moves all that is in a folder to another.
fn move_into(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::rename(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Whether a project can be put there: nothing is, or an empty folder.
fn is_free(place: &Path) -> Result<()> {
    let taken = |what: &str| {
        Diagnostic::error("taken", format!("{} is there already, and is {what}", place.display()))
            .help("choose another folder; the package can have any name: `--name NAME`")
            .help(
                "to make a plugin of a package that is there, add to its Cargo.toml:\n[lib]\ncrate-type = [\"lib\", \"cdylib\"]",
            )
            .usage()
    };
    if place.is_dir() {
        let what = format!("read the folder {}", place.display());
        return match std::fs::read_dir(place).doing(what)?.next() {
            None => Ok(()),
            Some(_) => Err(taken("not empty").into()),
        };
    }
    match place.symlink_metadata() {
        Ok(_) => Err(taken("no folder").into()),
        Err(_) => Ok(()),
    }
}
