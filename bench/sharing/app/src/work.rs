//! The work: JSON, regular expressions, maps, tasks.

use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

#[derive(Serialize, Deserialize)]
struct Order {
    id: u64,
    customer: String,
    paid: bool,
    total: f64,
    lines: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    article: String,
    count: u32,
    price: f64,
    note: Option<String>,
}

/// What the work is done on.
pub struct Work {
    json: String,
    log: String,
    words: Vec<String>,
    line: Regex,
    address: Regex,
    runtime: Runtime,
}

impl Work {
    pub fn new() -> Work {
        let orders: Vec<Order> = (0..100)
            .map(|id| Order {
                id,
                customer: format!("customer \"{}\"", id * 37 % 91),
                paid: id % 3 == 0,
                total: id as f64 * 1.25,
                lines: (0..5)
                    .map(|line| Line {
                        article: format!("article {}", id * line),
                        count: line as u32,
                        price: line as f64 / 7.0,
                        note: (line % 2 == 0).then(|| "as before\n".to_owned()),
                    })
                    .collect(),
            })
            .collect();
        let mut log = String::new();
        for line in 0..1_000_u32 {
            let (a, b) = (line * 7 % 256, line * 13 % 256);
            let level = ["INFO", "WARN", "ERROR"][line as usize % 3];
            writeln!(
                log,
                "2026-01-{:02} {level} 10.0.{a}.{b} request /page/{line}?user=u{a}@example.org took {b} ms",
                line % 28 + 1
            )
            .expect("a text takes all that is written to it");
        }
        let words =
            (0..20_000_u64).map(|n| format!("word{}", n.wrapping_mul(2_654_435_761) % 5_000)).collect();
        Work {
            json: serde_json::to_string(&orders).expect("orders are JSON"),
            log,
            words,
            line: Regex::new(r"(?m)^(\d{4}-\d\d-\d\d) (WARN|ERROR) (\S+) request (\S+) took (\d+) ms$")
                .expect("the pattern is good"),
            address: Regex::new(r"[\w.+-]+@[\w-]+\.[\w.]+").expect("the pattern is good"),
            runtime: Builder::new_current_thread().build().expect("there can be a runtime"),
        }
    }

    /// Reading JSON into types and writing it again.
    pub fn json(&self) -> u64 {
        let orders: Vec<Order> = serde_json::from_str(&self.json).expect("it is JSON");
        serde_json::to_string(&orders).expect("orders are JSON").len() as u64
    }

    /// Without types.
    pub fn json_values(&self) -> u64 {
        let value: Value = serde_json::from_str(&self.json).expect("it is JSON");
        value.to_string().len() as u64
    }

    pub fn regex(&self) -> u64 {
        let lines = self.line.captures_iter(&self.log).map(|found| found[5].len() as u64);
        lines.sum::<u64>() + self.address.find_iter(&self.log).count() as u64
    }

    /// Words counted and put in order.
    pub fn maps(&self) -> u64 {
        let mut counts: HashMap<&str, u64> = HashMap::new();
        for word in &self.words {
            *counts.entry(word).or_default() += 1;
        }
        let ordered: BTreeMap<&str, u64> = counts.into_iter().collect();
        ordered.range("word2".."word3").map(|(word, count)| word.len() as u64 * count).sum()
    }

    /// A thousand tasks that send what they have through a channel, each in two steps.
    pub fn tasks(&self) -> u64 {
        self.runtime.block_on(async {
            let (sender, mut receiver) = mpsc::channel(64);
            for task in 0..1_000_u64 {
                let sender = sender.clone();
                tokio::spawn(async move {
                    tokio::task::yield_now().await;
                    let _ = sender.send(task).await;
                });
            }
            drop(sender);
            let mut sum = 0;
            while let Some(number) = receiver.recv().await {
                sum += number;
            }
            sum
        })
    }
}
