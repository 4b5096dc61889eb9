//! Work 9: how long a plugin takes to build: with the SDK of its host, from source by plain cargo, and after a change in
//! the host's workspace.

use crate::Outcome;
use crate::go::{self, Go};
use crate::measure::{Measurement, Unit};
use crate::process::succeed;
use crate::setup::{Setup, copy, say};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// What a host shares, and a plugin that uses it.
struct Case {
    id: &'static str,
    name: &'static str,
    /// The lines of `[dependencies]`, the same in API crate and plugin.
    dependencies: &'static str,
    /// The API crate's source.
    api: &'static str,
    /// The plugin's.
    plugin: &'static str,
    rounds: usize,
}

const CASES: &[Case] = &[
    Case {
        id: "build-tokio",
        name: "tokio, serde, serde_json, tracing",
        dependencies: "tokio = { version = \"1\", features = [\"full\"] }\n\
                       serde = { version = \"1\", features = [\"derive\"] }\nserde_json = \"1\"\ntracing = \"0.1\"\n",
        api: "pub use {dynplug, serde, serde_json, tokio, tracing};\n",
        plugin: "#[derive(serde::Serialize)]\nstruct S { a: u32 }\n\
                 #[dynplug::export]\npub fn f() -> String {\n    tracing::info!(\"called\");\n    \
                 let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();\n    \
                 runtime.block_on(async { serde_json::to_string(&S { a: 7 }).unwrap() })\n}\n",
        rounds: 5,
    },
    Case {
        id: "build-bevy",
        name: "bevy_ecs",
        dependencies: "bevy_ecs = \"0.16\"\n",
        api: "pub use {bevy_ecs, dynplug};\n",
        plugin: "use bevy_ecs::prelude::*;\n#[derive(Component)]\npub struct P(pub f32);\n\
                 #[dynplug::export]\npub fn f(world: &mut World) -> usize {\n    world.spawn(P(1.0));\n    \
                 let mut query = world.query::<&P>();\n    query.iter(world).count()\n}\n",
        rounds: 2,
    },
];

/// As small as can be, to see that it works.
const QUICK: Case = Case {
    id: "build-tokio",
    name: "log",
    dependencies: "log = \"0.4\"\n",
    api: "pub use {dynplug, log};\n",
    plugin: "#[dynplug::export]\npub fn f() {\n    log::info!(\"called\");\n}\n",
    rounds: 1,
};

const SDK: &str = "with the SDK";
const SOURCE: &str = "from source";
const WORKSPACE: &str = "changed, in the host's workspace";

/// Measures all cases.
pub fn run(setup: &Setup) -> Outcome<Vec<Measurement>> {
    let cases = if setup.scale.quick { std::slice::from_ref(&QUICK) } else { CASES };
    cases.iter().map(|case| measured(setup, case)).collect()
}

fn measured(setup: &Setup, case: &Case) -> Outcome<Measurement> {
    let mut measurement = Measurement::new(
        case.id,
        &format!("Build of a plugin that shares {}", case.name),
        "A plugin without private crates. From nothing: with the SDK of its host, and from source by plain cargo; by the clock, and by the seconds of the processor. And after a change of its source in the workspace of its host, where all else is built; for comparison the same change in a plugin of Go that imports nothing.",
        Unit::Nanoseconds,
    );
    let folder = tempfile::tempdir()?;
    let (host, plugin) = (folder.path().join("host"), folder.path().join("plugin"));
    write_host(case, &setup.repository, &host)?;
    say(&format!("{}: making the host's SDK", case.name));
    let target = host.join("target");
    succeed(setup.tool(&["sdk", "--release", "-o"], &host, &target).arg(folder.path()))?;
    let archive = std::fs::read_dir(folder.path())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.to_string_lossy().ends_with(".sdk.tar.zst"))
        .ok_or("no SDK was made")?;
    measurement.note(format!("The SDK has {:.1} MB.", archive.metadata()?.len() as f64 / 1e6));
    write_plugin(case, &setup.repository, &host, &plugin)?;
    std::fs::copy(host.join("Cargo.lock"), plugin.join("Cargo.lock"))?;
    // Built once before anything is counted, with all that has to be fetched.
    let own = plugin.join("target");
    let with_sdk = || {
        let mut command = setup.tool(&["build", "--release", "--sdk"], &plugin, &own);
        command.arg(&archive);
        command
    };
    let in_workspace = || setup.tool(&["build", "--release"], &host, &target);
    succeed(&mut with_sdk())?;
    succeed(&mut in_workspace())?;
    let go = go_plugin(setup, folder.path());
    let go = go.map_err(|why| measurement.note(format!("Left out: {}: {why}.", go::NAME))).ok();
    let rounds = setup.scale.rounds(case.rounds);
    for round in 1..=rounds {
        say(&format!("{}: round {round} of {rounds}", case.name));
        let mut from_source = Command::new("cargo");
        from_source.args(["build", "--release"]).current_dir(&plugin).env("CARGO_TARGET_DIR", &own);
        for (name, command) in [(SDK, &mut with_sdk()), (SOURCE, &mut from_source)] {
            let _ = std::fs::remove_dir_all(&own);
            let (clock, processor) = timed(command)?;
            measurement.add(name, clock);
            measurement.add(&format!("{name}, processor"), processor);
        }
        let source = host.join("inside/src/lib.rs");
        let changed = format!("{}\n#[dynplug::export]\npub static ROUND: usize = {round};\n", case.plugin);
        std::fs::write(&source, changed)?;
        measurement.add(WORKSPACE, timed(&mut in_workspace())?.0);
        if let Some((go, module)) = &go {
            let source = format!("package main\n\nfunc F() int {{ return {round} }}\n\nfunc main() {{}}\n");
            std::fs::write(module.join("trivial/trivial.go"), source)?;
            let began = Instant::now();
            go.plugin(module, "trivial")?;
            measurement.add(&format!("{}, changed", go::NAME), began.elapsed().as_nanos() as f64);
        }
    }
    measurement.bar(SDK, SOURCE, 0.1);
    Ok(measurement)
}

/// A module of Go whose plugin was built once.
fn go_plugin(setup: &Setup, folder: &Path) -> Outcome<(Go, PathBuf)> {
    let (go, module) = (Go::get(setup)?, folder.join("go"));
    copy(&setup.repository.join("bench/go"), &module)?;
    go.plugin(&module, "trivial")?;
    Ok((go, module))
}

/// Nanoseconds by the clock, and of the processor.
fn timed(command: &mut Command) -> Outcome<(f64, f64)> {
    let (began, before) = (Instant::now(), children()?);
    succeed(command)?;
    Ok((began.elapsed().as_nanos() as f64, children()? - before))
}

/// Nanoseconds of the processor that went into processes which have been waited for.
fn children() -> Outcome<f64> {
    // The fields of /proc/self/stat are described in proc(5): 16 and 17 are cutime and cstime, in hundredths of a second on
    // every Linux that counts so for its users.
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let rest = text.rsplit_once(") ").map(|(_, rest)| rest).ok_or("/proc/self/stat is of another form")?;
    let numbers: Vec<f64> = rest.split(' ').skip(13).take(2).map_while(|n| n.parse().ok()).collect();
    Ok(numbers.iter().sum::<f64>() * 1e7)
}

const PLUGIN: &str = "[lib]\ncrate-type = [\"lib\", \"cdylib\"]\n";

fn write_host(case: &Case, repository: &Path, host: &Path) -> Outcome<()> {
    put(
        host.join("Cargo.toml"),
        "[workspace]\nresolver = \"3\"\nmembers = [\"api\", \"app\", \"inside\"]\n",
    )?;
    let api_lib = "[lib]\ncrate-type = [\"lib\", \"dylib\"]\n";
    let dependencies = format!("{}{}", dynplug(repository), case.dependencies);
    put(host.join("api/Cargo.toml"), &manifest("app-api", api_lib, &dependencies))?;
    put(host.join("api/src/lib.rs"), case.api)?;
    let api = "app-api = { path = \"../api\" }\n";
    put(host.join("app/Cargo.toml"), &manifest("app", "", api))?;
    put(host.join("app/src/main.rs"), "use app_api as _;\nfn main() {}\n")?;
    put(host.join("inside/Cargo.toml"), &manifest("inside", PLUGIN, &format!("{api}{dependencies}")))?;
    put(host.join("inside/src/lib.rs"), case.plugin)
}

fn write_plugin(case: &Case, repository: &Path, host: &Path, plugin: &Path) -> Outcome<()> {
    let api = format!("app-api = {{ path = '{}' }}\n", host.join("api").display());
    let dependencies = format!("{api}{}{}\n[workspace]\n", dynplug(repository), case.dependencies);
    put(plugin.join("Cargo.toml"), &manifest("plug", PLUGIN, &dependencies))?;
    put(plugin.join("src/lib.rs"), case.plugin)
}

fn dynplug(repository: &Path) -> String {
    format!("dynplug = {{ path = '{}' }}\n", repository.join("crates/dynplug").display())
}

fn manifest(name: &str, lib: &str, dependencies: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n{lib}\n[dependencies]\n{dependencies}"
    )
}

fn put(path: PathBuf, text: &str) -> Outcome<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Ok(std::fs::write(path, text)?)
}
