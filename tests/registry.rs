//! A registry in a folder: packages of a test's own, in several versions, that are found without a network.

use crate::harness::Fixture;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// A registry, with its index in a git repository as cargo reads them.
pub struct Registry {
    folder: PathBuf,
}

/// A package that is to be published.
#[derive(Default)]
pub struct Published<'a> {
    pub name: &'a str,
    pub version: &'a str,
    /// Name, version and features of each dependency, which is in the same registry.
    pub dependencies: &'a [(&'a str, &'a str, &'a [&'a str])],
    pub features: &'a [&'a str],
    pub source: &'a str,
}

impl Registry {
    /// An empty registry in a fixture's folder. None without git.
    pub fn new(fixture: &Fixture) -> Option<Registry> {
        let folder = fixture.root().join("registry");
        fixture.root_file(
            "registry/index/config.json",
            &format!("{{\"dl\":\"file://{}/crates/{{crate}}-{{version}}.crate\"}}", folder.display()),
        );
        std::fs::create_dir_all(folder.join("crates")).unwrap();
        commit(fixture, &folder.join("index")).then_some(Registry { folder })
    }

    /// What a `Cargo.toml` says after the name of a dependency in this registry.
    pub fn line(&self, version: &str, more: &str) -> String {
        format!("{{ version = \"{version}\", registry-index = \"{}\"{more} }}", self.url())
    }

    fn url(&self) -> String {
        format!("file://{}/index", self.folder.display())
    }

    /// Publishes packages.
    pub fn publish(&self, fixture: &Fixture, packages: &[Published<'_>]) {
        for package in packages {
            let Published { name, version, dependencies, features, source } = package;
            let lines: String = dependencies
                .iter()
                .map(|(name, version, features)| {
                    format!("{name} = {}\n", self.line(version, &format!(", features = {features:?}")))
                })
                .collect();
            let table: String = features.iter().map(|f| format!("{f} = []\n")).collect();
            let manifest = format!(
                "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n\n\
                 [dependencies]\n{lines}\n[features]\n{table}"
            );
            let title = format!("{name}-{version}");
            let staging = format!("registry/staging/{title}");
            fixture.root_file(&format!("{staging}/Cargo.toml"), &manifest);
            fixture.root_file(&format!("{staging}/src/lib.rs"), source);
            let file = self.folder.join("crates").join(format!("{title}.crate"));
            let tar = fixture.system(Path::new("tar")).arg("-czf").arg(&file).arg("-C");
            tar.arg(self.folder.join("staging")).arg(&title).go().ok();
            let digest = Sha256::digest(std::fs::read(file).unwrap());
            let cksum: String = digest.iter().map(|b| format!("{b:02x}")).collect();
            let deps: Vec<_> = dependencies
                .iter()
                .map(|(name, version, features)| {
                    serde_json::json!({
                        "name": name, "req": format!("^{version}"), "features": features, "optional": false,
                        "default_features": true, "target": null, "kind": "normal", "registry": null,
                    })
                })
                .collect();
            let features: serde_json::Map<_, _> =
                features.iter().map(|f| ((*f).to_owned(), serde_json::json!([]))).collect();
            let line = serde_json::json!({
                "name": name, "vers": version, "deps": deps, "cksum": cksum, "features": features, "yanked": false,
            });
            let place = self.folder.join("index").join(&name[..2]).join(&name[2..4]);
            std::fs::create_dir_all(&place).unwrap();
            let known = std::fs::read_to_string(place.join(name)).unwrap_or_default();
            std::fs::write(place.join(name), format!("{known}{line}\n")).unwrap();
        }
        assert!(commit(fixture, &self.folder.join("index")));
    }
}

/// Makes a folder a git repository, if it is none yet, and commits all that is in it. False without git.
pub fn commit(fixture: &Fixture, folder: &Path) -> bool {
    let found = std::process::Command::new("git").arg("--version").output();
    if !found.is_ok_and(|o| o.status.success()) {
        return false;
    }
    let git = |words: &[&str]| {
        let call = fixture.system(Path::new("git")).args([
            "-c",
            "user.name=test",
            "-c",
            "user.email=test@localhost",
        ]);
        words.iter().fold(call, |call, word| call.arg(word)).folder(folder).go().ok();
    };
    if !folder.join(".git").exists() {
        git(&["init", "-q", "-b", "main"]);
    }
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "What there is", "--no-gpg-sign"]);
    true
}
