//! The SDK for people elsewhere: the one of the build, with the sources that they need and a description that people
//! can read, in one file.

use super::Builder;
use crate::diagnostic::{Doing, Result};
use crate::files;
use crate::lock;
use crate::sdk::{Sdk, archive, locate, packages, readme};
use crate::terminal;
use crate::workspace::read_metadata;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// An SDK in a file.
pub struct Exported {
    /// The file.
    pub file: PathBuf,
    /// What is in it.
    pub sdk: Sdk,
}

impl Builder<'_> {
    /// Builds the API library and packs the SDK into `output`: a file, or a folder that there is; else it is put where
    /// the outcome of the build is.
    ///
    /// # Errors
    /// When a compilation fails (cargo has said why), or a file can't be read or written.
    pub fn export(&self, output: Option<&Path>) -> Result<Exported> {
        // Whatever is named, an SDK is of all that is shared; but a name that nothing has is a mistake.
        self.workspace.selection(self.arguments)?;
        self.check_features()?;
        let _lock = self.lock()?;
        self.say_notices();
        let built = self.hosts(&[])?;
        self.said.finish();
        // Made anew, so that nothing of an older build comes along.
        let staging = tempfile::tempdir_in(&self.work).doing("make a folder for the SDK")?;
        let mut sdk = self.make_sdk(&built, staging.path())?;
        self.add_sources(&mut sdk)?;
        sdk.strip()?;
        let description = &sdk.description;
        let api = &description.api;
        let name = format!("{}-{}-{}{}", api.package, api.version, description.target, locate::ENDING);
        let file = match output {
            Some(path) if path.is_dir() => path.join(name),
            Some(path) => path.to_owned(),
            None => {
                self.base.join(self.settings.outcome(self.arguments.workspace.profile_folder())).join(name)
            }
        };
        let file = std::path::absolute(file).doing("find the SDK's place")?;
        if let Some(folder) = file.parent() {
            files::make_folder(folder)?;
        }
        self.pack(&sdk.folder, &file)?;
        Ok(Exported { file, sdk })
    }

    /// Packs a folder into a file, unless that is what was packed into it last.
    fn pack(&self, folder: &Path, file: &Path) -> Result<()> {
        let name = files::hex(&files::sha256(file.as_os_str().as_encoded_bytes()));
        let record = self.work.join("packed").join(name);
        let contents = files::hex(&files::digest_of_tree(folder)?);
        let noted = || Some(format!("{contents} {:?}", files::stamp(file)?));
        if noted().is_some_and(|noted| std::fs::read_to_string(&record).is_ok_and(|last| last == noted)) {
            return Ok(());
        }
        self.status_of_file("Packing", file);
        archive::pack(folder, file)?;
        files::make_folder(&self.work.join("packed"))?;
        files::write_whole(&record, noted().unwrap_or_default().as_bytes())
    }

    /// Adds what the workspace around a host's own build has: sources, lock file, a word for people.
    fn add_sources(&self, sdk: &mut Sdk) -> Result<()> {
        // Whoever depends on the sources needs what they depend on anywhere, not only on this target.
        let metadata = read_metadata(self.arguments, &BTreeSet::new())?;
        if let Some(api) = &self.workspace.api {
            sdk.description.packages = packages::write(&metadata, api, &sdk.folder)?;
        }
        sdk.write_description()?;
        let path = metadata.workspace_root.join("Cargo.lock");
        let text = std::fs::read_to_string(&path).doing(format_args!("read {path}"))?;
        let api = &sdk.description.api;
        let text = lock::below(&text, &api.package, &api.version)?;
        files::write_whole(&sdk.folder.join(crate::sdk::LOCK), text.as_bytes())?;
        files::write_whole(&sdk.folder.join("README.md"), readme::text(&sdk.description).as_bytes())
    }

    /// A line on what is done, in cargo's manner.
    pub fn status(&self, verb: &str, what: &str) {
        if self.arguments.messages.talks() {
            terminal::status(verb, what);
        }
    }

    /// The same with a file.
    fn status_of_file(&self, verb: &str, file: &Path) {
        if self.arguments.messages.talks() {
            terminal::status_of_file(verb, file, "");
        }
    }
}
