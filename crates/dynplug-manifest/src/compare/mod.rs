//! Whether a plugin fits a host, and if not, everything that differs: the comparison that opening makes, and that
//! tools make without opening.
//!
//! The identity decides. Only when it differs are the crates looked at one by one, to say why.

mod crates;
mod processor;
mod text;

use crate::diagnostics::Code;
use crate::manifest::{ApiReference, CrateInfo, Manifest, Product};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;

pub use processor::required_features;
use text::{command_word, printable};

/// The process that is to open a plugin.
#[derive(Clone, Copy)]
pub struct Host<'a> {
    /// The manifest of the API library in the process.
    pub api: &'a Manifest,
    /// The machine.
    pub machine: Machine<'a>,
    /// The modules with private crates that are in the process: plugins, and the host's executable where its
    /// manifest is at hand.
    pub loaded: &'a [Loaded<'a>],
}

/// The machine that a plugin is to run on.
#[derive(Clone, Copy)]
pub struct Machine<'a> {
    /// The target triple that the host was compiled for.
    pub target: &'a str,
    /// Whether the processor has a feature, by rustc's name; `None` when that can't be told. See
    /// [`cpu::has`](crate::cpu::has).
    pub has_feature: &'a dyn Fn(&str) -> Option<bool>,
    /// Whether the system would find a shared library of that name; `None` when that can't be told here.
    pub libraries: Option<&'a dyn Fn(&str) -> bool>,
}

/// A module that is in the process.
#[derive(Debug, Clone, Copy)]
pub struct Loaded<'a> {
    /// Where it was loaded from.
    pub path: &'a Path,
    /// What it says of itself.
    pub manifest: &'a Manifest,
}

/// Who has to change for a difference to go away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The plugin.
    Plugin,
    /// The host, or its machine.
    Host,
    /// One of the two.
    Either,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Side::Plugin => "plugin",
            Side::Host => "host",
            Side::Either => "either",
        })
    }
}

/// One thing in which plugin and host differ.
///
/// Its texts hold no control characters, whatever the manifests do. `Display` gives a block of lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which kind; more about it is in [`diagnostic`](Code::diagnostic).
    pub code: Code,
    /// What differs, in a clause.
    pub what: String,
    /// What the host has.
    pub host: String,
    /// What the plugin has.
    pub plugin: String,
    /// Who has to change.
    pub side: Side,
    /// How.
    pub remedy: String,
}

/// A plugin that does not fit, with all the reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The plugin's package.
    pub plugin: String,
    /// The version of that package.
    pub version: String,
    /// What differs, the most telling first.
    pub differences: Vec<Difference>,
}

impl Mismatch {
    /// The mismatch of a plugin that has these differences; none if there are none.
    pub fn new(plugin: &Manifest, differences: Vec<Difference>) -> Option<Mismatch> {
        (!differences.is_empty()).then(|| Mismatch {
            plugin: plugin.package.clone(),
            version: plugin.version.clone(),
            differences,
        })
    }
}

impl std::error::Error for Mismatch {}

/// What the remedies of the table are filled with.
struct Remedies<'a> {
    plugin: String,
    api: String,
    host: &'a Manifest,
}

impl Remedies<'_> {
    fn of(&self, code: Code, more: &[(&str, &str)]) -> String {
        let profile = match &*self.host.profile {
            "" | "debug" | "test" => "dev".to_owned(),
            name => command_word(name),
        };
        let mut values = vec![("plugin", &*self.plugin), ("api", &*self.api), ("profile", &*profile)];
        values.extend(more);
        code.diagnostic().remedy_for(&values)
    }
}

/// Everything in which a plugin differs from what the host needs it to be, the most telling first; empty when it
/// fits. `needed` are the names of the shared libraries that the plugin's file asks for.
///
/// The work is in proportion to the size of the manifests, up to sorting, and no manifest makes it panic.
pub fn compare(host: &Host<'_>, plugin: &Manifest, needed: &[&str]) -> Vec<Difference> {
    // Named one by one, so that a new field does not compile until somebody decides whether it matters.
    let Manifest {
        product,
        package,
        // The plugin's own version and crate name are its own affair.
        version: _,
        crate_name: _,
        tool,
        rustc,
        target,
        // A plugin may be compiled with another profile than the host; settings that matter are in the crates.
        profile: _,
        cpu_features: _,
        id,
        api,
        crates: _,
    } = plugin;
    let remedies =
        Remedies { plugin: command_word(package), api: command_word(&host.api.package), host: host.api };
    let mut found = Vec::new();

    if *product != Product::Plugin {
        found.push(Difference {
            code: Code::NotAPlugin,
            what: format!("`{}` is not a plugin", printable(package)),
            host: "opens plugins".to_owned(),
            plugin: match product {
                Product::Plugin => "a plugin",
                Product::ApiLibrary => "an API library",
                Product::Host => "a host",
            }
            .to_owned(),
            side: Side::Plugin,
            remedy: remedies.of(Code::NotAPlugin, &[]),
        });
    }
    found.extend(already_loaded(host, plugin, &remedies));
    if target != host.machine.target {
        found.push(Difference {
            code: Code::Target,
            what: "the plugin was compiled for another kind of machine".to_owned(),
            host: printable(host.machine.target),
            plugin: printable(target),
            side: Side::Plugin,
            remedy: remedies.of(Code::Target, &[("target", &printable(host.machine.target))]),
        });
    }
    if *rustc != host.api.rustc {
        found.push(compiler(&host.api.rustc, rustc, &remedies));
    }
    let differs = api.identity != host.api.id;
    // Of two tools that made the same build, nothing follows.
    if differs && *tool != host.api.tool {
        found.push(Difference {
            code: Code::Tool,
            what: "the plugin was built by another version of cargo-dynplug".to_owned(),
            host: printable(&host.api.tool),
            plugin: printable(tool),
            side: Side::Either,
            remedy: remedies.of(Code::Tool, &[("tool", &command_word(&host.api.tool))]),
        });
    }
    let one_compiler = target == host.machine.target && *rustc == host.api.rustc && *tool == host.api.tool;
    found.extend(api_library(host.api, api, plugin, one_compiler, &remedies));
    found.extend(processor::compare(host, plugin, &remedies));
    found.extend(crates::panic_strategy(host.api, plugin, &remedies));
    // A copy of a plugin that is loaded shares all its crates with it, and to say so once is enough.
    found.extend(private_crates(host, plugin, &remedies, *id));
    found.extend(libraries(host, plugin, needed, &remedies));
    found
}

/// C7
fn already_loaded(host: &Host<'_>, plugin: &Manifest, remedies: &Remedies<'_>) -> Option<Difference> {
    let other =
        host.loaded.iter().find(|l| l.manifest.product == Product::Plugin && l.manifest.id == plugin.id)?;
    let path = printable(&other.path.to_string_lossy());
    Some(Difference {
        code: Code::AlreadyLoaded,
        what: format!("the same build of `{}` is loaded from another file", printable(&plugin.package)),
        host: format!("loaded from {path}"),
        plugin: "a copy of that file".to_owned(),
        side: Side::Host,
        remedy: remedies.of(Code::AlreadyLoaded, &[("path", &path)]),
    })
}

fn compiler(host: &str, plugin: &str, remedies: &Remedies<'_>) -> Difference {
    // `rustc 1.95.0 (59807616e 2026-04-14)`; of nightlies rustup knows only the day, which is another one.
    let version = host.split(' ').nth(1).unwrap_or_default();
    let toolchain = match version.split_once('-') {
        None => command_word(version),
        Some((_, channel)) => command_word(channel.split('.').next().unwrap_or(channel)),
    };
    let install = format!("rustup toolchain install {toolchain}");
    let cargo = format!("cargo +{toolchain}");
    Difference {
        code: Code::Compiler,
        what: "the plugin was compiled by another rustc".to_owned(),
        host: printable(host),
        plugin: printable(plugin),
        side: Side::Either,
        remedy: remedies.of(Code::Compiler, &[("install", &install), ("cargo", &cargo)]),
    }
}

/// The API library that the plugin was compiled against, and that of the host.
fn api_library(
    host: &Manifest,
    api: &ApiReference,
    plugin: &Manifest,
    one_compiler: bool,
    remedies: &Remedies<'_>,
) -> Vec<Difference> {
    let ApiReference { package, version, crate_name, soname, identity } = api;
    let titled = |name: &str, version: &str| printable(&format!("{name} {version}"));
    let mut found = Vec::new();
    let other_api = *package != host.package || *crate_name != host.crate_name;
    if other_api {
        let plugin_api = printable(package);
        found.push(Difference {
            code: Code::ApiCrate,
            what: format!("the plugin was made for a host whose API crate is `{plugin_api}`"),
            host: titled(&host.package, &host.version),
            plugin: titled(package, version),
            side: Side::Either,
            remedy: remedies.of(Code::ApiCrate, &[("plugin_api", &plugin_api)]),
        });
    } else if *version != host.version {
        let (have, want) = (command_word(version), command_word(&host.version));
        let older = crates::by_version(version, &host.version) == Ordering::Less;
        found.push(Difference {
            code: Code::ApiVersion,
            what: format!("the plugin was compiled against another version of `{}`", printable(package)),
            host: titled(&host.package, &host.version),
            plugin: titled(package, version),
            side: if older { Side::Plugin } else { Side::Either },
            remedy: remedies.of(Code::ApiVersion, &[("version", &want), ("plugin_version", &have)]),
        });
    }
    if *identity == host.id {
        if *soname != host.api.soname {
            found.push(Difference {
                code: Code::SoName,
                what: "the plugin looks for the API library under another name".to_owned(),
                host: printable(&host.api.soname),
                plugin: printable(soname),
                side: Side::Plugin,
                remedy: remedies.of(Code::SoName, &[]),
            });
        }
        return found;
    }
    // Two different APIs have no crates that would be worth comparing.
    let causes = if other_api {
        crates::Causes::default()
    } else {
        crates::compare(host, plugin, one_compiler, remedies)
    };
    let mut what = format!(
        "the plugin was compiled against another build of the API library `{}`",
        printable(&host.package)
    );
    // What a crate's own version explains has been told.
    let explained = *version != host.version && causes.differences.is_empty();
    if let Some(more) = causes.summary().filter(|_| !explained) {
        what = format!("{what}; {more}");
    }
    found.push(Difference {
        code: Code::Identity,
        what,
        host: host.id.to_string(),
        plugin: identity.to_string(),
        side: Side::Either,
        remedy: remedies.of(Code::Identity, &[]),
    });
    found.extend(causes.differences);
    found
}

/// No two builds of a crate with one id may meet in a process, nor two copies of a shared one.
fn private_crates(
    host: &Host<'_>,
    plugin: &Manifest,
    remedies: &Remedies<'_>,
    id: crate::Identity,
) -> Vec<Difference> {
    let mut own: HashMap<[u8; 16], &CrateInfo> = HashMap::new();
    // Zeros stand for a crate whose id the build didn't learn, and not for an id.
    own.extend(plugin.crates.iter().filter(|c| !c.shared && c.id != [0; 16]).map(|c| (c.id, c)));
    let mut found = Vec::new();
    let mut clash = |ours: &CrateInfo, theirs: &CrateInfo, owner: String| {
        let named = |info: &CrateInfo| printable(&format!("{} {}", info.package, info.version));
        found.push(Difference {
            code: Code::PrivateCrate,
            what: format!(
                "the plugin `{}` and {owner} each have a copy of the crate `{}`, which the compiler can't tell apart",
                printable(&plugin.package),
                printable(&ours.package)
            ),
            host: format!("{} in {owner}", named(theirs)),
            plugin: format!("{} in the plugin `{}`", named(ours), printable(&plugin.package)),
            side: Side::Plugin,
            remedy: remedies.of(Code::PrivateCrate, &[("crate", &printable(&ours.package))]),
        });
    };
    for theirs in host.api.crates.iter().filter(|c| c.shared) {
        if let Some(ours) = own.get(&theirs.id) {
            clash(ours, theirs, format!("the API library `{}`", printable(&host.api.package)));
        }
    }
    for other in host.loaded {
        if other.manifest.product == Product::Plugin && other.manifest.id == id {
            continue;
        }
        for theirs in other.manifest.crates.iter().filter(|c| !c.shared) {
            // The same build twice is two copies that are alike, which is what private crates are. Where the
            // contents aren't on record, nothing proves that it is the same.
            if let Some(ours) = own.get(&theirs.id).filter(|ours| !crates::same(ours, theirs)) {
                let path = other.path.to_string_lossy();
                let Manifest { product, package, .. } = other.manifest;
                clash(ours, theirs, format!("the {product} `{}` ({})", printable(package), printable(&path)));
            }
        }
    }
    found
}

fn libraries<'a>(
    host: &'a Host<'_>,
    plugin: &'a Manifest,
    needed: &'a [&str],
    remedies: &'a Remedies<'_>,
) -> impl Iterator<Item = Difference> + 'a {
    // The API library is in the process under the one name; under the other the identity is what differs.
    let api = [&*host.api.api.soname, &*plugin.api.soname];
    let names = needed.iter().filter(move |name| !api.contains(*name));
    names.filter(|name| host.machine.libraries.is_some_and(|find| !find(name))).map(|name| {
        let library = printable(name);
        Difference {
            code: Code::Library,
            what: format!("the plugin needs the library `{library}`, which is not on this machine"),
            host: "not found".to_owned(),
            plugin: library.clone(),
            side: Side::Host,
            remedy: remedies.of(Code::Library, &[("library", &library)]),
        }
    })
}
