//! What build scripts of shared crates told the build scripts of their dependents: the values that cargo hands over as
//! `DEP_<links>_<KEY>`. With them a plugin's own C code finds the headers of a library that the host shares, without the
//! library's build script being compiled and run once more.

use crate::context::Context;
use crate::diagnostic::{Doing, Result};
use crate::files;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The folder beneath an SDK's.
const FOLDER: &str = "links";

/// A package whose build script has told something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// Package name.
    pub package: String,
    /// Package version.
    pub version: String,
    /// Where the package comes from.
    pub source: String,
    /// What it told: keys and values. Folders are called `{out NAME VERSION}`, for what the script of a package made,
    /// and `{source NAME VERSION}`, for the package itself.
    pub values: Vec<(String, String)>,
}

/// The place of a package, for finding it in what scripts say.
pub struct Place {
    /// What stands in the place of the path.
    pub placeholder: String,
    /// The path.
    pub path: PathBuf,
}

impl Place {
    /// The folder with what a package's build script made.
    pub fn out(name: &str, version: &str, path: &Path) -> Place {
        Place { placeholder: format!("{{out {name} {version}}}"), path: path.to_owned() }
    }

    /// A package's own folder.
    pub fn source(name: &str, version: &str, path: &Path) -> Place {
        Place { placeholder: format!("{{source {name} {version}}}"), path: path.to_owned() }
    }
}

/// Reads the keys and values in what a build script printed, with placeholders for `places`. Values that name
/// `unwanted`, a folder that is nowhere else, are left out.
///
/// # Errors
/// When the file can't be read.
pub fn read(output: &Path, places: &[Place], unwanted: &Path) -> Result<Vec<(String, String)>> {
    let text = std::fs::read(output).doing(format_args!("read {}", output.display()))?;
    let text = String::from_utf8_lossy(&text);
    // The longest first: packages lie within workspaces, and what scripts make within packages.
    let mut places: Vec<(String, &str)> =
        places.iter().map(|p| (p.path.display().to_string(), p.placeholder.as_str())).collect();
    places.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
    let unwanted = unwanted.display().to_string();
    let values = text.lines().filter_map(told).map(|(key, value)| {
        let value = places
            .iter()
            .filter(|(path, _)| !path.is_empty())
            .fold(value.to_owned(), |value, (path, placeholder)| value.replace(path.as_str(), placeholder));
        (key.to_owned(), value)
    });
    Ok(values.filter(|(_, value)| !value.contains(&unwanted)).collect())
}

/// What a line of a build script's output tells the scripts of dependents.
fn told(line: &str) -> Option<(&str, &str)> {
    if let Some(rest) = line.strip_prefix("cargo::") {
        return rest.strip_prefix("metadata=")?.split_once('=');
    }
    let (key, value) = line.strip_prefix("cargo:")?.split_once('=')?;
    let of_cargo =
        key.starts_with("rustc-") || key.starts_with("rerun-if-") || matches!(key, "warning" | "error");
    (!of_cargo).then_some((key, value))
}

impl Script {
    /// Copies what the values name of the folder `out`, where the script has made it, beneath the SDK's folder.
    /// Compiled code stays behind: the API library has it.
    ///
    /// # Errors
    /// When a file can't be read or written.
    pub fn place(&self, out: &Path, sdk: &Path) -> Result<()> {
        let to = self.folder(sdk);
        let placeholder = Place::out(&self.package, &self.version, out).placeholder;
        for (_, value) in &self.values {
            for part in value.split(&placeholder).skip(1) {
                // As far as the path goes in a value that may be a list.
                let name = part.trim_start_matches('/').split([':', ';', ',']).next().unwrap_or_default();
                let mut name = Path::new(name);
                // A list with blanks between has an end that nobody can tell from a name with blanks.
                while !out.join(name).exists() {
                    let Some(shorter) = name.to_str().and_then(|n| n.rsplit_once(' ')).map(|(n, _)| n) else {
                        break;
                    };
                    name = Path::new(shorter);
                }
                copy(&out.join(name), &to.join(name))?;
            }
        }
        Ok(())
    }

    fn folder(&self, sdk: &Path) -> PathBuf {
        sdk.join(FOLDER).join(format!("{}-{}", self.package, self.version))
    }

    /// The lines that a build script prints for cargo, with the folders of this machine.
    pub fn lines(&self, sdk: &Path, context: &Context) -> String {
        let mut lines = String::new();
        for (key, value) in &self.values {
            let mut value = value.clone();
            for package in &context.packages {
                let title = format!("{} {}", package.name, package.version);
                let made = sdk.join(FOLDER).join(format!("{}-{}", package.name, package.version));
                value = value
                    .replace(&format!("{{out {title}}}"), &made.display().to_string())
                    .replace(&format!("{{source {title}}}"), &package.manifest_dir.display().to_string());
            }
            lines += &format!("cargo:{key}={value}\n");
        }
        lines
    }
}

/// Copies a file or folder without compiled code and without the folders in which it was compiled.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let Ok(metadata) = from.metadata() else { return Ok(()) };
    if metadata.is_file() {
        let ending = from.extension().and_then(|e| e.to_str()).unwrap_or_default();
        if matches!(ending, "o" | "a" | "so" | "d" | "lib" | "obj" | "dll" | "dylib" | "rlib" | "pdb") {
            return Ok(());
        }
        if let Some(folder) = to.parent() {
            files::make_folder(folder)?;
        }
        return files::copy_if_changed(from, to).map(drop);
    }
    if !metadata.is_dir() || from.join("CMakeCache.txt").exists() {
        return Ok(());
    }
    let what = format!("read the folder {}", from.display());
    for entry in std::fs::read_dir(from).doing(&what)? {
        let entry = entry.doing(&what)?;
        if !entry.file_type().is_ok_and(|t| t.is_symlink() && entry.path().is_dir()) {
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_scripts_tell_their_dependents_is_told_from_what_they_tell_cargo() {
        assert_eq!(told("cargo:include=/x/include"), Some(("include", "/x/include")));
        assert_eq!(told("cargo::metadata=root=/x=y"), Some(("root", "/x=y")));
        for line in
            ["cargo:rustc-cfg=a", "cargo::rustc-cfg=a", "cargo:warning=x", "cargo:rerun-if-changed=b", "hm"]
        {
            assert_eq!(told(line), None, "{line}");
        }
    }

    #[test]
    fn folders_become_placeholders_and_headers_come_along() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("target/out");
        std::fs::create_dir_all(out.join("include/z")).unwrap();
        std::fs::write(out.join("include/z/z.h"), "int z;").unwrap();
        std::fs::write(out.join("libz.a"), "!<arch>").unwrap();
        let output = folder.path().join("output");
        let text = format!(
            "cargo:root={0}\ncargo:include={0}/include\ncargo:gone={1}/target/other\n",
            out.display(),
            folder.path().display()
        );
        std::fs::write(&output, text).unwrap();
        let values = read(&output, &[Place::out("z", "1.0.0", &out)], &folder.path().join("target")).unwrap();
        assert_eq!(
            values,
            [
                ("root".to_owned(), "{out z 1.0.0}".to_owned()),
                ("include".to_owned(), "{out z 1.0.0}/include".to_owned()),
            ]
        );
        let script = Script { package: "z".into(), version: "1.0.0".into(), source: String::new(), values };
        let sdk = folder.path().join("sdk");
        script.place(&out, &sdk).unwrap();
        assert!(sdk.join("links/z-1.0.0/include/z/z.h").is_file());
        assert!(!sdk.join("links/z-1.0.0/libz.a").exists());
    }
}
