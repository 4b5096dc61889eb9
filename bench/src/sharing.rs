//! Work 10: what sharing crates with plugins costs the host's own code.

use crate::Outcome;
use crate::interleaved::{Part, measure};
use crate::measure::{Measurement, Unit};
use crate::process::Runner;
use crate::setup::Setup;
use std::path::Path;
use std::process::Command;

const WORK: [(&str, &str, &str); 5] = [
    ("sharing-json", "json", "JSON into types and back"),
    ("sharing-values", "json values", "JSON without types"),
    ("sharing-regex", "regex", "Regular expressions"),
    ("sharing-maps", "maps", "Hash maps and ordered maps"),
    ("sharing-tasks", "tasks", "A thousand tasks of tokio"),
];

const SHARED: &str = "shared";
const STATIC: &str = "static";

pub fn run(setup: &Setup) -> Outcome<Vec<Measurement>> {
    let mut runners =
        setup.sharing.iter().map(|program| Runner::start(program)).collect::<Outcome<Vec<_>>>()?;
    let mut measurements = Vec::new();
    for (id, what, title) in WORK {
        let about = "Work of the host's own, with crates that it shares with plugins (`cargo dynplug build`) or that are linked into it (plain `cargo build --release`). The same source.";
        let mut measurement = Measurement::new(id, &format!("Sharing: {title}"), about, Unit::Nanoseconds);
        let part = |name: &str, runner| Part {
            name: name.to_owned(),
            runner,
            what: what.to_owned(),
            argument: String::new(),
        };
        let parts = [part(STATIC, 0), part(SHARED, 1)];
        measure(setup, &mut measurement, &mut runners, &parts, setup.scale.rounds(151), 2e6)?;
        measurement.bar(SHARED, STATIC, 1.02);
        measurements.push(measurement);
    }
    measurements.push(instructions(setup)?);
    Ok(measurements)
}

/// The same work counted in instructions, which nothing else on the machine moves: valgrind's count of six times, less its
/// count of once.
fn instructions(setup: &Setup) -> Outcome<Measurement> {
    let about = "The same work, each once, as valgrind counts it: what else the machine does doesn't move this number. It doesn't see what memory and branches cost.";
    let mut measurement = Measurement::new(
        "sharing-instructions",
        "Sharing: instructions of all this work",
        about,
        Unit::Instructions,
    );
    for (_, what, title) in WORK {
        for (name, program) in [STATIC, SHARED].into_iter().zip(&setup.sharing) {
            match counted(program, what, 6).and_then(|six| Ok((six - counted(program, what, 1)?) / 5.0)) {
                Ok(count) => measurement.add(&format!("{name}, {title}"), count),
                Err(why) => {
                    measurement.note(format!("Left out: valgrind: {why}."));
                    return Ok(measurement);
                }
            }
        }
        measurement.bar(&format!("{SHARED}, {title}"), &format!("{STATIC}, {title}"), 1.02);
    }
    Ok(measurement)
}

/// How many instructions a process takes that does the work so often.
fn counted(program: &Path, what: &str, count: u32) -> Outcome<f64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
    let output = valgrind.args([what, &count.to_string(), ""]).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().find_map(|line| line.split_once("Collected : "));
    Ok(line.ok_or("it counted nothing")?.1.trim().parse()?)
}
