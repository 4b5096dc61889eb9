//! The environment of the programs that this one calls. When this program was itself started by cargo (`cargo run`, an
//! alias, a test), variables that cargo set for it must not reach the next cargo.

use std::process::Command;

/// Takes away what this program has set for those that it calls, and what they have set for each other.
pub fn without_ours(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("DYNPLUG_")) {
            command.env_remove(name);
        }
    }
}

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
    // Build scripts and proc macros are no affair of whoever signs.
    command.env_remove(crate::trust::PASSWORD);
    command
}

/// Flags by which C and C++ compilers call folders as rustc does, so that `__FILE__` says nothing of this machine. They
/// are added to what the user has set, in the variable that build scripts look at first.
pub fn native_flags(target: &str, remap: &[(String, String)]) -> Vec<(String, String)> {
    if target.contains("msvc") {
        return Vec::new();
    }
    // The flags are split at blanks by those who read them, unless they are told that quotes count.
    let quoted = remap.iter().any(|(from, _)| from.contains(char::is_whitespace));
    let map = |(from, to): &(String, String)| match quoted {
        true => format!("'-ffile-prefix-map={}={to}'", from.replace('\'', "'\\''")),
        false => format!("-ffile-prefix-map={from}={to}"),
    };
    let maps: Vec<String> = remap.iter().map(map).collect();
    let variables = ["CFLAGS", "CXXFLAGS"].into_iter().map(|name| {
        let first = format!("{name}_{}", target.replace('-', "_"));
        let names = [format!("{name}_{target}"), first.clone(), format!("TARGET_{name}"), name.to_owned()];
        let own = names.iter().find_map(|n| std::env::var(n).ok()).unwrap_or_default();
        (first, format!("{own} {}", maps.join(" ")).trim().to_owned())
    });
    let rule = quoted.then(|| ("CC_SHELL_ESCAPED_FLAGS".to_owned(), "1".to_owned()));
    variables.chain(rule).collect()
}
