//! What a `Cargo.toml` may say to dynplug, in `[package.metadata.dynplug]` and `[workspace.metadata.dynplug]`. cargo leaves
//! such tables alone, so that a misspelt key would be nobody's business.

use crate::diagnostic::{Diagnostic, Span};
use cargo_metadata::Metadata;
use std::path::Path;

/// The keys of a package.
const OF_PACKAGES: &[&str] = &["sdk", "private"];
/// The keys of a workspace.
const OF_WORKSPACES: &[&str] = &["sdk"];

/// Warnings of keys that mean nothing.
pub fn unknown(metadata: &Metadata) -> Vec<Diagnostic> {
    let members = metadata.workspace_packages();
    let packages =
        members.iter().map(|p| ("package", &p.metadata, p.manifest_path.as_std_path(), OF_PACKAGES));
    let root = metadata.workspace_root.join("Cargo.toml");
    let workspace = ("workspace", &metadata.workspace_metadata, root.as_std_path(), OF_WORKSPACES);
    packages
        .chain([workspace])
        .flat_map(|(whose, table, path, known)| of_table(whose, table, path, known))
        .collect()
}

fn of_table(whose: &str, table: &serde_json::Value, path: &Path, known: &[&str]) -> Vec<Diagnostic> {
    let keys = table.get("dynplug").and_then(|d| d.as_object()).into_iter().flat_map(|d| d.keys());
    keys.filter(|key| !known.contains(&key.as_str()))
        .map(|key| {
            let span = Span::in_manifest(path, &[whose, "metadata", "dynplug", key]);
            let table = format!("[{whose}.metadata.dynplug]");
            Diagnostic::warning("unknown-key", format!("`{key}` in `{table}` means nothing"))
                .span(span)
                .note(format!("it may have: {}", known.join(", ")))
                .did_you_mean(key, known.iter().copied())
        })
        .collect()
}
