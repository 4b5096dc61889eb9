//! The program that runs plugins in processes of their own: which one goes beside the hosts.

use super::Builder;
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::outcome::manifest_in;
use crate::sdk::archive::cache_folder;
use dynplug_manifest::manifest::Manifest;
use std::path::{Path, PathBuf};

/// Its file's name.
const NAME: &str = "dynplug-runner";

impl Builder<'_> {
    /// The program, where the hosts can start it: for this machine the one that is installed beside this program, and for another one
    /// that was installed where this program looks for it. It speaks with the API library, so it has to be of the same version.
    pub(super) fn runner(&self, library: &Path) -> Result<Option<PathBuf>> {
        let starts = |manifest: &Manifest| manifest.crates.iter().any(|it| it.package == "dynplug-process");
        let target = &self.settings.target;
        // No other system can do it so far.
        if !target.contains("-linux-") || !manifest_in(library).is_some_and(|manifest| starts(&manifest)) {
            return Ok(None);
        }
        let version = env!("CARGO_PKG_VERSION");
        let install = format!("cargo install cargo-dynplug --version {version} --bin {NAME}");
        let warning = if *target == self.settings.host {
            let runner = std::env::current_exe().doing("find this program")?.with_file_name(NAME);
            if runner.is_file() {
                return Ok(Some(runner));
            }
            Diagnostic::warning("no-runner", format!("there is no `{NAME}` beside this program"))
                .help(format!("install it: `{install}`"))
        } else {
            let root = cache_folder()?.join("runners").join(version).join(target);
            let runner = root.join("bin").join(NAME);
            if runner.is_file() {
                return Ok(Some(runner));
            }
            Diagnostic::warning("no-runner", format!("there is no `{NAME}` for `{target}`"))
                .note(format!("it would be {}", runner.display()))
                .help(format!("once, for all hosts: `{install} --target {target} --root {}`", quoted(&root)))
        };
        self.say(&warning.note("plugins can't run in processes of their own without it"));
        Ok(None)
    }
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+".contains(c);
    if path.chars().all(is_plain) { path } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;
    use std::path::Path;

    #[test]
    fn paths_are_one_word_for_a_shell() {
        assert_eq!(quoted(Path::new("/home/me/.cache")), "/home/me/.cache");
        assert_eq!(quoted(Path::new("/it's a/path")), r"'/it'\''s a/path'");
    }
}
