//! Which packages a plugin reaches, with which features, and who wants each of these: what cargo's resolver decides for
//! the target, done again for one package so that everything that is wanted has a reason.

use crate::diagnostic::Span;
use crate::sdk::packages::library;
use cargo_metadata::{Dependency, DependencyKind, Metadata, Node, Package, PackageId};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is asked of the package where it begins.
#[derive(Debug, Clone, Default)]
pub struct Roots {
    /// Its features, by name.
    pub features: Vec<String>,
    /// Whether all of them are on.
    pub all: bool,
    /// Whether `default` is left out.
    pub no_default: bool,
    /// Whether tests and examples are built too.
    pub tests: bool,
}

/// The packages that are reached, and their features.
pub(super) struct Features<'a> {
    metadata: &'a Metadata,
    nodes: HashMap<&'a PackageId, &'a Node>,
    reached: BTreeMap<&'a PackageId, Reached<'a>>,
    tests: bool,
}

/// One of them.
#[derive(Default)]
struct Reached<'a> {
    /// Each feature with the package and feature that want it.
    features: BTreeMap<String, Option<Want<'a>>>,
    /// Optional dependencies that are on, by their name in `Cargo.toml`.
    optional: BTreeSet<String>,
    /// The first that depends on it.
    by: Option<&'a PackageId>,
}

/// Who wants a feature.
#[derive(Clone)]
struct Want<'a> {
    package: &'a PackageId,
    /// The feature of that package which wants it; none where it stands in the dependency itself.
    feature: Option<String>,
}

impl<'a> Features<'a> {
    /// Follows everything from `root` on, through the packages that `descend` says yes to.
    pub(super) fn resolve(
        metadata: &'a Metadata,
        root: &PackageId,
        roots: &Roots,
        descend: impl Fn(&PackageId) -> bool,
    ) -> Features<'a> {
        let nodes: HashMap<_, _> =
            metadata.resolve.iter().flat_map(|r| &r.nodes).map(|n| (&n.id, n)).collect();
        let mut features = Features { metadata, nodes, reached: BTreeMap::new(), tests: roots.tests };
        let Some((&root, _)) = features.nodes.get_key_value(root) else { return features };
        let mut first = Reached::default();
        let table = &metadata[root].features;
        let default = table.keys().filter(|f| *f == "default" && !roots.no_default);
        let all = table.keys().filter(|_| roots.all);
        let named = roots.features.iter().filter(|f| table.contains_key(*f));
        first.features.extend(default.chain(all).chain(named).map(|f| (f.clone(), None)));
        features.reached.insert(root, first);
        // Until nothing is new: what one feature turns on may be what another waits for (`name?/feature`).
        loop {
            let before = features.size();
            let ids: Vec<&PackageId> = features.reached.keys().copied().collect();
            for id in ids {
                match id == root || descend(id) {
                    true => features.step(id, id == root),
                    false => features.within(id),
                }
            }
            if features.size() == before {
                return features;
            }
        }
    }

    /// Every package, with its features.
    pub(super) fn packages(&self) -> impl Iterator<Item = (&'a PackageId, BTreeSet<String>)> {
        self.reached.iter().map(|(id, r)| (*id, r.features.keys().cloned().collect()))
    }

    /// Who depends on whom from the plugin down to this package.
    pub(super) fn path(&self, id: &PackageId) -> Vec<&'a PackageId> {
        let mut path = Vec::new();
        let mut at = self.reached.get_key_value(id).map(|(id, _)| *id);
        while let Some(id) = at.filter(|id| !path.contains(id)) {
            path.push(id);
            at = self.reached.get(id).and_then(|r| r.by);
        }
        path.reverse();
        path
    }

    /// Where the dependency on a package stands, or that which wants a feature of it: in the nearest Cargo.toml that is the
    /// user's own.
    pub(super) fn declared(&self, id: &PackageId, feature: Option<&str>) -> Option<Span> {
        let reached = self.reached.get(id)?;
        let want = feature.and_then(|f| reached.features.get(f)?.as_ref()).map(|want| want.package);
        let (mut below, mut above) = (id, want.or(reached.by)?);
        let mut seen = BTreeSet::new();
        while seen.insert(above) {
            let package = &self.metadata[above];
            if package.source.is_none() && !super::is_copied(package) && above != below {
                let name = self.metadata[below].name.as_str();
                let span = Span::of_dependency(package.manifest_path.as_std_path(), name)?;
                return Some(span.labelled(if below == id { "wanted here" } else { "wanted by this" }));
            }
            (below, above) = (above, self.reached.get(above)?.by?);
        }
        None
    }

    /// The package that wants this feature of another.
    pub(super) fn wanted_by(&self, id: &PackageId, feature: &str) -> Option<&'a PackageId> {
        let mut want = self.reached.get(id)?.features.get(feature)?.as_ref()?;
        let mut seen = BTreeSet::new();
        // Through features of the package itself to whoever asks for these.
        while want.package == id && seen.insert(want.feature.clone()) {
            want = self.reached.get(id)?.features.get(want.feature.as_ref()?)?.as_ref()?;
        }
        (want.package != id).then_some(want.package)
    }

    /// Who wants this feature of the package, from the plugin down, in words.
    pub(super) fn chain(&self, id: &PackageId, feature: &str) -> Option<String> {
        let mut steps: Vec<String> = Vec::new();
        let mut at = (*self.reached.get_key_value(id)?.0, Some(feature.to_owned()));
        let mut seen = BTreeSet::new();
        loop {
            let package = &self.metadata[at.0];
            steps.push(match &at.1 {
                Some(feature) => format!("`{}` {} with `{feature}`", package.name, package.version),
                None => format!("`{}` {}", package.name, package.version),
            });
            if !seen.insert(at.clone()) {
                break;
            }
            let reached = self.reached.get(at.0)?;
            let want = match &at.1 {
                Some(feature) => reached.features.get(feature).cloned().flatten(),
                None => reached.by.map(|package| Want { package, feature: None }),
            };
            match want {
                Some(want) => at = (want.package, want.feature),
                None => break,
            }
        }
        steps.reverse();
        Some(steps.join(" → "))
    }

    fn size(&self) -> usize {
        self.reached.values().map(|r| 1 + r.features.len() + r.optional.len()).sum()
    }

    /// What features of one package turn on in itself. What lies below a shared crate is as the SDK has it.
    fn within(&mut self, id: &'a PackageId) {
        let package = &self.metadata[id];
        let names: Vec<String> =
            self.reached.get(id).map(|r| r.features.keys().cloned().collect()).unwrap_or_default();
        for name in names {
            for item in package.features.get(&name).into_iter().flatten() {
                self.turn_on(id, item, Want { package: id, feature: Some(name.clone()) });
            }
        }
    }

    /// What one package turns on, as far as it is known by now.
    fn step(&mut self, id: &'a PackageId, is_root: bool) {
        let package = &self.metadata[id];
        let names: Vec<String> =
            self.reached.get(id).map(|r| r.features.keys().cloned().collect()).unwrap_or_default();
        for name in names {
            for item in package.features.get(&name).into_iter().flatten() {
                self.apply(id, package, &name, item);
            }
        }
        for dependency in &package.dependencies {
            let counts = match dependency.kind {
                DependencyKind::Normal => true,
                DependencyKind::Development => is_root && self.tests,
                _ => false,
            };
            if !counts || !self.is_on(id, dependency) {
                continue;
            }
            let Some(target) = self.target(id, dependency) else { continue };
            self.reached.entry(target).or_insert_with(|| Reached { by: Some(id), ..Reached::default() });
            let default = dependency.uses_default_features.then(|| "default".to_owned());
            for feature in dependency.features.iter().cloned().chain(default) {
                self.turn_on(target, &feature, Want { package: id, feature: None });
            }
        }
    }

    /// One item of a feature's list.
    fn apply(&mut self, id: &'a PackageId, package: &'a Package, name: &str, item: &str) {
        let want = Want { package: id, feature: Some(name.to_owned()) };
        if let Some(dependency) = item.strip_prefix("dep:") {
            self.switch_on(id, dependency);
        } else if let Some((dependency, feature)) = item.split_once('/') {
            let (dependency, weak) = match dependency.strip_suffix('?') {
                Some(dependency) => (dependency, true),
                None => (dependency, false),
            };
            if !weak {
                self.switch_on(id, dependency);
                if package.features.contains_key(dependency) {
                    self.turn_on(id, dependency, want.clone());
                }
            }
            for declared in package.dependencies.iter().filter(|d| name_of(d) == dependency) {
                if declared.kind == DependencyKind::Normal
                    && self.is_on(id, declared)
                    && let Some(target) = self.target(id, declared)
                {
                    self.reached
                        .entry(target)
                        .or_insert_with(|| Reached { by: Some(id), ..Reached::default() });
                    self.turn_on(target, feature, want.clone());
                }
            }
        } else {
            self.turn_on(id, item, want);
        }
    }

    fn switch_on(&mut self, id: &PackageId, dependency: &str) {
        if let Some(reached) = self.reached.get_mut(id) {
            reached.optional.insert(dependency.to_owned());
        }
    }

    fn turn_on(&mut self, id: &PackageId, feature: &str, want: Want<'a>) {
        // `default` may be named by those who don't know whether there is one.
        let has = self.metadata[id].features.contains_key(feature);
        if let Some(reached) = self.reached.get_mut(id).filter(|_| has) {
            reached.features.entry(feature.to_owned()).or_insert(Some(want));
        }
    }

    fn is_on(&self, id: &PackageId, dependency: &Dependency) -> bool {
        let on = |r: &Reached<'_>| r.optional.contains(name_of(dependency));
        !dependency.optional || self.reached.get(id).is_some_and(on)
    }

    /// By what name the code knows the package behind a dependency.
    fn extern_name(&self, dependency: &Dependency, target: &PackageId) -> String {
        let library = library(&self.metadata[target]).map(|t| &t.name);
        let name = dependency.rename.as_ref().or(library).unwrap_or(&dependency.name);
        name.replace('-', "_")
    }

    /// The package that stands behind a dependency; none where the target doesn't have it.
    fn target(&self, id: &PackageId, dependency: &Dependency) -> Option<&'a PackageId> {
        let candidates: Vec<_> = (self.nodes.get(id)?.deps.iter())
            .filter(|d| self.metadata[&d.pkg].name.as_str() == dependency.name)
            .filter(|d| {
                d.dep_kinds.iter().any(|k| k.kind == dependency.kind && k.target == dependency.target)
            })
            .filter(|d| d.name == self.extern_name(dependency, &d.pkg))
            .collect();
        match candidates[..] {
            [one] => Some(&one.pkg),
            _ => {
                let fits =
                    |d: &&&cargo_metadata::NodeDep| dependency.req.matches(&self.metadata[&d.pkg].version);
                candidates.iter().find(fits).map(|d| &d.pkg)
            }
        }
    }
}

/// What `Cargo.toml` calls a dependency.
fn name_of(dependency: &Dependency) -> &str {
    dependency.rename.as_deref().unwrap_or(&dependency.name)
}
