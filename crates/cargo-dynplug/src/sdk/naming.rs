//! Naming another SDK in the `Cargo.toml` that names one, so that the next build takes it by itself.

use super::locate;
use crate::cli::BuildArguments;
use crate::diagnostic::{Doing, Result, value};
use crate::files;
use crate::new::{portable, quoted};
use cargo_metadata::Metadata;
use std::path::{Path, PathBuf};

/// A `Cargo.toml` that is to name another SDK.
#[derive(Debug)]
pub struct Renaming {
    /// The file.
    pub manifest: PathBuf,
    /// What it names now.
    pub from: String,
    /// What it is to name.
    pub to: String,
    /// The whole of it, then.
    pub text: String,
}

/// What is to change so that whatever names the SDK of what is built names the one at `path`. Nothing where nothing names
/// one, or it is that one.
///
/// # Errors
/// When what is built names different SDKs, a `Cargo.toml` can't be read, or it can't hold the path.
pub fn renamings(arguments: &BuildArguments, metadata: &Metadata, path: &Path) -> Result<Vec<Renaming>> {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let path = whole(path);
    let Some(named) = locate::in_the_manifests(arguments, metadata)?.filter(|named| whole(named) != path)
    else {
        return Ok(Vec::new());
    };
    let own = metadata.workspace_packages().into_iter().map(|p| (&p.manifest_path, locate::KEY));
    let root = metadata.workspace_root.join("Cargo.toml");
    let mut found = Vec::new();
    for (manifest, keys) in own.chain([(&root, locate::WORKSPACE_KEY)]) {
        let manifest = manifest.as_std_path();
        let text = std::fs::read_to_string(manifest).doing(format_args!("read {}", manifest.display()))?;
        let Some((range, from)) = value(&text, keys) else { continue };
        let folder = manifest.parent().unwrap_or(Path::new(""));
        if whole(&folder.join(&from)) != whole(&named) {
            continue;
        }
        // As it was said before: a project and its SDK may move together.
        let to = match Path::new(&from).is_relative() {
            true => files::relative(&whole(folder), &path),
            false => path.clone(),
        };
        let to = portable(&to)?;
        let text = [text.get(..range.start), Some(&quoted(&to)), text.get(range.end..)];
        let text = text.into_iter().flatten().collect();
        found.push(Renaming { manifest: manifest.to_owned(), from, to, text });
    }
    Ok(found)
}
