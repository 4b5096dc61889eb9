//! What keeps a plugin from being built with an SDK, said so that its author knows what to change.

use super::features::Features;
use super::is_copied;
use crate::diagnostic::{Diagnostic, Span};
use crate::sdk::{Held, Sdk};
use crate::unit::Unit;
use crate::workspace::Workspace;
use cargo_metadata::{Package, PackageId};

/// A shared crate is wanted with features that the API library has it without. `chain` says who wants the first of them,
/// where that is known, and `by` which package between does; `who` is what is built.
pub fn missing_features(
    held: Held<'_>,
    missing: &[String],
    who: &str,
    chain: Option<&str>,
    by: Option<&Package>,
) -> Diagnostic {
    let Held { unit: held, sdk } = held;
    let api = &sdk.description.api;
    let list = missing.join(", ");
    let (feature, it) = if missing.len() == 1 { ("feature", "it") } else { ("features", "them") };
    let quoted: Vec<String> = missing.iter().map(|m| format!("\"{m}\"")).collect();
    let library = if sdk.of_plugins { "plugin library" } else { "API library" };
    let message = format!(
        "{who} wants `{}` with the {feature} `{list}`, but the {library} has it without",
        held.package
    );
    let have = if held.features.is_empty() { "none".to_owned() } else { held.features.join(", ") };
    let mut d = Diagnostic::error("missing-feature", message);
    if let Some(chain) = chain {
        d = d.note(format!("wanted by: {chain}"));
    }
    d = d
        .note(format!(
            "{} is shared: the {library} of `{}` holds it, with the features {have}",
            held.title(),
            api.package
        ))
        .note("one process has one copy of a shared crate, so its features are the same for all that use it");
    if sdk.is_external() {
        return d
            .help(format!("take the {feature} out of {}", by.map_or_else(|| "what wants it".to_owned(), title_of)))
            .help(format!(
                "or ask the host's authors to enable {it} in their API crate: `{} = {{ version = \"{}\", features = [{}] }}`",
                held.package,
                held.version,
                quoted.join(", ")
            ));
    }
    if held.package == api.package {
        return d.help(format!(
            "enable {it} for the whole build: `--features {}/{}`",
            api.package,
            missing.join(",")
        ));
    }
    // Whoever wants it among the shared crates brings its features along.
    let by_sharing = by.map(|by| {
        format!(
            "or let `{}` depend on `{}` too, which wants {it}: `{} = \"{}\"`",
            api.package, by.name, by.name, by.version
        )
    });
    let d = d.help(format!(
        "enable {it} in the Cargo.toml of `{}`: `{} = {{ version = \"{}\", features = [{}] }}`",
        api.package,
        held.package,
        held.version,
        quoted.join(", ")
    ));
    let d = by_sharing.into_iter().fold(d, Diagnostic::help);
    d.help(format!("or take the {feature} out of {}", by.map_or_else(|| "what wants it".to_owned(), title_of)))
    .help(format!(
        "where only tests want it, put it behind a feature of `{0}` that is on in tests: `cargo dynplug test --features {0}/NAME`",
        api.package
    ))
}

fn title_of(package: &Package) -> String {
    format!("`{}` {}, which wants it", package.name, package.version)
}

/// The plugin's lock file has another compatible version than the host shares.
pub(super) fn other_version(
    workspace: &Workspace,
    sdk: &Sdk,
    plugin: &PackageId,
    id: &PackageId,
    held: &Unit,
    features: &Features<'_>,
) -> Diagnostic {
    let package = &workspace.metadata[id];
    let title = workspace.name(plugin);
    let d = Diagnostic::error(
        "other-version",
        format!(
            "the plugin `{title}` uses `{}` {}, but the host shares {}",
            package.name, package.version, held.version
        ),
    )
    .span(features.declared(id, None))
    .note(format!("used by: {}", chain(workspace, features, id)))
    .note(format!(
        "cargo takes the two for one crate, of which a process has one copy: the one in the API library of `{}`",
        sdk.description.api.package
    ));
    if is_copied(package) {
        return stale(d, sdk);
    }
    let own = format!(
        "a copy of the plugin's own, whose types don't mix with the host's, is had by this in its Cargo.toml:\n[package.metadata.dynplug]\nprivate = [\"{}\"]",
        package.name
    );
    match refuses(workspace, id, held) {
        Some((who, requirement)) => d
            .note(format!(
                "`{who}` asks for `{} = \"{requirement}\"`, which the host's {} doesn't meet",
                package.name, held.version
            ))
            .help(format!("let `{who}` ask for what the host has, or use a version of `{who}` that does"))
            .help(own),
        None => d
            .help(format!("let Cargo.lock have the host's versions: `cargo dynplug sync{}`", sdk_option(sdk)))
            .help(own),
    }
}

/// A crate that the host shares was replaced by another source of the same version.
pub(super) fn other_source(
    workspace: &Workspace,
    sdk: &Sdk,
    plugin: &PackageId,
    id: &PackageId,
    held: &Unit,
    features: &Features<'_>,
) -> Diagnostic {
    let package = &workspace.metadata[id];
    let title = workspace.name(plugin);
    if is_copied(package) {
        let d = Diagnostic::error(
            "other-source",
            format!("the plugin `{title}` has another `{}` than the host", held.title()),
        );
        let d = d.span(features.declared(id, None));
        return stale(d.note(format!("used by: {}", chain(workspace, features, id))), sdk);
    }
    let place = match &package.source {
        Some(source) => source.repr.clone(),
        None => package.manifest_path.parent().map(|p| p.to_string()).unwrap_or_default(),
    };
    let theirs = match held.source.split_once('+') {
        Some(("path", _)) | None => "the host's own workspace".to_owned(),
        _ => held.source.clone(),
    };
    let d = Diagnostic::error(
        "other-source",
        format!("the plugin `{title}` takes `{}` from elsewhere than the host", held.title()),
    )
    .span(patched(workspace, &held.package).or_else(|| features.declared(id, None)))
    .note(format!("have {place}, want {theirs}"))
    .note(format!("used by: {}", chain(workspace, features, id)));
    let d = match sdk.source_package(&held.package, &held.version) {
        Some(packaged) => d.help(format!(
            "depend on the SDK's copy by its path: `{} = {{ path = \"{}\" }}`",
            held.package,
            sdk.folder.join(&packaged.folder).display()
        )),
        None => d.help(format!(
            "take the `[patch]` or the other source of `{}` out of the workspace's Cargo.toml",
            held.package
        )),
    };
    if held.package == sdk.description.api.package {
        return d;
    }
    d.help(format!(
        "or, for a copy of the plugin's own whose types don't mix with the host's:\n[package.metadata.dynplug]\nprivate = [\"{}\"]",
        held.package
    ))
}

/// Where a `[patch]` of the workspace replaces a package.
fn patched(workspace: &Workspace, name: &str) -> Option<Span> {
    let manifest = workspace.metadata.workspace_root.join("Cargo.toml");
    let place = Span::in_manifest(manifest.as_std_path(), &["patch", "crates-io", name])?;
    Some(place.labelled("replaced here"))
}

/// A package came with another SDK than the one that is used now.
fn stale(d: Diagnostic, sdk: &Sdk) -> Diagnostic {
    d.note("it is a copy that came with another SDK").help(format!(
        "bring the SDK's sources in the workspace up to date: `cargo dynplug sync{}`",
        sdk_option(sdk)
    ))
}

/// Who depends on whom, from the plugin to the package, in words.
fn chain(workspace: &Workspace, features: &Features<'_>, id: &PackageId) -> String {
    let titles = features.path(id).into_iter().map(|id| {
        let package = &workspace.metadata[id];
        format!("`{}` {}", package.name, package.version)
    });
    titles.collect::<Vec<_>>().join(" → ")
}

/// Whose requirement the host's version doesn't meet.
fn refuses(workspace: &Workspace, id: &PackageId, held: &Unit) -> Option<(String, String)> {
    let version = cargo_metadata::semver::Version::parse(&held.version).ok()?;
    let metadata = &workspace.metadata;
    let nodes = metadata.resolve.iter().flat_map(|r| &r.nodes);
    nodes.filter(|n| n.deps.iter().any(|d| d.pkg == *id)).find_map(|n| {
        let package = &metadata[&n.id];
        let name = metadata[id].name.as_str();
        let declared = package.dependencies.iter().filter(|d| d.name == name);
        declared
            .filter(|d| d.req.matches(&metadata[id].version) && !d.req.matches(&version))
            .map(|d| (package.name.to_string(), d.req.to_string()))
            .next()
    })
}

/// The option by which the next command finds the SDK, where it wouldn't by itself.
fn sdk_option(sdk: &Sdk) -> String {
    match &sdk.named {
        Some(path) if sdk.by_option => format!(" --sdk {}", path.display()),
        _ => String::new(),
    }
}
