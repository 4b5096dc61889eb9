//! The licences of all that is inside: of each crate that the products' manifests name, what its `Cargo.toml` says, and
//! the texts that lie in its package.

use super::contents::Contents;
use crate::context;
use crate::diagnostic::Result;
use cargo_metadata::Package;
use dynplug_manifest::manifest::{CrateInfo, Manifest, Product};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A package that something inside is compiled from.
#[derive(Debug)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it comes from, in cargo's words.
    pub source: String,
    /// What its `Cargo.toml` says, as an SPDX expression.
    pub licence: Option<String>,
    /// Where it is developed.
    pub repository: Option<String>,
    /// The texts, by their paths in the package.
    pub texts: BTreeMap<String, Vec<u8>>,
    /// The files of the bundle that it is in.
    pub within: BTreeSet<String>,
    /// The components that it depends on, by their places in the list.
    pub dependencies: BTreeSet<usize>,
}

impl Component {
    /// Whether nothing is known of its licence.
    pub fn is_unlicensed(&self) -> bool {
        self.licence.is_none() && self.texts.is_empty()
    }

    /// Its name and version, as people write it.
    pub fn title(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

/// A product, and where it lies in the bundle.
pub struct Within<'a> {
    /// The path in the bundle.
    pub path: &'a str,
    /// What it says of itself.
    pub manifest: &'a Manifest,
}

/// A package, as the build knows it and as cargo does.
pub type Known<'a> = (&'a context::Package, &'a Package);

/// Larger files are no texts of licences.
const LONGEST: u64 = 1 << 20;
/// Vendored sources in C lie a few folders deep.
const DEPTH: usize = 4;

/// Lists what the products are compiled from, in the order of names and versions.
pub fn collect(products: &[Within<'_>], packages: &[Known<'_>]) -> Vec<Component> {
    type Key<'a> = (&'a str, &'a str, &'a str);
    let key = |info: &CrateInfo| -> (String, String, String) {
        (info.package.clone(), info.version.clone(), info.source.clone())
    };
    let mut within: BTreeMap<(String, String, String), BTreeSet<String>> = BTreeMap::new();
    for Within { path, manifest } in products {
        let all = manifest.product == Product::ApiLibrary;
        for info in manifest.crates.iter().filter(|info| all || !info.shared) {
            within.entry(key(info)).or_default().insert((*path).to_owned());
        }
    }
    let places: BTreeMap<_, usize> = within.keys().cloned().zip(0..).collect();
    let mut below: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for Within { manifest, .. } in products {
        for info in &manifest.crates {
            let Some(&at) = places.get(&key(info)) else { continue };
            let others =
                info.dependencies.iter().filter_map(|i| manifest.crates.get(usize::try_from(*i).ok()?));
            let others = others.filter_map(|other| places.get(&key(other)).copied());
            below.entry(at).or_default().extend(others.filter(|other| *other != at));
        }
    }
    let known: BTreeMap<Key<'_>, &Known<'_>> =
        packages.iter().map(|known| ((&*known.0.name, &*known.0.version, &*known.0.source), known)).collect();
    let mut components = Vec::new();
    for (at, ((name, version, source), within)) in within.into_iter().enumerate() {
        let known = known.get(&(&*name, &*version, &*source));
        let said = known.map(|(_, package)| *package);
        components.push(Component {
            licence: said.and_then(|p| p.license.as_deref()).map(expression).filter(|l| !l.is_empty()),
            repository: said.and_then(|p| p.repository.clone()),
            texts: known.map(|(_, package)| texts(package)).unwrap_or_default(),
            within,
            dependencies: below.remove(&at).unwrap_or_default(),
            name,
            version,
            source,
        });
    }
    components
}

/// std, which is in the API library.
pub fn of_std(rustc: &str, sysroot: &Path, library: &str) -> Component {
    let version = rustc.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut texts = BTreeMap::new();
    let folder = sysroot.join("share/doc/rust");
    // With all that std itself is made of.
    add(&folder.join("COPYRIGHT-library.html"), "COPYRIGHT-library.html", &mut texts);
    for name in ["COPYRIGHT", "LICENSE-APACHE", "LICENSE-MIT"] {
        add(&folder.join(name), name, &mut texts);
    }
    for name in ["MIT.txt", "Apache-2.0.txt", "Unicode-3.0.txt", "LLVM-exception.txt", "BSD-2-Clause.txt"] {
        add(&folder.join("licenses").join(name), name, &mut texts);
    }
    if texts.is_empty() {
        // Distributions have it where they have all of them.
        for name in ["libstd-rust-dev", "rustc", "rust", "rust-std"] {
            add(&Path::new("/usr/share/doc").join(name).join("copyright"), "copyright", &mut texts);
        }
    }
    Component {
        name: "std".to_owned(),
        version,
        source: "the Rust toolchain".to_owned(),
        licence: Some("MIT OR Apache-2.0".to_owned()),
        repository: Some("https://github.com/rust-lang/rust".to_owned()),
        texts,
        within: BTreeSet::from([library.to_owned()]),
        dependencies: BTreeSet::new(),
    }
}

/// What cargo once took for an expression: alternatives with a slash between them.
fn expression(licence: &str) -> String {
    licence.split('/').map(str::trim).collect::<Vec<_>>().join(" OR ")
}

/// The texts of licences in a package.
fn texts(package: &Package) -> BTreeMap<String, Vec<u8>> {
    let mut texts = BTreeMap::new();
    let Some(folder) = package.manifest_path.parent().map(|p| p.as_std_path()) else { return texts };
    if let Some(file) = &package.license_file {
        let name = file.file_name().unwrap_or("LICENSE");
        add(&folder.join(file), name, &mut texts);
    }
    walk(folder, "", DEPTH, &mut texts);
    let is_published = package.source.as_ref().is_some_and(|source| !source.repr.starts_with("git+"));
    if texts.is_empty() && !is_published {
        // Members of a workspace often have one for all.
        for folder in surroundings(folder) {
            walk(folder, "", 1, &mut texts);
            if !texts.is_empty() {
                break;
            }
        }
    }
    texts
}

/// The folders around a package, as far as they belong to its repository or workspace; none if nothing says how far.
fn surroundings(folder: &Path) -> Vec<&Path> {
    let mut around = Vec::new();
    for folder in folder.ancestors().skip(1).take(8) {
        around.push(folder);
        if [".git", ".cargo-ok", "Cargo.lock"].iter().any(|mark| folder.join(mark).exists()) {
            return around;
        }
    }
    Vec::new()
}

fn walk(folder: &Path, prefix: &str, depth: usize, texts: &mut BTreeMap<String, Vec<u8>>) {
    // What can't be read isn't packed, and is missed where nothing else is found.
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let title = format!("{prefix}{name}");
        let Ok(found) = path.symlink_metadata() else { continue };
        if found.is_dir() {
            let others = ["target", "tests", "benches", "examples", "node_modules"];
            let another = name.starts_with('.') || others.contains(&name) || path.join("Cargo.toml").exists();
            if depth > 1 && !another {
                walk(&path, &format!("{title}/"), depth - 1, texts);
            }
        } else if is_text(name) || prefix.starts_with("LICENSES/") {
            add(&path, &title, texts);
        }
    }
}

/// Whether a file of this name has the text of a licence, or what has to be told with it.
fn is_text(name: &str) -> bool {
    let upper = name.to_uppercase();
    let words = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];
    let is_named = words.iter().any(|word| upper.starts_with(word));
    let code =
        ["RS", "C", "H", "CC", "CPP", "GO", "PY", "RB", "SH", "JS", "TS", "TOML", "JSON", "YML", "YAML"];
    is_named && !upper.rsplit_once('.').is_some_and(|(_, ending)| code.contains(&ending))
}

fn add(path: &Path, name: &str, texts: &mut BTreeMap<String, Vec<u8>>) {
    if path.metadata().is_ok_and(|found| found.is_file() && found.len() <= LONGEST)
        && let Ok(bytes) = std::fs::read(path)
    {
        texts.insert(name.to_owned(), bytes);
    }
}

/// Puts the texts into the bundle, and a list of all.
///
/// # Errors
/// When two files would have one path.
pub fn place(
    components: &[Component],
    contents: &mut Contents,
    documents: &str,
    licences: &str,
) -> Result<()> {
    let mut list = String::from(
        "# What is inside, and under which licences\n\n\
         Each package that something in this bundle is compiled from. What it was built with, and is not inside, isn't \
         listed. The same for programs: `sbom.cdx.json` (CycloneDX).\n\n\
         | package | version | licence | source | inside of | texts |\n|---|---|---|---|---|---|\n",
    );
    let mut taken = BTreeSet::new();
    for component in components {
        // Two packages of one name and version come from two sources.
        let title = format!("{}-{}", component.name, component.version);
        let folder = (1..).map(|n| if n == 1 { title.clone() } else { format!("{title}-{n}") });
        let folder = folder.into_iter().find(|f| taken.insert(f.clone())).unwrap_or(title);
        let mut links = Vec::new();
        for (name, text) in &component.texts {
            let path = format!("{licences}{folder}/{name}");
            let way = format!("{}{path}", "../".repeat(documents.matches('/').count()));
            links.push(format!("[{}](<{way}>)", cell(name)));
            contents.add_text(path, text.clone())?;
        }
        let texts = if links.is_empty() { "none in its package".to_owned() } else { links.join(", ") };
        let within: Vec<String> = component.within.iter().map(|path| format!("`{}`", cell(path))).collect();
        list += &format!(
            "| {} | {} | {} | {} | {} | {texts} |\n",
            cell(&component.name),
            cell(&component.version),
            cell(component.licence.as_deref().unwrap_or(match component.texts.is_empty() {
                true => "not stated",
                false => "as its text says",
            })),
            cell(component.repository.as_deref().unwrap_or(&component.source)),
            within.join(", "),
        );
    }
    contents.add_text(format!("{documents}THIRD-PARTY.md"), list)
}

/// A text that doesn't end the cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_licences_are_told_by_their_names() {
        for name in ["LICENSE", "LICENSE-MIT", "license.txt", "Licence.md", "COPYING", "NOTICE", "UNLICENSE"]
        {
            assert!(is_text(name), "{name}");
        }
        for name in ["license.rs", "copying.c", "README.md", "notice.json", "src"] {
            assert!(!is_text(name), "{name}");
        }
        assert_eq!(expression("MIT/Apache-2.0"), "MIT OR Apache-2.0");
        assert_eq!(expression("(MIT OR X11) AND BSD-3-Clause"), "(MIT OR X11) AND BSD-3-Clause");
    }

    #[test]
    fn a_workspace_or_repository_ends_where_something_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("a/b");
        std::fs::create_dir_all(&package).unwrap();
        std::fs::write(folder.path().join("Cargo.lock"), "").unwrap();
        assert_eq!(surroundings(&package), [&*folder.path().join("a"), folder.path()]);
        std::fs::write(folder.path().join("a/.git"), "").unwrap();
        assert_eq!(surroundings(&package), [&*folder.path().join("a")]);
    }
}
