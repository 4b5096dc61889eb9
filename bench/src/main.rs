//! Measures dynplug against named things, in one run and in turns: `cargo xtask bench`. The report is printed as Markdown to
//! standard output and written with pictures and raw figures to `bench/results`; progress goes to standard error.

mod apart;
mod builds;
mod calls;
mod go;
mod interleaved;
mod lookups;
mod measure;
mod opens;
mod plot;
mod process;
mod report;
mod setup;
mod sharing;
mod space;

use measure::Measurement;
use report::Circumstances;
use setup::{Scale, Setup, say};
use std::path::PathBuf;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Measures one kind of work.
type Work = fn(&Setup) -> Outcome<Vec<Measurement>>;

/// Each kind of work by its name, and what it is about.
const ALL: &[(&str, &str, Work)] = &[
    ("calls", "calls of functions and methods, and a list there and back", calls::run),
    ("lookup", "lookup by name among 10 and 10,000", lookups::run),
    ("first", "the first open and the first refusal of a process", opens::first),
    ("many", "the tenth and the thousandth open", opens::many),
    ("again", "opens of what is open, and refusals again", opens::again),
    ("signed", "opening what has to be signed", opens::signed),
    ("discovery", "finding a thousand plugins in a folder", opens::discovery),
    ("memory", "memory for each plugin", space::memory),
    ("sizes", "sizes of plugins and hosts", space::sizes),
    ("sharing", "what sharing costs the host's own code", sharing::run),
    ("process", "calls into another process", apart::run),
    ("builds", "builds of plugins, from nothing and after a change", builds::run),
];

fn main() -> Outcome<()> {
    let (mut names, mut rounds, mut quick, mut results) = (Vec::new(), None, false, None);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" => quick = true,
            "--results" => results = Some(PathBuf::from(words.next().ok_or("--results wants a folder")?)),
            "--rounds" => rounds = Some(words.next().ok_or("--rounds wants a number")?.parse()?),
            name if ALL.iter().any(|(n, ..)| *n == name) => names.push(name.to_owned()),
            other => return Err(unknown(other).into()),
        }
    }
    let setup = Setup::new(Scale { quick, rounds })?;
    let mut measurements = Vec::new();
    for (name, what, work) in ALL {
        if names.is_empty() || names.iter().any(|n| n == name) {
            say(&format!("measuring {name}: {what}"));
            measurements.extend(work(&setup)?);
        }
    }
    let circumstances = Circumstances::of(&setup);
    println!("{}", report::markdown(&circumstances, &measurements, false));
    // What a part of a run found doesn't replace the whole.
    let folder = match results {
        Some(folder) => folder,
        None if quick || !names.is_empty() => setup.work.join("results"),
        None => setup.repository.join("bench/results"),
    };
    report::write(&folder, &circumstances, &measurements)?;
    say(&format!("written to {}", folder.display()));
    Ok(())
}

fn unknown(word: &str) -> String {
    let list: Vec<String> = ALL.iter().map(|(name, what, _)| format!("  {name}: {what}")).collect();
    format!(
        "there is no measurement or option `{word}`; there are --quick, --rounds NUMBER, --results FOLDER and\n{}",
        list.join("\n")
    )
}
