//! Names of new packages: what else they would be taken for, and what may have been meant.

use super::crate_name;
use crate::diagnostic::Diagnostic;

/// The error that a package can't have this name, since something else has it; `others` are those names.
pub(super) fn taken<'a>(
    name: &str,
    others: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Option<Diagnostic> {
    let same = |other: &str| crate_name(other).eq_ignore_ascii_case(&crate_name(name));
    let ours = ["dynplug", "dynplug-macros", "dynplug-manifest", "dynplug-process", "dynplug-trust"]
        .map(|n| (n, "the crates of the project itself"));
    let (other, whose) = others.into_iter().chain(ours).find(|(other, _)| same(other))?;
    let d = Diagnostic::error("taken", format!("a plugin can't be called `{name}`"))
        .note(format!("`{other}` is among {whose}"))
        .help(format!("give it another name: `--name {}-plugin`", tidied(name)))
        .usage();
    Some(d)
}

/// Adds what may have been meant by a name that cargo doesn't take.
pub(super) fn with_suggestion(error: Diagnostic, name: &str) -> Diagnostic {
    let tidied = tidied(name);
    let meant = if tidied == name { format!("{name}-plugin") } else { tidied };
    error.help(format!(
        "did you mean `{meant}`? The package needn't be called as the folder is: `--name {meant}`"
    ))
}

/// What is nearest to a name and allowed.
fn tidied(name: &str) -> String {
    let mut tidied = String::new();
    for c in name.chars() {
        match c {
            c if c.is_ascii_alphanumeric() || c == '_' => tidied.extend(c.to_lowercase()),
            _ if tidied.ends_with('-') => {}
            _ => tidied.push('-'),
        }
    }
    let tidied = tidied.trim_matches('-');
    match tidied.chars().next() {
        None => "my-plugin".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("plugin-{tidied}"),
        Some(_) => tidied.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_is_a_name_that_cargo_takes() {
        for (name, meant) in [
            ("My Plugin", "my-plugin"),
            ("3d.view", "plugin-3d-view"),
            ("überall", "berall"),
            ("...", "my-plugin"),
            ("fine_name", "fine_name"),
            ("a  --  b", "a-b"),
        ] {
            assert_eq!(tidied(name), meant);
        }
    }

    #[test]
    fn a_name_that_differs_in_dashes_alone_is_taken() {
        let shared = [("tokio-util", "the shared crates")];
        assert!(taken("tokio_util", shared).is_some());
        assert!(taken("dynplug", shared).is_some());
        assert!(taken("tokio-utils", shared).is_none());
    }
}
