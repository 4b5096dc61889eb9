//! A host and a plugin that fit each other, made so that a test changes one thing.

use dynplug_manifest::compare::{Difference, Host, Loaded, Machine, Mismatch, compare};
use dynplug_manifest::{CrateInfo, Identity, LibraryReference, Manifest, Product};
use std::path::{Path, PathBuf};

const TARGET: &str = "x86_64-unknown-linux-gnu";
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// All that a comparison is made of.
pub(crate) struct Case {
    pub(crate) host: Manifest,
    pub(crate) plugin: Manifest,
    pub(crate) loaded: Vec<(PathBuf, Manifest)>,
    pub(crate) needed: Vec<&'static str>,
    /// Features that the processor has; others that begin with `avx` it lacks, the rest is unknown.
    pub(crate) processor: Vec<&'static str>,
    /// Libraries that the machine has, where it can be asked.
    pub(crate) libraries: Option<Vec<&'static str>>,
}

/// The places of the shared crates in both lists: bytes, serde, model, chat-api; dependencies first.
pub(crate) const BYTES: usize = 0;
pub(crate) const SERDE: usize = 1;
pub(crate) const MODEL: usize = 2;
pub(crate) const API: usize = 3;

pub(crate) fn info(package: &str, version: &str, dependencies: &[u32]) -> CrateInfo {
    let name = package.bytes().chain(version.bytes());
    let seed = name.fold(17u32, |sum, byte| sum.wrapping_mul(0x0100_0193) ^ u32::from(byte)).to_le_bytes();
    CrateInfo {
        package: package.to_owned(),
        version: version.to_owned(),
        crate_name: package.replace('-', "_"),
        source: CRATES_IO.to_owned(),
        features: Vec::new(),
        shared: true,
        id: std::array::from_fn(|at| seed[at % 4]),
        content: std::array::from_fn(|at| seed[at % 4]),
        code: [0; 32],
        dependencies: dependencies.to_vec(),
        settings: vec![("edition".to_owned(), "2024".to_owned())],
    }
}

fn shared() -> Vec<CrateInfo> {
    let mut crates = vec![
        info("bytes", "1.10.1", &[]),
        info("serde", "1.0.219", &[]),
        info("model", "0.3.0", &[0, 1]),
        info("chat-api", "2.1.0", &[0, 2]),
    ];
    crates[SERDE].features = vec!["default".to_owned(), "derive".to_owned(), "std".to_owned()];
    crates[API].source = "path+api".to_owned();
    crates[MODEL].source = "path+model".to_owned();
    for at in [MODEL, API] {
        crates[at].code = crates[at].content;
    }
    crates
}

/// A plugin `greeter` made for the host of the API crate `chat-api`. They fit.
pub(crate) fn fitting() -> Case {
    let api = LibraryReference {
        package: "chat-api".to_owned(),
        version: "2.1.0".to_owned(),
        crate_name: "chat_api".to_owned(),
        soname: "libchat_api-1111111111111111.so".to_owned(),
        identity: Identity([0x11; 32]),
    };
    let host = Manifest {
        product: Product::ApiLibrary,
        package: "chat-api".to_owned(),
        version: "2.1.0".to_owned(),
        crate_name: "chat_api".to_owned(),
        tool: "0.1.0".to_owned(),
        rustc: "rustc 1.95.0 (59807616e 2026-04-14)".to_owned(),
        target: TARGET.to_owned(),
        profile: "release".to_owned(),
        cpu_features: Vec::new(),
        id: api.identity,
        api,
        crates: shared(),
        libraries: vec![],
        with_sdk: false,
        records: 2,
    };
    let mut crates = shared();
    crates.push(private("greeter", "0.4.0", 0x51));
    crates.push(private("regex", "1.11.1", 0x52));
    let plugin = Manifest {
        product: Product::Plugin,
        package: "greeter".to_owned(),
        version: "0.4.0".to_owned(),
        crate_name: "greeter".to_owned(),
        id: Identity([0x77; 32]),
        crates,
        ..host.clone()
    };
    Case {
        host,
        plugin,
        loaded: Vec::new(),
        needed: vec!["libchat_api-1111111111111111.so", "libc.so.6"],
        processor: vec!["sse2", "avx", "avx2"],
        libraries: None,
    }
}

/// A crate that is linked into one module only, with this byte for its id.
pub(crate) fn private(package: &str, version: &str, id: u8) -> CrateInfo {
    CrateInfo { shared: false, id: [id; 16], content: [id; 32], ..info(package, version, &[]) }
}

impl Case {
    /// Another build of the API library in the host, as every change to a shared crate makes one.
    pub(crate) fn rebuilt(mut self) -> Case {
        self.host.id = Identity([0x22; 32]);
        self.host.api.identity = self.host.id;
        self.host.api.soname = "libchat_api-2222222222222222.so".to_owned();
        self
    }

    /// Another build, since the host's side of these crates was compiled to something else.
    pub(crate) fn changed(mut self, places: &[usize]) -> Case {
        for &at in places {
            self.host.crates[at].content[0] ^= 0xff;
            self.host.crates[at].id[0] ^= 0xff;
        }
        self.rebuilt()
    }

    /// Another build, since the source of these crates was edited.
    pub(crate) fn edited(mut self, places: &[usize]) -> Case {
        for &at in places {
            self.host.crates[at].code[0] ^= 0xff;
        }
        self.changed(places)
    }

    /// These crates of the host's side have other ids, since they depend on others that have.
    pub(crate) fn followed(mut self, places: &[usize]) -> Case {
        for &at in places {
            self.host.crates[at].id[0] ^= 0xff;
        }
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Case)) -> Case {
        change(&mut self);
        self
    }

    pub(crate) fn differences(&self) -> Vec<Difference> {
        let has_feature = |name: &str| match self.processor.contains(&name) {
            true => Some(true),
            false => name.starts_with("avx").then_some(false),
        };
        let find = |name: &str| self.libraries.iter().flatten().any(|library| *library == name);
        let loaded: Vec<Loaded<'_>> =
            self.loaded.iter().map(|(path, manifest)| Loaded { path: Path::new(path), manifest }).collect();
        let machine = Machine {
            target: &self.host.target,
            has_feature: &has_feature,
            libraries: self.libraries.as_ref().map(|_| &find as &dyn Fn(&str) -> bool),
        };
        compare(&Host { api: &self.host, machine, loaded: &loaded }, &self.plugin, &self.needed)
    }

    pub(crate) fn codes(&self) -> Vec<&'static str> {
        self.differences().iter().map(|difference| difference.code.name()).collect()
    }

    pub(crate) fn text(&self) -> String {
        Mismatch::new(&self.plugin, self.differences()).map(|m| m.to_string()).unwrap_or_default()
    }
}
