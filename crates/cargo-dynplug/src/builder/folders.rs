//! The folders of a build: what an older one left there, and what they are called in what is compiled.

use crate::diagnostic::{Doing, Result};
use crate::files;
use crate::settings::Settings;
use cargo_metadata::Metadata;
use std::path::Path;

/// cargo doesn't know that this program has changed, and would keep what another one made of the same sources.
pub(super) fn forget_other_tools(work: &Path) -> Result<()> {
    let this = std::env::current_exe().doing("find this program")?;
    let metadata = this.metadata().doing("find this program")?;
    let stamp = format!("{} {} {:?}", env!("CARGO_PKG_VERSION"), metadata.len(), metadata.modified().ok());
    let path = work.join("tool");
    if work.is_dir() && std::fs::read_to_string(&path).is_ok_and(|s| s != stamp) {
        std::fs::remove_dir_all(work).doing(format_args!("remove {}", work.display()))?;
    }
    files::make_folder(work)?;
    files::write_whole(&path, stamp.as_bytes())
}

/// What folders are called in what is compiled, so that it says nothing of this machine and is the same on any other.
/// The last that fits is used.
pub(super) fn remap(metadata: &Metadata, settings: &Settings, base: &Path) -> Vec<(String, String)> {
    let mut remap = Vec::new();
    let mut add = |from: &Path, to: String| {
        // Also by the name that the system has for it: rustc resolves links in the folder where it runs.
        for from in [Some(from.to_owned()), from.canonicalize().ok()].into_iter().flatten() {
            let pair = (from.display().to_string(), to.clone());
            if !pair.0.is_empty() && !remap.contains(&pair) {
                remap.push(pair);
            }
        }
    };
    // Debuggers that are started in the workspace find its sources.
    add(metadata.workspace_root.as_std_path(), ".".to_owned());
    if let Some(home) = &settings.cargo_home {
        add(home, "/dynplug/cargo".to_owned());
    }
    for package in &metadata.packages {
        let Some(folder) = package.manifest_path.parent() else { continue };
        match &package.source {
            Some(source) if source.repr.starts_with("git+") => {}
            // The folder's name holds a hash of the registry's address, which may be that of a mirror.
            Some(_) => {
                if let Some(parent) = folder.parent() {
                    add(parent.as_std_path(), "/dynplug/registry".to_owned());
                }
            }
            None if !folder.starts_with(&metadata.workspace_root) => {
                add(folder.as_std_path(), format!("/dynplug/path/{}-{}", package.name, package.version));
            }
            None => {}
        }
    }
    add(base, "/dynplug/target".to_owned());
    add(&settings.sysroot.join("lib/rustlib/src/rust"), settings.std_name.clone());
    remap
}
