//! The `Cargo.toml` of a packaged source: what the original says, as cargo understood it. Nothing in it is inherited from
//! a workspace or leads out of the SDK.

use super::{Closure, Copies, build_script, library};
use crate::diagnostic::{Doing, Result};
use cargo_metadata::{Dependency, DependencyKind, Package, Source, TargetKind};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use toml::{Table, Value};

/// The table below `[package.metadata]` by which a build tells that a path package is an SDK's.
pub const MARKER: &str = "dynplug-sdk";

/// In the order in which people read it.
#[derive(Serialize)]
struct Manifest {
    package: Table,
    lib: Table,
    #[serde(skip_serializing_if = "Table::is_empty")]
    features: Table,
    #[serde(flatten)]
    everywhere: Dependencies,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    target: BTreeMap<String, Dependencies>,
    lints: Table,
}

/// The dependencies on every platform, or on one.
#[derive(Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Dependencies {
    #[serde(skip_serializing_if = "Table::is_empty")]
    dependencies: Table,
    #[serde(skip_serializing_if = "Table::is_empty")]
    build_dependencies: Table,
}

/// The text of the `Cargo.toml` of the packaged `package`, which is in the folder `home` now.
pub fn write(
    closure: &Closure,
    package: &Package,
    home: &Path,
    copies: &Copies,
    digest: &str,
) -> Result<String> {
    let lines = Lines::of(closure, package);
    let (mut everywhere, mut target) = (Dependencies::default(), BTreeMap::<_, Dependencies>::new());
    for (line, words) in &lines.kept {
        let here = match &line.target {
            None => &mut everywhere,
            Some(platform) => target.entry(platform.to_string()).or_default(),
        };
        let table = match line.kind {
            DependencyKind::Build => &mut here.build_dependencies,
            _ => &mut here.dependencies,
        };
        table.insert(key(line).to_owned(), Value::Table(words.clone()));
    }
    let manifest = Manifest {
        package: package_table(package, home, copies, digest),
        lib: lib_table(package, home, copies),
        features: lines.features(package, &closure.features(package)),
        everywhere,
        target,
        lints: table([("rust", Value::Table(table([("unexpected_cfgs", "allow".into())])))]),
    };
    let what = format!("write the Cargo.toml of {} {}", package.name, package.version);
    let text = toml::to_string(&manifest).doing(what)?;
    Ok(format!("# Made by `cargo dynplug` from what cargo says of the original.\n\n{text}"))
}

fn table<const N: usize>(rows: [(&str, Value); N]) -> Table {
    rows.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn package_table(package: &Package, home: &Path, copies: &Copies, digest: &str) -> Table {
    let file = |path: &Option<cargo_metadata::camino::Utf8PathBuf>| {
        path.as_ref().and_then(|path| copies.name_of(home, &home.join(path)))
    };
    let script = build_script(package).and_then(|t| copies.name_of(home, t.src_path.as_std_path()));
    let mut rows = table([
        ("name", package.name.as_str().into()),
        ("version", package.version.to_string().into()),
        ("edition", package.edition.as_str().into()),
        ("publish", false.into()),
        // Everything that isn't named here is of no use to those who depend on the package.
        ("autobins", false.into()),
        ("autoexamples", false.into()),
        ("autotests", false.into()),
        ("autobenches", false.into()),
        ("build", script.map_or(false.into(), Value::String)),
    ]);
    let texts = [
        ("rust-version", package.rust_version.as_ref().map(ToString::to_string)),
        ("description", package.description.clone()),
        ("license", package.license.clone()),
        ("license-file", file(&package.license_file)),
        ("readme", file(&package.readme)),
        ("repository", package.repository.clone()),
        ("homepage", package.homepage.clone()),
        ("documentation", package.documentation.clone()),
        ("links", package.links.clone()),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            rows.insert(key.to_owned(), text.into());
        }
    }
    let lists =
        [("authors", &package.authors), ("keywords", &package.keywords), ("categories", &package.categories)];
    for (key, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        rows.insert(key.to_owned(), list.clone().into());
    }
    let mut metadata = match value(&package.metadata) {
        Some(Value::Table(metadata)) => metadata,
        _ => Table::new(),
    };
    metadata.insert(MARKER.to_owned(), Value::Table(table([("digest", digest.into())])));
    rows.insert("metadata".to_owned(), Value::Table(metadata));
    rows
}

fn lib_table(package: &Package, home: &Path, copies: &Copies) -> Table {
    let Some(target) = library(package) else { return Table::new() };
    let mut rows = table([("name", target.name.as_str().into())]);
    if let Some(path) = copies.name_of(home, target.src_path.as_std_path()) {
        rows.insert("path".to_owned(), path.into());
    }
    if target.kind.contains(&TargetKind::ProcMacro) {
        rows.insert("proc-macro".to_owned(), true.into());
    } else {
        let kinds: Vec<String> = target.crate_types.iter().map(ToString::to_string).collect();
        rows.insert("crate-type".to_owned(), kinds.into());
    }
    for (key, is_on) in [("test", target.test), ("doctest", target.doctest), ("doc", target.doc)] {
        // Static and C libraries have no doctests by themselves, and cargo warns of those who say so.
        if !is_on && (key != "doctest" || target.crate_types.iter().any(is_rust)) {
            rows.insert(key.to_owned(), false.into());
        }
    }
    if target.edition != package.edition {
        rows.insert("edition".to_owned(), target.edition.as_str().into());
    }
    rows
}

fn is_rust(kind: &cargo_metadata::CrateType) -> bool {
    use cargo_metadata::CrateType::{DyLib, Lib, ProcMacro, RLib};
    matches!(kind, Lib | RLib | DyLib | ProcMacro)
}

/// JSON as TOML, which has no null.
fn value(json: &serde_json::Value) -> Option<Value> {
    use serde_json::Value as Json;
    Some(match json {
        Json::Null => return None,
        Json::Bool(value) => (*value).into(),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64()?.into(),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(list) => Value::Array(list.iter().filter_map(value).collect()),
        Json::Object(rows) => match rows.get("$__toml_private_datetime").and_then(Json::as_str) {
            // How a date in TOML looks in JSON.
            Some(date) => Value::Datetime(date.parse().ok()?),
            None => Value::Table(rows.iter().filter_map(|(k, v)| Some((k.clone(), value(v)?))).collect()),
        },
    })
}

/// By what name a `Cargo.toml` calls a dependency.
fn key(line: &Dependency) -> &str {
    line.rename.as_deref().unwrap_or(&line.name)
}

/// The dependencies of a package.
struct Lines<'a> {
    /// Those that the copy has.
    kept: Vec<(&'a Dependency, Table)>,
    /// The names of optional ones that it hasn't.
    gone: BTreeSet<&'a str>,
}

impl<'a> Lines<'a> {
    /// All but those of tests, and those that lead to a path package of which nothing is in the API library. The latter
    /// may be nobody's business, and who asks for them asks for what the API library lacks.
    fn of(closure: &Closure, package: &'a Package) -> Self {
        let (mut kept, mut gone) = (Vec::new(), BTreeSet::new());
        for line in package.dependencies.iter().filter(|l| l.kind != DependencyKind::Development) {
            match words(closure, package, line) {
                Some(words) => kept.push((line, words)),
                None if line.optional => drop(gone.insert(key(line))),
                None => {}
            }
        }
        Lines { kept, gone }
    }

    /// The features without those that need a dependency that isn't there.
    fn features(&self, package: &Package, active: &BTreeSet<&str>) -> Table {
        let mut features: BTreeMap<&str, &Vec<String>> =
            package.features.iter().map(|(name, wants)| (name.as_str(), wants)).collect();
        // What a feature wants may be a feature that goes.
        loop {
            let goes = |name: &str, wants: &[String]| {
                !active.contains(name) && wants.iter().any(|want| self.lacks(want, &features))
            };
            let Some(name) = features.iter().find(|(n, w)| goes(n, w)).map(|(n, _)| *n) else { break };
            features.remove(name);
        }
        let rest = |wants: &[String]| -> Vec<String> {
            wants.iter().filter(|want| self.has(want, &features)).cloned().collect()
        };
        features.iter().map(|(name, wants)| ((*name).to_owned(), rest(wants).into())).collect()
    }

    /// Whether something that a feature wants is gone from the package, so that the feature would not be what it was.
    fn lacks(&self, want: &str, features: &BTreeMap<&str, &Vec<String>>) -> bool {
        match Want::of(want) {
            Want::Feature(name) => !features.contains_key(name),
            Want::Optional(name) | Want::Inside(name) => self.gone.contains(name) && !self.is_kept(name),
            Want::Weak(_) => false,
        }
    }

    /// Whether a feature may say so.
    fn has(&self, want: &str, features: &BTreeMap<&str, &Vec<String>>) -> bool {
        match Want::of(want) {
            Want::Feature(name) => features.contains_key(name),
            Want::Optional(name) | Want::Weak(name) => {
                self.kept.iter().any(|(line, _)| line.optional && key(line) == name)
            }
            Want::Inside(name) => self.is_kept(name),
        }
    }

    fn is_kept(&self, name: &str) -> bool {
        self.kept.iter().any(|(line, _)| key(line) == name)
    }
}

/// What a feature turns on.
enum Want<'a> {
    /// `name`
    Feature(&'a str),
    /// `dep:name`
    Optional(&'a str),
    /// `name/feature`
    Inside(&'a str),
    /// `name?/feature`
    Weak(&'a str),
}

impl<'a> Want<'a> {
    fn of(text: &'a str) -> Self {
        match (text.strip_prefix("dep:"), text.split_once('/')) {
            (Some(name), _) => Want::Optional(name),
            (_, Some((name, _))) => name.strip_suffix('?').map_or(Want::Inside(name), Want::Weak),
            _ => Want::Feature(text),
        }
    }
}

/// What the copy's `Cargo.toml` says of a dependency. None if it can't have it.
fn words(closure: &Closure, package: &Package, line: &Dependency) -> Option<Table> {
    let mut rows = Table::new();
    // cargo wants one source for all lines of one name, so one that is off follows one that isn't.
    let others =
        package.dependencies.iter().filter(|other| key(other) == key(line) && other.name == line.name);
    let resolved = std::iter::once(line).chain(others).find_map(|line| closure.resolved(package, line));
    // An optional dependency that is off may be on elsewhere.
    let local = match resolved {
        Some(resolved) => resolved.source.is_none().then_some(resolved),
        None => match &line.path {
            Some(path) => Some(closure.local().find(|p| p.manifest_path.parent() == Some(path))?),
            None => None,
        },
    };
    // `[patch]` is the workspace's, so what it led to is written here.
    match (local, resolved.map_or(&line.source, |r| &r.source)) {
        (Some(local), _) => {
            let path = match closure.elsewhere(local) {
                Some(folder) => folder.to_string_lossy().replace('\\', "/"),
                None => format!("../{}", closure.folder_name(local)),
            };
            rows.insert("path".to_owned(), path.into());
        }
        (None, Some(source)) => rows.extend(place(source)),
        (None, None) => return None,
    }
    let version = line.req.to_string();
    if version != "*" || !(rows.contains_key("path") || rows.contains_key("git")) {
        rows.insert("version".to_owned(), version.into());
    }
    if line.rename.is_some() {
        rows.insert("package".to_owned(), line.name.as_str().into());
    }
    if line.optional {
        rows.insert("optional".to_owned(), true.into());
    }
    if !line.uses_default_features {
        rows.insert("default-features".to_owned(), false.into());
    }
    if !line.features.is_empty() {
        rows.insert("features".to_owned(), line.features.clone().into());
    }
    Some(rows)
}

/// How a `Cargo.toml` says where a package comes from. Nothing for crates.io.
///
/// A `version` is not part of it.
pub fn place(source: &Source) -> Table {
    if let Some(git) = source.repr.strip_prefix("git+") {
        let git = git.split('#').next().unwrap_or(git);
        let (url, query) = git.split_once('?').unwrap_or((git, ""));
        let reference = form_urlencoded::parse(query.as_bytes())
            .filter(|(key, _)| matches!(&**key, "rev" | "branch" | "tag"))
            .map(|(key, value)| (key.into_owned(), value.into_owned().into()));
        return reference.chain([("git".to_owned(), url.into())]).collect();
    }
    if source.is_crates_io() || source.repr == "sparse+https://index.crates.io/" {
        return Table::new();
    }
    let index = source.repr.strip_prefix("registry+").unwrap_or(&source.repr);
    table([("registry-index", index.into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(repr: &str) -> String {
        let source: Source = serde_json::from_value(repr.into()).unwrap();
        toml::to_string(&place(&source)).unwrap()
    }

    #[test]
    fn the_place_of_a_package_is_what_its_source_says() {
        assert_eq!(placed("registry+https://github.com/rust-lang/crates.io-index"), "");
        assert_eq!(placed("sparse+https://index.crates.io/"), "");
        assert_eq!(placed("registry+https://a.example/i"), "registry-index = \"https://a.example/i\"\n");
        assert_eq!(
            placed("sparse+https://a.example/i/"),
            "registry-index = \"sparse+https://a.example/i/\"\n"
        );
        assert_eq!(placed("git+https://a.example/x.git#0123"), "git = \"https://a.example/x.git\"\n");
        assert_eq!(
            placed("git+ssh://git@a.example/x?branch=some%2Fthing#0123"),
            "branch = \"some/thing\"\ngit = \"ssh://git@a.example/x\"\n"
        );
        assert_eq!(
            placed("git+https://a.example/x?tag=v1%2B2"),
            "git = \"https://a.example/x\"\ntag = \"v1+2\"\n"
        );
        assert_eq!(
            placed("git+https://a.example/x?rev=0123#0123"),
            "git = \"https://a.example/x\"\nrev = \"0123\"\n"
        );
    }
}
