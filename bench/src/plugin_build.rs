//! How long a plugin without private crates takes to build from nothing: with the SDK of its host, and from source by plain
//! cargo. Both are counted in seconds by the clock and in seconds of the processor.

use crate::Outcome;
use crate::measure::Table;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What a host shares, and a plugin that uses it.
struct Case {
    name: &'static str,
    /// The lines of `[dependencies]`, the same in API crate and plugin.
    dependencies: &'static str,
    /// The API crate's source.
    api: &'static str,
    /// The plugin's.
    plugin: &'static str,
}

const CASES: &[Case] = &[
    Case {
        name: "tokio, serde, serde_json, tracing",
        dependencies: "tokio = { version = \"1\", features = [\"full\"] }\n\
                       serde = { version = \"1\", features = [\"derive\"] }\nserde_json = \"1\"\ntracing = \"0.1\"\n",
        api: "pub use {dynplug, serde, serde_json, tokio, tracing};\n",
        plugin: "#[derive(serde::Serialize)]\nstruct S { a: u32 }\n\
                 #[dynplug::export]\npub fn f() -> String {\n    tracing::info!(\"called\");\n    \
                 let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();\n    \
                 runtime.block_on(async { serde_json::to_string(&S { a: 7 }).unwrap() })\n}\n",
    },
    Case {
        name: "bevy_ecs",
        dependencies: "bevy_ecs = \"0.16\"\n",
        api: "pub use {bevy_ecs, dynplug};\n",
        plugin: "use bevy_ecs::prelude::*;\n#[derive(Component)]\npub struct P(pub f32);\n\
                 #[dynplug::export]\npub fn f(world: &mut World) -> usize {\n    world.spawn(P(1.0));\n    \
                 let mut query = world.query::<&P>();\n    query.iter(world).count()\n}\n",
    },
];

/// Measures all cases.
pub fn run(rounds: usize) -> Outcome<Table> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    eprintln!("building the tool");
    let mut cargo = Command::new("cargo");
    succeed(cargo.args(["build", "--release", "--locked", "-p", "cargo-dynplug"]).current_dir(&repository))?;
    let tool = repository.join("target/release/cargo-dynplug");
    let mut table = Table::new("s");
    for case in CASES {
        measure(case, &repository, &tool, rounds, &mut table)?;
    }
    Ok(table)
}

fn measure(case: &Case, repository: &Path, tool: &Path, rounds: usize, table: &mut Table) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let (host, plugin) = (folder.path().join("host"), folder.path().join("plugin"));
    write_host(case, repository, &host)?;
    eprintln!("{}: making the host's SDK", case.name);
    let mut sdk = Command::new(tool);
    succeed(sdk.args(["dynplug", "sdk", "--release", "-o"]).arg(folder.path()).current_dir(&host))?;
    let archive = std::fs::read_dir(folder.path())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.to_string_lossy().ends_with(".sdk.tar.zst"))
        .ok_or("no SDK was made")?;
    let size = archive.metadata()?.len() as f64 / 1e6;
    write_plugin(case, repository, &host, &plugin)?;
    std::fs::copy(host.join("Cargo.lock"), plugin.join("Cargo.lock"))?;
    // Fetched and unpacked before anything is counted.
    let mut first = Command::new(tool);
    first.args(["dynplug", "build", "--release", "--sdk"]).arg(&archive).current_dir(&plugin);
    succeed(&mut first)?;
    for round in 1..=rounds {
        eprintln!("{}: round {round} of {rounds}", case.name);
        let mut with = Command::new(tool);
        with.args(["dynplug", "build", "--release", "--sdk"]).arg(&archive);
        let mut without = Command::new("cargo");
        without.args(["build", "--release"]);
        let names = ["with the SDK", "from source"].map(|n| format!("{}: {n}", case.name));
        for (name, against, command) in
            [(&names[0], Some(&names[1]), &mut with), (&names[1], None, &mut without)]
        {
            let _ = std::fs::remove_dir_all(plugin.join("target"));
            let (clock, processor) = timed(command.current_dir(&plugin))?;
            table.add(name, against.map(String::as_str), clock);
            let against = against.map(|a| format!("{a}, processor"));
            table.add(&format!("{name}, processor"), against.as_deref(), processor);
        }
    }
    table.note(format!("The SDK of {} has {size:.1} MB.", case.name));
    Ok(())
}

/// Seconds by the clock, and of the processor.
fn timed(command: &mut Command) -> Outcome<(f64, f64)> {
    let (began, before) = (Instant::now(), children()?);
    succeed(command)?;
    Ok((began.elapsed().as_secs_f64(), children()? - before))
}

/// Seconds of the processor that went into processes which have been waited for.
fn children() -> Outcome<f64> {
    // The fields of /proc/self/stat are described in proc(5): 16 and 17 are cutime and cstime, in hundredths of a second on
    // every Linux that counts so for its users.
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let rest = text.rsplit_once(") ").map(|(_, rest)| rest).ok_or("/proc/self/stat is of another form")?;
    let numbers: Vec<f64> = rest.split(' ').skip(13).take(2).map_while(|n| n.parse().ok()).collect();
    Ok(numbers.iter().sum::<f64>() / 100.0)
}

fn succeed(command: &mut Command) -> Outcome<()> {
    let output = command.stdin(Stdio::null()).output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?} failed\n{}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}

fn write_host(case: &Case, repository: &Path, host: &Path) -> Outcome<()> {
    put(host.join("Cargo.toml"), "[workspace]\nresolver = \"3\"\nmembers = [\"api\", \"app\"]\n")?;
    put(
        host.join("api/Cargo.toml"),
        &manifest(
            "app-api",
            "[lib]\ncrate-type = [\"lib\", \"dylib\"]\n",
            &format!("{}{}", dynplug(repository), case.dependencies),
        ),
    )?;
    put(host.join("api/src/lib.rs"), case.api)?;
    put(host.join("app/Cargo.toml"), &manifest("app", "", "app-api = { path = \"../api\" }\n"))?;
    put(host.join("app/src/main.rs"), "use app_api as _;\nfn main() {}\n")
}

fn write_plugin(case: &Case, repository: &Path, host: &Path, plugin: &Path) -> Outcome<()> {
    let api = format!("app-api = {{ path = '{}' }}\n", host.join("api").display());
    let dependencies = format!("{api}{}{}\n[workspace]\n", dynplug(repository), case.dependencies);
    let lib = "[lib]\ncrate-type = [\"lib\", \"cdylib\"]\n";
    put(plugin.join("Cargo.toml"), &manifest("plug", lib, &dependencies))?;
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
