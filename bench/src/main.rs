//! Measurements, each against something named and in one run with it: `cargo run --release -- NAME`. The table is printed
//! to standard output, progress to standard error; `--json FILE` writes the raw figures, and `plot FILE PICTURE` draws them.

mod measure;
mod plot;
mod plugin_build;

use measure::Table;
use std::path::PathBuf;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Measures in as many rounds as are asked for.
type Measurement = fn(usize) -> Outcome<Table>;

/// Each measurement by its name, and what it is about.
const ALL: &[(&str, &str, Measurement)] =
    &[("plugin-build", "a plugin built from nothing: with an SDK, and from source", plugin_build::run)];

fn main() -> Outcome<()> {
    let (mut names, mut json, mut rounds) = (Vec::new(), None, 3);
    let mut words = std::env::args().skip(1).peekable();
    if words.next_if_eq("plot").is_some() {
        let (Some(json), Some(picture)) = (words.next(), words.next()) else {
            return Err("plot wants the file that --json has written, and the picture's".into());
        };
        return plot::draw(json.as_ref(), picture.as_ref());
    }
    while let Some(word) = words.next() {
        match word.as_str() {
            "--json" => json = Some(PathBuf::from(words.next().ok_or("--json wants a file")?)),
            "--rounds" => rounds = words.next().ok_or("--rounds wants a number")?.parse()?,
            name if ALL.iter().any(|(n, ..)| *n == name) => names.push(name.to_owned()),
            other => {
                let list: Vec<String> =
                    ALL.iter().map(|(name, what, _)| format!("  {name}: {what}")).collect();
                return Err(
                    format!("there is no measurement `{other}`; there are\n{}", list.join("\n")).into()
                );
            }
        }
    }
    let mut raw = Vec::new();
    for (name, what, run) in ALL {
        if names.is_empty() || names.iter().any(|n| n == name) {
            let table = run(rounds)?;
            println!("## {name}: {what}\n\n{table}");
            raw.push(table.json(name));
        }
    }
    if let Some(file) = json {
        std::fs::write(file, serde_json::to_vec_pretty(&raw)?)?;
    }
    Ok(())
}
