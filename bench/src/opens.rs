//! Work 3 to 6: opening, opening again, refusing, and finding.

use crate::Outcome;
use crate::go;
use crate::interleaved::{Part, measure};
use crate::measure::{Measurement, Spread, Unit};
use crate::process::{Runner, ask_once};
use crate::setup::{DYNPLUG, Peer, Setup};
use std::path::Path;

/// Who opens dynplug's own file without any of dynplug's care.
const BARE: &str = "libloading, dynplug's file";

/// And of a private copy of it, the barest that there can be.
const COPY: &str = "libloading, a private copy of dynplug's file";

/// The first open in a new process, and the first refusal.
pub fn first(setup: &Setup) -> Outcome<Vec<Measurement>> {
    let mut open = Measurement::new(
        "open-first",
        "First open in a new process",
        "The smallest plugin, in a process that has opened none; its file is in the system's cache. dynplug reads it, proves it, copies it and maps the copy.",
        Unit::Nanoseconds,
    );
    let mut refuse = Measurement::new(
        "refuse-first",
        "First refusal in a new process",
        "A plugin that was built against another interface. dynplug finds all that differs; \"and said\" has the text for people with it. For comparison its open of one that fits.",
        Unit::Nanoseconds,
    );
    let own = setup.dynplug_peer()?;
    let mut opens: Vec<(String, &Path, &str, &Path)> = Vec::new();
    let mut refusals = Vec::new();
    for peer in &setup.peers {
        opens.push((peer.name.to_owned(), &peer.program, "open", &peer.trivial));
        if let Some(other) = &peer.other {
            refusals.push((peer.name.to_owned(), &*peer.program, "refuse", &**other));
        } else {
            refuse.note(format!(
                "Left out: {}: it believes the type that the host names, and refuses nothing.",
                peer.name
            ));
        }
    }
    opens.push((BARE.to_owned(), &own.program, "libloading open", &own.trivial));
    opens.push((COPY.to_owned(), &own.program, "copy open", &own.trivial));
    let other = own.other.as_deref().ok_or("there is no plugin that doesn't fit")?;
    refusals.push((format!("{DYNPLUG}, and said"), &own.program, "refuse and say", other));
    refusals.push((format!("{DYNPLUG}, open"), &own.program, "open", &own.trivial));
    for round in 0..setup.scale.rounds(41) {
        for (measurement, parts) in [(&mut open, &opens), (&mut refuse, &refusals)] {
            for turn in 0..parts.len() {
                let (name, program, what, file) = &parts[(turn + round) % parts.len()];
                let took = ask_once(program, what, 1, &file.display().to_string())?;
                match took {
                    Ok(took) => measurement.add(name, took),
                    Err(why) => measurement.note(format!("Left out: {name}: {why}.")),
                }
            }
        }
    }
    open.bar(DYNPLUG, BARE, 1.5);
    open.bar(DYNPLUG, go::NAME, 0.15);
    open.compare(DYNPLUG, COPY);
    open.compare(COPY, BARE);
    refuse.bar(DYNPLUG, &format!("{DYNPLUG}, open"), 1.0);
    refuse.bar(&format!("{DYNPLUG}, and said"), &format!("{DYNPLUG}, open"), 1.0);
    Ok(vec![open, refuse])
}

/// Many opens in one process.
pub fn many(setup: &Setup) -> Outcome<Vec<Measurement>> {
    let count = setup.dynplug_peer()?.copies.len();
    let mut measurement = Measurement::new(
        "open-many",
        "The tenth and the thousandth open in one process",
        "Different plugins, as small as there are. Each figure is the median of the eleven opens around the tenth, and of the last eleven.",
        Unit::Nanoseconds,
    );
    let own = setup.dynplug_peer()?;
    let mut parts: Vec<(&str, &Peer, &str)> = (setup.peers.iter())
        .filter(|peer| peer.copies.len() == count)
        .map(|peer| (peer.name, peer, "open"))
        .collect();
    parts.push((BARE, own, "libloading open"));
    parts.push((COPY, own, "copy open"));
    for peer in setup.peers.iter().filter(|peer| peer.copies.len() != count) {
        measurement.note(format!("Left out: {}: each plugin would have to be built by itself.", peer.name));
    }
    for round in 0..setup.scale.rounds(9) {
        for turn in 0..parts.len() {
            let (name, peer, what) = parts[(turn + round) % parts.len()];
            let mut runner = Runner::start(&peer.program)?;
            let mut figures = Vec::new();
            for file in &peer.copies {
                figures.push(runner.ask(what, 1, &file.display().to_string())??);
            }
            let window = |end: usize| figures.get(end.saturating_sub(11)..end).and_then(Spread::of);
            let (tenth, last) = (window(15.min(count)), window(count));
            measurement.add(&nth(name, "10th"), tenth.ok_or("nothing was opened")?.median);
            measurement.add(&nth(name, "1000th"), last.ok_or("nothing was opened")?.median);
        }
    }
    measurement.bar(&nth(DYNPLUG, "1000th"), &nth(DYNPLUG, "10th"), 1.2);
    for (name, against) in [(BARE, BARE), (COPY, COPY)] {
        measurement.compare(&nth(name, "1000th"), &nth(against, "10th"));
    }
    for (name, against) in [(DYNPLUG, BARE), (DYNPLUG, COPY)] {
        measurement.compare(&nth(name, "1000th"), &nth(against, "1000th"));
    }
    Ok(vec![measurement])
}

fn nth(name: &str, which: &str) -> String {
    format!("{name}, {which}")
}

/// What is open already, and what was refused already.
pub fn again(setup: &Setup) -> Outcome<Vec<Measurement>> {
    let own = setup.dynplug_peer()?;
    let part = |name: &str, runner, what: &str, file: &Path| Part {
        name: name.to_owned(),
        runner,
        what: what.to_owned(),
        argument: file.display().to_string(),
    };
    let mut reopen = Measurement::new(
        "reopen",
        "Open of a plugin that is open",
        "By the same path. dynplug and Go make sure that the path still leads to the same file.",
        Unit::Nanoseconds,
    );
    let (mut runners, mut parts) = (Vec::new(), Vec::new());
    for peer in &setup.peers {
        if peer.name == "wasmtime" {
            reopen.note("Left out: wasmtime: each open makes another instance.".to_owned());
            continue;
        }
        parts.push(part(peer.name, runners.len(), "reopen", &peer.trivial));
        runners.push(Runner::start(&peer.program)?);
    }
    // abi_stable and others open a library anew each time, which takes memory: not too often.
    measure(setup, &mut reopen, &mut runners, &parts, setup.scale.rounds(31), 3e6)?;
    reopen.bar(DYNPLUG, go::NAME, 0.3);

    let mut refuse = Measurement::new(
        "refuse-again",
        "Refusals in a process that goes on",
        "The same file each time: dynplug remembers nothing of a file that it refused.",
        Unit::Nanoseconds,
    );
    let other = own.other.as_deref().ok_or("there is no plugin that doesn't fit")?;
    let name = "dynplug, open of one that fits, as the tenth to twentieth";
    let said = format!("{DYNPLUG}, and said");
    for _ in 0..setup.scale.rounds(9) {
        let mut runner = Runner::start(&own.program)?;
        let mut ask = |what: &str, file: &Path| runner.ask(what, 1, &file.display().to_string());
        let (mut refused, mut told, mut opened) = (Vec::new(), Vec::new(), Vec::new());
        for file in own.copies.iter().take(20) {
            refused.push(ask("refuse", other)??);
            told.push(ask("refuse and say", other)??);
            opened.push(ask("open", file)??);
        }
        for (name, figures) in [(DYNPLUG, refused), (&said, told), (name, opened)] {
            let half = figures.get(figures.len() / 2..).and_then(Spread::of);
            refuse.add(name, half.ok_or("nothing was opened")?.median);
        }
    }
    refuse.bar(DYNPLUG, name, 1.0);
    refuse.bar(&said, name, 1.0);
    Ok(vec![reopen, refuse])
}

/// What asking who has signed a plugin adds to opening it.
pub fn signed(setup: &Setup) -> Outcome<Vec<Measurement>> {
    const SIGNED: &str = "dynplug, signed";
    let mut measurement = Measurement::new(
        "open-signed",
        "Opens of plugins of one megabyte",
        "As anybody's, and with a policy that wants them signed. The signature is over all of the file. Each figure is the median of a process's opens.",
        Unit::Nanoseconds,
    );
    let (program, files) = &setup.signed;
    let parts = [(DYNPLUG, "open"), (SIGNED, "open signed")];
    for round in 0..setup.scale.rounds(21) {
        for turn in 0..parts.len() {
            let (name, what) = parts[(turn + round) % parts.len()];
            let mut runner = Runner::start(program)?;
            let mut figures = Vec::new();
            for file in files {
                figures.push(runner.ask(what, 1, &file.display().to_string())??);
            }
            measurement.add(name, Spread::of(&figures).ok_or("nothing was opened")?.median);
        }
    }
    measurement.bar(SIGNED, DYNPLUG, 2.0);
    Ok(vec![measurement])
}

/// Finding out what there is.
pub fn discovery(setup: &Setup) -> Outcome<Vec<Measurement>> {
    let mut measurement = Measurement::new(
        "discover",
        "Discovery of 1,000 plugins in a folder",
        "dynplug reads from each file what it says of itself and whether it fits, and runs nothing. The others have to open each.",
        Unit::Nanoseconds,
    );
    let count = setup.dynplug_peer()?.copies.len();
    for round in 0..setup.scale.rounds(9) {
        for turn in 0..setup.peers.len() {
            let peer = &setup.peers[(turn + round) % setup.peers.len()];
            if peer.copies.len() != count {
                measurement
                    .note(format!("Left out: {}: each plugin would have to be built by itself.", peer.name));
                continue;
            }
            let folder = peer.copies.first().and_then(|file| file.parent()).ok_or("there are no plugins")?;
            match ask_once(&peer.program, "discover", count as u64, &folder.display().to_string())? {
                Ok(took) => measurement.add(peer.name, took),
                Err(why) => measurement.note(format!("Left out: {}: {why}.", peer.name)),
            }
        }
    }
    Ok(vec![measurement])
}
