//! Settings of a profile that can't work with a shared API library: they are overridden, and that is said.

use crate::diagnostic::Diagnostic;
use std::path::Path;
use toml::Table;

/// Environment variables by which cargo is told otherwise.
pub fn overrides(profile: &str) -> Vec<(String, String)> {
    let name = profile.to_uppercase().replace('-', "_");
    vec![
        (format!("CARGO_PROFILE_{name}_LTO"), "false".to_owned()),
        (format!("CARGO_PROFILE_{name}_PANIC"), "unwind".to_owned()),
    ]
}

/// What is overridden of the wishes in the workspace's Cargo.toml and in the rustflags, a line each.
pub fn notices(profile: &str, manifest: &Path, rustflags: &[String]) -> Vec<Diagnostic> {
    let text = std::fs::read_to_string(manifest).unwrap_or_default();
    // cargo has read the file already and found it good; if it is gone by now there is nothing to say.
    let table: Table = text.parse().unwrap_or_default();
    let mut notices = Vec::new();
    if let Some(lto) = wish(&table, profile, "lto").filter(|w| !matches!(w.as_str(), "false" | "off")) {
        notices.push(lto_notice(&format!("`lto = {}` in the profile `{profile}`", quoted(&lto))));
    } else if rustflags.iter().any(|f| f.starts_with("lto=") || f.starts_with("-Clto")) {
        notices.push(lto_notice("`-C lto` in the rustflags"));
    }
    if let Some(panic) = wish(&table, profile, "panic").filter(|w| w != "unwind") {
        notices.push(panic_notice(&format!("`panic = \"{panic}\"` in the profile `{profile}`")));
    } else if rustflags.iter().any(|f| f.ends_with("panic=abort")) {
        notices.push(panic_notice("`-C panic=abort` in the rustflags"));
    }
    notices
}

fn quoted(value: &str) -> String {
    if value == "true" { value.to_owned() } else { format!("\"{value}\"") }
}

fn lto_notice(what: &str) -> Diagnostic {
    Diagnostic::note_only(
        "lto-overridden",
        format!("{what} is not used: code that is shared can't be optimised into one program"),
    )
}

fn panic_notice(what: &str) -> Diagnostic {
    Diagnostic::note_only(
        "panic-overridden",
        format!("{what} is not used: panics unwind, so that a host can outlive a plugin's panic"),
    )
}

/// What a profile says, or the one that it inherits from.
fn wish(manifest: &Table, profile: &str, key: &str) -> Option<String> {
    let mut name = profile.to_owned();
    // A chain longer than this is a cycle, which cargo refuses with its own words.
    for _ in 0..16 {
        let table = manifest.get("profile").and_then(|p| p.get(&name));
        if let Some(value) = table.and_then(|t| t.get(key)) {
            return value.as_str().map(str::to_owned).or_else(|| value.as_bool().map(|b| b.to_string()));
        }
        name = match table.and_then(|t| t.get("inherits")).and_then(|i| i.as_str()) {
            Some(parent) => parent.to_owned(),
            None => return None,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_found_through_inheritance() {
        let table: Table = "[profile.release]\nlto = true\npanic = 'abort'\n[profile.dist]\ninherits = 'release'\nlto = 'thin'\n[profile.a]\ninherits='b'\n[profile.b]\ninherits='a'"
            .parse()
            .unwrap();
        assert_eq!(wish(&table, "dist", "lto").as_deref(), Some("thin"));
        assert_eq!(wish(&table, "dist", "panic").as_deref(), Some("abort"));
        assert_eq!(wish(&table, "release", "lto").as_deref(), Some("true"));
        assert_eq!(wish(&table, "dev", "lto"), None);
        assert_eq!(wish(&table, "a", "lto"), None);
    }

    #[test]
    fn custom_profiles_have_their_own_variables() {
        assert_eq!(overrides("my-dist")[0].0, "CARGO_PROFILE_MY_DIST_LTO");
    }
}
