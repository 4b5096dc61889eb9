//! The shared crates one by one: which of them made two builds of an API library, and which only followed.

use super::text::{command_word, printable};
use super::{Difference, Remedies, Side};
use crate::diagnostics::Code;
use crate::manifest::{CrateInfo, Manifest};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a comparison of shared crates found.
#[derive(Default)]
pub(super) struct Causes {
    /// The crates that differ by themselves.
    pub(super) differences: Vec<Difference>,
    /// How many differ only because they depend on others that do.
    dependents: usize,
    /// How many differ at all.
    changed: usize,
    /// Why nothing could be found out, where that is so.
    unlisted: Option<&'static str>,
}

impl Causes {
    /// A clause for the one line that names the identities.
    pub(super) fn summary(&self) -> Option<String> {
        if let Some(side) = self.unlisted {
            return Some(format!("{side} lists no shared crates, so what made the difference can't be told"));
        }
        match (self.differences.len(), self.dependents, self.changed) {
            // Nothing follows from contents that two compilers made.
            (0, 0, 0) => None,
            (0, ..) => {
                Some(format!("{} of its crates differ, and what made them so is not on record", self.changed))
            }
            (_, 0, _) => Some("the cause is named below".to_owned()),
            (_, 1, _) => {
                Some("the cause is named below, and 1 crate that depends on it differs with it".to_owned())
            }
            (_, n, _) => {
                Some(format!("the cause is named below, and {n} crates that depend on it differ with it"))
            }
        }
    }
}

/// Compares the crates of two API libraries whose identities differ. With another compiler or build tool on one side
/// (`one_compiler` false) every crate has other contents, which then says nothing.
pub(super) fn compare(
    host: &Manifest,
    plugin: &Manifest,
    one_compiler: bool,
    remedies: &Remedies<'_>,
) -> Causes {
    let (ours, theirs) = (Shared::of(plugin), Shared::of(host));
    for (crates, side) in [(&ours, "the plugin"), (&theirs, "the host's API library")] {
        if crates.places.is_empty() {
            return Causes { unlisted: Some(side), ..Causes::default() };
        }
    }
    let pairs = Pairs::of(&theirs, &ours);
    let mut causes = Causes::default();
    let mut found = Vec::new();
    let mut settings = Settings::default();
    let mut contents = Vec::new();
    let mut unrecorded = Vec::new();
    for &(host_at, plugin_at) in &pairs.pairs {
        let (Some(theirs), Some(ours)) = (host.crates.get(host_at), plugin.crates.get(plugin_at)) else {
            continue;
        };
        if same(theirs, ours) {
            continue;
        }
        let mut own = one(theirs, ours, remedies, &mut settings);
        let explained = !own.differences.is_empty() || own.settings;
        // That has been told of the API library as a whole.
        let is_api = theirs.package == host.package;
        own.differences.retain(|difference| !(is_api && difference.code == Code::CrateVersion));
        found.extend(own.differences);
        if !one_compiler {
            continue;
        }
        causes.changed += 1;
        if explained {
            continue;
        }
        // Of a crate in a folder, which people edit, the content is a hash of its own source. Of others it is one of
        // the compiled metadata, which changes with the crates below.
        let own_source = theirs.source.starts_with("path") && ours.source.starts_with("path");
        let below = || {
            pairs.below_changed(host, host_at, Role::Host)
                || pairs.below_changed(plugin, plugin_at, Role::Plugin)
        };
        if contents_known(theirs, ours) && theirs.content != ours.content && (own_source || !below()) {
            contents.push(content(theirs, ours, remedies));
        } else {
            causes.dependents += 1;
            if theirs.id == ours.id {
                unrecorded.push((theirs, ours));
            }
        }
    }
    found.extend(pairs.only_host.iter().filter_map(|&at| host.crates.get(at)).map(|info| Difference {
        code: Code::CrateOnlyInHost,
        what: format!(
            "the host shares the crate `{}`, and the plugin does not know it as shared",
            title(info)
        ),
        host: title(info),
        plugin: "not a shared crate".to_owned(),
        side: Side::Either,
        remedy: remedies.of(Code::CrateOnlyInHost, &[("crate", &printable(&info.package))]),
    }));
    found.extend(pairs.only_plugin.iter().filter_map(|&at| plugin.crates.get(at)).map(|info| Difference {
        code: Code::CrateOnlyInPlugin,
        what: format!("the host lacks the crate `{}`, which the plugin needs from it", title(info)),
        host: "not a shared crate".to_owned(),
        plugin: title(info),
        side: Side::Either,
        remedy: remedies.of(Code::CrateOnlyInPlugin, &[("crate", &printable(&info.package))]),
    }));
    found.extend(settings.differences(remedies));
    found.extend(contents);
    if found.is_empty() {
        // All that is left are crates of which only the name is known.
        causes.dependents -= unrecorded.len();
        found.extend(unrecorded.iter().map(|(theirs, ours)| content(theirs, ours, remedies)));
    }
    // The order of the table is the order of telling; within a kind that of the names, as they were paired.
    found.sort_by_key(|difference| difference.code);
    if found.is_empty() && causes.changed == 0 && one_compiler {
        found.push(native(host, plugin, remedies));
    }
    causes.differences = found;
    causes
}

fn native(host: &Manifest, plugin: &Manifest, remedies: &Remedies<'_>) -> Difference {
    Difference {
        code: Code::NativeCode,
        what: "all shared Rust crates are the same, so native code (C, C++, assembly) or the compiler's standard \
               library differs"
            .to_owned(),
        host: format!("build {} of the API library", host.id.short()),
        plugin: format!("compiled against build {}", plugin.api.identity.short()),
        side: Side::Either,
        remedy: remedies.of(Code::NativeCode, &[]),
    }
}

/// A panic that leaves code compiled to abort is undefined behaviour, so this is asked of private crates too, and
/// whatever the identities are.
pub(super) fn panic_strategy(
    host: &Manifest,
    plugin: &Manifest,
    remedies: &Remedies<'_>,
) -> Option<Difference> {
    let api = host.crates.iter().find(|info| info.shared && info.package == host.package)?;
    let theirs = setting(api, "panic").unwrap_or("unwind");
    let other = plugin
        .crates
        .iter()
        .find(|info| !info.shared && setting(info, "panic").unwrap_or("unwind") != theirs)?;
    Some(Difference {
        code: Code::AbiSettings,
        what: format!("the crate `{}` was compiled with another way to panic", title(other)),
        host: format!("panic={}", printable(theirs)),
        plugin: format!("panic={}", printable(setting(other, "panic").unwrap_or("unwind"))),
        side: Side::Plugin,
        remedy: remedies.of(Code::AbiSettings, &[("setting", "`panic`")]),
    })
}

/// The shared crates of a manifest, as indices.
struct Shared<'a> {
    crates: &'a [CrateInfo],
    places: Vec<usize>,
}

impl<'a> Shared<'a> {
    fn of(manifest: &'a Manifest) -> Shared<'a> {
        let crates = &manifest.crates[..];
        let places = crates.iter().enumerate().filter(|(_, info)| info.shared).map(|(at, _)| at).collect();
        Shared { crates, places }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Host,
    Plugin,
}

/// Which crate of the host's is which of the plugin's.
struct Pairs {
    /// In the order of the names.
    pairs: Vec<(usize, usize)>,
    only_host: Vec<usize>,
    only_plugin: Vec<usize>,
    /// For each crate of the host's list whether it is the same on both sides; likewise of the plugin's.
    same_host: Vec<bool>,
    same_plugin: Vec<bool>,
}

impl Pairs {
    /// First those that are alike in everything that names a crate, then those alike in less, since a graph may have
    /// one package in several versions.
    fn of(host: &Shared<'_>, plugin: &Shared<'_>) -> Pairs {
        type Key<'k> = (&'k str, &'k str, &'k str, &'k str, [u8; 16]);
        let stages: [fn(&CrateInfo) -> Key<'_>; 4] = [
            |c| (&c.package, &c.crate_name, &c.version, &c.source, c.id),
            |c| (&c.package, &c.crate_name, &c.version, &c.source, [0; 16]),
            |c| (&c.package, &c.crate_name, &c.version, "", [0; 16]),
            |c| (&c.package, &c.crate_name, "", "", [0; 16]),
        ];
        let mut pairs = Vec::new();
        let mut hosts = sorted(host);
        let mut plugins = sorted(plugin);
        for key in stages {
            let mut waiting: BTreeMap<Key<'_>, VecDeque<usize>> = BTreeMap::new();
            for &at in &plugins {
                if let Some(info) = plugin.crates.get(at) {
                    waiting.entry(key(info)).or_default().push_back(at);
                }
            }
            let mut taken = BTreeSet::new();
            hosts.retain(|&at| {
                let queue = host.crates.get(at).and_then(|info| waiting.get_mut(&key(info)));
                let Some(other) = queue.and_then(VecDeque::pop_front) else { return true };
                pairs.push((at, other));
                taken.insert(other);
                false
            });
            plugins.retain(|at| !taken.contains(at));
        }
        let name = |at: usize| host.crates.get(at).map(|c| (&c.package, &c.version, &c.crate_name));
        pairs.sort_by_key(|&(at, _)| name(at));
        let mut same_host = vec![false; host.crates.len()];
        let mut same_plugin = vec![false; plugin.crates.len()];
        for &(host_at, plugin_at) in &pairs {
            let (Some(theirs), Some(ours)) = (host.crates.get(host_at), plugin.crates.get(plugin_at)) else {
                continue;
            };
            let same = same(theirs, ours);
            for (list, at) in [(&mut same_host, host_at), (&mut same_plugin, plugin_at)] {
                if let Some(place) = list.get_mut(at) {
                    *place = same;
                }
            }
        }
        Pairs { pairs, only_host: hosts, only_plugin: plugins, same_host, same_plugin }
    }

    /// Whether a direct dependency is not the same on both sides. One step is enough: a dependency that differs has
    /// its own cause.
    fn below_changed(&self, manifest: &Manifest, at: usize, role: Role) -> bool {
        let same = if role == Role::Host { &self.same_host } else { &self.same_plugin };
        let below = manifest.crates.get(at).map(|info| &info.dependencies[..]).unwrap_or_default();
        let places = below.iter().filter_map(|&index| usize::try_from(index).ok());
        // An index without a crate, or of a crate that isn't shared, says nothing about the API library.
        let mut shared = places.filter(|&at| manifest.crates.get(at).is_some_and(|info| info.shared));
        shared.any(|below| below != at && same.get(below) == Some(&false))
    }
}

/// The indices in the order of name and version, so that of several versions the lowest meets the lowest.
fn sorted(shared: &Shared<'_>) -> Vec<usize> {
    let mut places = shared.places.clone();
    places.sort_by(|&a, &b| match (shared.crates.get(a), shared.crates.get(b)) {
        (Some(a), Some(b)) => (&a.package, &a.crate_name)
            .cmp(&(&b.package, &b.crate_name))
            .then_with(|| by_version(&a.version, &b.version)),
        _ => a.cmp(&b),
    });
    places
}

/// The id holds name, version, features, settings and the ids below; the content is what was compiled.
pub(super) fn same(a: &CrateInfo, b: &CrateInfo) -> bool {
    a.id == b.id && a.content == b.content && contents_known(a, b)
}

/// Zeros stand for contents that the build didn't learn.
fn contents_known(a: &CrateInfo, b: &CrateInfo) -> bool {
    a.content != [0; 32] && b.content != [0; 32]
}

/// What is to be said of one pair of crates.
struct One {
    differences: Vec<Difference>,
    /// Whether settings differ, which are told for all crates together.
    settings: bool,
}

fn one<'a>(
    theirs: &'a CrateInfo,
    ours: &'a CrateInfo,
    remedies: &Remedies<'_>,
    settings: &mut Settings<'a>,
) -> One {
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
        // Another dependency is another crate in the list, and is told as such.
        dependencies: _,
        settings: own_settings,
    } = theirs;
    let name = printable(package);
    let mut differences = Vec::new();
    if *version != ours.version {
        let older = by_version(&ours.version, version) == Ordering::Less;
        // A package may be there in several versions, and then cargo wants to know which.
        let spec = command_word(&format!("{package}@{}", ours.version));
        differences.push(Difference {
            code: Code::CrateVersion,
            what: format!("the plugin was compiled against another version of the shared crate `{name}`"),
            host: title(theirs),
            plugin: title(ours),
            side: if older { Side::Plugin } else { Side::Either },
            remedy: remedies.of(Code::CrateVersion, &[("spec", &spec), ("version", &command_word(version))]),
        });
    }
    // In which folder a crate lies is each machine's own affair.
    let folders = source.starts_with("path") && ours.source.starts_with("path");
    if *source != ours.source && !folders {
        differences.push(Difference {
            code: Code::CrateSource,
            what: format!("the shared crate `{name}` comes from another place"),
            host: format!("{} from {}", title(theirs), place(source)),
            plugin: format!("{} from {}", title(ours), place(&ours.source)),
            side: Side::Plugin,
            remedy: remedies.of(Code::CrateSource, &[("crate", &name), ("source", &place(source))]),
        });
    }
    differences.extend(compare_features(&name, features, &ours.features, remedies));
    One { differences, settings: settings.compare(own_settings, &ours.settings) }
}

fn compare_features(
    name: &str,
    theirs: &[String],
    ours: &[String],
    remedies: &Remedies<'_>,
) -> Option<Difference> {
    // `default` is a list of others, and has no meaning of its own.
    let set = |features: &'_ [String]| -> BTreeSet<String> {
        features.iter().filter(|feature| *feature != "default").cloned().collect()
    };
    let (theirs, ours) = (set(theirs), set(ours));
    let only = |these: &BTreeSet<String>, those: &BTreeSet<String>| -> Option<String> {
        let names: Vec<String> = these.difference(those).map(|f| format!("`{}`", printable(f))).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    let (missing, extra) = (only(&theirs, &ours), only(&ours, &theirs));
    let list = |set: &BTreeSet<String>, only: &Option<String>| match only {
        Some(only) => format!("has {only} on"),
        None if set.is_empty() => "no features on".to_owned(),
        None => "no feature that the other side lacks".to_owned(),
    };
    let change = match (&missing, &extra) {
        (None, None) => return None,
        (Some(on), None) => format!("switch {on} on in the plugin"),
        (None, Some(off)) => format!("switch {off} off in the plugin, or on in the API crate"),
        (Some(on), Some(off)) => format!("switch {on} on and {off} off in the plugin"),
    };
    Some(Difference {
        code: Code::CrateFeatures,
        what: format!("the shared crate `{name}` has other features"),
        host: list(&theirs, &missing),
        plugin: list(&ours, &extra),
        side: if extra.is_some() { Side::Either } else { Side::Plugin },
        remedy: remedies.of(Code::CrateFeatures, &[("crate", name), ("features", &change)]),
    })
}

fn content(theirs: &CrateInfo, ours: &CrateInfo, remedies: &Remedies<'_>) -> Difference {
    let compiled = |info: &CrateInfo| match info.content {
        content if content == [0; 32] => format!("{}, its contents not on record", title(info)),
        content => format!("{}, contents {}", title(info), crate::Identity(content).short()),
    };
    let name = printable(&theirs.package);
    let what = if contents_known(theirs, ours) {
        format!("the source of the shared crate `{name}` is not the same, though version and features are")
    } else {
        format!("of all shared crates only `{name}` can differ: what was compiled of it is not on record")
    };
    Difference {
        code: Code::CrateContent,
        what,
        host: compiled(theirs),
        plugin: compiled(ours),
        side: Side::Either,
        remedy: remedies.of(Code::CrateContent, &[]),
    }
}

/// Settings in which crates differ: most often one that was set for all of them, so they are told together.
#[derive(Default)]
struct Settings<'a> {
    /// By name and the two values: for how many crates.
    found: BTreeMap<(&'a str, Option<&'a str>, Option<&'a str>), usize>,
}

/// Settings that change how code is called, how panics travel, or which instructions there are.
const ABI: [&str; 3] = ["panic", "target-cpu", "target-feature"];

impl<'a> Settings<'a> {
    /// Whether there is a difference.
    fn compare(&mut self, theirs: &'a [(String, String)], ours: &'a [(String, String)]) -> bool {
        // The last one counts, as it does for rustc.
        let map = |list: &'a [(String, String)]| -> BTreeMap<&'a str, &'a str> {
            list.iter().map(|(name, value)| (&**name, &**value)).collect()
        };
        let (theirs, ours) = (map(theirs), map(ours));
        let mut differ = false;
        for name in theirs.keys().chain(ours.keys()).copied().collect::<BTreeSet<_>>() {
            let values = (theirs.get(name).copied(), ours.get(name).copied());
            if values.0 != values.1 {
                differ = true;
                *self.found.entry((name, values.0, values.1)).or_default() += 1;
            }
        }
        differ
    }

    fn differences(self, remedies: &Remedies<'_>) -> impl Iterator<Item = Difference> {
        self.found.into_iter().map(|((name, theirs, ours), count)| {
            let value = |value: Option<&str>| match value {
                Some(value) => printable(&format!("{name}={value}")),
                None => printable(&format!("{name} not set")),
            };
            let crates =
                if count == 1 { "1 shared crate".to_owned() } else { format!("{count} shared crates") };
            let code = if ABI.contains(&name) { Code::AbiSettings } else { Code::Settings };
            Difference {
                code,
                what: format!("{crates} compiled with another `{}`", printable(name)),
                host: value(theirs),
                plugin: value(ours),
                side: if code == Code::AbiSettings { Side::Plugin } else { Side::Either },
                remedy: remedies.of(code, &[("setting", &format!("`{}`", printable(name)))]),
            }
        })
    }
}

fn setting<'a>(info: &'a CrateInfo, name: &str) -> Option<&'a str> {
    info.settings.iter().rev().find(|(key, _)| key == name).map(|(_, value)| &**value)
}

fn title(info: &CrateInfo) -> String {
    printable(&format!("{} {}", info.package, info.version))
}

/// A source as people speak of it.
fn place(source: &str) -> String {
    match source.split_once('+') {
        Some(("registry" | "sparse", url)) if url.contains("crates.io") => "crates.io".to_owned(),
        Some(("registry", url)) => format!("the registry {}", printable(url)),
        Some(("git", url)) => format!("the repository {}", printable(url)),
        Some(("path", folder)) => format!("the folder {}", printable(folder)),
        _ if source == "path" => "a folder outside the workspace".to_owned(),
        _ if source.is_empty() => "an unknown place".to_owned(),
        _ => printable(source),
    }
}

/// Which of two versions is older, as cargo has it; what is no version is compared as text.
pub(super) fn by_version(a: &str, b: &str) -> Ordering {
    /// The numbers, whether it is a release, and the parts of a pre-release: numbers before words.
    fn parts(version: &str) -> (Vec<u64>, bool, Vec<(u64, &str)>) {
        let version = version.split('+').next().unwrap_or(version);
        let (numbers, pre) = version.split_once('-').unwrap_or((version, ""));
        let number = |part: &str| part.parse().unwrap_or(u64::MAX);
        let pre: Vec<_> = pre.split('.').filter(|p| !p.is_empty()).map(|p| (number(p), p)).collect();
        (numbers.split('.').map(number).collect(), pre.is_empty(), pre)
    }
    parts(a).cmp(&parts(b)).then_with(|| a.cmp(b))
}
