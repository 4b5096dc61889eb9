//! What a plugin asks of the processor, and what the machine has.

use super::{Difference, Host, Remedies, Side, text::printable};
use crate::diagnostics::Code;
use crate::manifest::Manifest;
use std::collections::BTreeSet;

/// Features that say how functions are called and not only what the processor can do: rustc compiles with them and
/// only warns, and a call from one side to the other passes its arguments in the wrong registers.
const CALLING: [&str; 7] = ["soft-float", "x87", "sse", "sse2", "neon", "fp-armv8", "reserve-x18"];

/// The features that the processor must have for this product's code, by rustc's names.
///
/// Entries that take a feature away ask for nothing, and `cpu=…` names a processor and no feature.
pub fn required_features(manifest: &Manifest) -> impl Iterator<Item = &str> {
    let entries = manifest.cpu_features.iter().map(|entry| entry.trim());
    entries
        .filter(|entry| !entry.is_empty() && !entry.starts_with('-') && !entry.contains('='))
        .map(|entry| entry.strip_prefix('+').unwrap_or(entry))
}

/// C11
pub(super) fn compare(host: &Host<'_>, plugin: &Manifest, remedies: &Remedies<'_>) -> Vec<Difference> {
    let mut found = Vec::new();
    let lacking: BTreeSet<&str> = required_features(plugin)
        .filter(|feature| (host.machine.has_feature)(feature) == Some(false))
        .collect();
    if !lacking.is_empty() {
        let features = printable(&lacking.into_iter().collect::<Vec<_>>().join(", "));
        found.push(Difference {
            code: Code::CpuFeatures,
            what: format!(
                "the plugin was compiled for a processor with {features}, which this machine lacks"
            ),
            host: format!("a processor without {features}"),
            plugin: format!("needs {features}"),
            side: Side::Plugin,
            remedy: remedies.of(Code::CpuFeatures, &[("features", &features)]),
        });
    }
    let (ours, theirs) = (calling(plugin), calling(host.api));
    if ours != theirs {
        let named = |set: BTreeSet<String>| match set.into_iter().collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "target-feature as usual".to_owned(),
            some => printable(&format!("target-feature={some}")),
        };
        found.push(Difference {
            code: Code::AbiSettings,
            what: "the plugin was compiled with a target feature that changes how functions are called"
                .to_owned(),
            host: named(theirs),
            plugin: named(ours),
            side: Side::Plugin,
            remedy: remedies.of(Code::AbiSettings, &[("setting", "`target-feature`")]),
        });
    }
    found
}

/// The entries that change how functions are called: what the target has anyway doesn't.
fn calling(manifest: &Manifest) -> BTreeSet<String> {
    let mut set = BTreeSet::new();
    for entry in manifest.cpu_features.iter().map(|entry| entry.trim()) {
        let (sign, name) = match entry.strip_prefix('-') {
            Some(name) => ('-', name),
            None => ('+', entry.strip_prefix('+').unwrap_or(entry)),
        };
        // Registers for floating point are in use unless they are taken away; the others are the other way round.
        let usual = if matches!(name, "x87" | "sse" | "sse2" | "neon" | "fp-armv8") { '+' } else { '-' };
        if CALLING.contains(&name) && sign != usual {
            set.insert(format!("{sign}{name}"));
        }
    }
    set
}
