//! Whether a plugin fits a host, and if not, everything that differs: the comparison that opening makes, and that
//! tools make without opening.
//!
//! The identity decides. Only when it differs are the crates looked at one by one, to say why.

mod crates;
mod pairs;
mod processor;
mod settings;
mod text;
mod version;

use crate::diagnostics::Code;
use crate::manifest::{CrateInfo, LibraryReference, Manifest, Product};
use crate::sorted::sorted_by;
use std::cmp::Ordering;
use std::fmt;
use std::path::Path;

use crates::Summary;
pub use processor::required_features;
use text::{Printable, Title, Word};

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

/// What was found so far, of this host and this plugin.
struct Found<'a> {
    /// The manifest of the API library in the process.
    host: &'a Manifest,
    plugin: &'a Manifest,
    differences: Vec<Difference>,
}

impl<'a> Found<'a> {
    /// Nothing yet.
    fn new(host: &'a Manifest, plugin: &'a Manifest) -> Found<'a> {
        Found { host, plugin, differences: Vec::new() }
    }

    /// Adds a difference: what differs, what the host has, what the plugin has, and what its remedy is filled with.
    ///
    /// The texts are made here and nowhere else, of pieces that the callers borrow. All of this lies in the API
    /// library of every host, and a `String` made at each of these places would make it several times as large.
    #[inline(never)]
    fn add(
        &mut self,
        (code, side): (Code, Side),
        what: fmt::Arguments<'_>,
        host: fmt::Arguments<'_>,
        plugin: fmt::Arguments<'_>,
        more: &[(&str, &dyn fmt::Display)],
    ) {
        let with_sdk = self.plugin.with_sdk;
        let profile = profile(self.host);
        // With an SDK the plugin's own profile is its own affair.
        let wanted = if with_sdk { self::profile(self.plugin) } else { profile };
        let is_default = wanted == DEFAULT && self::profile(self.plugin) == DEFAULT;
        let options = format_args!(" --profile {}", Word(&wanted));
        let options: &dyn fmt::Display = if is_default { &"" } else { &options };
        let common: [(&str, &dyn fmt::Display); 4] = [
            ("plugin", &Word(&self.plugin.package)),
            ("api", &Word(&self.host.package)),
            ("profile", &Word(&profile)),
            ("options", options),
        ];
        let values: Vec<(&str, String)> =
            common.iter().chain(more).map(|(name, value)| (*name, value.to_string())).collect();
        let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, &**value)).collect();
        self.differences.push(Difference {
            code,
            what: fmt::format(what),
            host: fmt::format(host),
            plugin: fmt::format(plugin),
            side,
            remedy: code.diagnostic().remedy_for(with_sdk, &values),
        });
    }
}

/// The profile that cargo takes where none is named.
const DEFAULT: &str = "dev";

/// With which profile something was built, as cargo's command line has it.
fn profile(manifest: &Manifest) -> &str {
    match &*manifest.profile {
        "" | "debug" | "test" => DEFAULT,
        other => other,
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
        // It decides about the way to repair what differs.
        with_sdk: _,
        // Whether it has lost any is a question to the file.
        records: _,
        // Of these, those that matter are looked at with the processor.
        cpu_features: _,
        // Both are looked at with what is loaded.
        id: _,
        crates: _,
        // Each is proven for itself when it is loaded; what of them matters here are their names.
        libraries: _,
        api,
    } = plugin;
    let mut found = Found::new(host.api, plugin);
    if !is_opened(*product) {
        let article = if *product == Product::ApiLibrary { "an" } else { "a" };
        found.add(
            (Code::NotAPlugin, Side::Plugin),
            format_args!("`{}` is not a plugin", Printable(package)),
            format_args!("opens plugins"),
            format_args!("{article} {product}"),
            &[],
        );
    }
    already_loaded(&mut found, host);
    if target != host.machine.target {
        let wanted = Printable(&host.machine.target);
        found.add(
            (Code::Target, Side::Plugin),
            format_args!("the plugin was compiled for another kind of machine"),
            format_args!("{wanted}"),
            format_args!("{}", Printable(target)),
            &[("target", &wanted)],
        );
    }
    if *rustc != host.api.rustc {
        compiler(&mut found);
    }
    let differs = api.identity != host.api.id;
    // Of two tools that made the same build, nothing follows.
    if differs && *tool != host.api.tool {
        found.add(
            (Code::Tool, Side::Either),
            format_args!("the plugin was built by another version of cargo-dynplug"),
            format_args!("{}", Printable(&host.api.tool)),
            format_args!("{}", Printable(tool)),
            &[("tool", &Word(&host.api.tool))],
        );
    }
    let one_compiler = target == host.machine.target && *rustc == host.api.rustc && *tool == host.api.tool;
    api_library(&mut found, one_compiler);
    processor::compare(&mut found, host);
    settings::panic_strategy(&mut found);
    private_crates(&mut found, host.loaded);
    libraries(&mut found, host, needed);
    found.differences
}

/// Whether a host opens such a product: a plugin, or a library that a plugin brings along.
fn is_opened(product: Product) -> bool {
    matches!(product, Product::Plugin | Product::PluginLibrary)
}

/// C7
fn already_loaded(found: &mut Found<'_>, host: &Host<'_>) {
    let is_it = |l: &&Loaded<'_>| is_opened(l.manifest.product) && l.manifest.id == found.plugin.id;
    let Some(other) = host.loaded.iter().find(is_it) else { return };
    let path = Printable(&other.path.display());
    found.add(
        (Code::AlreadyLoaded, Side::Host),
        format_args!("the same build of `{}` is loaded from another file", Printable(&found.plugin.package)),
        format_args!("loaded from {path}"),
        format_args!("a copy of that file"),
        &[("path", &path)],
    );
}

fn compiler(found: &mut Found<'_>) {
    let (host, plugin) = (&*found.host.rustc, &*found.plugin.rustc);
    // `rustc 1.95.0 (59807616e 2026-04-14)`; of nightlies rustup knows only the day, which is another one.
    let version = host.split(' ').nth(1).unwrap_or_default();
    let toolchain = match version.split_once('-') {
        None => version,
        Some((_, channel)) => channel.split('.').next().unwrap_or(channel),
    };
    let toolchain = Word(&toolchain);
    found.add(
        (Code::Compiler, Side::Either),
        format_args!("the plugin was compiled by another rustc"),
        format_args!("{}", Printable(&host)),
        format_args!("{}", Printable(&plugin)),
        &[
            ("install", &format_args!("rustup toolchain install {toolchain}")),
            ("cargo", &format_args!("cargo +{toolchain}")),
        ],
    );
}

/// The API library that the plugin was compiled against, and that of the host.
fn api_library(found: &mut Found<'_>, one_compiler: bool) {
    let (host, plugin) = (found.host, found.plugin);
    let LibraryReference { package, version, crate_name, soname, identity } = &plugin.api;
    let ours = format_args!("{package} {version}");
    let theirs = format_args!("{} {}", host.package, host.version);
    let (ours, theirs) = (Printable(&ours), Printable(&theirs));
    let other_api = *package != host.package || *crate_name != host.crate_name;
    if other_api {
        let plugin_api = Printable(package);
        found.add(
            (Code::ApiCrate, Side::Either),
            format_args!("the plugin was made for a host whose API crate is `{plugin_api}`"),
            format_args!("{theirs}"),
            format_args!("{ours}"),
            &[("plugin_api", &plugin_api)],
        );
    } else if *version != host.version {
        let older = version::by_version(version, &host.version) == Ordering::Less;
        found.add(
            (Code::ApiVersion, if older { Side::Plugin } else { Side::Either }),
            format_args!("the plugin was compiled against another version of `{}`", Printable(package)),
            format_args!("{theirs}"),
            format_args!("{ours}"),
            &[("version", &Word(&host.version)), ("plugin_version", &Word(version))],
        );
    }
    if *identity == host.id {
        if *soname != host.api.soname {
            found.add(
                (Code::SoName, Side::Plugin),
                format_args!("the plugin looks for the API library under another name"),
                format_args!("{}", Printable(&host.api.soname)),
                format_args!("{}", Printable(soname)),
                &[],
            );
        }
        return;
    }
    let mut causes = Found::new(host, plugin);
    // Two different APIs have no crates that would be worth comparing.
    let mut summary = if other_api { Summary::default() } else { crates::compare(&mut causes, one_compiler) };
    // What a crate's own version explains has been told.
    if *version != host.version && causes.differences.is_empty() {
        summary = Summary::default();
    }
    found.add(
        (Code::Identity, Side::Either),
        format_args!(
            "the plugin was compiled against another build of the API library `{}`{summary}",
            Printable(&host.package)
        ),
        format_args!("{}", host.id),
        format_args!("{identity}"),
        &[],
    );
    found.differences.append(&mut causes.differences);
}

/// No two builds of a crate with one id may meet in a process, nor two copies of a shared one.
fn private_crates(found: &mut Found<'_>, loaded: &[Loaded<'_>]) {
    let (host, plugin) = (found.host, found.plugin);
    // Zeros stand for a crate whose id the build didn't learn, and not for an id.
    let own = |info: &&CrateInfo| !info.shared && info.id != [0; 16];
    let own: Vec<&CrateInfo> = plugin.crates.iter().filter(own).collect();
    let by_id = sorted_by(&own, |a, b| a.id.cmp(&b.id));
    let own = |id: [u8; 16]| {
        let after = by_id.partition_point(|&place| own.get(place).is_some_and(|info| info.id <= id));
        let last = own.get(*by_id.get(after.checked_sub(1)?)?)?;
        (last.id == id).then_some(*last)
    };
    for theirs in host.crates.iter().filter(|c| c.shared) {
        if let Some(ours) = own(theirs.id) {
            clash(found, ours, theirs, &format_args!("the API library `{}`", Printable(&host.package)));
        }
    }
    for other in loaded {
        let Manifest { product, package, id, crates, .. } = other.manifest;
        // A copy of a plugin that is loaded shares all its crates with it, and to say so once is enough.
        if is_opened(*product) && *id == plugin.id {
            continue;
        }
        for theirs in crates.iter().filter(|c| !c.shared) {
            // The same build twice is two copies that are alike, which is what private crates are. Where the
            // contents aren't on record, nothing proves that it is the same.
            if let Some(ours) = own(theirs.id).filter(|ours| !crates::same(ours, theirs)) {
                let (package, path) = (Printable(package), Printable(&other.path.display()));
                clash(found, ours, theirs, &format_args!("the {product} `{package}` ({path})"));
            }
        }
    }
}

/// A private crate of the plugin's that has the id of another in the process.
fn clash(found: &mut Found<'_>, ours: &CrateInfo, theirs: &CrateInfo, owner: &dyn fmt::Display) {
    let (plugin, package) = (Printable(&found.plugin.package), Printable(&ours.package));
    found.add(
        (Code::PrivateCrate, Side::Plugin),
        format_args!(
            "the plugin `{plugin}` and {owner} each have a copy of the crate `{package}`, \
             which the compiler can't tell apart"
        ),
        format_args!("{} in {owner}", Title(theirs)),
        format_args!("{} in the plugin `{plugin}`", Title(ours)),
        &[("crate", &package)],
    );
}

fn libraries(found: &mut Found<'_>, host: &Host<'_>, needed: &[&str]) {
    let Some(is_there) = host.machine.libraries else { return };
    // The API library is in the process under the one name; under the other the identity is what differs.
    let api = [&*found.host.api.soname, &*found.plugin.api.soname];
    // Those that plugins share are looked for beside the plugin.
    let of_plugins = |name: &str| found.plugin.libraries.iter().any(|library| library.soname == name);
    for name in needed.iter().filter(|name| !api.contains(*name) && !of_plugins(name)) {
        if is_there(name) {
            continue;
        }
        let library = Printable(name);
        found.add(
            (Code::Library, Side::Host),
            format_args!("the plugin needs the library `{library}`, which is not on this machine"),
            format_args!("not found"),
            format_args!("{library}"),
            &[("library", &library)],
        );
    }
}
