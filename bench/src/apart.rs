//! Work 12: calls into another process.

use crate::Outcome;
use crate::interleaved::{Part, measure};
use crate::measure::{Measurement, Unit};
use crate::process::Runner;
use crate::setup::{DYNPLUG, Setup};
use std::path::PathBuf;

const SOCKETPAIR: &str = "socketpair";
const TONIC: &str = "tonic";
/// The bare channel, in dynplug's own host.
const CHANNEL: &str = "dynplug, the bare channel";
const TOGETHER: &str = "dynplug, with the host's part of it";

/// What a started plugin may take of memory, in bytes.
const MEMORY: f64 = 2e6;

/// Other ways to carry bytes, which are rows of their own: whose, how they are asked for, the row.
const OTHERWISE: [(&str, &str, &str); 2] = [
    ("ipc-channel", "shared bytes", "ipc-channel, `IpcSharedMemory`"),
    (TONIC, "kept bytes", "tonic, `Bytes`"),
];

/// A kind of call.
struct Kind {
    id: &'static str,
    what: &'static str,
    title: &'static str,
    about: &'static str,
    rounds: usize,
    /// How many nanoseconds one figure takes.
    sample: f64,
}

const KINDS: [Kind; 4] = [
    Kind {
        id: "process-hot",
        what: "hot",
        title: "Call of `fn(u64) -> u64` in another process, one after the other",
        about: "One multiplication and one addition; each call takes what the one before gave. The pair of sockets carries 64 bytes, by one `write` and one `read` on each side. wasmtime calls in its own process.",
        rounds: 21,
        sample: 1e8,
    },
    Kind {
        id: "process-parked",
        what: "parked",
        title: "Call of `fn(u64) -> u64` in another process, after a pause",
        about: "The caller sleeps for two milliseconds before each call, so that both sides have gone to sleep. The pause isn't counted.",
        rounds: 51,
        sample: 1e6,
    },
    Kind {
        id: "process-bytes",
        what: "bytes",
        title: "64 MiB there and back, one after the other",
        about: "One argument, and one result. The caller gives its bytes away; the function gets bytes of its own, changes the first and gives them back; the caller gets bytes of its own. Where serde carries them they are `serde_bytes`'s, and where prost does, a `Vec<u8>`. The first call of each turn isn't counted.",
        rounds: 11,
        sample: 1e9,
    },
    Kind {
        id: "process-bytes-once",
        what: "bytes once",
        title: "64 MiB there and back, once",
        about: "The same, but a single call in each turn. What dynplug's channel had of memory for the one before, it has given back meanwhile.",
        rounds: 21,
        sample: 1.0,
    },
];

/// A program that calls, and the plugin where there is one.
struct Caller {
    name: &'static str,
    program: PathBuf,
    plugin: PathBuf,
}

impl Caller {
    fn start(&self) -> Outcome<Runner> {
        let mut runner = Runner::start(&self.program)?;
        runner.ask("load", 1, &self.plugin.display().to_string())??;
        Ok(runner)
    }
}

pub fn run(setup: &Setup) -> Outcome<Vec<Measurement>> {
    let (program, plugin) = setup.apart.clone();
    let mut callers = vec![Caller { name: DYNPLUG, program, plugin }];
    let others = setup.other_processes.iter();
    callers.extend(others.map(|(name, program)| Caller {
        name,
        program: program.clone(),
        plugin: PathBuf::new(),
    }));
    let memory = memory(setup, &callers)?;
    if let Some(peer) = setup.peer("wasmtime") {
        callers.push(Caller { name: peer.name, program: peer.program.clone(), plugin: peer.calls.clone() });
    }
    let mut runners = callers.iter().map(Caller::start).collect::<Outcome<Vec<_>>>()?;
    let mut measurements = Vec::new();
    for kind in &KINDS {
        measurements.push(calls(setup, kind, &callers, &mut runners)?);
    }
    measurements.push(memory);
    Ok(measurements)
}

fn calls(setup: &Setup, kind: &Kind, callers: &[Caller], runners: &mut [Runner]) -> Outcome<Measurement> {
    let mut measurement = Measurement::new(kind.id, kind.title, kind.about, Unit::Nanoseconds);
    let part = |name: &str, runner, what: &str| Part {
        name: name.to_owned(),
        runner,
        what: what.to_owned(),
        argument: String::new(),
    };
    let is_large = kind.what.starts_with("bytes");
    let mut parts = Vec::new();
    for (runner, caller) in callers.iter().enumerate() {
        parts.push(part(caller.name, runner, kind.what));
        if caller.name == DYNPLUG {
            parts.push(part(CHANNEL, runner, &format!("channel {}", kind.what)));
        }
        for (_, how, row) in OTHERWISE.iter().filter(|(name, ..)| is_large && *name == caller.name) {
            parts.push(part(row, runner, &format!("{how} {}", kind.what)));
        }
    }
    measure(setup, &mut measurement, runners, &parts, setup.scale.rounds(kind.rounds), kind.sample)?;
    match kind.what {
        "hot" => measurement.bar(DYNPLUG, SOCKETPAIR, 0.1),
        "parked" => measurement.bar(DYNPLUG, SOCKETPAIR, 1.2),
        // Five times its throughput.
        "bytes" => measurement.bar(DYNPLUG, TONIC, 0.2),
        _ => {}
    }
    for part in parts.iter().filter(|part| part.name != DYNPLUG && part.name != "wasmtime") {
        if measurement.bars.iter().all(|bar| bar.against.as_deref() != Some(&part.name)) {
            measurement.compare(DYNPLUG, &part.name);
        }
    }
    Ok(measurement)
}

/// What each process takes that is called, after one call.
fn memory(setup: &Setup, callers: &[Caller]) -> Outcome<Measurement> {
    let mut measurement = Measurement::new(
        "process-memory",
        "Memory of a process that is called",
        "What no other process has mapped (`Private_Clean` and `Private_Dirty` of `smaps_rollup`), after one small call, with nine plugins in as many processes: the code of the API library, of the C library and of the runner is there once for all of them. The others have one process, whose code the caller has mapped too. The pair of sockets is the smallest program there is: it reads and writes, and has no thread, no library and no memory of its own.",
        Unit::Bytes,
    );
    for _ in 0..setup.scale.rounds(5) {
        for caller in callers {
            let mut runner = caller.start()?;
            runner.ask("hot", 1, "")??;
            if caller.name != DYNPLUG {
                measurement.add(caller.name, runner.ask("private", 1, "")??);
                continue;
            }
            let before = runner.ask("together", 1, "")??;
            let more = setup.scale.many(8, 2);
            for _ in 0..more {
                runner.ask("load", 1, &caller.plugin.display().to_string())??;
            }
            measurement.add(DYNPLUG, runner.ask("private", 1, "")??);
            measurement.add(TOGETHER, (runner.ask("together", 1, "")?? - before) / more as f64);
        }
    }
    measurement.limit(DYNPLUG, MEMORY);
    measurement.limit(TOGETHER, MEMORY);
    measurement.note(format!(
        "\"{TOGETHER}\" is what host and processes grow by together with each further plugin: what is anonymous, the share of what is mapped from files, and all files in memory, each once. So it has the plugin's sealed copy and the channel in it, and what the host keeps."
    ));
    Ok(measurement)
}
