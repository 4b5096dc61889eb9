//! The bytes that the tests and the fuzz corpus begin with: honest ones, made without the code under test
//! wherever that is possible.

use dynplug_manifest::record::{Fields, Kind};
use dynplug_manifest::{CrateInfo, Identity, LibraryReference, Manifest, Product};

/// Numbers that look random and are the same each time (SplitMix64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next() as u8)
    }

    pub(crate) fn text(&mut self) -> String {
        let alphabet: Vec<char> = "aZ09_-. \n/<>é漢🦀\0".chars().collect();
        (0..self.below(24)).map(|_| alphabet[self.below(alphabet.len())]).collect()
    }

    fn texts(&mut self) -> Vec<String> {
        (0..self.below(4)).map(|_| self.text()).collect()
    }
}

/// A manifest that differs with the numbers, each field of which may be empty.
pub(crate) fn any_manifest(numbers: &mut Numbers) -> Manifest {
    let count = numbers.below(6);
    Manifest {
        product: [Product::Plugin, Product::ApiLibrary, Product::Host, Product::PluginLibrary]
            [numbers.below(4)],
        package: numbers.text(),
        version: numbers.text(),
        crate_name: numbers.text(),
        tool: numbers.text(),
        rustc: numbers.text(),
        target: numbers.text(),
        profile: numbers.text(),
        cpu_features: numbers.texts(),
        id: Identity(numbers.bytes()),
        api: any_library(numbers),
        libraries: (0..numbers.below(3)).map(|_| any_library(numbers)).collect(),
        with_sdk: numbers.below(2) == 1,
        records: numbers.next() as u32,
        crates: (0..count)
            .map(|i| CrateInfo {
                package: numbers.text(),
                version: numbers.text(),
                crate_name: numbers.text(),
                source: numbers.text(),
                features: numbers.texts(),
                shared: numbers.below(2) == 1,
                id: numbers.bytes(),
                content: numbers.bytes(),
                code: numbers.bytes(),
                // Only on earlier ones, which leaves no way for a cycle.
                dependencies: (0..i as u32).filter(|_| numbers.below(2) == 1).collect(),
                settings: (0..numbers.below(3)).map(|_| (numbers.text(), numbers.text())).collect(),
            })
            .collect(),
    }
}

fn any_library(numbers: &mut Numbers) -> LibraryReference {
    LibraryReference {
        package: numbers.text(),
        version: numbers.text(),
        crate_name: numbers.text(),
        soname: numbers.text(),
        identity: Identity(numbers.bytes()),
    }
}

/// A plugin's manifest as the tool would write it, with three crates and a library that it shares with other plugins.
pub(crate) fn manifest() -> Manifest {
    let krate = |name: &str, shared, dependencies: &[u32]| CrateInfo {
        package: name.into(),
        version: "1.0.0".into(),
        crate_name: name.replace('-', "_"),
        source: "registry+https://github.com/rust-lang/crates.io-index".into(),
        features: vec!["default".into(), "std".into()],
        shared,
        id: [name.len() as u8; 16],
        content: [name.len() as u8; 32],
        code: [0; 32],
        dependencies: dependencies.to_vec(),
        settings: vec![("opt-level".into(), "3".into()), ("panic".into(), "unwind".into())],
    };
    Manifest {
        product: Product::Plugin,
        package: "hello".into(),
        version: "0.1.0".into(),
        crate_name: "hello".into(),
        tool: "0.1.0".into(),
        rustc: "rustc 1.95.0 (59807616e 2026-04-14)".into(),
        target: "x86_64-unknown-linux-gnu".into(),
        profile: "release".into(),
        cpu_features: vec!["fxsr".into(), "sse".into(), "sse2".into()],
        id: Identity([0x11; 32]),
        api: LibraryReference {
            package: "host-api".into(),
            version: "1.2.0".into(),
            crate_name: "host_api".into(),
            soname: "libhost_api-2222222222222222.so".into(),
            identity: Identity([0x22; 32]),
        },
        crates: vec![krate("std", true, &[]), krate("host-api", true, &[0]), krate("hello", false, &[0, 1])],
        libraries: vec![LibraryReference {
            package: "common".into(),
            version: "0.3.0".into(),
            crate_name: "common".into(),
            soname: "libcommon-0123456789abcdef.so".into(),
            identity: Identity([11; 32]),
        }],
        with_sdk: true,
        records: 3,
    }
}

/// The fields of a record.
pub(crate) const FIELDS: Fields<'static> = Fields {
    kind: Kind::Function,
    flags: 2,
    line: 12,
    column: 5,
    obstacles: 3,
    name: "greet",
    signature: "unsafe fn greet(name: &str) -> String",
    docs: "Greets.\n\nIn – so far – one language.",
    package: "hello",
    version: "0.1.0",
    module: "hello::words",
    file: "src/words.rs",
    below: "words-api 1.2.0 shared\nroots 0.3.1",
};

/// A record as its documentation describes it, written a second time and not by the crate.
pub(crate) fn record(fields: &Fields<'_>) -> Vec<u8> {
    let kind = match fields.kind {
        Kind::Function => 0,
        Kind::Static => 1,
        Kind::Init => 2,
    };
    let mut body = vec![3, kind];
    body.extend(fields.flags.to_le_bytes());
    body.extend(fields.line.to_le_bytes());
    body.extend(fields.column.to_le_bytes());
    body.extend(fields.obstacles.to_le_bytes());
    let Fields { name, signature, docs, package, version, module, file, below, .. } = *fields;
    for text in [name, signature, docs, package, version, module, file, below] {
        body.extend((text.len() as u32).to_le_bytes());
        body.extend(text.as_bytes());
    }
    if (body.len() + 4).is_multiple_of(256) {
        body.push(0);
    }
    [&(body.len() as u32 + 4).to_le_bytes(), &body[..]].concat()
}
