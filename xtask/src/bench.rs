//! `cargo xtask bench`: the measurements, which are a workspace of their own so that their many dependencies are nobody
//! else's.

use std::path::Path;
use std::process::Command;

/// Builds the driver and hands the words on.
pub fn main(words: &[String]) -> Result<i32, String> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut cargo = Command::new("cargo");
    cargo
        .args(["run", "--quiet", "--release", "--locked", "--manifest-path"])
        .arg(repository.join("bench/Cargo.toml"));
    cargo.arg("--target-dir").arg(repository.join("target/bench/driver")).arg("--").args(words);
    // What cargo told this program of its own package is not the other's.
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            cargo.env_remove(name);
        }
    }
    let status = cargo.status().map_err(|error| format!("cargo can't be run: {error}"))?;
    Ok(status.code().unwrap_or(1))
}
