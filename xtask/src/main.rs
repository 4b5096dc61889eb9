//! The chores of this repository: `cargo xtask NAME`.

use std::path::Path;
use std::process::{Command, ExitCode};

/// Each chore by its name, what it is about, and what does it with the words behind the name.
type Chore = fn(&[String]) -> ExitCode;
const ALL: &[(&str, &str, Chore)] =
    &[("bench", "measures dynplug against its peers; see bench/README.md", bench)];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let name = words.first().map_or("", |word| word);
    if let Some((.., chore)) = ALL.iter().find(|(known, ..)| *known == name) {
        return chore(&words[1..]);
    }
    eprintln!("usage: cargo xtask NAME");
    for (name, about, _) in ALL {
        eprintln!("  {name}: {about}");
    }
    ExitCode::from(2)
}

/// `bench` is a workspace of its own, so that its many dependencies are nobody else's.
fn bench(words: &[String]) -> ExitCode {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut cargo = Command::new("cargo");
    cargo
        .args(["run", "--quiet", "--release", "--locked", "--manifest-path"])
        .arg(repository.join("bench/Cargo.toml"));
    cargo.arg("--target-dir").arg(repository.join("target/bench/driver")).arg("--").args(words);
    // What cargo told this program of its own package isn't the other's.
    for (name, _) in std::env::vars_os().filter(|(name, _)| {
        name.to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
    }) {
        cargo.env_remove(name);
    }
    match cargo.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo can't be run: {error}");
            ExitCode::FAILURE
        }
    }
}
