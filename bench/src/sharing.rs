//! Work 10: what sharing crates with plugins costs the host's own code.

use crate::Outcome;
use crate::interleaved::{Part, measure};
use crate::measure::{Measurement, Unit};
use crate::process::Runner;
use crate::setup::Setup;

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
        measure(setup, &mut measurement, &mut runners, &parts, setup.scale.rounds(61), 2e7)?;
        measurement.bar(SHARED, STATIC, 1.02);
        measurements.push(measurement);
    }
    Ok(measurements)
}
