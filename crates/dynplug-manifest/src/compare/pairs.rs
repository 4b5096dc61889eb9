//! Which shared crate of the host's is which of the plugin's.

use super::crates::same;
use super::version::by_version;
use crate::manifest::{CrateInfo, Manifest};
use crate::sorted::{arrange, sorted_by};
use std::cmp::Ordering;

/// The shared crates of a manifest, as indices in the order of name and version, so that of several versions the
/// lowest meets the lowest.
#[inline(never)]
pub(super) fn by_name(manifest: &Manifest) -> Vec<usize> {
    let mut places = sorted_by(&manifest.crates, |a, b| {
        let names = (&a.package, &a.crate_name).cmp(&(&b.package, &b.crate_name));
        names.then_with(|| by_version(&a.version, &b.version))
    });
    places.retain(|&at| manifest.crates.get(at).is_some_and(|info| info.shared));
    places
}

/// A crate of the host's and the plugin's that is the same one, as indices.
pub(super) struct Pair {
    host: usize,
    plugin: usize,
    /// How much they have in common: 0 is most.
    stage: u8,
}

impl Pair {
    pub(super) fn crates<'m>(
        &self,
        host: &'m Manifest,
        plugin: &'m Manifest,
    ) -> Option<(&'m CrateInfo, &'m CrateInfo)> {
        host.crates.get(self.host).zip(plugin.crates.get(self.plugin))
    }
}

/// Which crate of the host's is which of the plugin's.
pub(super) struct Pairs {
    /// In the order of the names.
    pub(super) pairs: Vec<Pair>,
    pub(super) only_host: Vec<usize>,
    pub(super) only_plugin: Vec<usize>,
    /// For each crate of the host's list whether it is the same on both sides; likewise of the plugin's.
    pub(super) same_host: Vec<bool>,
    pub(super) same_plugin: Vec<bool>,
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
    pub(super) fn of(
        host: &Manifest,
        mut hosts: Vec<usize>,
        plugin: &Manifest,
        mut plugins: Vec<usize>,
    ) -> Pairs {
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
pub(super) fn by_names(stage: u8, crates: &[CrateInfo], places: &[usize]) -> Vec<usize> {
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
pub(super) fn below_changed(manifest: &Manifest, info: &CrateInfo, same: &[bool]) -> bool {
    info.dependencies.iter().filter_map(|&index| usize::try_from(index).ok()).any(|at| {
        // An index without a crate, or of a crate that isn't shared, says nothing about the API library.
        let Some(below) = manifest.crates.get(at).filter(|below| below.shared) else { return false };
        !std::ptr::eq(below, info) && same.get(at) == Some(&false)
    })
}
