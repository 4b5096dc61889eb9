//! Several programs that do the same work in turns.

use crate::Outcome;
use crate::measure::Measurement;
use crate::process::Runner;
use crate::setup::Setup;

/// One who takes part in a measurement: a running program, and what it is asked.
pub struct Part {
    /// The row of the table.
    pub name: String,
    /// Which of the running programs.
    pub runner: usize,
    pub what: String,
    pub argument: String,
}

/// What one asks of a part that was calibrated.
struct Ready<'p> {
    part: &'p Part,
    count: u64,
}

/// Has each part do its work in each round, so often that it takes about `sample` nanoseconds, and adds what one time took.
/// Who can't do it gets a note.
pub fn measure(
    setup: &Setup,
    measurement: &mut Measurement,
    runners: &mut [Runner],
    parts: &[Part],
    rounds: usize,
    sample: f64,
) -> Outcome<()> {
    let mut ready = Vec::new();
    for part in parts {
        match calibrated(&mut runners[part.runner], part, setup.scale.sample(sample))? {
            Ok(count) => ready.push(Ready { part, count }),
            Err(why) => measurement.note(format!("Left out: {}: {why}.", part.name)),
        }
    }
    for round in 0..rounds {
        // Nobody always comes after the same one.
        for turn in 0..ready.len() {
            let Ready { part, count } = &ready[(turn + round) % ready.len()];
            let took = runners[part.runner].ask(&part.what, *count, &part.argument)?;
            measurement.add(&part.name, took? / *count as f64);
        }
    }
    // In the order of the parts, whoever came first in the first round.
    let place = |name: &str| parts.iter().position(|part| part.name == name);
    measurement.rows.sort_by_key(|row| place(&row.name));
    Ok(())
}

/// How often it has to be done to take that long.
fn calibrated(runner: &mut Runner, part: &Part, sample: f64) -> Outcome<Result<u64, String>> {
    let mut count = 1_u64;
    loop {
        let took = match runner.ask(&part.what, count, &part.argument)? {
            Ok(took) => took,
            Err(why) => return Ok(Err(why)),
        };
        if took > sample / 10.0 || count > 1 << 40 {
            return Ok(Ok(((count as f64 * sample / took.max(1.0)) as u64).max(1)));
        }
        count *= 8;
    }
}
