//! The rustc wrapper: cargo calls this program in place of rustc. It changes what the design wants changed, and hands
//! everything else through untouched.

mod compile;
pub mod invocation;
mod meaning;
mod naming;
mod stub;

use crate::context::{API_EXTERN_VARIABLE, Context, Package, Phase};
use crate::diagnostic::{Diagnostic, Result};
use crate::linker::{Link, Role};
use crate::sdk::{DESCRIPTION, Sdk};
use crate::source;
use crate::unit::{self, Unit};
use compile::{Compilation, hand_through};
use invocation::{Extern, Invocation};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Runs as `RUSTC_WRAPPER`. `words` are the arguments after this program's own name. Returns the exit code.
pub fn main(words: Vec<OsString>, context: Result<Context>) -> i32 {
    let outcome = context.and_then(|context| {
        let call = Invocation::parse(words)?;
        match call.crate_name() {
            // Build scripts call rustc too, to find out what it can do; cargo names the crate of its own calls.
            Some(name) if std::env::var("CARGO_CRATE_NAME").is_ok_and(|n| n == name) => run(call, &context),
            _ => hand_through(&call, &context),
        }
    });
    match outcome {
        Ok(code) => code,
        Err(diagnostic) => {
            eprintln!("{}", diagnostic.to_rustc_json());
            1
        }
    }
}

fn run(mut call: Invocation, context: &Context) -> Result<i32> {
    let asked = call.clone();
    for (from, to) in &context.remap {
        call.push("--remap-path-prefix", format!("{from}={to}"));
    }
    if let Some(out) = std::env::var_os("OUT_DIR") {
        let name = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
        call.push("--remap-path-prefix", format!("{}=/dynplug/out/{name}", Path::new(&out).display()));
    }
    let package_dir = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let (mut compilation, mut unit) = match &context.phase {
        Phase::Hosts { hosts } => for_hosts(call, context, &package_dir, hosts.contains(&package_dir))?,
        Phase::Plugin { plugin, sdk } => {
            let sdk = Sdk::open(sdk)?;
            if let Some(held) = held(&asked, &Unit::of(&asked, context)?, &sdk, plugin)? {
                stub::write(&asked, &sdk.file(held), &sdk.folder.join(DESCRIPTION))?;
                return Ok(0);
            }
            for_plugin(call, context, plugin, &sdk)?
        }
    };
    if asked.has_word("--test") || asked.crate_types().contains(&"bin") {
        return compilation.run(context);
    }
    let naming = compilation.naming.clone();
    let made = |start: &str, ending: &str| match &naming {
        Some(naming) => naming.made(start, ending),
        None => {
            let name = asked.crate_name().unwrap_or_default();
            asked.out_dir().join(format!("{start}{name}{}{ending}", asked.extra_filename()))
        }
    };
    // Under both names: cargo passes its own, and rustc finds what lies deeper by the other.
    let descriptions = [asked.beside(unit::ENDING), made("", unit::ENDING)];
    // Of what comes from a registry or a repository nobody changes a comment.
    let edited = unit.source.starts_with("path") && context.api_closure.contains(&package_dir);
    let shared = matches!(context.phase, Phase::Hosts { .. }) && (asked.is_for_target() || unit.proc_macro);
    let meaning = if edited && shared { meaning::of(&compilation.call, unit.proc_macro) } else { None };
    unit.meaning = meaning;
    if let Some(link) = &mut compilation.link {
        link.unit.clone_from(&unit);
    }
    unit.write(&descriptions)?;
    let code = compilation.run(context)?;
    if code == 0 {
        stub::fill_in(&asked)?;
        unit.complete(made)?;
        unit.write(&descriptions)?;
    }
    Ok(code)
}

/// The package that asks the processor what it can do. What it is compiled with it would take for granted.
const ASKS_THE_PROCESSOR: &str = "dynplug-manifest";

/// Makes the API library, the crates below it, and hosts.
fn for_hosts(
    mut call: Invocation,
    context: &Context,
    package_dir: &Path,
    is_host: bool,
) -> Result<(Compilation, Unit)> {
    if !call.is_for_target() {
        return plain(call, context);
    }
    // Outputs that were not made, such as the shared half of a crate that is no API crate.
    call.map_externs(|e| Some(e).filter(|e| e.path.as_deref().and_then(stub::resolve).is_none()));
    let is_test = call.has_word("--test");
    let is_library = !is_test && !call.crate_types().contains(&"bin");
    let of_the_api = package_dir == context.api.manifest_dir;
    let is_api = is_library && of_the_api && call.crate_name() == Some(&context.api.crate_name);
    if is_library && !is_api {
        call.set_crate_types(&["lib"]);
    }
    if context.api_closure.contains(package_dir) {
        // Incremental compilation moves the metadata, and with it the identity.
        call.remove_codegen("incremental");
    }
    if std::env::var("CARGO_PKG_NAME").is_ok_and(|n| n == ASKS_THE_PROCESSOR) {
        call.remove_codegen("target-cpu");
        call.remove_codegen("target-feature");
    }
    share(&mut call, context);
    let naming = naming::rename(&mut call, context)?;
    let unit = Unit::of(&call, context)?;
    let role = match (is_api, is_library, is_host || of_the_api) {
        (true, ..) => Some(Role::ApiLibrary),
        (_, false, true) => Some(Role::Host),
        _ => None,
    };
    let link = role.map(|role| Link { role, unit: unit.clone() });
    Ok((Compilation { call, link, naming, environment: Vec::new() }, unit))
}

/// A compilation that ends in nothing of ours.
fn plain(mut call: Invocation, context: &Context) -> Result<(Compilation, Unit)> {
    let naming = naming::rename(&mut call, context)?;
    let unit = Unit::of(&call, context)?;
    Ok((Compilation { call, link: None, naming, environment: Vec::new() }, unit))
}

/// Compiles a plugin or one of its private crates.
fn for_plugin(
    mut call: Invocation,
    context: &Context,
    plugin: &Package,
    sdk: &Sdk,
) -> Result<(Compilation, Unit)> {
    call.map_externs(|e| match e.path.as_deref().and_then(stub::resolve) {
        // cargo names a library that is both kinds twice; both stubs lead to the same file.
        Some(file) if file.as_os_str().is_empty() => None,
        Some(file) => Some(Extern { path: Some(file), ..e }),
        None => Some(e),
    });
    let dependencies = |name: &str| format!("dependency={}", sdk.folder.join(name).display());
    call.push("-L", dependencies("macros"));
    if !call.is_for_target() {
        return plain(call, context);
    }
    call.push("-L", dependencies("crates"));
    call.push("-L", dependencies("lib"));
    share(&mut call, context);
    // What a crate that people edit is made of is part of its id, and by that of the ids of all that depend on it: two
    // builds that differ never share a type's id. An id that changes leaves nothing for incremental compilation.
    let package_dir = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    if context.package(&package_dir).is_some_and(|p| p.source.starts_with("path")) {
        call.remove_codegen("incremental");
        let folder = call.root().and_then(Path::parent).filter(|p| !p.as_os_str().is_empty());
        call.push("-C", format!("metadata=source-{}", source::hash(folder.unwrap_or(Path::new(".")))?));
    }
    if !is_the_plugin(&call, plugin) {
        if !call.has_word("--test") && !call.crate_types().contains(&"bin") {
            call.set_crate_types(&["lib"]);
        }
        return plain(call, context);
    }
    call.set_crate_types(&["cdylib"]);
    let api = &sdk.description.api;
    let library = sdk.library();
    let known = call.externs().into_iter().find(|e| e.path.as_deref() == Some(&*library)).map(|e| e.name);
    let name = known.unwrap_or_else(|| {
        call.push("--extern", format!("{}={}", api.crate_name, library.display()));
        api.crate_name.clone()
    });
    let naming = naming::rename(&mut call, context)?;
    let unit = Unit::of(&call, context)?;
    let link = Link { role: Role::Plugin, unit: unit.clone() };
    let environment = vec![(API_EXTERN_VARIABLE.into(), name.into())];
    Ok((Compilation { call, link: Some(link), naming, environment }, unit))
}

/// What every compilation for the target has in common: the sysroot whose std goes into the API library, the
/// preference for that library, and this program as the linker.
fn share(call: &mut Invocation, context: &Context) {
    if call.value("--sysroot").is_none() {
        call.push("--sysroot", context.sysroot.display().to_string());
    }
    // Neither works with a shared API library; the build has said so when they were asked for.
    call.remove_codegen("lto");
    call.remove_codegen("linker-plugin-lto");
    call.remove("-C", |v| v == "panic=abort");
    call.push("-C", "prefer-dynamic");
    call.push("-C", format!("linker={}", context.linker_shim.display()));
}

fn is_the_plugin(call: &Invocation, plugin: &Package) -> bool {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").is_some_and(|d| Path::new(&d) == plugin.manifest_dir);
    here && call.is_for_target()
        && call.crate_name() == Some(&plugin.crate_name)
        && call.crate_types().contains(&"cdylib")
        && !call.has_word("--test")
}

/// The SDK's crate that stands for what `call` is to compile, if the SDK has it.
fn held<'a>(call: &Invocation, unit: &Unit, sdk: &'a Sdk, plugin: &Package) -> Result<Option<&'a Unit>> {
    let is_library = !call.has_word("--test") && !call.crate_types().contains(&"bin");
    if !is_library || call.is_for_target() == unit.proc_macro {
        return Ok(None);
    }
    let Some(held) = sdk.find(unit) else { return Ok(None) };
    let missing: Vec<&str> = (unit.features.iter())
        .filter(|f| *f != "default" && !held.features.contains(f))
        .map(String::as_str)
        .collect();
    if missing.is_empty() {
        return Ok(Some(held));
    }
    // A proc macro with more features is compiled for the plugin; the shared crates keep naming the SDK's own.
    if unit.proc_macro {
        return Ok(None);
    }
    Err(missing_features(unit, held, &missing, sdk, plugin).into())
}

fn missing_features(unit: &Unit, held: &Unit, missing: &[&str], sdk: &Sdk, plugin: &Package) -> Diagnostic {
    let api = &sdk.description.api;
    let list = missing.join(", ");
    let (feature, it) = if missing.len() == 1 { ("feature", "it") } else { ("features", "them") };
    let quoted: Vec<String> = missing.iter().map(|m| format!("\"{m}\"")).collect();
    let message = format!(
        "the plugin `{}` wants `{}` with the {feature} `{list}`, but the API library has it without",
        plugin.name, unit.package
    );
    let have = if held.features.is_empty() { "none".to_owned() } else { held.features.join(", ") };
    let d = Diagnostic::error("missing-feature", message)
        .note(format!("{} is shared: the API library of `{}` holds it, with the features {have}", held.title(), api.package))
        .note("one process has one copy of a shared crate, so its features are the same for the host and all plugins");
    if unit.package == api.package {
        return d.help(format!(
            "enable {it} for the whole build: `--features {}/{}`",
            api.package,
            missing.join(",")
        ));
    }
    d.help(format!(
        "enable {it} in the API crate's Cargo.toml: `{} = {{ version = \"{}\", features = [{}] }}`",
        unit.package,
        unit.version,
        quoted.join(", ")
    ))
    .help("or take the feature out of the plugin")
}
