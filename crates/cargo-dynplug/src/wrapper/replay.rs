//! Build scripts of packages that aren't compiled. cargo runs them all the same; in their place it runs this program,
//! which repeats what the script said to the scripts of dependents when the SDK was made.

use super::invocation::Invocation;
use super::stub;
use crate::context::{Context, Phase};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files;
use crate::sdk::{DESCRIPTION, Sdk};
use std::path::Path;

/// Whether a program of this name, without its ending, is a build script.
fn is_script(name: &str) -> bool {
    name.starts_with("build-script-") || name.starts_with("build_script_")
}

/// The environment variable by which this program learns that it stands for a build script.
#[cfg(unix)]
const REPLAY_VARIABLE: &str = "DYNPLUG_REPLAY";

/// Whether this program was started in the place of a build script.
pub fn is_asked_for(name: Option<&str>) -> bool {
    #[cfg(unix)]
    if std::env::var_os(REPLAY_VARIABLE).is_some() {
        return true;
    }
    name.is_some_and(is_script)
}

/// Puts something that runs this program where cargo expects the compiled script.
///
/// # Errors
/// When a file can't be written.
pub(super) fn write(call: &Invocation, watched: &[&Path]) -> Result<()> {
    let this = std::env::current_exe().doing("find this program")?;
    let ending = std::env::consts::EXE_SUFFIX;
    let script = call.beside(ending);
    put(&this, &script)?;
    stub::write_dependencies(call, &[script], watched)
}

/// A file of its own, and no link: cargo compiles a script anew that is older than what it depends on, and this program is
/// older than everything that is built with it.
#[cfg(unix)]
fn put(this: &Path, script: &Path) -> Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let quoted =
        this.as_os_str().as_bytes().split(|byte| *byte == b'\'').collect::<Vec<_>>().join(&b"'\\''"[..]);
    let before = format!("#!/bin/sh\n{REPLAY_VARIABLE}=1 exec '");
    let text = [before.as_bytes(), &quoted, b"' \"$@\"\n"].concat();
    // One that says the same is replaced too, for its age.
    let what = || format!("write {}", script.display());
    match std::fs::remove_file(script) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).doing(what()),
        _ => files::write_whole(script, &text)?,
    }
    files::open_to_others(script, 0o755);
    Ok(())
}

#[cfg(not(unix))]
fn put(this: &Path, script: &Path) -> Result<()> {
    files::link(this, script)
}

/// Runs as a build script. Returns the exit code.
pub fn main(context: Option<Result<Context>>) -> i32 {
    match run(context) {
        Ok(lines) => {
            print!("{lines}");
            0
        }
        Err(error) => {
            eprintln!("{error}");
            1
        }
    }
}

fn run(context: Option<Result<Context>>) -> Result<String> {
    let Some(context) = context.transpose()? else {
        return Err(Diagnostic::error("system", "a build script was run outside of a build").into());
    };
    let Phase::Plugin { sdk, plan, .. } = &context.phase else {
        return Err(Diagnostic::error("system", "a build script was run outside of a plugin's build").into());
    };
    let sdk = Sdk::open(sdk)?;
    let mut lines = format!("cargo:rerun-if-changed={}\n", sdk.folder.join(DESCRIPTION).display());
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let (name, version) = (variable("CARGO_PKG_NAME"), variable("CARGO_PKG_VERSION"));
    let source = plan.shared.get(Path::new(&variable("CARGO_MANIFEST_DIR")));
    let scripts = sdk.description.scripts.iter();
    let mut own = scripts.filter(|s| s.package == name && s.version == version);
    if let Some(script) = own.find(|s| source.is_none_or(|source| *source == s.source)) {
        lines += &script.lines(&sdk.folder, &context);
    }
    Ok(lines)
}
