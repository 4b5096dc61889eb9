//! Stubs: what cargo is given in place of a crate that the SDK holds. A stub names the SDK's file, so that whoever
//! is given a stub can tell what to use instead.

use super::invocation::Invocation;
use crate::diagnostic::{Doing, Result};
use std::path::{Path, PathBuf};

const MAGIC: &str = "dynplug stub 1\n";
/// Longer than any path that a system takes; what is longer is no stub.
const LONGEST: u64 = 8192;

/// The file that stands behind `path` if it is a stub.
pub fn resolve(path: &Path) -> Option<PathBuf> {
    if path.metadata().ok()?.len() > LONGEST {
        return None;
    }
    let text = std::fs::read(path).ok()?;
    let target = std::str::from_utf8(&text).ok()?.strip_prefix(MAGIC)?;
    Some(PathBuf::from(target.trim_end_matches('\n')))
}

/// Writes everything that cargo expects of `call`, as stubs for `file`. The dependency information names `watched`,
/// so that cargo asks again when one of these changes.
///
/// # Errors
/// When a file can't be written.
pub fn write(call: &Invocation, file: &Path, watched: &[&Path]) -> Result<()> {
    let text = format!("{MAGIC}{}\n", file.display());
    let outputs = outputs(call);
    for output in &outputs {
        // A hard link of cargo's to an earlier output must not be written through.
        let _ = std::fs::remove_file(output);
        std::fs::write(output, &text).doing(format_args!("write {}", output.display()))?;
    }
    write_dependencies(call, &outputs, watched)
}

/// Writes the dependency information of `outputs`, if cargo asks for it: that they are made of `watched` alone.
///
/// # Errors
/// When the file can't be written.
pub(super) fn write_dependencies(call: &Invocation, outputs: &[PathBuf], watched: &[&Path]) -> Result<()> {
    if !call.emits().contains(&"dep-info") {
        return Ok(());
    }
    let escaped: Vec<String> = watched.iter().map(|w| w.display().to_string().replace(' ', "\\ ")).collect();
    let mut lines = String::new();
    for output in outputs {
        lines += &format!("{}: {}\n", output.display(), escaped.join(" "));
    }
    for file in &escaped {
        lines += &format!("{file}:\n");
    }
    let path = call.beside(".d");
    std::fs::write(&path, lines).doing(format_args!("write {}", path.display()))
}

/// Writes stubs for the outputs that a call was not allowed to make, so that cargo finds all it expects.
///
/// # Errors
/// When a file can't be written.
pub fn fill_in(call: &Invocation) -> Result<()> {
    for output in outputs(call).into_iter().filter(|o| !o.exists()) {
        std::fs::write(&output, format!("{MAGIC}\n")).doing(format_args!("write {}", output.display()))?;
    }
    Ok(())
}

/// The files that cargo expects of a library's compilation.
fn outputs(call: &Invocation) -> Vec<PathBuf> {
    let stem = format!("{}{}", call.crate_name().unwrap_or_default(), call.extra_filename());
    let emits = call.emits();
    let mut names = Vec::new();
    if emits.contains(&"metadata") {
        names.push(format!("lib{stem}.rmeta"));
    }
    if emits.contains(&"link") {
        let windows = call.value("--target").is_some_and(|t| t.contains("windows"));
        let apple = call.value("--target").is_some_and(|t| t.contains("apple"));
        for kind in call.crate_types() {
            names.push(match kind {
                "dylib" | "cdylib" | "proc-macro" if windows => format!("{stem}.dll"),
                "dylib" | "cdylib" | "proc-macro" if apple => format!("lib{stem}.dylib"),
                "dylib" | "cdylib" | "proc-macro" => format!("lib{stem}.so"),
                "staticlib" if windows => format!("{stem}.lib"),
                "staticlib" => format!("lib{stem}.a"),
                "bin" => continue,
                _ => format!("lib{stem}.rlib"),
            });
        }
    }
    names.into_iter().map(|n| call.out_dir().join(n)).collect()
}
