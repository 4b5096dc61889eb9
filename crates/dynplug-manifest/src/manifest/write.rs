//! Writing a manifest.

use super::{CrateInfo, LibraryReference, MAGIC, Manifest, Product, VERSION, crate_tag, library_tag, tag};

impl Manifest {
    /// The manifest as bytes, in the format that the module describes. With the feature `write`.
    ///
    /// Every field is written as it is: [`decode`](Self::decode) refuses what is beyond the limits or names a
    /// dependency that doesn't exist, so a builder that checks its work decodes what it has encoded.
    pub fn encode(&self) -> Vec<u8> {
        // Named one by one, so that a new field does not compile until somebody decides how it is written.
        let Manifest {
            product,
            package,
            version,
            crate_name,
            tool,
            rustc,
            target,
            profile,
            cpu_features,
            id,
            api,
            crates,
            libraries,
            with_sdk,
            records,
        } = self;
        let mut out = Writer { bytes: Vec::new() };
        out.bytes.extend(MAGIC);
        out.bytes.extend(VERSION.to_le_bytes());
        // What came since then, an older reader may do without.
        out.bytes.extend(1u16.to_le_bytes());
        let length = out.reserve_length();

        let product = match product {
            Product::Plugin => 0,
            Product::ApiLibrary => 1,
            Product::Host => 2,
            Product::PluginLibrary => 3,
        };
        out.field(tag::PRODUCT, &[product]);
        out.field(tag::PACKAGE, package.as_bytes());
        out.field(tag::VERSION, version.as_bytes());
        out.field(tag::CRATE_NAME, crate_name.as_bytes());
        out.field(tag::TOOL, tool.as_bytes());
        out.field(tag::RUSTC, rustc.as_bytes());
        out.field(tag::TARGET, target.as_bytes());
        out.field(tag::PROFILE, profile.as_bytes());
        for feature in cpu_features {
            out.field(tag::CPU_FEATURES, feature.as_bytes());
        }
        out.field(tag::ID, &id.0);
        out.nested(tag::API, |out| write_library(out, api));
        for info in crates {
            out.nested(tag::CRATES, |out| write_crate(out, info));
        }
        for library in libraries {
            out.nested(tag::LIBRARIES, |out| write_library(out, library));
        }
        out.field(tag::WITH_SDK, &[u8::from(*with_sdk)]);
        out.field(tag::RECORDS, &records.to_le_bytes());
        // The length counts from the start and not from behind itself, as those of fields do.
        out.fill_length(length, 0);
        out.bytes
    }
}

fn write_library(out: &mut Writer, library: &LibraryReference) {
    let LibraryReference { package, version, crate_name, soname, identity } = library;
    out.field(library_tag::PACKAGE, package.as_bytes());
    out.field(library_tag::VERSION, version.as_bytes());
    out.field(library_tag::CRATE_NAME, crate_name.as_bytes());
    out.field(library_tag::SONAME, soname.as_bytes());
    out.field(library_tag::IDENTITY, &identity.0);
}

fn write_crate(out: &mut Writer, info: &CrateInfo) {
    let CrateInfo {
        package,
        version,
        crate_name,
        source,
        features,
        shared,
        id,
        content,
        code,
        dependencies,
        settings,
    } = info;
    out.field(crate_tag::PACKAGE, package.as_bytes());
    out.field(crate_tag::VERSION, version.as_bytes());
    out.field(crate_tag::CRATE_NAME, crate_name.as_bytes());
    out.field(crate_tag::SOURCE, source.as_bytes());
    for feature in features {
        out.field(crate_tag::FEATURES, feature.as_bytes());
    }
    out.field(crate_tag::SHARED, &[u8::from(*shared)]);
    out.field(crate_tag::ID, id);
    out.field(crate_tag::CONTENT, content);
    out.nested(crate_tag::DEPENDENCIES, |out| {
        out.bytes.extend(dependencies.iter().flat_map(|index| index.to_le_bytes()));
    });
    for (key, value) in settings {
        out.nested(crate_tag::SETTINGS, |out| {
            out.bytes.extend(length(key.len()).to_le_bytes());
            out.bytes.extend(key.as_bytes());
            out.bytes.extend(value.as_bytes());
        });
    }
    out.field(crate_tag::CODE, code);
}

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn field(&mut self, tag: u16, bytes: &[u8]) {
        self.nested(tag, |out| out.bytes.extend(bytes));
    }

    /// A field whose bytes `content` writes.
    fn nested(&mut self, tag: u16, content: impl FnOnce(&mut Writer)) {
        self.bytes.extend(tag.to_le_bytes());
        let at = self.reserve_length();
        content(self);
        self.fill_length(at, at + 4);
    }

    /// Leaves room for a length, and returns where.
    fn reserve_length(&mut self) -> usize {
        let at = self.bytes.len();
        self.bytes.extend([0; 4]);
        at
    }

    /// Writes how many bytes there are behind `start` into the room at `at`.
    fn fill_length(&mut self, at: usize, start: usize) {
        let length = length(self.bytes.len() - start);
        if let Some(room) = self.bytes.get_mut(at..at + 4) {
            room.copy_from_slice(&length.to_le_bytes());
        }
    }
}

/// A length as it is written. What is larger than that is beyond the limits by far, and refused by the reader.
fn length(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
