//! Pictures of measurements: a bar for each row, its median, and a line over the middle half of its figures. Drawn for light
//! and dark pages.

use crate::measure::{Measurement, Spread};
use std::fmt::Write;

const NAMES: f64 = 270.0;
const BARS: f64 = 400.0;
const NUMBERS: f64 = 90.0;
const ROW: f64 = 26.0;
const TOP: f64 = 58.0;

const STYLE: &str = "\
text { font: 13px system-ui, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.about, .tick { font-size: 11px; fill: #59636e }
.own { fill: #0969da } .other { fill: #8c959f }
.grid { stroke: #d1d9e0 } .middle { stroke: #1f2328; stroke-width: 1.5 }
.page { fill: #ffffff }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .about, .tick { fill: #9198a1 }
.own { fill: #4493f8 } .other { fill: #656c76 }
.grid { stroke: #3d444d } .middle { stroke: #f0f6fc }
.page { fill: #0d1117 }
}";

/// A measurement as SVG.
pub fn svg(of: &Measurement) -> String {
    let rows: Vec<(&str, Spread)> =
        of.rows.iter().filter_map(|row| Some((&*row.name, Spread::of(&row.figures)?))).collect();
    let scale = Scale::of(&rows);
    let (width, height) = (NAMES + BARS + NUMBERS, TOP + ROW * rows.len() as f64 + 28.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"page\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>\n\
         <text class=\"title\" x=\"16\" y=\"26\">{title}</text>\n\
         <text class=\"about\" x=\"16\" y=\"44\">median, and the middle half of the figures; less is better{log}</text>\n",
        title = escaped(&of.title),
        log = if scale.is_log { "; each line is ten times the one before" } else { "" },
    );
    let bottom = TOP + ROW * rows.len() as f64;
    for tick in scale.ticks() {
        let x = NAMES + scale.place(tick) * BARS;
        let _ = writeln!(
            out,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>\
             <text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 16.0,
            of.unit.show(tick).replace(".00", "").replace(".0", ""),
        );
    }
    for (at, (name, spread)) in rows.iter().enumerate() {
        let y = TOP + ROW * at as f64;
        let class = if is_own(name) { "own" } else { "other" };
        let place = |figure: f64| NAMES + scale.place(figure) * BARS;
        let (low, median, high) = (place(spread.low), place(spread.median), place(spread.high));
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
             <rect class=\"{class}\" x=\"{NAMES}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"2\"/>\
             <line class=\"middle\" x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"{mid:.1}\" y2=\"{mid:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            NAMES - 8.0,
            y + 17.0,
            escaped(name),
            y + 4.0,
            (median - NAMES).max(1.0),
            ROW - 8.0,
            median.max(high) + 6.0,
            y + 17.0,
            of.unit.show(spread.median),
            mid = y + ROW / 2.0,
        );
    }
    out + "</svg>\n"
}

fn is_own(name: &str) -> bool {
    name.starts_with("dynplug") || name.starts_with("shared") || name.starts_with("with the SDK")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('`', "")
}

/// Where a figure stands, from 0 to 1. Logarithmic where the longest bar would hide the others.
struct Scale {
    is_log: bool,
    from: f64,
    to: f64,
}

impl Scale {
    fn of(rows: &[(&str, Spread)]) -> Scale {
        let largest = rows.iter().map(|(_, spread)| spread.high).fold(0.0, f64::max);
        let least = rows.iter().map(|(_, spread)| spread.low).fold(f64::INFINITY, f64::min);
        if least > 0.0 && largest / least > 30.0 {
            // The shortest bar is to be seen, too.
            return Scale { is_log: true, from: (least / 2.0).log10().floor(), to: (largest * 1.05).log10() };
        }
        Scale { is_log: false, from: 0.0, to: if largest > 0.0 { largest * 1.05 } else { 1.0 } }
    }

    fn place(&self, figure: f64) -> f64 {
        let figure = if self.is_log { figure.log10() } else { figure };
        ((figure - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }

    fn ticks(&self) -> Vec<f64> {
        if self.is_log {
            return (self.from as i32..=self.to.floor() as i32).map(|power| 10f64.powi(power)).collect();
        }
        // One, two or five times a power of ten, so that there are about five.
        let rough = self.to / 5.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|n| n * power).into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(power * 10.0);
        (0..).map(|n| f64::from(n) * step).take_while(|tick| *tick <= self.to).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Unit;

    #[test]
    fn every_row_is_in_the_picture_and_markup_is_not_taken_for_markup() {
        let mut of = Measurement::new("m", "Call of `fn(&str)`", "", Unit::Nanoseconds);
        of.add("dynplug", 1.0);
        of.add("a < b", 5_000.0);
        let svg = svg(&of);
        assert!(svg.contains("fn(&amp;str)") && svg.contains("a &lt; b") && svg.contains("5.00 µs"), "{svg}");
        assert_eq!(svg.matches("<rect class=\"own\"").count(), 1);
    }

    #[test]
    fn ticks_are_round_numbers() {
        let scale = Scale { is_log: false, from: 0.0, to: 7.0 };
        assert_eq!(scale.ticks(), [0.0, 2.0, 4.0, 6.0]);
    }
}
