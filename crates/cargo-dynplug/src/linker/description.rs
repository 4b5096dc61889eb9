//! What a product says of itself: its manifest, made of what is known of the crates that go in.

use super::Link;
use crate::context::Context;
use crate::diagnostic::{Doing, Result};
use crate::sdk::ApiLibrary;
use crate::unit::Unit;
use dynplug_manifest::{CrateInfo, Identity, LibraryReference, Manifest, Product};
use std::collections::HashMap;

/// How others name a library.
pub(super) fn reference(library: &ApiLibrary) -> Result<LibraryReference> {
    Ok(LibraryReference {
        package: library.package.clone(),
        version: library.version.clone(),
        crate_name: library.crate_name.clone(),
        soname: library.soname.clone(),
        identity: library.identity.parse().doing("read the API library's identity")?,
    })
}

/// The manifest, but for what only some products say, and for the number of records.
pub(super) fn manifest(
    product: Product,
    link: &Link,
    context: &Context,
    id: Identity,
    api: LibraryReference,
    crates: Vec<CrateInfo>,
) -> Manifest {
    let unit = &link.unit;
    Manifest {
        product,
        package: unit.package.clone(),
        version: unit.version.clone(),
        crate_name: unit.crate_name.clone(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        rustc: context.rustc.clone(),
        target: context.target.clone(),
        profile: context.profile.clone(),
        cpu_features: context.cpu_features.clone(),
        id,
        api,
        crates,
        libraries: Vec::new(),
        with_sdk: false,
        records: 0,
    }
}

/// The crates as the manifest lists them, in the order of their names so that the order of linking doesn't show.
pub fn crate_list<'a>(shared: &'a [Unit], private: &'a [Unit]) -> Vec<CrateInfo> {
    let mut units: Vec<(&Unit, bool)> =
        shared.iter().map(|u| (u, true)).chain(private.iter().map(|u| (u, false))).collect();
    units.sort_by(|(a, _), (b, _)| (&a.package, &a.version, &a.id).cmp(&(&b.package, &b.version, &b.id)));
    let places: HashMap<&str, u32> =
        (units.iter().zip(0u32..)).map(|((u, _), at)| (u.id.as_str(), at)).collect();
    units
        .iter()
        .map(|(unit, shared)| {
            let known = unit.dependencies.iter().filter_map(|id| places.get(id.as_str()).copied());
            let mut dependencies: Vec<u32> = known.collect();
            dependencies.sort_unstable();
            CrateInfo {
                package: unit.package.clone(),
                version: unit.version.clone(),
                crate_name: unit.crate_name.clone(),
                source: unit.source.clone(),
                features: unit.features.clone(),
                shared: *shared,
                id: bytes(&unit.id),
                content: bytes(&unit.content),
                code: bytes(unit.code.as_deref().unwrap_or_default()),
                dependencies,
                settings: unit.settings.clone(),
            }
        })
        .collect()
}

/// The bytes behind hexadecimal digits; zeros where there are none.
fn bytes<const N: usize>(digits: &str) -> [u8; N] {
    let mut out = [0; N];
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = digits.get(2 * at..2 * at + 2).and_then(|d| u8::from_str_radix(d, 16).ok()).unwrap_or(0);
    }
    out
}
