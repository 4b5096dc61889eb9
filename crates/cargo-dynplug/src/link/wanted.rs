//! The plugins that are asked for on the command line, and where each comes from.

use crate::diagnostic::{Diagnostic, Doing, Result};
use cargo_metadata::{Metadata, MetadataCommand};
use std::path::{Path, PathBuf};

/// A plugin that is to be linked in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The package's name.
    pub(super) name: String,
    /// Where it comes from.
    pub(super) origin: Origin,
}

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// A folder.
    Path(PathBuf),
    /// A registry, in a version that meets this requirement.
    Registry(String),
    /// A repository, with the key and value that name a branch, a tag or a commit.
    Git(String, Option<(String, String)>),
}

impl Wanted {
    /// Understands `NAME`, `NAME@VERSION`, `NAME=PATH`, `PATH` and `NAME=URL`, where `NAME` alone is a member of the host's
    /// workspace: a package of a registry is never taken by chance.
    ///
    /// # Errors
    /// When the text is none of these, or the folder holds no package of that name.
    pub(super) fn parse(text: &str, metadata: &Metadata) -> Result<Wanted> {
        if let Some((name, place)) = text.split_once('=').filter(|(name, _)| is_name(name)) {
            return match git(place) {
                Some(origin) => Ok(Wanted { name: name.to_owned(), origin }),
                None => at(Path::new(place), Some(name)),
            };
        }
        if git(text).is_some() {
            return Err(unclear(text, "the name of the package is missing")
                .help(format!("say what the package is called: `--with NAME={text}`"))
                .into());
        }
        let (name, version) = text.split_once('@').map_or((text, None), |(n, v)| (n, Some(v)));
        if !is_name(name) {
            return at(Path::new(text), None);
        }
        let members = metadata.workspace_packages();
        let member = members.iter().find(|p| p.name.as_str() == name);
        let origin = match (version, member.and_then(|p| p.manifest_path.parent())) {
            (Some(version), _) => {
                cargo_metadata::semver::VersionReq::parse(version)
                    .map_err(|e| unclear(text, &format!("`{version}` is no version: {e}")))?;
                Origin::Registry(version.to_owned())
            }
            (None, Some(folder)) => Origin::Path(folder.as_std_path().to_owned()),
            (None, None) => {
                let names: Vec<&str> = members.iter().map(|p| p.name.as_str()).collect();
                return Err(unclear(text, "the workspace has no member of that name")
                    .note(format!("its members are: {}", names.join(", ")))
                    .did_you_mean(name, names.iter().copied())
                    .help(format!(
                        "a package of a registry is named with a version: `--with {name}@*` for the newest"
                    ))
                    .help(format!("a folder is named so: `--with {name}=PATH`"))
                    .into());
            }
        };
        Ok(Wanted { name: name.to_owned(), origin })
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

/// The package in a folder.
fn at(folder: &Path, name: Option<&str>) -> Result<Wanted> {
    let text = folder.display().to_string();
    let absolute = std::path::absolute(folder).doing(format_args!("find {text}"))?;
    let manifest = absolute.join("Cargo.toml");
    if !manifest.is_file() {
        return Err(unclear(&text, &format!("there is no {}", manifest.display()))
            .help("name a member of the workspace, a package of a registry (`NAME@VERSION`), a folder (`NAME=PATH`), or a repository (`NAME=URL`)")
            .into());
    }
    let mut command = MetadataCommand::new();
    let mut command = command.manifest_path(&manifest).no_deps().cargo_command();
    crate::environment::clean(&mut command);
    let output = command.output().doing("run cargo metadata")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(unclear(&text, said.trim()).into());
    }
    let said = String::from_utf8(output.stdout).doing("read what cargo metadata says")?;
    let metadata = MetadataCommand::parse(said).doing("understand what cargo metadata says")?;
    let real = manifest.canonicalize().doing(format_args!("find {}", manifest.display()))?;
    let package = metadata.packages.iter().find(|p| {
        p.manifest_path == manifest || p.manifest_path.as_std_path().canonicalize().ok() == Some(real.clone())
    });
    let Some(package) = package else {
        return Err(unclear(&text, "there is a workspace, and no package of its own").into());
    };
    if let Some(name) = name.filter(|name| *name != package.name.as_str()) {
        return Err(
            unclear(&text, &format!("the package there is `{}`, and not `{name}`", package.name)).into()
        );
    }
    Ok(Wanted { name: package.name.to_string(), origin: Origin::Path(absolute) })
}

/// What stands for a repository: an address with a scheme, or `git@host:path`; a branch, tag or commit behind `?branch=`,
/// `?tag=`, `?rev=` or `#`.
fn git(text: &str) -> Option<Origin> {
    let text = text.strip_prefix("git+").unwrap_or(text);
    if !text.contains("://") && !text.starts_with("git@") {
        return None;
    }
    let (address, commit) = text.split_once('#').map_or((text, None), |(a, c)| (a, Some(c)));
    let (address, query) = address.split_once('?').map_or((address, None), |(a, q)| (a, Some(q)));
    let named = query.into_iter().flat_map(|q| form_urlencoded::parse(q.as_bytes()));
    let mut named = named
        .filter(|(key, _)| matches!(&**key, "branch" | "tag" | "rev"))
        .map(|(key, value)| (key.into_owned(), value.into_owned()));
    let reference = named.next().or(commit.map(|commit| ("rev".to_owned(), commit.to_owned())));
    Some(Origin::Git(address.to_owned(), reference))
}

fn unclear(text: &str, why: &str) -> Diagnostic {
    Diagnostic::error("unknown-plugin", format!("`--with {text}` names no plugin"))
        .note(why.to_owned())
        .usage()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git_of(text: &str) -> Option<(String, Option<(String, String)>)> {
        match git(text)? {
            Origin::Git(address, reference) => Some((address, reference)),
            _ => None,
        }
    }

    #[test]
    fn addresses_are_told_from_paths() {
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(git_of("https://a.example/x"), Some(("https://a.example/x".to_owned(), None)));
        assert_eq!(
            git_of("git+https://a.example/x?branch=a%2Fb#0123"),
            Some(("https://a.example/x".to_owned(), pair("branch", "a/b")))
        );
        assert_eq!(
            git_of("git@a.example:x.git#0123"),
            Some(("git@a.example:x.git".to_owned(), pair("rev", "0123")))
        );
        assert_eq!(git_of("file:///a/b"), Some(("file:///a/b".to_owned(), None)));
        for path in ["../x", "/a/b", "C:\\a", "hello"] {
            assert_eq!(git_of(path), None, "{path}");
        }
    }
}
