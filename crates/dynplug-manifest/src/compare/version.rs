//! Versions in cargo's order.

use std::cmp::Ordering;

/// Which of two versions is older, as cargo has it; what is no version is compared as text.
#[inline(never)]
pub(super) fn by_version(a: &str, b: &str) -> Ordering {
    /// The numbers with dots between them, and the parts of a pre-release.
    fn split(version: &str) -> (&str, &str) {
        let version = version.split('+').next().unwrap_or(version);
        version.split_once('-').unwrap_or((version, ""))
    }
    let ((numbers, pre), (other_numbers, other_pre)) = (split(a), split(b));
    // A release comes after its pre-releases.
    let is_release = |pre: &str| pre.bytes().all(|byte| byte == b'.');
    by_parts(numbers, other_numbers, false)
        .then_with(|| is_release(pre).cmp(&is_release(other_pre)))
        .then_with(|| by_parts(pre, other_pre, true))
        .then_with(|| a.cmp(b))
}

/// Compares parts with dots between them, numbers before words; where words count, what is empty is no part.
#[inline(never)]
fn by_parts(a: &str, b: &str, words: bool) -> Ordering {
    fn parts(text: &str, words: bool) -> impl Iterator<Item = (u64, &str)> {
        let parts = text.split('.').filter(move |part| !words || !part.is_empty());
        parts.map(move |part| (part.parse().unwrap_or(u64::MAX), if words { part } else { "" }))
    }
    parts(a, words).cmp(parts(b, words))
}
