//! `Cargo.lock`: which packages there are, and what each depends on. cargo writes it, one thing on a line.

/// A package of a lock file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Nothing for a package that is found by its path.
    pub(crate) source: Option<String>,
    /// The places of other packages. For one that is found by its path, those of its tests and build script too.
    pub(crate) dependencies: Vec<usize>,
}

/// Reads a lock file.
pub(crate) fn parse(text: &str) -> Vec<Package> {
    let mut packages: Vec<Package> = Vec::new();
    let mut names: Vec<Vec<&str>> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line == "[[package]]" {
            packages.push(Package::default());
            names.push(Vec::new());
        }
        let (Some(package), Some(names)) = (packages.last_mut(), names.last_mut()) else { continue };
        let value = |key: &str| {
            let value = line.strip_prefix(key)?.trim_start().strip_prefix('=')?.trim();
            value.strip_prefix('"')?.strip_suffix('"').map(str::to_owned)
        };
        if let Some(name) = value("name") {
            package.name = name;
        } else if let Some(version) = value("version") {
            package.version = version;
        } else if let Some(source) = value("source") {
            package.source = Some(source);
        } else if let Some(name) = line.strip_prefix('"').and_then(|l| l.strip_suffix("\",")) {
            names.push(name);
        }
    }
    let found: Vec<Vec<usize>> =
        names.iter().map(|names| names.iter().filter_map(|name| find(&packages, name)).collect()).collect();
    for (package, found) in packages.iter_mut().zip(found) {
        package.dependencies = found;
    }
    packages
}

/// The place of the package that a dependency names: `name`, `name version` or `name version (source)`, as much as it takes
/// to tell it from others.
fn find(packages: &[Package], dependency: &str) -> Option<usize> {
    let mut words = dependency.splitn(3, ' ');
    let (name, version) = (words.next()?, words.next());
    let source = words.next().and_then(|source| source.strip_prefix('(')?.strip_suffix(')'));
    packages.iter().position(|package| {
        package.name == name
            && version.is_none_or(|version| package.version == version)
            && source
                .is_none_or(|source| package.source.as_deref().is_some_and(|own| own.starts_with(source)))
    })
}

/// The places of all packages below one, in no order. Circles end.
pub(crate) fn below(packages: &[Package], at: usize) -> Vec<usize> {
    let mut seen = vec![false; packages.len()];
    let mut open = vec![at];
    let mut below = Vec::new();
    while let Some(at) = open.pop() {
        for &next in packages.get(at).map(|p| &p.dependencies[..]).unwrap_or_default() {
            if let Some(seen) = seen.get_mut(next)
                && !std::mem::replace(seen, true)
            {
                below.push(next);
                open.push(next);
            }
        }
    }
    below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_found_by_as_much_as_is_written() {
        let text = r#"
version = 4

[[package]]
name = "app"
version = "0.1.0"
dependencies = [
 "one",
 "two 2.0.0",
 "three 1.0.0 (git+https://example.org/three)",
 "nowhere",
]

[[package]]
name = "one"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "00"

[[package]]
name = "two"
version = "1.0.0"

[[package]]
name = "two"
version = "2.0.0"
dependencies = [
 "app",
]

[[package]]
name = "three"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "three"
version = "1.0.0"
source = "git+https://example.org/three#0123"
"#;
        let packages = parse(text);
        assert_eq!(packages.len(), 6);
        assert_eq!(packages[0].dependencies, [1, 3, 5]);
        assert_eq!(
            packages[1].source.as_deref(),
            Some("registry+https://github.com/rust-lang/crates.io-index")
        );
        let mut all = below(&packages, 0);
        all.sort();
        assert_eq!(all, [0, 1, 3, 5], "round in a circle");
        assert_eq!(below(&packages, 4), [0; 0]);
        assert!(parse("no lock file\nname = \"x\"\n").is_empty());
    }
}
