//! The manifest: what the build tool writes into every plugin, API library and host.
//!
//! # Format
//!
//! All numbers are little-endian, on every target.
//!
//! | size | what |
//! |---|---|
//! | 8 | magic, `DYNPLUG\0` |
//! | 2 | version of the format, [`VERSION`]; an earlier one is refused |
//! | 2 | the oldest version whose readers understand it; an older reader refuses |
//! | 4 | length of everything in bytes, this header included |
//! | … | fields to the end |
//!
//! A field is a `u16` tag, a `u32` length, and as many bytes. Unknown tags are skipped, which is how a later
//! version adds what an older reader may do without. A field that is not marked as repeated stands once; those
//! that are marked may stand any number of times, their order is kept, and none means an empty list.
//!
//! | tag | field | bytes |
//! |---|---|---|
//! | 1 | product | one byte: 0 plugin, 1 API library, 2 host, 3 plugin library |
//! | 2 | package | text |
//! | 3 | version | text |
//! | 4 | crate_name | text |
//! | 5 | tool | text |
//! | 6 | rustc | text |
//! | 7 | target | text |
//! | 8 | profile | text |
//! | 9, repeated | cpu_features | text |
//! | 10 | id | 32 bytes |
//! | 11 | api | fields: 1 package, 2 version, 3 crate_name, 4 soname (texts), 5 identity (32 bytes) |
//! | 12, repeated | crates | fields, as follows |
//! | 13, repeated | libraries | fields, as those of api |
//! | 14 | with_sdk | one byte, 0 or 1 |
//! | 15 | records | `u32` |
//!
//! | tag in a crate | field | bytes |
//! |---|---|---|
//! | 1 | package | text |
//! | 2 | version | text |
//! | 3 | crate_name | text |
//! | 4 | source | text |
//! | 5, repeated | features | text |
//! | 6 | shared | one byte, 0 or 1 |
//! | 7 | id | 16 bytes |
//! | 8 | content | 32 bytes |
//! | 9 | dependencies | one `u32` for each, an index into the crates |
//! | 10, repeated | settings | `u32` length of the key, the key, the value: texts |
//! | 11 | code | 32 bytes |
//!
//! Text is UTF-8. Limits: [`MAX_LEN`] bytes in all, [`MAX_TEXT`] bytes for each text, [`MAX_CRATES`] crates,
//! [`MAX_LIBRARIES`] libraries.
//! The dependencies of crates form no cycle.

mod error;
mod read;
#[cfg(feature = "write")]
mod write;

use crate::Identity;

pub use error::DecodeError;

/// What every manifest begins with.
pub const MAGIC: [u8; 8] = *b"DYNPLUG\0";

/// The version of the format that is written here, and the only one that is read, but for later ones that say that readers of
/// this one understand them.
pub const VERSION: u16 = 2;

/// The largest manifest in bytes.
pub const MAX_LEN: usize = 16 << 20;

/// The largest text in bytes.
pub const MAX_TEXT: usize = 64 << 10;

/// The largest number of crates.
pub const MAX_CRATES: usize = 64 << 10;

/// The largest number of plugin libraries.
pub const MAX_LIBRARIES: usize = 1 << 10;

/// The bytes before the first field.
const HEADER_LEN: usize = 16;

/// What a product of the build tool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Product {
    /// A library that a host opens while it runs.
    Plugin,
    /// The library that holds what host and plugins share.
    ApiLibrary,
    /// A program that opens plugins.
    Host,
    /// A library that plugins share among themselves, and the host doesn't have.
    PluginLibrary,
}

impl std::fmt::Display for Product {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Product::Plugin => "plugin",
            Product::ApiLibrary => "API library",
            Product::Host => "host",
            Product::PluginLibrary => "plugin library",
        })
    }
}

/// Who a product is, what it needs, and with what it was built.
///
/// # Examples
///
/// ```
/// use dynplug_manifest::{LibraryReference, Identity, Manifest, Product};
///
/// let manifest = Manifest {
///     product: Product::Plugin,
///     package: "hello".into(),
///     version: "0.1.0".into(),
///     crate_name: "hello".into(),
///     tool: "0.1.0".into(),
///     rustc: "rustc 1.95.0 (59807616e 2026-04-14)".into(),
///     target: "x86_64-unknown-linux-gnu".into(),
///     profile: "release".into(),
///     cpu_features: vec!["fxsr".into(), "sse2".into()],
///     id: Identity([7; 32]),
///     api: LibraryReference {
///         package: "host-api".into(),
///         version: "1.2.0".into(),
///         crate_name: "host_api".into(),
///         soname: "libhost_api.so".into(),
///         identity: Identity([9; 32]),
///     },
///     crates: vec![],
///     libraries: vec![],
///     with_sdk: false,
///     records: 2,
/// };
/// # #[cfg(feature = "write")]
/// assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What the product is.
    pub product: Product,
    /// The package that it was built from.
    pub package: String,
    /// The version of that package.
    pub version: String,
    /// The name of the crate, as Rust code writes it.
    pub crate_name: String,
    /// The version of cargo-dynplug.
    pub tool: String,
    /// The first line of `rustc --version`, such as `rustc 1.95.0 (59807616e 2026-04-14)`.
    pub rustc: String,
    /// The target triple.
    pub target: String,
    /// The profile of cargo.
    pub profile: String,
    /// The target features that code was compiled with, and that the processor has to have.
    pub cpu_features: Vec<String>,
    /// A plugin's id, or the identity of an API library or plugin library; of a host [`Identity::ZERO`].
    pub id: Identity,
    /// The API library that this needs. An API library names itself.
    pub api: LibraryReference,
    /// The crates that went in or that it was compiled against. Those in the plugin libraries that it needs are told by
    /// these.
    pub crates: Vec<CrateInfo>,
    /// The plugin libraries that it needs, those that others of them need among them, each after those that it needs.
    pub libraries: Vec<LibraryReference>,
    /// Whether it was built with an SDK, and not in the workspace of its API crate.
    pub with_sdk: bool,
    /// How many records of exported items and init functions its file has: see [`tables`](crate::tables).
    pub records: u32,
}

/// Which API library or plugin library something was compiled against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryReference {
    /// The crate's package.
    pub package: String,
    /// The version of that package.
    pub version: String,
    /// The crate's name, as Rust code writes it.
    pub crate_name: String,
    /// The name under which the system's loader finds the library.
    pub soname: String,
    /// Which build of it.
    pub identity: Identity,
}

/// One crate of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrateInfo {
    /// The package that the crate is from.
    pub package: String,
    /// The version of that package.
    pub version: String,
    /// The crate's name, as Rust code writes it.
    pub crate_name: String,
    /// Where the package came from: a registry, a repository, a path.
    pub source: String,
    /// The features that were on.
    pub features: Vec<String>,
    /// Whether the crate lies in the API library, and not in the product itself.
    pub shared: bool,
    /// Which crate this is to the compiler.
    pub id: [u8; 16],
    /// A hash of the crate's compiled metadata.
    pub content: [u8; 32],
    /// A hash of the crate's source with macros expanded, as it is with the usual settings: two builds with other
    /// settings have the same where they are from one source. Zeros where it isn't on record, as of crates from a registry.
    pub code: [u8; 32],
    /// The crates that this one depends on: indices into [`Manifest::crates`].
    pub dependencies: Vec<u32>,
    /// What it was compiled with, keys and values.
    pub settings: Vec<(String, String)>,
}

/// The tags of [`Manifest`].
mod tag {
    pub(super) const PRODUCT: u16 = 1;
    pub(super) const PACKAGE: u16 = 2;
    pub(super) const VERSION: u16 = 3;
    pub(super) const CRATE_NAME: u16 = 4;
    pub(super) const TOOL: u16 = 5;
    pub(super) const RUSTC: u16 = 6;
    pub(super) const TARGET: u16 = 7;
    pub(super) const PROFILE: u16 = 8;
    pub(super) const CPU_FEATURES: u16 = 9;
    pub(super) const ID: u16 = 10;
    pub(super) const API: u16 = 11;
    pub(super) const CRATES: u16 = 12;
    pub(super) const LIBRARIES: u16 = 13;
    pub(super) const WITH_SDK: u16 = 14;
    pub(super) const RECORDS: u16 = 15;
}

/// The tags of [`LibraryReference`].
mod library_tag {
    pub(super) const PACKAGE: u16 = 1;
    pub(super) const VERSION: u16 = 2;
    pub(super) const CRATE_NAME: u16 = 3;
    pub(super) const SONAME: u16 = 4;
    pub(super) const IDENTITY: u16 = 5;
}

/// The tags of [`CrateInfo`].
mod crate_tag {
    pub(super) const PACKAGE: u16 = 1;
    pub(super) const VERSION: u16 = 2;
    pub(super) const CRATE_NAME: u16 = 3;
    pub(super) const SOURCE: u16 = 4;
    pub(super) const FEATURES: u16 = 5;
    pub(super) const SHARED: u16 = 6;
    pub(super) const ID: u16 = 7;
    pub(super) const CONTENT: u16 = 8;
    pub(super) const DEPENDENCIES: u16 = 9;
    pub(super) const SETTINGS: u16 = 10;
    pub(super) const CODE: u16 = 11;
}
