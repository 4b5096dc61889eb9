//! The shared crates one by one: which of them made two builds of an API library, and which only followed.

use super::pairs::{Pairs, below_changed, by_name};
use super::settings::Settings;
use super::text::{Printable, Quoted, Title, Word};
use super::version::by_version;
use super::{Found, Side};
use crate::diagnostics::Code;
use crate::manifest::CrateInfo;
use crate::sorted::{arrange, set, sorted_by};
use std::cmp::Ordering;
use std::fmt;

/// What a comparison of shared crates comes to. `Display` gives a clause for the one line that names the identities.
#[derive(Default)]
pub(super) struct Summary {
    /// How many differences there are of crates that differ by themselves.
    causes: usize,
    /// How many differ only because they depend on others that do.
    dependents: usize,
    /// How many differ at all.
    changed: usize,
    /// Why nothing could be found out, where that is so.
    unlisted: Option<&'static str>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(side) = self.unlisted {
            return write!(f, "; {side} lists no shared crates, so what made the difference can't be told");
        }
        let (dependents, changed) = (self.dependents, self.changed);
        match (self.causes, dependents, changed) {
            // Nothing follows from contents that two compilers made.
            (0, 0, 0) => Ok(()),
            (0, ..) => {
                write!(f, "; {changed} of its crates differ, and what made them so is not on record")
            }
            _ => {
                f.write_str("; the cause is named below")?;
                match dependents {
                    0 => Ok(()),
                    1 => f.write_str(", and 1 crate that depends on it differs with it"),
                    _ => write!(f, ", and {dependents} crates that depend on it differ with it"),
                }
            }
        }
    }
}

/// Compares the crates of two API libraries whose identities differ. With another compiler or build tool on one side
/// (`one_compiler` false) every crate has other contents, which then says nothing.
pub(super) fn compare(found: &mut Found<'_>, one_compiler: bool) -> Summary {
    let (host, plugin) = (found.host, found.plugin);
    let (ours, theirs) = (by_name(plugin), by_name(host));
    for (crates, side) in [(&ours, "the plugin"), (&theirs, "the host's API library")] {
        if crates.is_empty() {
            return Summary { unlisted: Some(side), ..Summary::default() };
        }
    }
    let pairs = Pairs::of(host, theirs, plugin, ours);
    let mut summary = Summary::default();
    let mut settings = Settings::default();
    let mut causes = Vec::new();
    let mut unrecorded = Vec::new();
    for pair in &pairs.pairs {
        let Some((theirs, ours)) = pair.crates(host, plugin) else { continue };
        if same(theirs, ours) {
            continue;
        }
        let explained = one(found, theirs, ours);
        let set = settings.compare(&theirs.settings, &ours.settings);
        if !one_compiler {
            continue;
        }
        summary.changed += 1;
        if explained {
            continue;
        }
        let edited = edited(theirs, ours);
        if set {
            // What other settings make of a crate says nothing of its source, unless that is known.
            if edited == Some(true) {
                causes.push((theirs, ours, Cause::Edited));
            }
            continue;
        }
        // Of a crate in a folder, which people edit, the content is a hash of its own source. Of others it is one of
        // the compiled metadata, which changes with the crates below.
        let own_source = theirs.source.starts_with("path") && ours.source.starts_with("path");
        let below = || {
            below_changed(host, theirs, &pairs.same_host) || below_changed(plugin, ours, &pairs.same_plugin)
        };
        if contents_known(theirs, ours) && theirs.content != ours.content && (own_source || !below()) {
            causes.push((theirs, ours, if edited == Some(false) { Cause::Built } else { Cause::Edited }));
        } else {
            summary.dependents += 1;
            if theirs.id == ours.id {
                unrecorded.push((theirs, ours, Cause::Unrecorded));
            }
        }
    }
    for info in pairs.only_host.iter().filter_map(|&at| host.crates.get(at)) {
        only_one_side(found, info, Code::CrateOnlyInHost);
    }
    for info in pairs.only_plugin.iter().filter_map(|&at| plugin.crates.get(at)) {
        only_one_side(found, info, Code::CrateOnlyInPlugin);
    }
    settings.tell(found);
    if found.differences.is_empty() && causes.is_empty() {
        // All that is left are crates of which only the name is known.
        summary.dependents -= unrecorded.len();
        causes = unrecorded;
    }
    for (theirs, ours, cause) in causes {
        content(found, theirs, ours, cause);
    }
    // The order of the table is the order of telling; within a kind that of the names, as they were paired.
    let order = sorted_by(&found.differences, |a, b| a.code.cmp(&b.code));
    arrange(&mut found.differences, order);
    if found.differences.is_empty() && summary.changed == 0 && one_compiler {
        native(found);
    }
    summary.causes = found.differences.len();
    summary
}

fn native(found: &mut Found<'_>) {
    let (host, plugin) = (found.host.id, found.plugin.api.identity);
    found.add(
        (Code::NativeCode, Side::Either),
        format_args!(
            "all shared Rust crates are the same, so native code (C, C++, assembly) or the compiler's standard \
             library differs"
        ),
        format_args!("build {} of the API library", host.short()),
        format_args!("compiled against build {}", plugin.short()),
        &[],
    );
}

fn only_one_side(found: &mut Found<'_>, info: &CrateInfo, code: Code) {
    let title: &dyn fmt::Display = &Title(info);
    let lacks: &dyn fmt::Display = &"not a shared crate";
    let before = match code {
        Code::CrateOnlyInHost => "the host shares the crate",
        _ => "the host lacks the crate",
    };
    let (after, host, plugin) = match code {
        Code::CrateOnlyInHost => ("and the plugin does not know it as shared", title, lacks),
        _ => ("which the plugin needs from it", lacks, title),
    };
    found.add(
        (code, Side::Either),
        format_args!("{before} `{title}`, {after}"),
        format_args!("{host}"),
        format_args!("{plugin}"),
        &[("crate", &Printable(&info.package))],
    );
}

/// The id holds name, version, features, settings and the ids below; the content is what was compiled.
#[inline(never)]
pub(super) fn same(a: &CrateInfo, b: &CrateInfo) -> bool {
    a.id == b.id && a.content == b.content && contents_known(a, b)
}

/// Zeros stand for contents that the build didn't learn.
fn contents_known(a: &CrateInfo, b: &CrateInfo) -> bool {
    a.content != [0; 32] && b.content != [0; 32]
}

/// What is to be said of one pair of crates, and whether there is anything. Settings are told for all together.
#[inline(never)]
fn one(found: &mut Found<'_>, theirs: &CrateInfo, ours: &CrateInfo) -> bool {
    // Named one by one, so that a new field does not compile until somebody decides whether it matters.
    let CrateInfo {
        package,
        version,
        // By this the crates were paired.
        crate_name: _,
        source,
        features,
        shared: _,
        // Both compared by the caller: they say that something differs, and not what.
        id: _,
        content: _,
        code: _,
        // Another dependency is another crate in the list, and is told as such.
        dependencies: _,
        // Compared by the caller too.
        settings: _,
    } = theirs;
    let name = Printable(package);
    let mut differs = false;
    if *version != ours.version {
        differs = true;
        // Of the API crate that has been told, as of the library as a whole.
        if *package != found.host.package {
            let older = by_version(&ours.version, version) == Ordering::Less;
            found.add(
                (Code::CrateVersion, if older { Side::Plugin } else { Side::Either }),
                format_args!("the plugin was compiled against another version of the shared crate `{name}`"),
                format_args!("{}", Title(theirs)),
                format_args!("{}", Title(ours)),
                &[
                    ("crate", &name),
                    // A package may be there in several versions, and then cargo wants to know which.
                    ("spec", &Word(&format_args!("{package}@{}", ours.version))),
                    ("version", &Word(version)),
                ],
            );
        }
    }
    // In which folder a crate lies is each machine's own affair.
    let folders = source.starts_with("path") && ours.source.starts_with("path");
    if *source != ours.source && !folders {
        differs = true;
        found.add(
            (Code::CrateSource, Side::Plugin),
            format_args!("the shared crate `{name}` comes from another place"),
            format_args!("{} from {}", Title(theirs), Place(source)),
            format_args!("{} from {}", Title(ours), Place(&ours.source)),
            &[("crate", &name), ("source", &Place(source))],
        );
    }
    differs | compare_features(found, &name, features, &ours.features)
}

#[inline(never)]
fn compare_features(found: &mut Found<'_>, name: &Printable<'_>, theirs: &[String], ours: &[String]) -> bool {
    let (theirs, ours) = (features(theirs), features(ours));
    let (missing, extra) = (only(&theirs, &ours), only(&ours, &theirs));
    if missing.is_empty() && extra.is_empty() {
        return false;
    }
    let (missing, extra) = (Features { all: &theirs, only: &missing }, Features { all: &ours, only: &extra });
    let (on, off) = (Quoted(missing.only), Quoted(extra.only));
    let change: &dyn fmt::Display = match (missing.only, extra.only) {
        (_, []) => &format_args!("switch {on} on in the plugin"),
        ([], _) => &format_args!("switch {off} off in the plugin, or on in the API crate"),
        _ => &format_args!("switch {on} on and {off} off in the plugin"),
    };
    found.add(
        (Code::CrateFeatures, if extra.only.is_empty() { Side::Plugin } else { Side::Either }),
        format_args!("the shared crate `{name}` has other features"),
        format_args!("{missing}"),
        format_args!("{extra}"),
        &[("crate", name), ("features", change)],
    );
    true
}

/// The features of a crate on one side, and those of them that are on this side only.
struct Features<'a> {
    all: &'a [&'a str],
    only: &'a [&'a str],
}

impl fmt::Display for Features<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.only, self.all) {
            ([], []) => f.write_str("no features on"),
            ([], _) => f.write_str("no feature that the other side lacks"),
            (only, _) => write!(f, "has {} on", Quoted(only)),
        }
    }
}

#[inline(never)]
fn features(list: &[String]) -> Vec<&str> {
    // `default` is a list of others, and has no meaning of its own.
    let list: Vec<&str> =
        list.iter().map(|feature| &**feature).filter(|feature| *feature != "default").collect();
    set(&list)
}

/// Those of the one set that are not in the other.
#[inline(never)]
fn only<'a>(these: &[&'a str], those: &[&str]) -> Vec<&'a str> {
    these.iter().filter(|name| those.binary_search(name).is_err()).copied().collect()
}

/// Why a crate that is the same by name, version and features was compiled into something else.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// Its source, or what macros and build scripts add to it, is another.
    Edited,
    /// Its source and settings are the same.
    Built,
    /// What was compiled is not on record.
    Unrecorded,
}

/// Whether two crates of one name and version are from other source; nothing where that isn't on record.
fn edited(theirs: &CrateInfo, ours: &CrateInfo) -> Option<bool> {
    if theirs.code != [0; 32] && ours.code != [0; 32] {
        return Some(theirs.code != ours.code);
    }
    // What a registry has under a version, and a repository under a revision, nobody changes.
    let fixed = |source: &str| !source.is_empty() && !source.starts_with("path");
    (fixed(&theirs.source) && theirs.source == ours.source).then_some(false)
}

fn content(found: &mut Found<'_>, theirs: &CrateInfo, ours: &CrateInfo, cause: Cause) {
    let name = Printable(&theirs.package);
    let what: &dyn fmt::Display = match cause {
        Cause::Edited => &format_args!(
            "the source of the shared crate `{name}` is not the same, though version and features are"
        ),
        Cause::Built => &format_args!(
            "the shared crate `{name}` was compiled into something else, from the same source with the same settings"
        ),
        Cause::Unrecorded => &format_args!(
            "of all shared crates only `{name}` can differ: what was compiled of it is not on record"
        ),
    };
    let code = if cause == Cause::Built { Code::CrateBuild } else { Code::CrateContent };
    found.add(
        (code, Side::Either),
        format_args!("{what}"),
        format_args!("{}", Compiled(theirs)),
        format_args!("{}", Compiled(ours)),
        &[],
    );
}

/// A crate and what was compiled of it.
struct Compiled<'a>(&'a CrateInfo);

impl fmt::Display for Compiled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.content {
            content if content == [0; 32] => write!(f, "{}, its contents not on record", Title(self.0)),
            content => write!(f, "{}, contents {}", Title(self.0), crate::Identity(content).short()),
        }
    }
}

/// A source as people speak of it.
struct Place<'a>(&'a str);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As bytes, since the standard library's search for a text is a kilobyte of code.
        let is_crates_io = |url: &str| url.as_bytes().windows(9).any(|part| part == b"crates.io");
        let (before, place) = match self.0.split_once('+') {
            Some(("registry" | "sparse", url)) if is_crates_io(url) => ("crates.io", ""),
            Some(("registry", url)) => ("the registry ", url),
            Some(("git", url)) => ("the repository ", url),
            Some(("path", folder)) => ("the folder ", folder),
            _ if self.0 == "path" => ("a folder outside the workspace", ""),
            _ if self.0.is_empty() => ("an unknown place", ""),
            _ => ("", self.0),
        };
        write!(f, "{before}{}", Printable(&place))
    }
}
