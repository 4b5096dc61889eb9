//! What `sync` has changed, so that all can be as it was where the whole doesn't come off.

use crate::diagnostic::{Doing, Result};
use crate::files;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The changes, and what was there before.
#[derive(Default)]
pub(super) struct Undo {
    steps: Vec<Step>,
}

enum Step {
    /// A file, with what stood in it; nothing where it wasn't there.
    File(PathBuf, Option<Vec<u8>>),
    /// A folder. What it was lies in the other, in its `old`, where it was there.
    Folder(PathBuf, TempDir),
}

impl Undo {
    /// Writes a file.
    pub(super) fn write(&mut self, path: &Path, text: &str) -> Result<()> {
        let before = std::fs::read(path).ok();
        let is_there = before.as_deref() == Some(text.as_bytes());
        // Recorded even then: cargo may write it afterwards.
        self.steps.push(Step::File(path.to_owned(), before));
        if is_there { Ok(()) } else { files::write_whole(path, text.as_bytes()) }
    }

    /// Puts a copy of the folder `original` in the place of another.
    pub(super) fn replace(&mut self, folder: &Path, original: &Path) -> Result<()> {
        let parent = folder.parent().unwrap_or(Path::new("."));
        let staging =
            tempfile::tempdir_in(parent).doing(format_args!("make a folder in {}", parent.display()))?;
        let (new, old) = (staging.path().join("new"), staging.path().join("old"));
        files::copy_tree(original, &new)?;
        let what = format!("replace {}", folder.display());
        if folder.exists() {
            std::fs::rename(folder, &old).doing(&what)?;
        }
        // From here on there is something to be undone.
        self.steps.push(Step::Folder(folder.to_owned(), staging));
        std::fs::rename(&new, folder).doing(what)
    }

    /// Takes over what another has changed after it.
    pub(super) fn take(&mut self, other: Undo) {
        self.steps.extend(other.steps);
    }

    /// Lets all be as it was.
    pub(super) fn restore(&mut self) -> Result<()> {
        while let Some(step) = self.steps.pop() {
            match step {
                Step::File(path, Some(bytes)) => files::write_whole(&path, &bytes)?,
                Step::File(path, None) => {
                    std::fs::remove_file(&path).doing(format_args!("remove {}", path.display()))?;
                }
                Step::Folder(folder, staging) => {
                    let what = format!("put {} back", folder.display());
                    if folder.exists() {
                        std::fs::remove_dir_all(&folder).doing(&what)?;
                    }
                    let old = staging.path().join("old");
                    if old.exists() {
                        std::fs::rename(&old, &folder).doing(what)?;
                    }
                }
            }
        }
        Ok(())
    }
}
