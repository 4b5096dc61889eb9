//! Figures of several rounds, and the bars that they are held against.

use serde_json::json;

/// What the figures count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Nanoseconds,
    Bytes,
    Instructions,
}

/// One kind of work, and what it took each of those who can do it.
pub struct Measurement {
    /// Its name on the command line and in file names.
    pub id: &'static str,
    pub title: String,
    /// What exactly was done, in a sentence or two.
    pub about: String,
    pub unit: Unit,
    pub rows: Vec<Row>,
    pub bars: Vec<Bar>,
    /// Rows whose ratio is worth telling, without a bar.
    pub compared: Vec<(String, String)>,
    pub notes: Vec<String>,
}

/// What it took one of them, a figure for each round.
pub struct Row {
    pub name: String,
    pub figures: Vec<f64>,
}

/// What a ratio should be at the most, or a figure itself.
pub struct Bar {
    pub of: String,
    /// Nothing where the figure itself counts.
    pub against: Option<String>,
    pub at_most: f64,
}

/// The middle of figures, and the quarters below and above.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Spread {
    /// Of no figures it is nothing.
    pub fn of(figures: &[f64]) -> Option<Spread> {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let at = |part: f64| {
            let place = last as f64 * part;
            let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        Some(Spread { low: at(0.25), median: at(0.5), high: at(0.75) })
    }
}

impl Measurement {
    pub fn new(id: &'static str, title: &str, about: &str, unit: Unit) -> Measurement {
        Measurement {
            id,
            title: title.to_owned(),
            about: about.to_owned(),
            unit,
            rows: Vec::new(),
            bars: Vec::new(),
            compared: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a figure to a row.
    pub fn add(&mut self, name: &str, figure: f64) {
        match self.rows.iter_mut().find(|row| row.name == name) {
            Some(row) => row.figures.push(figure),
            None => self.rows.push(Row { name: name.to_owned(), figures: vec![figure] }),
        }
    }

    /// Holds one row against another.
    pub fn bar(&mut self, of: &str, against: &str, at_most: f64) {
        self.bars.push(Bar { of: of.to_owned(), against: Some(against.to_owned()), at_most });
    }

    /// Holds the figures of one row against a number.
    pub fn limit(&mut self, of: &str, at_most: f64) {
        self.bars.push(Bar { of: of.to_owned(), against: None, at_most });
    }

    /// Tells the ratio of two rows.
    pub fn compare(&mut self, of: &str, against: &str) {
        self.compared.push((of.to_owned(), against.to_owned()));
    }

    /// Adds a sentence below the table, once.
    pub fn note(&mut self, text: String) {
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// The ratio of two rows: round by round where both have all rounds, since what else the machine did met both.
    pub fn ratio(&self, of: &str, against: &str) -> Option<Spread> {
        let (of, against) = (self.row(of)?, self.row(against)?);
        if of.figures.len() == against.figures.len() {
            let ratios: Vec<f64> = of.figures.iter().zip(&against.figures).map(|(a, b)| a / b).collect();
            return Spread::of(&ratios);
        }
        let ratio = Spread::of(&of.figures)?.median / Spread::of(&against.figures)?.median;
        Some(Spread { low: ratio, median: ratio, high: ratio })
    }

    /// What a bar holds against what is wanted: a ratio, or the figures themselves.
    pub fn held(&self, bar: &Bar) -> Option<Spread> {
        match &bar.against {
            Some(against) => self.ratio(&bar.of, against),
            None => Spread::of(&self.row(&bar.of)?.figures),
        }
    }

    /// The raw figures, and the bars as they were met.
    pub fn json(&self) -> serde_json::Value {
        let unit = match self.unit {
            Unit::Nanoseconds => "ns",
            Unit::Bytes => "bytes",
            Unit::Instructions => "instructions",
        };
        let rows: Vec<_> =
            (self.rows.iter()).map(|r| json!({ "name": r.name, "figures": r.figures })).collect();
        let bars: Vec<_> = (self.bars.iter())
            .map(|bar| {
                let ratio = self.held(bar).map(|ratio| ratio.median);
                let met = ratio.map(|ratio| bar.is_met(ratio));
                json!({ "of": bar.of, "against": bar.against, "at_most": bar.at_most, "ratio": ratio, "met": met })
            })
            .collect();
        json!({ "measurement": self.id, "title": self.title, "unit": unit, "rows": rows, "bars": bars, "notes": self.notes })
    }
}

impl Bar {
    pub fn is_met(&self, ratio: f64) -> bool {
        ratio <= self.at_most
    }
}

impl Unit {
    /// A figure for people, with three digits that count.
    pub fn show(self, figure: f64) -> String {
        let steps: &[(f64, &str)] = match self {
            Unit::Nanoseconds => &[(1.0, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")],
            Unit::Bytes => &[(1.0, "B"), (1e3, "KB"), (1e6, "MB")],
            Unit::Instructions => &[(1.0, ""), (1e3, "thousand"), (1e6, "million")],
        };
        let step = steps.iter().rev().find(|(size, _)| figure >= *size).unwrap_or(&steps[0]);
        let number = figure / step.0;
        let digits = match number {
            n if n >= 100.0 => 0,
            n if n >= 10.0 => 1,
            _ => 2,
        };
        let digits = if self == Unit::Bytes && step.0 == 1.0 { 0 } else { digits };
        format!("{number:.digits$} {}", step.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_made_round_by_round() {
        let mut of = Measurement::new("m", "", "", Unit::Nanoseconds);
        for (a, b) in [(1.0, 2.0), (10.0, 20.0), (3.0, 30.0)] {
            of.add("a", a);
            of.add("b", b);
        }
        assert_eq!(of.ratio("a", "b").unwrap().median, 0.5);
        assert!(of.ratio("a", "none").is_none());
    }

    #[test]
    fn figures_are_shown_with_three_digits() {
        let shown = [1.234, 12.34, 123.4, 1234.0, 5e6, 1.5e9].map(|figure| Unit::Nanoseconds.show(figure));
        assert_eq!(shown, ["1.23 ns", "12.3 ns", "123 ns", "1.23 µs", "5.00 ms", "1.50 s"]);
        assert_eq!(Unit::Bytes.show(4600.0), "4.60 KB");
        assert_eq!(Unit::Bytes.show(46.0), "46 B");
    }
}
