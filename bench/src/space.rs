//! Work 7 and 8: memory, and sizes of files.

use crate::Outcome;
use crate::go;
use crate::measure::{Measurement, Unit};
use crate::process::{Runner, succeed};
use crate::setup::{DYNPLUG, Setup};
use std::path::{Path, PathBuf};
use std::process::Command;

/// How much a process grows with each plugin.
pub fn memory(setup: &Setup) -> Outcome<Vec<Measurement>> {
    let mut measurement = Measurement::new(
        "memory",
        "Memory for each plugin",
        "How much a process grows with each further plugin, as small as there are: what is anonymous, its share of what is mapped from files, and all of its files in memory.",
        Unit::Bytes,
    );
    for _ in 0..setup.scale.rounds(5) {
        for peer in &setup.peers {
            let files: Vec<&PathBuf> = peer.copies.iter().take(101).collect();
            let mut runner = Runner::start(&peer.program)?;
            let (first, rest) = files.split_first().ok_or("there are no plugins")?;
            // With the first comes what there is once.
            if let Err(why) = runner.ask("open", 1, &first.display().to_string())? {
                measurement.note(format!("Left out: {}: {why}.", peer.name));
                continue;
            }
            let mut ask = |rest: &[&PathBuf]| -> Outcome<f64> {
                for file in rest {
                    runner.ask("open", 1, &file.display().to_string())??;
                }
                Ok(runner.ask("memory", 1, "")??)
            };
            let before = ask(&[])?;
            let after = ask(rest)?;
            measurement.add(peer.name, (after - before) / rest.len() as f64);
        }
    }
    measurement.bar(DYNPLUG, go::NAME, 0.05);
    Ok(vec![measurement])
}

/// How large the files are.
pub fn sizes(setup: &Setup) -> Outcome<Vec<Measurement>> {
    let mut plugins = Measurement::new(
        "size-plugin",
        "Size of the smallest plugin",
        "As a release build makes it, and stripped.",
        Unit::Bytes,
    );
    let mut hosts = Measurement::new(
        "size-host",
        "Size of the smallest host with all that it needs at run time",
        "What the system has is not counted: the C library, and for Go too. Stripped. \"Without plugins\" is the program that only says hello.",
        Unit::Bytes,
    );
    for peer in &setup.peers {
        plugins.add(peer.name, size(&peer.trivial)?);
        // A compiled WebAssembly module is no file for strip.
        if peer.name != "wasmtime" {
            plugins.add(&format!("{}, stripped", peer.name), stripped(setup, &peer.trivial)?);
        }
        let mut whole = 0.0;
        for file in &peer.hello {
            whole += stripped(setup, file)?;
        }
        hosts.add(peer.name, whole);
        if let Some(plain) = &peer.plain {
            let language = if peer.name == go::NAME { "Go" } else { "Rust" };
            hosts.add(&format!("{language}, without plugins"), stripped(setup, plain)?);
        }
    }
    let of = |name: &str| format!("{name}, stripped");
    plugins.bar(DYNPLUG, go::NAME, 0.005);
    plugins.bar(&of(DYNPLUG), &of(go::NAME), 0.005);
    hosts.bar(DYNPLUG, go::NAME, 0.5);
    Ok(vec![plugins, hosts])
}

fn size(file: &Path) -> Outcome<f64> {
    Ok(file.metadata()?.len() as f64)
}

fn stripped(setup: &Setup, file: &Path) -> Outcome<f64> {
    let copy = setup.work.join("stripped");
    succeed(Command::new("strip").arg("-o").arg(&copy).arg(file))?;
    size(&copy)
}
