//! Work 2: looking up functions by name.

use crate::Outcome;
use crate::go;
use crate::interleaved::{Part, measure};
use crate::measure::{Measurement, Unit};
use crate::process::Runner;
use crate::setup::{DYNPLUG, Setup};

pub fn run(setup: &Setup) -> Outcome<Vec<Measurement>> {
    let mut measurement = Measurement::new(
        "lookup",
        "Lookup of a function by name",
        "Among 10 and among 10,000 names, in an order drawn at random, with the type checked where the peer can do that.",
        Unit::Nanoseconds,
    );
    let (mut runners, mut parts) = (Vec::new(), Vec::new());
    for peer in &setup.peers {
        let Some(names) = &peer.names else {
            measurement.note(format!("Left out: {}: it has no lookup by name among many.", peer.name));
            continue;
        };
        let counts = [(10, "10"), (setup.scale.names(), "10,000")];
        for ((count, text), plugin) in counts.into_iter().zip(names) {
            let mut runner = Runner::start(&peer.program)?;
            runner.ask("load names", count.into(), &plugin.display().to_string())??;
            parts.push(Part {
                name: row(peer.name, text),
                runner: runners.len(),
                what: "lookup".to_owned(),
                argument: String::new(),
            });
            runners.push(runner);
        }
    }
    measure(setup, &mut measurement, &mut runners, &parts, setup.scale.rounds(101), 1e6)?;
    let (few, many) = (row(DYNPLUG, "10"), row(DYNPLUG, "10,000"));
    measurement.bar(&few, &row(go::NAME, "10"), 0.5);
    measurement.bar(&few, &row("libloading", "10"), 0.1);
    measurement.bar(&many, &row(go::NAME, "10,000"), 0.5);
    measurement.bar(&many, &row("libloading", "10,000"), 0.1);
    measurement.bar(&many, &few, 1.5);
    Ok(vec![measurement])
}

fn row(name: &str, count: &str) -> String {
    format!("{name}, {count}")
}
