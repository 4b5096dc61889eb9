//! A file's description as one JSON object. The names of the fields are stable; new ones may be added.
//! docs/src/json.md describes them under `dynplug-file`.

use super::sdk::Sdk;
use super::{About, Details, Found, in_a_sentence};
use crate::files::hex;
use crate::floor::Floor;
use crate::sdk::Description;
use dynplug_manifest::manifest::{CrateInfo, LibraryReference, Manifest, Product};
use dynplug_manifest::obstacle::Obstacle;
use dynplug_manifest::record::Record;
use serde_json::{Map, Value, json};
use std::path::Path;

/// By which messages of this kind are known.
const REASON: &str = "dynplug-file";

/// A file that could not be read.
pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Value {
    json!({ "reason": REASON, "file": path.to_string_lossy(), "kind": "unreadable", "code": "unreadable", "message": error.to_string() })
}

/// What was looked at.
pub(super) fn found(path: &Path, found: &Found<'_>) -> Value {
    match found {
        Found::File(file) => about(path, file),
        Found::Sdk(it) => sdk(path, it),
        Found::Broken(why) => json!({
            "reason": REASON, "file": path.to_string_lossy(), "kind": "other",
            "code": why.code, "message": in_a_sentence(why),
        }),
    }
}

fn sdk(path: &Path, sdk: &Sdk) -> Value {
    let Sdk { description, size, unpacked, files, crates, macros } = sdk;
    let Description { tool, rustc, target, profile, api, packages, .. } = description;
    let sources: Vec<Value> =
        packages.iter().map(|p| json!({ "package": p.name, "version": p.version })).collect();
    json!({
        "reason": REASON, "file": path.to_string_lossy(), "kind": "sdk",
        "package": api.package, "version": api.version, "crate_name": api.crate_name,
        "tool": tool, "rustc": rustc, "target": target, "profile": profile, "id": api.identity,
        "api": {
            "package": api.package, "version": api.version, "crate_name": api.crate_name,
            "soname": api.soname, "identity": api.identity,
        },
        "size": size, "unpacked": unpacked, "files": files,
        "crates": crates.iter().map(crate_info).collect::<Vec<_>>(),
        "macros": macros.iter().map(crate_info).collect::<Vec<_>>(),
        "sources": sources,
    })
}

/// A file that was read.
fn about(path: &Path, about: &About<'_>) -> Value {
    match about {
        About::Other(other) => json!({
            "reason": REASON, "file": path.to_string_lossy(), "kind": "other",
            "code": other.code.name(), "message": other.what,
        }),
        About::Product(details) => product(path, details),
    }
}

fn product(path: &Path, details: &Details<'_>) -> Value {
    let Details { manifest, image, size, exports, inits, damage, floor } = details;
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
        // As many as are listed, or the difference is told as damage.
        records: _,
    } = manifest;
    json!({
        "reason": REASON, "file": path.to_string_lossy(),
        "kind": match product {
            Product::Plugin => "plugin",
            Product::ApiLibrary => "api-library",
            Product::Host => "host",
            Product::PluginLibrary => "plugin-library",
        },
        "package": package, "version": version, "crate_name": crate_name,
        "tool": tool, "rustc": rustc, "target": target, "profile": profile, "with_sdk": with_sdk, "cpu_features": cpu_features,
        "id": (*product != Product::Host).then(|| id.to_string()),
        "api": library(api), "libraries": libraries.iter().map(library).collect::<Vec<_>>(),
        "size": size,
        "format": image.format().to_string(), "machine": image.machine().to_string(),
        "soname": image.soname(), "needed": image.needed(),
        "glibc": glibc(floor),
        "exports": exports.iter().map(record).collect::<Vec<_>>(),
        "inits": inits.iter().map(record).collect::<Vec<_>>(),
        "damage": damage,
        "crates": crates.iter().map(crate_info).collect::<Vec<_>>(),
    })
}

/// The oldest glibc that a file works with.
pub(crate) fn glibc(floor: &Result<Option<Floor>, String>) -> Value {
    match floor {
        Ok(Some(Floor { version, symbols })) => {
            json!({ "version": version.to_string(), "symbols": symbols })
        }
        Ok(None) => Value::Null,
        Err(damage) => json!({ "damage": damage }),
    }
}

fn library(library: &LibraryReference) -> Value {
    let LibraryReference { package, version, crate_name, soname, identity } = library;
    json!({
        "package": package, "version": version, "crate_name": crate_name,
        "soname": soname, "identity": identity.to_string(),
    })
}

fn record(record: &Record<'_>) -> Value {
    json!({
        "kind": record.kind.to_string(), "name": record.name, "signature": record.signature, "docs": record.docs,
        "package": record.package, "version": record.version, "module": record.module,
        "file": record.file, "line": record.line, "column": record.column,
        "async": record.is_async(), "unsafe": record.is_unsafe(),
        "other_process": record.in_the_way().map(|obstacles| other_process(&obstacles)),
    })
}

/// Whether it can be called from another process, and what is in the way.
fn other_process(obstacles: &[Obstacle<'_>]) -> Value {
    let told = obstacles.iter().map(|obstacle| match *obstacle {
        Obstacle::Argument { number, ty } => json!({ "what": "argument", "number": number, "type": ty }),
        Obstacle::Result { ty } => json!({ "what": "result", "type": ty }),
        Obstacle::Value { ty } => json!({ "what": "value", "type": ty }),
        _ => json!({ "what": "item" }),
    });
    json!({ "is_served": obstacles.is_empty(), "obstacles": told.collect::<Vec<Value>>() })
}

fn crate_info(info: &CrateInfo) -> Value {
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
    let settings: Map<String, Value> =
        settings.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    json!({
        "package": package, "version": version, "crate_name": crate_name, "source": source,
        "features": features, "shared": shared, "id": hex(id), "content": hex(content), "code": (*code != [0; 32]).then(|| hex(code)),
        "dependencies": dependencies, "settings": settings,
    })
}
