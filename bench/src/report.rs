//! The report: a table of the bars, a table for each measurement, a picture of each, and the raw figures.

use crate::Outcome;
use crate::measure::{Bar, Measurement, Spread};
use crate::plot;
use crate::process::succeed;
use crate::setup::Setup;
use serde_json::json;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// With what the figures were made.
pub struct Circumstances {
    lines: Vec<(&'static str, String)>,
    left_out: Vec<(String, String)>,
}

impl Circumstances {
    pub fn of(setup: &Setup) -> Circumstances {
        let first = |words: &[&str]| {
            let output =
                words.split_first().and_then(|(name, rest)| succeed(Command::new(name).args(rest)).ok());
            output
                .and_then(|text| Some(text.lines().next()?.trim().to_owned()))
                .unwrap_or_else(|| "unknown".to_owned())
        };
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let lines = vec![
            ("date", first(&["date", "--utc", "+%Y-%m-%d"])),
            ("processor", format!("{}, {cores} cores", model.unwrap_or("unknown"))),
            ("system", format!("Linux {}, {}", first(&["uname", "-r"]), first(&["ldd", "--version"]))),
            ("compilers", setup.versions.join("; ")),
            ("peers", peers(setup)),
            (
                "dynplug",
                format!(
                    "commit {}",
                    first(&["git", "-C", env!("CARGO_MANIFEST_DIR"), "rev-parse", "--short", "HEAD"])
                ),
            ),
        ];
        Circumstances { lines, left_out: setup.left_out.clone() }
    }
}

/// The versions of the peers, as their workspace names them.
fn peers(setup: &Setup) -> String {
    let manifest = setup.repository.join("bench/peers/Cargo.toml");
    let text = std::fs::read_to_string(manifest).unwrap_or_default();
    let named = text.lines().filter_map(|line| {
        let (name, rest) = line.split_once(" = ")?;
        let (_, version) = rest.split_once("\"=")?;
        Some(format!("{name} {}", version.split('"').next()?))
    });
    named.collect::<Vec<_>>().join(", ")
}

/// The Markdown.
pub fn markdown(circumstances: &Circumstances, measurements: &[Measurement], pictures: bool) -> String {
    let mut out = String::from(
        "# Measurements\n\nMade by `cargo xtask bench`; what is done is in [bench/README.md](../README.md).\n\n",
    );
    for (name, value) in &circumstances.lines {
        let _ = writeln!(out, "- {name}: {value}");
    }
    for (name, why) in &circumstances.left_out {
        let _ = writeln!(out, "- left out: **{name}**: {why}");
    }
    let _ = write!(
        out,
        "\n## The bars\n\nA ratio is the median of the ratios of all rounds, and in brackets their middle half.\n\n{}",
        bars(measurements)
    );
    for of in measurements {
        let _ = write!(out, "\n## {}\n\n{}\n\n{}", of.title, of.about, table(of));
        for bar in &of.bars {
            let what = match &bar.against {
                Some(against) => format!("{} / {against}", bar.of),
                None => bar.of.clone(),
            };
            let _ = match of.held(bar) {
                Some(held) => writeln!(
                    out,
                    "\n{what}: **{}**, wanted ≤ {}: {}.",
                    said(of, bar, held),
                    wanted(of, bar),
                    met(bar.is_met(held.median))
                ),
                None => writeln!(out, "\n{what}: not measured."),
            };
        }
        for (one, other) in &of.compared {
            if let Some(ratio) = of.ratio(one, other) {
                let _ = writeln!(out, "\n{one} / {other}: {}.", shown(ratio));
            }
        }
        for note in &of.notes {
            let _ = writeln!(out, "\n{note}");
        }
        if pictures {
            let _ = writeln!(out, "\n![{}]({}.svg)", of.title.replace('`', ""), of.id);
        }
    }
    out
}

/// All bars in one table.
pub fn bars(measurements: &[Measurement]) -> String {
    let mut out = String::from("| work | of | against | ratio | wanted | |\n|---|---|---|---:|---:|---|\n");
    for of in measurements {
        for bar in &of.bars {
            let (held, word) = match of.held(bar) {
                Some(held) => (said(of, bar, held), met(bar.is_met(held.median))),
                None => ("–".to_owned(), "not measured"),
            };
            let against = bar.against.as_deref().unwrap_or("–");
            let _ = writeln!(
                out,
                "| {} | {} | {against} | {held} | ≤ {} | {word} |",
                of.title,
                bar.of,
                wanted(of, bar)
            );
        }
    }
    out
}

/// What was found for a bar.
fn said(of: &Measurement, bar: &Bar, Spread { low, median, high }: Spread) -> String {
    match bar.against {
        Some(_) => shown(Spread { low, median, high }),
        None => {
            let show = |figure| of.unit.show(figure);
            format!("{} ({} to {})", show(median), show(low), show(high))
        }
    }
}

/// What a bar wants.
fn wanted(of: &Measurement, bar: &Bar) -> String {
    match bar.against {
        Some(_) => bar.at_most.to_string(),
        None => of.unit.show(bar.at_most),
    }
}

fn met(is: bool) -> &'static str {
    if is { "met" } else { "**not met**" }
}

fn shown(ratio: Spread) -> String {
    let digits = if ratio.median < 0.1 { 4 } else { 3 };
    format!("{:.digits$} ({:.digits$} to {:.digits$})", ratio.median, ratio.low, ratio.high)
}

fn table(of: &Measurement) -> String {
    let mut out = String::from("| | median | middle half | rounds |\n|---|---:|---:|---:|\n");
    for row in &of.rows {
        let Some(Spread { low, median, high }) = Spread::of(&row.figures) else { continue };
        let show = |figure| of.unit.show(figure);
        let rounds = row.figures.len();
        let _ =
            writeln!(out, "| {} | {} | {} to {} | {rounds} |", row.name, show(median), show(low), show(high));
    }
    out
}

/// Writes all of it into a folder.
pub fn write(folder: &Path, circumstances: &Circumstances, measurements: &[Measurement]) -> Outcome<()> {
    std::fs::create_dir_all(folder)?;
    // What an earlier run drew and this one does not.
    for entry in std::fs::read_dir(folder)?.flatten() {
        if entry.path().extension().is_some_and(|ending| ending == "svg") {
            std::fs::remove_file(entry.path())?;
        }
    }
    for of in measurements {
        std::fs::write(folder.join(format!("{}.svg", of.id)), plot::svg(of))?;
    }
    std::fs::write(folder.join("README.md"), markdown(circumstances, measurements, true))?;
    let with: serde_json::Map<String, serde_json::Value> =
        circumstances.lines.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let all = json!({
        "with": with,
        "left_out": circumstances.left_out,
        "measurements": measurements.iter().map(Measurement::json).collect::<Vec<_>>(),
    });
    std::fs::write(folder.join("figures.json"), serde_json::to_string(&all)? + "\n")?;
    Ok(())
}
