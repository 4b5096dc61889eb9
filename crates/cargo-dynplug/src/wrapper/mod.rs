//! The rustc wrapper: cargo calls this program in place of rustc. It changes what the design wants changed, and hands
//! everything else through untouched.

mod compile;
mod deferral;
pub mod invocation;
pub mod left_out;
mod meaning;
mod naming;
pub mod replay;
pub mod rustdoc;
mod stub;

use crate::context::{API_EXTERN_VARIABLE, Context, Package, Phase, Purpose};
use crate::diagnostic::{Diagnostic, Result};
use crate::linker::{Link, Role};
use crate::sdk::{DESCRIPTION, Sdk};
use crate::source;
use crate::unit::{self, Unit};
use compile::{Compilation, hand_through};
use deferral::Instead;
use invocation::{Extern, Invocation};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Runs as `RUSTC_WRAPPER`. `words` are the arguments after this program's own name. Returns the exit code.
pub fn main(words: Vec<OsString>, context: Result<Context>) -> i32 {
    let colours = words.iter().any(|word| word.to_string_lossy().contains(invocation::COLOURS));
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
            eprintln!("{}", diagnostic.to_rustc_json(colours));
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
    let has_std = context.has_std || asked.is_of_std() || asked.has_compiled_std();
    if asked.is_for_target() && !has_std {
        return Err(without_std(context).into());
    }
    let (mut compilation, mut unit) = match &context.phase {
        Phase::Hosts { hosts } => for_hosts(call, context, &package_dir, hosts.contains(&package_dir))?,
        Phase::Plugin { plugin, sdk, libraries, plan, purpose } => {
            let sdk = Sdk::open_with(sdk, libraries)?;
            let watched = sdk.folder.join(DESCRIPTION);
            let asked_for = Unit::of(&asked, context)?;
            let kind = if *purpose == Purpose::HostTool { "host" } else { "plugin" };
            let title = format!("the {kind} `{}`", plugin.name);
            match deferral::of(&asked, asked_for, &package_dir, plan, &sdk, &title)? {
                Some(Instead::Shared(held)) => {
                    stub::write(&asked, &held.file(), &[&watched])?;
                    return Ok(0);
                }
                Some(Instead::Nothing) => {
                    let mark = left_out::mark(&context.left_out, &package_dir)?;
                    stub::write(&asked, Path::new(""), &[&watched, &mark])?;
                    return Ok(0);
                }
                Some(Instead::Replay) => {
                    let mark = left_out::mark(&context.left_out, &package_dir)?;
                    replay::write(&asked, &[&watched, &mark])?;
                    return Ok(0);
                }
                None => for_plugin(call, context, plugin, &sdk, *purpose)?,
            }
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
    if edited && shared {
        (unit.meaning, unit.code) = meaning::of_both(&compilation.call, unit.proc_macro);
    }
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

fn without_std(context: &Context) -> Diagnostic {
    let target = &context.target;
    Diagnostic::error("target-without-std", format!("the toolchain has no standard library for {target}"))
        .note(format!("the compiler is {}", context.rustc))
        .help(format!("where the Rust project has one: `rustup target add {target}`"))
        .help("otherwise let cargo compile it, with `-Z build-std`, a nightly toolchain and its component `rust-src`")
}

/// The package that asks the processor what it can do. What it is compiled with it would take for granted.
const ASKS_THE_PROCESSOR: &str = "dynplug-manifest";

/// The packages of ours that every host carries. In one piece each is smaller by a quarter, and by another eighth where functions are
/// only inlined that ask for it (`#[inline]`) or are tiny: most of it runs once for each plugin or never, and a lookup is as fast.
/// Compiled for size they would be larger, since rustc then exports each instance of a generic function.
const CARRIED: [&str; 2] = ["dynplug", "dynplug-manifest"];

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
    if context.api_closure.contains(package_dir) || call.is_of_std() {
        // Incremental compilation moves the metadata, and with it the identity.
        call.remove_codegen("incremental");
    }
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    if call.is_of_std() {
        share(&mut call, context);
        return plain(call, context);
    }
    if package == ASKS_THE_PROCESSOR {
        call.remove_codegen("target-cpu");
        call.remove_codegen("target-feature");
    }
    let level = call.codegen("opt-level").last().unwrap_or("0").to_owned();
    if level != "0" && CARRIED.contains(&&*package) {
        call.remove_codegen("codegen-units");
        call.push("-C", "codegen-units=1");
        if ["2", "3"].contains(&&*level) {
            call.push("-C", "llvm-args=-inline-threshold=25");
        }
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
    purpose: Purpose,
) -> Result<(Compilation, Unit)> {
    take_from(sdk, &mut call);
    if !call.is_for_target() {
        return plain(call, context);
    }
    share(&mut call, context);
    // What a crate that people edit is made of is part of its id, and by that of the ids of all that depend on it: two
    // builds that differ never share a type's id. An id that changes leaves nothing for incremental compilation.
    let package_dir = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    if context.package(&package_dir).is_some_and(|p| p.source.starts_with("path")) {
        call.remove_codegen("incremental");
        let folder = call.root().and_then(Path::parent).filter(|p| !p.as_os_str().is_empty());
        call.push("-C", format!("metadata=source-{}", source::hash(folder.unwrap_or(Path::new(".")))?));
    }
    let is_of_the_plugin = package_dir == plugin.manifest_dir;
    let is_executable = call.has_word("--test") || call.crate_types().contains(&"bin");
    if purpose == Purpose::Tool && is_of_the_plugin {
        let mut environment = Vec::new();
        if is_executable {
            environment.extend(force_api(sdk, &mut call));
        } else {
            call.set_crate_types(&["lib"]);
        }
        environment.push((API_EXTERN_VARIABLE.into(), name_api(sdk, &mut call).into()));
        let (compilation, unit) = plain(call, context)?;
        return Ok((Compilation { environment, ..compilation }, unit));
    }
    if purpose == Purpose::HostTool && is_of_the_plugin {
        if !is_executable {
            call.set_crate_types(&["lib"]);
            return plain(call, context);
        }
        // What the host's build would refuse is refused here too; a test need not name the API crate.
        let is_host = !call.has_word("--test") && !call.out_dir().ends_with("examples");
        let environment = if is_host { Vec::new() } else { force_api(sdk, &mut call) };
        return product(call, context, Role::Host, environment);
    }
    if purpose == Purpose::Library && is_the_product(&call, plugin, "dylib") {
        call.set_crate_types(&["dylib"]);
        // Its code may name no shared crate at all, and takes its std from the API library all the same.
        let mut environment = force_api(sdk, &mut call);
        environment.push((API_EXTERN_VARIABLE.into(), name_api(sdk, &mut call).into()));
        return product(call, context, Role::PluginLibrary, environment);
    }
    if !is_the_product(&call, plugin, "cdylib") {
        if !is_executable {
            call.set_crate_types(&["lib"]);
        }
        return plain(call, context);
    }
    call.set_crate_types(&["cdylib"]);
    let environment = vec![(API_EXTERN_VARIABLE.into(), name_api(sdk, &mut call).into())];
    product(call, context, Role::Plugin, environment)
}

/// A compilation that ends in a product of ours.
fn product(
    mut call: Invocation,
    context: &Context,
    role: Role,
    environment: Vec<(OsString, OsString)>,
) -> Result<(Compilation, Unit)> {
    let naming = naming::rename(&mut call, context)?;
    let unit = Unit::of(&call, context)?;
    let link = Link { role, unit: unit.clone() };
    Ok((Compilation { call, link: Some(link), naming, environment }, unit))
}

/// Puts what the SDK has in the place of the stubs that cargo was given for it.
fn take_from(sdk: &Sdk, call: &mut Invocation) {
    // What is left of std is in the sysroot that the crate is given.
    let of_std = call.is_of_std();
    let in_sysroot = |e: &Extern| e.is_of_std() && !of_std;
    call.map_externs(|e| match e.path.as_deref().and_then(stub::resolve) {
        Some(_) if in_sysroot(&e) => None,
        // cargo names a library that is both kinds twice; both stubs lead to the same file.
        Some(file) if file.as_os_str().is_empty() => None,
        Some(file) => Some(Extern { path: Some(file), ..e }),
        None => Some(e),
    });
    let folders = if call.is_for_target() { &["macros", "crates", "lib"][..] } else { &["macros"] };
    for sdk in sdk.layers() {
        for name in folders {
            call.push("-L", format!("dependency={}", sdk.folder.join(name).display()));
        }
    }
}

/// The name by which the crate knows the API crate; it is given one if it has none.
fn name_api(sdk: &Sdk, call: &mut Invocation) -> String {
    let library = sdk.library();
    let known = call.externs().into_iter().find(|e| e.path.as_deref() == Some(&*library)).map(|e| e.name);
    known.unwrap_or_else(|| {
        let name = sdk.description.api.crate_name.clone();
        call.push("--extern", format!("{name}={}", library.display()));
        name
    })
}

/// Lets an executable be linked with the API library though its code may never name it: what it is made of does. The
/// compiler calls that option unstable. Returns the environment that it takes.
fn force_api(sdk: &Sdk, call: &mut Invocation) -> Vec<(OsString, OsString)> {
    name_api(sdk, call);
    let library = sdk.library();
    let mut forced = false;
    call.map_externs(|e| match e.path.as_deref() == Some(&*library) && !forced {
        true => {
            forced = true;
            Some(Extern { options: "force:".to_owned(), ..e })
        }
        false => Some(e),
    });
    call.push("-Z", "unstable-options");
    vec![("RUSTC_BOOTSTRAP".into(), "1".into())]
}

/// What every compilation for the target has in common: the sysroot whose std goes into the API library, the
/// preference for that library, and this program as the linker.
fn share(call: &mut Invocation, context: &Context) {
    if call.value("--sysroot").is_none() {
        let compiled = matches!(context.phase, Phase::Hosts { .. });
        let bare = compiled && (call.is_of_std() || call.has_compiled_std());
        let sysroot = if bare { &context.bare_sysroot } else { &context.sysroot };
        call.push("--sysroot", sysroot.display().to_string());
    }
    // Neither works with a shared API library; the build has said so when they were asked for.
    call.remove_codegen("lto");
    call.remove_codegen("linker-plugin-lto");
    call.remove("-C", |v| v == "panic=abort");
    call.push("-C", "prefer-dynamic");
    call.push("-C", format!("linker={}", context.linker_shim.display()));
}

/// Whether this is the compilation of the plugin, or of the library, itself.
fn is_the_product(call: &Invocation, plugin: &Package, kind: &str) -> bool {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").is_some_and(|d| Path::new(&d) == plugin.manifest_dir);
    here && call.is_for_target()
        && call.crate_name() == Some(&plugin.crate_name)
        && call.crate_types().contains(&kind)
        && !call.has_word("--test")
}
