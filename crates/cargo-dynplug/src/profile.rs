//! Settings of a profile that can't work with a shared API library: they are overridden, and that is said.

use crate::diagnostic::{Diagnostic, Result, Span};
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

/// Says so if nothing has a profile of this name. cargo would not: the variables above make it one.
///
/// # Errors
/// When neither the workspace's Cargo.toml nor cargo's configuration has it.
pub fn check(profile: &str, manifest: &Path, config: &[String]) -> Result<()> {
    const BUILT_IN: [&str; 4] = ["dev", "release", "test", "bench"];
    let variable = format!("CARGO_PROFILE_{}_", profile.to_uppercase().replace('-', "_"));
    let is_set = std::env::vars_os().any(|(name, _)| name.to_string_lossy().starts_with(&variable));
    // What `--config` says may be another file, or anything.
    if BUILT_IN.contains(&profile) || is_set || !config.is_empty() {
        return Ok(());
    }
    let here = std::env::current_dir().unwrap_or_default();
    let files = std::iter::once(manifest.to_owned()).chain(cargo_config2::Walk::new(&here));
    let tables = files.filter_map(|file| std::fs::read_to_string(file).ok()?.parse::<Table>().ok());
    let names: Vec<String> = tables
        .filter_map(|table| Some(table.get("profile")?.as_table()?.keys().cloned().collect::<Vec<_>>()))
        .flatten()
        .collect();
    if names.iter().any(|name| name == profile) {
        return Ok(());
    }
    let all: Vec<&str> = BUILT_IN.into_iter().chain(names.iter().map(String::as_str)).collect();
    Err(Diagnostic::error("unknown-profile", format!("there is no profile `{profile}`"))
        .note(format!("profiles are: {}", all.join(", ")))
        .did_you_mean(profile, all.iter().copied())
        .usage()
        .into())
}

/// What is overridden of the wishes in the workspace's Cargo.toml and in the rustflags, a line each.
pub fn notices(profile: &str, manifest: &Path, rustflags: &[String]) -> Vec<Diagnostic> {
    let text = std::fs::read_to_string(manifest).unwrap_or_default();
    // cargo has read the file already and found it good; if it is gone by now there is nothing to say.
    let table: Table = text.parse().unwrap_or_default();
    let mut notices = Vec::new();
    let place = |owner: &str, key| Span::in_manifest(manifest, &["profile", owner, key]);
    let lto = wish(&table, profile, "lto").filter(|(_, w)| !matches!(w.as_str(), "false" | "off"));
    if let Some((owner, lto)) = lto {
        let notice = lto_notice(&format!("`lto = {}` in the profile `{profile}`", quoted(&lto)));
        notices.push(notice.span(place(&owner, "lto")));
    } else if rustflags.iter().any(|f| f.starts_with("lto=") || f.starts_with("-Clto")) {
        notices.push(lto_notice("`-C lto` in the rustflags"));
    }
    if let Some((owner, panic)) = wish(&table, profile, "panic").filter(|(_, w)| w != "unwind") {
        let notice = panic_notice(&format!("`panic = \"{panic}\"` in the profile `{profile}`"));
        notices.push(notice.span(place(&owner, "panic")));
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

/// What a profile says, or one that it inherits from, with the name of that which says it.
fn wish(manifest: &Table, profile: &str, key: &str) -> Option<(String, String)> {
    let mut name = profile.to_owned();
    // A chain longer than this is a cycle, which cargo refuses with its own words.
    for _ in 0..16 {
        let table = manifest.get("profile").and_then(|p| p.get(&name));
        if let Some(value) = table.and_then(|t| t.get(key)) {
            let value =
                value.as_str().map(str::to_owned).or_else(|| value.as_bool().map(|b| b.to_string()))?;
            return Some((name, value));
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
        let said = |owner: &str, value: &str| Some((owner.to_owned(), value.to_owned()));
        assert_eq!(wish(&table, "dist", "lto"), said("dist", "thin"));
        assert_eq!(wish(&table, "dist", "panic"), said("release", "abort"));
        assert_eq!(wish(&table, "release", "lto"), said("release", "true"));
        assert_eq!(wish(&table, "dev", "lto"), None);
        assert_eq!(wish(&table, "a", "lto"), None);
    }

    #[test]
    fn custom_profiles_have_their_own_variables() {
        assert_eq!(overrides("my-dist")[0].0, "CARGO_PROFILE_MY_DIST_LTO");
    }
}
