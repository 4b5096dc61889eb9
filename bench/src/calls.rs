//! Work 1: calls. Every host and its plugin run all the time, and call in turns.

use crate::Outcome;
use crate::go;
use crate::interleaved::{Part, measure};
use crate::measure::{Measurement, Unit};
use crate::process::Runner;
use crate::setup::{DYNPLUG, Setup};

/// The kinds of calls, each with its title and what happens.
const KINDS: [(&str, &str, &str, &str); 4] = [
    (
        "call-number",
        "number",
        "Call of `fn(u64) -> u64`",
        "One multiplication and one addition; each call takes what the one before gave.",
    ),
    (
        "call-text",
        "text",
        "Call of `fn(&str) -> String`",
        "The plugin puts seven bytes before nineteen, in memory that it allocates and the host frees.",
    ),
    (
        "call-method",
        "method",
        "Call of a method of a trait object",
        "The plugin made the object. C has a structure with a function pointer instead.",
    ),
    (
        "call-list",
        "list",
        "A `Vec` of 10,000 structures, there and back",
        "24 bytes each. The plugin changes the first and gives the list back; who has another memory copies all of them twice.",
    ),
];

/// The limits, all in dynplug's own host.
const POINTER: &str = "function pointer";
const DIRECT: &str = "direct call";
const LINKED: &str = "dynplug, linked in";

pub fn run(setup: &Setup) -> Outcome<Vec<Measurement>> {
    let mut runners = Vec::new();
    let mut start = |program: &std::path::Path, plugin: &str| -> Outcome<usize> {
        let mut runner = Runner::start(program)?;
        runner.ask("load", 1, plugin)??;
        runners.push(runner);
        Ok(runners.len() - 1)
    };
    let mut hosts = Vec::new();
    for peer in &setup.peers {
        hosts.push((peer.name, start(&peer.program, &peer.calls.display().to_string())?));
    }
    let linked = start(&setup.linked, "libcalls.so")?;
    let own =
        hosts.iter().find(|(name, _)| *name == DYNPLUG).map(|(_, host)| *host).ok_or("dynplug is missing")?;
    let mut measurements = Vec::new();
    for (id, what, title, about) in KINDS {
        let mut measurement = Measurement::new(id, title, about, Unit::Nanoseconds);
        let part = |name: &str, runner, what: String| Part {
            name: name.to_owned(),
            runner,
            what,
            argument: String::new(),
        };
        let mut parts: Vec<Part> =
            hosts.iter().map(|(name, runner)| part(name, *runner, what.to_owned())).collect();
        let extra = [
            (LINKED, linked, what.to_owned()),
            (POINTER, own, format!("pointer {what}")),
            (DIRECT, own, format!("direct {what}")),
            ("function pointer, static program", linked, format!("pointer {what}")),
        ];
        parts.extend(extra.into_iter().map(|(name, runner, what)| part(name, runner, what)));
        measure(setup, &mut measurement, &mut runners, &parts, setup.scale.rounds(101), 1e6)?;
        measurement.bar(DYNPLUG, POINTER, 1.02);
        measurement.bar(DYNPLUG, go::NAME, 0.8);
        measurements.push(measurement);
    }
    Ok(measurements)
}
