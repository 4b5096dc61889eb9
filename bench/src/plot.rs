//! A picture of figures that were measured: for each row a bar as long as its median, and a line from the least to the most.

use crate::Outcome;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

/// The colours, for light and dark pages.
const STYLE: &str = "  <style>
    .ground { fill: #ffffff; }
    .bar { fill: #2f5fb3; }
    .other { fill: #9aa5b5; }
    .range { stroke: #1c2430; stroke-width: 1.5; }
    text { font-family: system-ui, -apple-system, 'Segoe UI', sans-serif; font-size: 13px; fill: #1c2430; }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #16191f; }
      .bar { fill: #7ea6ee; }
      .other { fill: #66707f; }
      .range { stroke: #e7ebf1; }
      text { fill: #e7ebf1; }
    }
  </style>
";

/// Where the bars begin, and how long the longest is.
const BEGIN: f64 = 24.0;
const LENGTH: f64 = 560.0;

/// Draws the rows of one measurement in a file that `--json` has written. Seconds of the processor are left out: the picture
/// is of what somebody waits for.
///
/// # Errors
/// When the file isn't what `--json` writes, or the picture can't be written.
pub fn draw(json: &Path, picture: &Path) -> Outcome<()> {
    let tables: Vec<Value> = serde_json::from_slice(&std::fs::read(json)?)?;
    let table = tables.first().ok_or("the file has no measurement")?;
    let unit = table["unit"].as_str().ok_or("the measurement has no unit")?;
    let mut rows = Vec::new();
    for row in table["rows"].as_array().ok_or("the measurement has no rows")? {
        let name = row["name"].as_str().ok_or("a row has no name")?;
        let figures = row["figures"].as_array().ok_or("a row has no figures")?;
        let mut figures: Vec<f64> = figures.iter().filter_map(Value::as_f64).collect();
        figures.sort_by(f64::total_cmp);
        let (Some(least), Some(most)) = (figures.first(), figures.last()) else { continue };
        let median = (figures[(figures.len() - 1) / 2] + figures[figures.len() / 2]) / 2.0;
        if !name.ends_with(", processor") {
            rows.push((name.to_owned(), *least, median, *most, !row["against"].is_null()));
        }
    }
    let longest = rows.iter().fold(0.0_f64, |longest, row| longest.max(row.3));
    let scale = LENGTH / longest;
    let height = 16 + rows.len() * 46;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 700 {height}\" width=\"700\" height=\"{height}\" \
         role=\"img\">\n{STYLE}  <rect class=\"ground\" width=\"700\" height=\"{height}\" rx=\"8\"/>\n"
    );
    for (place, (name, least, median, most, is_ours)) in rows.iter().enumerate() {
        let top = 12 + place * 46;
        let class = if *is_ours { "bar" } else { "other" };
        writeln!(svg, "  <text x=\"{BEGIN}\" y=\"{}\">{}</text>", top + 14, escaped(name))?;
        writeln!(
            svg,
            "  <rect class=\"{class}\" x=\"{BEGIN}\" y=\"{}\" width=\"{:.1}\" height=\"14\" rx=\"2\"/>",
            top + 20,
            median * scale
        )?;
        writeln!(
            svg,
            "  <line class=\"range\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y}\" y2=\"{y}\"/>",
            BEGIN + least * scale,
            BEGIN + most * scale,
            y = top + 27
        )?;
        let end = BEGIN + most.max(*median) * scale + 8.0;
        writeln!(svg, "  <text x=\"{end:.1}\" y=\"{}\">{median:.1} {unit}</text>", top + 32)?;
    }
    svg += "</svg>\n";
    std::fs::write(picture, svg)?;
    Ok(())
}

/// A text as XML has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
