//! What of a plugin's build is compiled, and what the SDK stands for instead. cargo asks for every crate below the
//! plugin; most are in the API library, and what only those need is neither compiled nor run.

use super::invocation::Invocation;
use crate::diagnostic::Result;
use crate::plan::{Plan, missing_features};
use crate::sdk::{Held, Sdk};
use crate::unit::Unit;
use std::path::Path;

/// What is done in place of a compilation.
pub(super) enum Instead<'a> {
    /// Dependents use this crate of the SDK.
    Shared(Held<'a>),
    /// Nobody needs it.
    Nothing,
    /// The script of a package that isn't compiled repeats what it said when the SDK was made.
    Replay,
}

/// Says what is done in place of this compilation; none if it is done.
///
/// # Errors
/// When the crate is shared and wanted with features that the API library doesn't have. The plan has found that before
/// cargo was called, unless cargo unites features otherwise than the plan.
pub(super) fn of<'a>(
    call: &Invocation,
    unit: Unit,
    package_dir: &Path,
    plan: &Plan,
    sdk: &'a Sdk,
    title: &str,
) -> Result<Option<Instead<'a>>> {
    let runs = plan.host_side.contains(package_dir);
    let is_private = plan.private.contains(package_dir);
    if call.has_word("--test") {
        return Ok(None);
    }
    if call.is_of_std() {
        return Ok(of_std(call, &unit, sdk));
    }
    if call.crate_types().contains(&"bin") {
        let is_script = !call.is_for_target();
        return Ok((is_script && !runs && !is_private).then_some(Instead::Replay));
    }
    let compiled = if call.is_for_target() { is_private } else { runs };
    let kept_out = || (!compiled).then_some(Instead::Nothing);
    // A library of the machine that compiles is none of the shared crates, whatever its name.
    if !call.is_for_target() && !unit.proc_macro {
        return Ok(kept_out());
    }
    let Some(source) = plan.shared.get(package_dir).filter(|_| !is_private) else {
        return Ok(kept_out());
    };
    let wanted = Unit { source: source.clone(), ..unit };
    let Some(held) = sdk.find(&wanted) else { return Ok(kept_out()) };
    let missing: Vec<String> = (wanted.features.iter())
        .filter(|f| *f != "default" && !held.unit.features.contains(f))
        .cloned()
        .collect();
    match (missing.is_empty(), wanted.proc_macro) {
        (true, _) => Ok(Some(Instead::Shared(held))),
        // One with more features is compiled for the plugin; the shared crates keep naming the SDK's own.
        (false, true) => Ok(None),
        (false, false) => Err(missing_features(held, &missing, title, None, None).into()),
    }
}

/// The same for std's own crates, which cargo compiles where it is told to.
fn of_std<'a>(call: &Invocation, unit: &Unit, sdk: &'a Sdk) -> Option<Instead<'a>> {
    match (call.crate_types().contains(&"bin"), sdk.find(unit)) {
        (true, _) => Some(Instead::Replay),
        (false, Some(held)) => Some(Instead::Shared(held)),
        // Those that only tests need are compiled on top of the SDK's. Without such a std in the SDK the toolchain's is meant.
        (false, None) => (!sdk.has_std()).then_some(Instead::Nothing),
    }
}
