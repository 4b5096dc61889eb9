//! What a plugin asks of the processor, and what the machine has.

use super::text::{Joined, Printable};
use super::{Found, Host, Side};
use crate::diagnostics::Code;
use crate::manifest::Manifest;
use crate::sorted::set;
use std::fmt;

/// Features that say how functions are called and not only what the processor can do: rustc compiles with them and
/// only warns, and a call from one side to the other passes its arguments in the wrong registers.
///
/// Each with the sign that is not the usual one: registers for floating point are in use unless they are taken away,
/// the others are the other way round.
const CALLING: [&str; 7] = ["+reserve-x18", "+soft-float", "-fp-armv8", "-neon", "-sse", "-sse2", "-x87"];

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
pub(super) fn compare(found: &mut Found<'_>, host: &Host<'_>) {
    let mut lacking = Vec::new();
    for feature in required_features(found.plugin) {
        if (host.machine.has_feature)(feature) == Some(false) {
            lacking.push(feature);
        }
    }
    if !lacking.is_empty() {
        let lacking = set(&lacking);
        let features = &Printable(&Joined(&lacking));
        found.add(
            (Code::CpuFeatures, Side::Plugin),
            format_args!("the plugin was compiled for a processor with {features}, which this machine lacks"),
            format_args!("a processor without {features}"),
            format_args!("needs {features}"),
            &[("features", features)],
        );
    }
    let (ours, theirs) = (Calling::of(found.plugin), Calling::of(host.api));
    if ours != theirs {
        found.add(
            (Code::AbiSettings, Side::Plugin),
            format_args!(
                "the plugin was compiled with a target feature that changes how functions are called"
            ),
            format_args!("{theirs}"),
            format_args!("{ours}"),
            &[("setting", &"`target-feature`")],
        );
    }
}

/// Which of [`CALLING`] a product was compiled with: what the target has anyway doesn't count.
#[derive(PartialEq, Eq)]
struct Calling([bool; CALLING.len()]);

impl Calling {
    #[inline(never)]
    fn of(manifest: &Manifest) -> Calling {
        let mut set = [false; CALLING.len()];
        for entry in manifest.cpu_features.iter().map(|entry| entry.trim()) {
            for (is_set, unusual) in set.iter_mut().zip(CALLING) {
                // A name without a sign is one that is switched on.
                *is_set |= entry == unusual || unusual.strip_prefix('+') == Some(entry);
            }
        }
        Calling(set)
    }
}

impl fmt::Display for Calling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "target-feature=";
        for (_, name) in self.0.iter().zip(CALLING).filter(|(is_set, _)| **is_set) {
            f.write_str(before)?;
            f.write_str(name)?;
            before = ", ";
        }
        if self.0.contains(&true) { Ok(()) } else { f.write_str("target-feature as usual") }
    }
}
