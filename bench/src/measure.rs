//! Figures of several rounds, and a table of their medians and ratios.

use std::fmt;

/// What was measured of several things, interleaved, so that whatever else the machine does meets all of them.
pub struct Table {
    /// The unit of the figures.
    unit: &'static str,
    /// What was measured, each with its figures and with what it is compared.
    rows: Vec<Row>,
    /// Sentences that belong to it.
    notes: Vec<String>,
}

struct Row {
    name: String,
    figures: Vec<f64>,
    against: Option<String>,
}

impl Table {
    /// A table without rows.
    pub fn new(unit: &'static str) -> Table {
        Table { unit, rows: Vec::new(), notes: Vec::new() }
    }

    /// Adds a figure to the row of that name, which is compared with `against`.
    pub fn add(&mut self, name: &str, against: Option<&str>, figure: f64) {
        match self.rows.iter_mut().find(|row| row.name == name) {
            Some(row) => row.figures.push(figure),
            None => {
                let against = against.map(str::to_owned);
                self.rows.push(Row { name: name.to_owned(), figures: vec![figure], against });
            }
        }
    }

    /// Adds a sentence below the table.
    pub fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    /// The raw figures.
    pub fn json(&self, name: &str) -> serde_json::Value {
        let rows: Vec<_> = (self.rows.iter())
            .map(|r| serde_json::json!({ "name": r.name, "against": r.against, "figures": r.figures }))
            .collect();
        serde_json::json!({ "measurement": name, "unit": self.unit, "rows": rows, "notes": self.notes })
    }
}

impl Row {
    fn median(&self) -> f64 {
        let mut figures = self.figures.clone();
        figures.sort_by(f64::total_cmp);
        let middle = figures.len() / 2;
        match figures.len() {
            0 => f64::NAN,
            odd if odd % 2 == 1 => figures[middle],
            _ => (figures[middle - 1] + figures[middle]) / 2.0,
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| | median, {} | least | most | ratio |\n|---|---:|---:|---:|---|", self.unit)?;
        for row in &self.rows {
            let (least, most) =
                row.figures.iter().fold((f64::INFINITY, 0.0), |(a, b): (f64, f64), x| (a.min(*x), b.max(*x)));
            let other = row.against.as_ref().and_then(|name| self.rows.iter().find(|r| r.name == *name));
            let ratio =
                other.map(|o| format!("{:.3} × {}", row.median() / o.median(), o.name)).unwrap_or_default();
            writeln!(f, "| {} | {:.2} | {least:.2} | {most:.2} | {ratio} |", row.name, row.median())?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "\n{note}"))
    }
}
