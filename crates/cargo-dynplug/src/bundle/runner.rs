//! The licences of `dynplug-runner`, which comes into a bundle as it was installed: cargo's account of the workspace, which has
//! those of all else, knows nothing of it.

use super::licences::Component;
use std::collections::BTreeSet;

/// What the program is compiled from, as one component. All of it can be had under the first of these licences but `libloading`, which
/// has the second.
pub fn component(path: &str) -> Component {
    let texts = [
        ("LICENSE-APACHE", include_bytes!("runner/LICENSE-APACHE").to_vec()),
        ("LICENSE-ISC", include_bytes!("runner/LICENSE-ISC").to_vec()),
    ];
    Component {
        name: "cargo-dynplug".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        source: String::new(),
        licence: Some("Apache-2.0 AND ISC".to_owned()),
        repository: Some(env!("CARGO_PKG_REPOSITORY").to_owned()).filter(|it| !it.is_empty()),
        texts: texts.map(|(name, text)| (name.to_owned(), text)).into(),
        within: BTreeSet::from([path.to_owned()]),
        dependencies: BTreeSet::new(),
    }
}
