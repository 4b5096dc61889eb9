//! Settings with which the shared crates, and the private ones, were compiled.

use super::text::{Printable, Title};
use super::{Found, Side};
use crate::diagnostics::Code;
use crate::manifest::CrateInfo;
use crate::sorted::sorted_by;
use std::fmt;

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

/// Settings in which crates differ: most often one that was set for all of them, so they are told together.
#[derive(Default)]
pub(super) struct Settings<'a> {
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
    pub(super) fn compare(&mut self, theirs: &'a [(String, String)], ours: &'a [(String, String)]) -> bool {
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
    pub(super) fn tell(&self, found: &mut Found<'_>) {
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
