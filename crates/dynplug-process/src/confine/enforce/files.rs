//! Files, by Landlock: which can be read, and that none can be written. Since Landlock can, network and signals too, which the
//! filter of system calls refuses as well.

use super::EnforceError;
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, PathBeneath, PathFd,
    PathFdError, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus,
    Scope,
};
use std::{fs, path::Path};

/// Where the loader finds libraries, and its list of what is there. What isn't on this system is left out.
const LIBRARIES: [&str; 7] =
    ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store", "/etc/ld.so.cache"];

/// Opens the files that may be read. `None` is none at all, not even libraries.
pub(super) fn rules<'a>(
    read: Option<impl IntoIterator<Item = &'a Path>>,
) -> Result<Result<RulesetCreated, String>, EnforceError> {
    let ruleset = match handled() {
        Ok(ruleset) => ruleset,
        Err(error) => return Ok(Err(why(&error))),
    };
    let Some(read) = read else { return Ok(Ok(ruleset)) };
    let libraries = LIBRARIES.iter().map(Path::new).filter(|path| path.exists());
    let listed = read.into_iter().chain(libraries);
    let mut ruleset = ruleset;
    for path in listed {
        let unreadable = |source| EnforceError::Path { path: path.into(), source };
        let folder = fs::metadata(path).map_err(unreadable)?.is_dir();
        let file = PathFd::new(path).map_err(|error| match error {
            PathFdError::OpenCall { source, .. } => unreadable(source),
            other => unreadable(std::io::Error::other(other)),
        })?;
        let access = if folder { AccessFs::ReadFile | AccessFs::ReadDir } else { AccessFs::ReadFile.into() };
        ruleset = match ruleset.add_rule(PathBeneath::new(file, access)) {
            Ok(ruleset) => ruleset,
            Err(error) => return Ok(Err(why(&error))),
        };
    }
    Ok(Ok(ruleset))
}

/// All that this kernel can refuse, and at least what the first Landlock could. What it couldn't yet, the filter of system calls
/// refuses: truncating by name, control of devices, network, signals.
fn handled() -> Result<RulesetCreated, RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V5))?
        .handle_access(AccessNet::from_all(ABI::V5))?
        .scope(Scope::from_all(ABI::V6))?
        .create()
}

/// Puts it in force for the calling thread and those that it starts.
pub(super) fn here(ruleset: RulesetCreated) -> Result<(), String> {
    let status = ruleset.restrict_self().map_err(|error| why(&error))?;
    match (status.ruleset, status.landlock) {
        (RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced, _) => Ok(()),
        (_, LandlockStatus::NotEnabled) => Err("Landlock isn't switched on in this kernel".into()),
        _ => Err("this kernel has no Landlock, which came with Linux 5.13".into()),
    }
}

fn why(error: &RulesetError) -> String {
    format!("Landlock: {error}")
}
