//! The environment of the programs that this one calls. When this program was itself started by cargo (`cargo run`, an
//! alias, a test), variables that cargo set for it must not reach the next cargo.

use std::process::Command;

/// Takes away what an outer cargo left.
pub fn clean(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        let of_a_package =
            ["CARGO_PKG_", "CARGO_BIN_", "CARGO_MANIFEST_", "CARGO_FEATURE_", "CARGO_CFG_", "DYNPLUG_"];
        let single = [
            "CARGO_CRATE_NAME",
            "CARGO_PRIMARY_PACKAGE",
            "CARGO_TARGET_TMPDIR",
            "OUT_DIR",
            "CARGO_MAKEFLAGS",
        ];
        let unwanted = of_a_package.iter().any(|p| name.starts_with(p)) || single.contains(&name);
        if unwanted {
            command.env_remove(name);
        }
    }
}

/// cargo, as the one that called us would have it.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    clean(&mut command);
    command
}
