//! The linker: rustc calls this program in place of the linker for API libraries, hosts and plugins. Here everything
//! that goes into a product is known, so here the identity is made, the manifest is put in, and the product inspected.

mod arguments;
mod checks;
mod description;
mod identity;
mod macho;
mod native;
mod note;
mod pe;
mod records;
mod thread_locals;

use crate::context::{Context, Phase, REPORT_VARIABLE};
use crate::diagnostic::{Diagnostic, Doing, Level, Result, Span};
use crate::files::sha256;
use crate::sdk::{ApiLibrary, Sdk};
use crate::unit::Unit;
use arguments::Arguments;
use checks::Owner;
pub use description::crate_list;
use description::{manifest, reference};
use dynplug_manifest::{Identity, Image, LibraryReference, Manifest, Product};
use native::Native;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the wrapper tells the linker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Link {
    /// What is linked.
    pub role: Role,
    /// The crate.
    pub unit: Unit,
}

/// The kinds of products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// The API library.
    ApiLibrary,
    /// A host's executable.
    Host,
    /// A plugin.
    Plugin,
    /// A library that plugins share among themselves.
    PluginLibrary,
}

/// Runs as the linker. `words` are the arguments after this program's own name. Returns the exit code.
pub fn main(words: Vec<OsString>, link: &str) -> i32 {
    let mut said = Vec::new();
    let outcome = run(words, link, &mut said);
    if let Err(error) = &outcome {
        said.push((**error).clone());
    }
    if let Some(path) = std::env::var_os(REPORT_VARIABLE) {
        let json = serde_json::to_vec(&said).unwrap_or_default();
        if !said.is_empty() && std::fs::write(&path, json).is_err() {
            eprintln!("could not write {}", Path::new(&path).display());
        }
    }
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            1
        }
    }
}

fn run(words: Vec<OsString>, link: &str, said: &mut Vec<Diagnostic>) -> Result<i32> {
    let context = match Context::from_environment() {
        Some(context) => context?,
        None => return Err(Diagnostic::error("system", "the linker was called outside of a build").into()),
    };
    let arguments = Arguments::parse(words)?;
    if link.is_empty() || arguments.output().is_none() {
        return call(&context, &arguments.words);
    }
    let mut link: Link = serde_json::from_str(link).doing("understand what is linked")?;
    let inputs = arguments.inputs(&context, link.role)?;
    link.unit.content = own_content(&link.unit, &inputs)?;
    match link.role {
        Role::ApiLibrary => api_library(&link, &context, arguments, &inputs, said),
        Role::Host => host(&link, &context, arguments, &inputs),
        Role::Plugin => plugin(&link, &context, arguments, &inputs, said),
        Role::PluginLibrary => plugin_library(&link, &context, arguments, &inputs),
    }
}

fn call(context: &Context, words: &[OsString]) -> Result<i32> {
    let program = &context.linker;
    // A long command line goes through a file, as rustc does it.
    let length: usize = words.iter().map(|w| w.len() + 1).sum();
    let mut command = Command::new(program);
    let mut response = None;
    if length > 100_000 {
        response = Some(arguments::response_file(words)?);
    }
    match &response {
        Some(file) => {
            let mut word = OsString::from("@");
            word.push(file.path());
            command.arg(word);
        }
        None => {
            command.args(words);
        }
    }
    let status = command.status().doing(format_args!("run the linker {}", program.display()))?;
    Ok(status.code().unwrap_or(1))
}

fn api_library(
    link: &Link,
    context: &Context,
    arguments: Arguments,
    inputs: &arguments::Inputs,
    said: &mut Vec<Diagnostic>,
) -> Result<i32> {
    let unit = &link.unit;
    let identity = Identity(identity::of(inputs, unit, context, &[])?);
    let soname = soname(unit, identity, context);
    let mut crates = with_native(inputs)?;
    warn_of_unnamed(unit, &crates, context, said)?;
    crates.push(unit.clone());
    let reference = LibraryReference {
        package: unit.package.clone(),
        version: unit.version.clone(),
        crate_name: unit.crate_name.clone(),
        soname,
        identity,
    };
    let list = crate_list(&crates, &[]);
    let manifest = manifest(Product::ApiLibrary, link, context, identity, reference.clone(), list);
    library(&reference, crates, manifest, context, arguments, inputs)
}

/// A library that plugins share among themselves.
fn plugin_library(
    link: &Link,
    context: &Context,
    mut arguments: Arguments,
    inputs: &arguments::Inputs,
) -> Result<i32> {
    let sdk = sdk_of(context)?;
    let needed = below(&sdk, link, context, inputs)?;
    let api = reference(&sdk.description.api)?;
    let libraries = needed.iter().map(|l| reference(&l.description.api)).collect::<Result<Vec<_>>>()?;
    let unit = &link.unit;
    let identities: Vec<Identity> = std::iter::once(&api).chain(&libraries).map(|l| l.identity).collect();
    let identity = Identity(identity::of(inputs, unit, context, &identities)?);
    let own = LibraryReference {
        package: unit.package.clone(),
        version: unit.version.clone(),
        crate_name: unit.crate_name.clone(),
        soname: soname(unit, identity, context),
        identity,
    };
    let mut crates = with_native(inputs)?;
    crates.push(unit.clone());
    let list = crate_list(&sdk.description.crates, &crates);
    let with_sdk = sdk.is_external();
    let manifest = Manifest {
        libraries,
        with_sdk,
        ..manifest(Product::PluginLibrary, link, context, identity, api, list)
    };
    bind(&mut arguments, &sdk, context)?;
    library(&own, crates, manifest, context, arguments, inputs)
}

/// The name by which the system's loader knows a library.
fn soname(unit: &Unit, identity: Identity, context: &Context) -> String {
    let (start, ending) = match &context.target {
        target if pe::words(target).is_some() => ("", "dll"),
        target if macho::is_for(target) => ("lib", "dylib"),
        _ => ("lib", "so"),
    };
    format!("{start}{}-{}.{ending}", unit.crate_name, identity.short())
}

/// The crates that go into a library. C code is part of what a crate is; its metadata doesn't see it.
fn with_native(inputs: &arguments::Inputs) -> Result<Vec<Unit>> {
    let mut crates = Vec::new();
    for input in &inputs.crates {
        let native = identity::native_members(&input.file)?;
        let mut unit = input.unit.clone();
        if !native.is_empty() {
            let text = [unit.content.as_bytes(), &native.concat()].concat();
            unit.content = crate::files::hex(&sha256(&text));
        }
        crates.push(unit);
    }
    Ok(crates)
}

/// Links a library that others are compiled against, and notes what is in it.
fn library(
    own: &LibraryReference,
    crates: Vec<Unit>,
    mut manifest: Manifest,
    context: &Context,
    mut arguments: Arguments,
    inputs: &arguments::Inputs,
) -> Result<i32> {
    let native = native::collect(inputs)?;
    let native = native.as_ref();
    let product = manifest.product;
    let code = if let Some(words) = pe::words(&context.target) {
        words.product(&mut arguments, context);
        records::link(&mut manifest, &mut arguments, inputs, |arguments| {
            link_for_windows(words, own, native, arguments, context)
        })?
    } else if macho::is_for(&context.target) {
        macho::name(&mut arguments, &own.soname);
        records::link(&mut manifest, &mut arguments, inputs, |arguments| {
            link_for_macos(native, arguments, context)
        })?
    } else {
        arguments.set_soname(&own.soname);
        records::link(&mut manifest, &mut arguments, inputs, |arguments| {
            link_for_elf(product, native, arguments, context)
        })?
    };
    if code != 0 {
        return Ok(code);
    }
    let output = arguments.output().unwrap_or_default();
    checks::product(&output, &manifest, Some(&own.soname))?;
    let library = ApiLibrary {
        package: own.package.clone(),
        version: own.version.clone(),
        crate_name: own.crate_name.clone(),
        soname: own.soname.clone(),
        identity: own.identity.to_string(),
        file: output,
        crates,
    };
    let json = serde_json::to_vec_pretty(&library).doing("describe the library")?;
    crate::files::write_whole(&description_of(own.identity, context), &json)?;
    Ok(0)
}

/// Links a library whose exports are in a version script.
fn link_for_elf(
    product: Product,
    native: Option<&Native>,
    arguments: &Arguments,
    context: &Context,
) -> Result<i32> {
    let link = |mut words: Vec<OsString>| {
        // Only this library is there when the program starts.
        let _copies = match product {
            Product::ApiLibrary => Some(thread_locals::bind(&mut words)?),
            _ => None,
        };
        call(context, &words)
    };
    let Some(native) = native else { return link(arguments.words.clone()) };
    match link(native.apply(arguments, true)?)? {
        0 => Ok(0),
        // An object that is linked only because of us may want what nobody has.
        _ => link(native.apply(arguments, false)?),
    }
}

/// Links a library whose exports are a list that the linker reads.
fn link_for_macos(native: Option<&Native>, arguments: &Arguments, context: &Context) -> Result<i32> {
    let folder = tempfile::tempdir().doing("make a folder for the linker's arguments")?;
    let link = |all: bool| {
        let mut arguments = Arguments { words: arguments.words.clone() };
        if let Some(native) = native {
            macho::export(&mut arguments, native, all, folder.path())?;
        }
        call(context, &arguments.words)
    };
    match link(true)? {
        // An object that is linked only because of us may want what nobody has.
        code if code != 0 && native.is_some() => link(false),
        code => Ok(code),
    }
}

/// Links a library whose exports are a list.
fn link_for_windows(
    words: pe::Words,
    own: &LibraryReference,
    native: Option<&Native>,
    arguments: &Arguments,
    context: &Context,
) -> Result<i32> {
    let link = |arguments: &Arguments, names: &BTreeSet<String>, asked: bool| {
        let mut arguments = Arguments { words: arguments.words.clone() };
        let _folder = words.library(&mut arguments, &own.soname, names, asked, &own.package)?;
        call(context, &arguments.words)
    };
    let none = BTreeSet::new();
    let Some(native) = native else { return link(arguments, &none, false) };
    if link(arguments, native.names(), true)? == 0 {
        return Ok(0);
    }
    // An object that is linked only because of us may want what nobody has. So only what is needed is exported, which
    // a library tells that was linked without a word of ours.
    let code = link(&pe::with_symbols(arguments), &none, false)?;
    if code != 0 {
        return Ok(code);
    }
    let needed = pe::linked_names(&arguments.output().unwrap_or_default(), native)?;
    link(arguments, &needed, false)
}

/// Where the description of a library with this identity is kept.
fn description_of(identity: Identity, context: &Context) -> PathBuf {
    context.libraries.join(format!("{}-{identity}.json", context.profile))
}

/// Reads what was noted of a library when it was linked, if the file is an API library or one that plugins share.
///
/// # Errors
/// When the description isn't there or is damaged.
pub fn describe(library: &Path, context: &Context) -> Result<Option<ApiLibrary>> {
    let bytes = std::fs::read(library).doing(format_args!("read {}", library.display()))?;
    let manifest = Image::parse(&bytes).ok().and_then(|image| image.manifest().ok().flatten());
    let is_library = |m: &Manifest| matches!(m.product, Product::ApiLibrary | Product::PluginLibrary);
    let Some(manifest) = manifest.filter(is_library) else { return Ok(None) };
    let path = description_of(manifest.id, context);
    let bytes = std::fs::read(&path).doing(format_args!("read {}", path.display()))?;
    let library: ApiLibrary =
        serde_json::from_slice(&bytes).doing(format_args!("understand {}", path.display()))?;
    Ok(Some(library))
}

fn host(link: &Link, context: &Context, mut arguments: Arguments, inputs: &arguments::Inputs) -> Result<i32> {
    let found = inputs.libraries.iter().find_map(|file| {
        let found = describe(file, context).transpose()?;
        // Beside the file that is linked, and not where cargo made it.
        Some(found.map(|library| ApiLibrary { file: file.clone(), ..library }))
    });
    let Some(library) = found.transpose()? else {
        return Err(checks::api_not_named(inputs, link, context).into());
    };
    checks::no_second_std(inputs, link, context)?;
    let owner = Owner(Product::ApiLibrary, &library.package);
    checks::no_shared_names(inputs, &library.file, &owner, link, context)?;
    let shared: Vec<&str> = library.crates.iter().map(|c| c.id.as_str()).collect();
    let mut crates: Vec<Unit> =
        inputs.crates.iter().map(|c| c.unit.clone()).filter(|c| !shared.contains(&c.id.as_str())).collect();
    crates.push(link.unit.clone());
    let reference = reference(&library)?;
    let crates = crate_list(&library.crates, &crates);
    let mut manifest = manifest(Product::Host, link, context, Identity::ZERO, reference, crates);
    let elsewhere = match &context.phase {
        Phase::Hosts { .. } => None,
        // Tests stay where they are made, and what is made for the next build of the library lies there too.
        Phase::Plugin { .. } => library.file.parent(),
    };
    let for_windows = pe::words(&context.target);
    match for_windows {
        // The program's own folder is where the system looks first.
        Some(words) => words.product(&mut arguments, context),
        None if macho::is_for(&context.target) => macho::host(&mut arguments, elsewhere),
        None => {
            let beside = elsewhere.unwrap_or(Path::new("$ORIGIN"));
            // DT_RPATH and not DT_RUNPATH, since the latter gives way to LD_LIBRARY_PATH.
            arguments.words.push("-Wl,--disable-new-dtags".into());
            for word in ["-rpath".as_ref(), beside.as_os_str()] {
                arguments.words.extend(["-Xlinker".into(), word.to_owned()]);
            }
        }
    }
    let code =
        records::link(&mut manifest, &mut arguments, inputs, |arguments| call(context, &arguments.words))?;
    if code == 0 {
        let output = arguments.output().unwrap_or_default();
        checks::product(&output, &manifest, None)?;
        // The headers of other images are in memory with them, and say where their tables are.
        if for_windows.is_none() && !macho::is_for(&context.target) {
            note::fill_in_tables(&output)?;
        }
    }
    Ok(code)
}

fn plugin(
    link: &Link,
    context: &Context,
    mut arguments: Arguments,
    inputs: &arguments::Inputs,
    said: &mut Vec<Diagnostic>,
) -> Result<i32> {
    let sdk = sdk_of(context)?;
    let records = checks::exports(inputs, link)?;
    let needed = below(&sdk, link, context, inputs)?;
    if records == 0 {
        said.push(
            Diagnostic::warning(
                "no-exports",
                format!("the plugin `{}` exports nothing and has no init", link.unit.package),
            )
            .help("mark what hosts are to find with `#[dynplug::export]`"),
        );
    }
    let mut crates: Vec<Unit> = inputs.crates.iter().map(|c| c.unit.clone()).collect();
    crates.push(link.unit.clone());
    let libraries = needed.iter().map(|l| reference(&l.description.api)).collect::<Result<Vec<_>>>()?;
    let id = plugin_id(&crates, &sdk.description.api, &libraries);
    let crates = crate_list(&sdk.description.crates, &crates);
    let api = reference(&sdk.description.api)?;
    let with_sdk = sdk.is_external();
    let mut manifest =
        Manifest { libraries, with_sdk, ..manifest(Product::Plugin, link, context, id, api, crates) };
    // The system's loader takes two libraries of one soname for one.
    arguments.remove_soname();
    bind(&mut arguments, &sdk, context)?;
    let mut _list = None;
    match pe::words(&context.target) {
        Some(words) => {
            words.product(&mut arguments, context);
            _list = Some(words.plugin(&mut arguments, &link.unit.crate_name)?);
        }
        None if macho::is_for(&context.target) => {
            // It has to have a name, which is its own.
            let name = format!("lib{}-{}.dylib", link.unit.crate_name, id.short());
            macho::name(&mut arguments, &name);
        }
        // What the plugin defines is what it uses, whatever names the host and its libraries have.
        None => arguments.words.push("-Wl,-Bsymbolic".into()),
    }
    let code =
        records::link(&mut manifest, &mut arguments, inputs, |arguments| call(context, &arguments.words))?;
    if code == 0 {
        checks::product(&arguments.output().unwrap_or_default(), &manifest, None)?;
    }
    Ok(code)
}

/// What a plugin, or a library of plugins, is compiled against.
fn sdk_of(context: &Context) -> Result<Sdk> {
    match &context.phase {
        Phase::Plugin { sdk, libraries, .. } => Sdk::open_with(sdk, libraries),
        Phase::Hosts { .. } => {
            Err(Diagnostic::error("system", "a plugin is linked outside of a plugin's build").into())
        }
    }
}

/// The libraries of plugins that are linked, after making sure that the API library is too, and that nothing that goes in
/// is a second copy of what these have.
fn below<'a>(
    sdk: &'a Sdk,
    link: &Link,
    context: &Context,
    inputs: &arguments::Inputs,
) -> Result<Vec<&'a Sdk>> {
    if !inputs.libraries.contains(&sdk.library()) {
        return Err(checks::api_not_named(inputs, link, context).into());
    }
    checks::no_second_std(inputs, link, context)?;
    let needed = linked(sdk, inputs)?;
    let api = std::iter::once((sdk, Product::ApiLibrary));
    for (library, product) in api.chain(needed.iter().map(|l| (*l, Product::PluginLibrary))) {
        let owner = Owner(product, &library.description.api.package);
        checks::no_shared_names(inputs, &library.library(), &owner, link, context)?;
    }
    Ok(needed)
}

/// The libraries of plugins that are linked.
fn linked<'a>(sdk: &'a Sdk, inputs: &arguments::Inputs) -> Result<Vec<&'a Sdk>> {
    let mut sonames = Vec::new();
    // By their names: for one that another library needs, rustc may find the file that cargo has of it.
    for file in inputs.libraries.iter().filter(|file| **file != sdk.library()) {
        let bytes = std::fs::read(file).doing(format_args!("read the library {}", file.display()))?;
        sonames.extend(
            Image::parse(&bytes)
                .ok()
                .and_then(|image| image.soname().map(|name| macho::file_name(name).to_owned())),
        );
    }
    Ok(sdk.libraries.iter().filter(|library| sonames.contains(&library.description.api.soname)).collect())
}

/// Options for what a host opens.
fn bind(arguments: &mut Arguments, sdk: &Sdk, context: &Context) -> Result<()> {
    if let Some(words) = pe::words(&context.target) {
        return words.bind(arguments, sdk);
    }
    if macho::is_for(&context.target) {
        macho::bind(arguments, sdk);
        return Ok(());
    }
    // What is missing is an error here, and not at the open.
    arguments.words.push("-Wl,-z,defs".into());
    // Also where nothing of it is used yet: that it fits is said of its API library.
    arguments.words.extend(["-Wl,--no-as-needed".into(), sdk.library().into()]);
    Ok(())
}

/// A hash over what was compiled of the crate that is linked: its expanded source where that was asked for, else its
/// metadata or objects.
fn own_content(unit: &Unit, inputs: &arguments::Inputs) -> Result<String> {
    if let Some(meaning) = &unit.meaning {
        return Ok(meaning.clone());
    }
    let mut parts = Vec::new();
    // The object beside them that names symbols for the linker says nothing more.
    let objects = inputs.objects.iter().filter(|o| o.file_stem().is_none_or(|s| s != "symbols"));
    for file in inputs.metadata.iter().chain(objects) {
        let bytes = std::fs::read(file).doing(format_args!("read {}", file.display()))?;
        parts.push(sha256(&bytes));
    }
    parts.sort_unstable();
    Ok(crate::files::hex(&sha256(&parts.concat())))
}

/// What tells this build of a plugin from any other: what its crates are, and the libraries below.
fn plugin_id(crates: &[Unit], api: &ApiLibrary, libraries: &[LibraryReference]) -> Identity {
    let mut parts: Vec<String> = crates.iter().map(|c| format!("{} {}\n", c.id, c.content)).collect();
    parts.extend(libraries.iter().map(|library| format!("library {}\n", library.identity)));
    parts.sort();
    Identity(sha256(format!("plugin {}\n{}", api.identity, parts.concat()).as_bytes()))
}

/// rustc does not link a crate that the code never names. For the API crate's own dependencies that is seldom meant.
fn warn_of_unnamed(
    unit: &Unit,
    linked: &[Unit],
    context: &Context,
    said: &mut Vec<Diagnostic>,
) -> Result<()> {
    let Phase::Hosts { .. } = context.phase else { return Ok(()) };
    for file in &unit.externs {
        let Some(found) = Unit::beside(file)?.filter(|u| !u.proc_macro && !u.is_of_std()) else { continue };
        if !linked.iter().any(|l| l.id == found.id) {
            said.push(
                Diagnostic {
                    level: Level::Warning,
                    ..Diagnostic::error(
                        "unnamed-dependency",
                        format!("`{}` is a dependency of the API crate, but its code never names it", found.package),
                    )
                }
                .span(checks::own_manifest().and_then(|manifest| {
                    Some(Span::of_dependency(&manifest, &found.package)?.labelled("never named"))
                }))
                .note("rustc leaves out what is never named: the crate is not in the API library, and each plugin gets its own copy")
                .help(format!("to share it, add `pub use {};` to the API crate; otherwise take it out of its Cargo.toml", found.crate_name)),
            );
        }
    }
    Ok(())
}
