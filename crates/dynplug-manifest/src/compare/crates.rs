//! The shared crates one by one: which of them made two builds of an API library, and which only followed.

use super::text::{Printable, Quoted, Title, Word};
use super::{Found, Side};
use crate::diagnostics::Code;
use crate::manifest::{CrateInfo, Manifest};
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
    let mut contents = Vec::new();
    let mut unrecorded = Vec::new();
    for pair in &pairs.pairs {
        let Some((theirs, ours)) = pair.crates(host, plugin) else { continue };
        if same(theirs, ours) {
            continue;
        }
        let explained = one(found, theirs, ours) | settings.compare(&theirs.settings, &ours.settings);
        if !one_compiler {
            continue;
        }
        summary.changed += 1;
        if explained {
            continue;
        }
        // Of a crate in a folder, which people edit, the content is a hash of its own source. Of others it is one of
        // the compiled metadata, which changes with the crates below.
        let own_source = theirs.source.starts_with("path") && ours.source.starts_with("path");
        let below = || {
            below_changed(host, theirs, &pairs.same_host) || below_changed(plugin, ours, &pairs.same_plugin)
        };
        if contents_known(theirs, ours) && theirs.content != ours.content && (own_source || !below()) {
            contents.push((theirs, ours));
        } else {
            summary.dependents += 1;
            if theirs.id == ours.id {
                unrecorded.push((theirs, ours));
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
    if found.differences.is_empty() && contents.is_empty() {
        // All that is left are crates of which only the name is known.
        summary.dependents -= unrecorded.len();
        contents = unrecorded;
    }
    for (theirs, ours) in contents {
        content(found, theirs, ours);
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

/// A panic that leaves code compiled to abort is undefined behaviour, so this is asked of private crates too, and
/// whatever the identities are.
pub(super) fn panic_strategy(found: &mut Found<'_>) {
    let (host, plugin) = (found.host, found.plugin);
    let Some(api) = host.crates.iter().find(|info| info.shared && info.package == host.package) else {
        return;
    };
    let theirs = panic_setting(api);
    let other = plugin.crates.iter().find(|info| !info.shared && panic_setting(info) != theirs);
    let Some(other) = other else { return };
    found.add(
        (Code::AbiSettings, Side::Plugin),
        format_args!("the crate `{}` was compiled with another way to panic", Title(other)),
        format_args!("panic={}", Printable(&theirs)),
        format_args!("panic={}", Printable(&panic_setting(other))),
        &[("setting", &"`panic`")],
    );
}

#[inline(never)]
fn panic_setting(info: &CrateInfo) -> &str {
    info.settings.iter().rev().find(|(key, _)| key == "panic").map_or("unwind", |(_, value)| value)
}

/// The shared crates of a manifest, as indices in the order of name and version, so that of several versions the
/// lowest meets the lowest.
#[inline(never)]
fn by_name(manifest: &Manifest) -> Vec<usize> {
    let mut places = sorted_by(&manifest.crates, |a, b| {
        let names = (&a.package, &a.crate_name).cmp(&(&b.package, &b.crate_name));
        names.then_with(|| by_version(&a.version, &b.version))
    });
    places.retain(|&at| manifest.crates.get(at).is_some_and(|info| info.shared));
    places
}

/// A crate of the host's and the plugin's that is the same one, as indices.
struct Pair {
    host: usize,
    plugin: usize,
    /// How much they have in common: 0 is most.
    stage: u8,
}

impl Pair {
    fn crates<'m>(&self, host: &'m Manifest, plugin: &'m Manifest) -> Option<(&'m CrateInfo, &'m CrateInfo)> {
        host.crates.get(self.host).zip(plugin.crates.get(self.plugin))
    }
}

/// Which crate of the host's is which of the plugin's.
struct Pairs {
    /// In the order of the names.
    pairs: Vec<Pair>,
    only_host: Vec<usize>,
    only_plugin: Vec<usize>,
    /// For each crate of the host's list whether it is the same on both sides; likewise of the plugin's.
    same_host: Vec<bool>,
    same_plugin: Vec<bool>,
}

/// Compares what names a crate: in the first stage all of it, in each later one less.
#[inline(never)]
fn names(stage: u8, a: &CrateInfo, b: &CrateInfo) -> Ordering {
    let all = [a.package.cmp(&b.package), a.crate_name.cmp(&b.crate_name)];
    let mut order = all[0].then(all[1]);
    if stage < 3 {
        order = order.then_with(|| a.version.cmp(&b.version));
    }
    if stage < 2 {
        order = order.then_with(|| a.source.cmp(&b.source));
    }
    if stage < 1 {
        order = order.then_with(|| a.id.cmp(&b.id));
    }
    order
}

impl Pairs {
    /// First those that are alike in everything that names a crate, then those alike in less, since a graph may have
    /// one package in several versions.
    fn of(host: &Manifest, mut hosts: Vec<usize>, plugin: &Manifest, mut plugins: Vec<usize>) -> Pairs {
        let (theirs, ours) = (&host.crates[..], &plugin.crates[..]);
        let mut pairs = Vec::new();
        for stage in 0..4 {
            pair(stage, (theirs, &mut hosts), (ours, &mut plugins), &mut pairs);
        }
        let order = sorted_by(&pairs, |a: &Pair, b: &Pair| {
            let name = |pair: &Pair| theirs.get(pair.host).map(|c| (&c.package, &c.version, &c.crate_name));
            name(a).cmp(&name(b)).then(a.stage.cmp(&b.stage)).then(a.host.cmp(&b.host))
        });
        arrange(&mut pairs, order);
        let mut same_host = vec![false; theirs.len()];
        let mut same_plugin = vec![false; ours.len()];
        for pair in &pairs {
            let same = pair.crates(host, plugin).is_some_and(|(theirs, ours)| same(theirs, ours));
            for (list, at) in [(&mut same_host, pair.host), (&mut same_plugin, pair.plugin)] {
                if let Some(place) = list.get_mut(at) {
                    *place = same;
                }
            }
        }
        Pairs { pairs, only_host: hosts, only_plugin: plugins, same_host, same_plugin }
    }
}

/// Some crates of a list in the order of what names them.
#[inline(never)]
fn by_names(stage: u8, crates: &[CrateInfo], places: &[usize]) -> Vec<usize> {
    let order = sorted_by(places, |&a, &b| {
        crates.get(a).zip(crates.get(b)).map_or(Ordering::Equal, |(a, b)| names(stage, a, b))
    });
    order.into_iter().filter_map(|place| places.get(place).copied()).collect()
}

/// Takes the crates that are alike in this stage out of both lists, the first with the first.
#[inline(never)]
fn pair(
    stage: u8,
    (theirs, hosts): (&[CrateInfo], &mut Vec<usize>),
    (ours, plugins): (&[CrateInfo], &mut Vec<usize>),
    pairs: &mut Vec<Pair>,
) {
    let (by_host, by_plugin) = (by_names(stage, theirs, hosts), by_names(stage, ours, plugins));
    let (mut by_host, mut by_plugin) = (&by_host[..], &by_plugin[..]);
    let mut taken = (vec![false; theirs.len()], vec![false; ours.len()]);
    while let ([host, hosts @ ..], [plugin, plugins @ ..]) = (by_host, by_plugin) {
        let (Some(a), Some(b)) = (theirs.get(*host), ours.get(*plugin)) else { break };
        let order = names(stage, a, b);
        if order.is_eq() {
            pairs.push(Pair { host: *host, plugin: *plugin, stage });
            for (taken, at) in [(&mut taken.0, *host), (&mut taken.1, *plugin)] {
                if let Some(taken) = taken.get_mut(at) {
                    *taken = true;
                }
            }
        }
        if order.is_le() {
            by_host = hosts;
        }
        if order.is_ge() {
            by_plugin = plugins;
        }
    }
    for (places, taken) in [(hosts, taken.0), (plugins, taken.1)] {
        places.retain(|&at| taken.get(at) != Some(&true));
    }
}

/// Whether a direct dependency is not the same on both sides. One step is enough: a dependency that differs has its
/// own cause.
#[inline(never)]
fn below_changed(manifest: &Manifest, info: &CrateInfo, same: &[bool]) -> bool {
    info.dependencies.iter().filter_map(|&index| usize::try_from(index).ok()).any(|at| {
        // An index without a crate, or of a crate that isn't shared, says nothing about the API library.
        let Some(below) = manifest.crates.get(at).filter(|below| below.shared) else { return false };
        !std::ptr::eq(below, info) && same.get(at) == Some(&false)
    })
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

fn content(found: &mut Found<'_>, theirs: &CrateInfo, ours: &CrateInfo) {
    let name = Printable(&theirs.package);
    let what: &dyn fmt::Display = if contents_known(theirs, ours) {
        &format_args!(
            "the source of the shared crate `{name}` is not the same, though version and features are"
        )
    } else {
        &format_args!(
            "of all shared crates only `{name}` can differ: what was compiled of it is not on record"
        )
    };
    found.add(
        (Code::CrateContent, Side::Either),
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

/// Settings in which crates differ: most often one that was set for all of them, so they are told together.
#[derive(Default)]
struct Settings<'a> {
    /// One for each crate and setting.
    found: Vec<Setting<'a>>,
}

/// The values that a setting has for a crate, the host's and the plugin's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Setting<'a> {
    name: &'a str,
    theirs: Option<&'a str>,
    ours: Option<&'a str>,
}

/// Settings that change how code is called, how panics travel, or which instructions there are.
const ABI: [&str; 3] = ["panic", "target-cpu", "target-feature"];

impl<'a> Settings<'a> {
    /// Whether there is a difference.
    fn compare(&mut self, theirs: &'a [(String, String)], ours: &'a [(String, String)]) -> bool {
        let all: Vec<&'a (String, String)> = theirs.iter().chain(ours).collect();
        let before = self.found.len();
        let mut setting = Setting::default();
        for at in sorted_by(&all, |a, b| a.0.cmp(&b.0)) {
            let Some((name, value)) = all.get(at) else { continue };
            if setting.name != name {
                self.push(setting);
                setting = Setting { name, ..Setting::default() };
            }
            // The last one counts, as it does for rustc.
            *(if at < theirs.len() { &mut setting.theirs } else { &mut setting.ours }) = Some(value);
        }
        self.push(setting);
        self.found.len() != before
    }

    fn push(&mut self, setting: Setting<'a>) {
        if setting.theirs != setting.ours {
            self.found.push(setting);
        }
    }

    /// Adds one difference for all crates that have the same two values.
    fn tell(&self, found: &mut Found<'_>) {
        let order = sorted_by(&self.found, Ord::cmp);
        let mut count = 0;
        for (n, at) in order.iter().enumerate() {
            let Some(setting) = self.found.get(*at) else { continue };
            count += 1;
            if order.get(n + 1).and_then(|next| self.found.get(*next)) != Some(setting) {
                setting.tell(count, found);
                count = 0;
            }
        }
    }
}

impl Setting<'_> {
    fn tell(self, count: usize, found: &mut Found<'_>) {
        let Setting { name, theirs, ours } = self;
        let plural = if count == 1 { "" } else { "s" };
        let is_abi = ABI.contains(&name);
        let printed = Printable(&name);
        found.add(
            if is_abi { (Code::AbiSettings, Side::Plugin) } else { (Code::Settings, Side::Either) },
            format_args!("{count} shared crate{plural} compiled with another `{printed}`"),
            format_args!("{}", Printable(&Value { name, value: theirs })),
            format_args!("{}", Printable(&Value { name, value: ours })),
            &[("setting", &format_args!("`{printed}`"))],
        );
    }
}

/// What one side has a setting set to.
struct Value<'a> {
    name: &'a str,
    value: Option<&'a str>,
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Some(value) => write!(f, "{}={value}", self.name),
            None => write!(f, "{} not set", self.name),
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

/// Which of two versions is older, as cargo has it; what is no version is compared as text.
#[inline(never)]
pub(super) fn by_version(a: &str, b: &str) -> Ordering {
    /// The numbers with dots between them, and the parts of a pre-release.
    fn split(version: &str) -> (&str, &str) {
        let version = version.split('+').next().unwrap_or(version);
        version.split_once('-').unwrap_or((version, ""))
    }
    let ((numbers, pre), (other_numbers, other_pre)) = (split(a), split(b));
    // A release comes after its pre-releases.
    let is_release = |pre: &str| pre.bytes().all(|byte| byte == b'.');
    by_parts(numbers, other_numbers, false)
        .then_with(|| is_release(pre).cmp(&is_release(other_pre)))
        .then_with(|| by_parts(pre, other_pre, true))
        .then_with(|| a.cmp(b))
}

/// Compares parts with dots between them, numbers before words; where words count, what is empty is no part.
#[inline(never)]
fn by_parts(a: &str, b: &str, words: bool) -> Ordering {
    fn parts(text: &str, words: bool) -> impl Iterator<Item = (u64, &str)> {
        let parts = text.split('.').filter(move |part| !words || !part.is_empty());
        parts.map(move |part| (part.parse().unwrap_or(u64::MAX), if words { part } else { "" }))
    }
    parts(a, words).cmp(parts(b, words))
}
