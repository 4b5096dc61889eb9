//! What a plugin says of itself, before it is opened.

use crate::linked::LinkedIn;
use crate::plugin::SymbolKind;
use dynplug_manifest::image::Image;
use dynplug_manifest::record::{Fields, Kind};
use dynplug_manifest::sorted::{arrange, sorted_by};
use dynplug_manifest::tables::records;
use dynplug_manifest::{Identity, Manifest, Product};
use std::sync::Arc;

/// What a plugin says of itself, or another product of `cargo dynplug` that was found in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct About {
    /// The name of its package.
    pub package: String,
    /// The version of that package.
    pub version: String,
    /// The name of its crate, as Rust code writes it.
    pub crate_name: String,
    /// What it exports, by name.
    pub exports: Vec<Exported>,
    /// How it was built; none for a plugin that is linked in, which was built as the program was.
    pub build: Option<Build>,
}

/// An exported item.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// The name by which lookup finds it.
    pub name: String,
    /// Whether it is a function or a static.
    pub kind: SymbolKind,
    /// Its declaration, as its author wrote it.
    pub signature: String,
    /// Its documentation; empty where there is none.
    pub docs: String,
}

/// How a file was built.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Build {
    /// What the file is: a plugin, or else another product.
    pub product: Product,
    /// What tells this build of a plugin from all others.
    pub id: Identity,
    /// The compiler, as `rustc --version` says it.
    pub rustc: String,
    /// The version of cargo-dynplug.
    pub tool: String,
    /// The target.
    pub target: String,
    /// cargo's profile.
    pub profile: String,
    /// The package of the API library that it was compiled against.
    pub api: String,
    /// The version of that package.
    pub api_version: String,
    /// The identity of the API library.
    pub identity: Identity,
}

impl About {
    /// What the manifest and the records of a file say.
    pub(crate) fn of_file(manifest: &Arc<Manifest>, image: &Image<'_>) -> About {
        let Manifest { product, package, version, crate_name, tool, rustc, target, profile, api, .. } =
            &**manifest;
        // A plugin's symbols are those of its own crate, not of its dependencies. What can't be read is a reason to
        // refuse it, and is told as such.
        let own = records(image).map_while(Result::ok).filter(|r| r.crate_name() == crate_name);
        About {
            package: package.clone(),
            version: version.clone(),
            crate_name: crate_name.clone(),
            exports: exports(own.collect()),
            build: Some(Build {
                product: *product,
                id: manifest.id,
                rustc: rustc.clone(),
                tool: tool.clone(),
                target: target.clone(),
                profile: profile.clone(),
                api: api.package.clone(),
                api_version: api.version.clone(),
                identity: api.identity,
            }),
        }
    }

    /// What is known of a plugin that is linked in.
    pub(crate) fn of_linked(plugin: LinkedIn) -> About {
        About {
            package: plugin.name().to_owned(),
            version: plugin.version().to_owned(),
            crate_name: plugin.crate_name().to_owned(),
            exports: exports(plugin.records().collect()),
            build: None,
        }
    }
}

fn exports(records: Vec<Fields<'_>>) -> Vec<Exported> {
    let mut exports = Vec::new();
    for record in records {
        exports.push(Exported {
            name: record.name.to_owned(),
            kind: match record.kind {
                Kind::Function => SymbolKind::Function,
                Kind::Static => SymbolKind::Static,
                Kind::Init => continue,
            },
            signature: record.signature.to_owned(),
            docs: record.docs.to_owned(),
        });
    }
    let order = sorted_by(&exports, |a, b| a.name.cmp(&b.name));
    arrange(&mut exports, order);
    exports
}
