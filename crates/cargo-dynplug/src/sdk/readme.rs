//! The description of an SDK for people who unpack it.

use super::Description;
use std::fmt::Write;

/// What the SDK is, how it is used, and what it shares: Markdown.
pub fn text(description: &Description) -> String {
    let Description { api, target, rustc, tool, profile, .. } = description;
    let mut text = format!(
        "# SDK for plugins of `{package}` {version}\n\n\
         With this a plugin is built for a host that has the API library `{soname}`, and for no other.\n\n\
         | | |\n|---|---|\n\
         | API crate | `{package}` {version} |\n\
         | identity | `{identity}` |\n\
         | target | `{target}` |\n\
         | profile | `{profile}` |\n\
         | compiler | {rustc} |\n\
         | made by | cargo-dynplug {tool} |\n\n\
         A new plugin:\n\n```console\n$ cargo dynplug new my-plugin --sdk FILE\n```\n\n\
         A plugin that is there already:\n\n```console\n$ cargo dynplug sync --sdk FILE\n$ cargo dynplug build --sdk FILE\n```\n\n\
         ## Shared crates\n\n\
         The host and all plugins have one copy of each of these, in these versions and with these features.\n\n\
         | crate | version | features |\n|---|---|---|\n",
        package = api.package,
        version = api.version,
        soname = api.soname,
        identity = api.identity,
    );
    for unit in &description.crates {
        // Writing into a string does not fail.
        let _ = writeln!(text, "| `{}` | {} | {} |", unit.package, unit.version, unit.features.join(", "));
    }
    if !description.packages.is_empty() {
        text += "\n## Sources\n\nPlugins depend on these by their path, with plain cargo and with editors too.\n\n";
        for package in &description.packages {
            let _ =
                writeln!(text, "- `{}` {}: `{}`", package.name, package.version, package.folder.display());
        }
    }
    text
}
