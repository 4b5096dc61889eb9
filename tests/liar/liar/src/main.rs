//! A runner that runs nothing, and answers what no plugin answers.
//!
//! What hosts and API libraries say to each other is written down once more here, byte by byte: a change there is to be noticed.

use dynplug_process::channel::{Served, luggage};
use std::io::Write;

const DESCRIBE: u32 = 0;
const SHAPES: u32 = 1;
const GREET: u32 = 16;

const GOOD: u32 = 0;

const STR: u8 = 15;
const TYPE: u8 = 17;
const OPTION: u8 = 18;

fn main() {
    let lie = std::env::var("LIE").expect("a lie is named");
    let _files = luggage().expect("the host sends files");
    let served = Served::from_stdin().expect("there is a channel");
    let done = served.serve(2, move |asked, answer| {
        let (status, bytes) = match (asked.function, &*lie) {
            (DESCRIBE, "says nothing of itself") => (GOOD, Vec::new()),
            (DESCRIBE, "says noise of itself") => (GOOD, vec![0xff; 4096]),
            (DESCRIBE, "has exports without end") => (GOOD, [text("liar"), text("1"), number(1 << 60)].concat()),
            (DESCRIBE, "has a name without end") => (GOOD, number(u64::MAX >> 1)),
            (DESCRIBE, "answers with an unknown status") => (77, Vec::new()),
            (DESCRIBE, _) => (GOOD, description()),
            (SHAPES, "has a shape without end") => (GOOD, [vec![1], vec![OPTION; 1_000_000]].concat()),
            (SHAPES, "has shapes without end") => (GOOD, number(u64::from(u32::MAX))),
            (SHAPES, "names types that are nowhere") => {
                (GOOD, [vec![2, STR, TYPE], text("nowhere"), vec![0]].concat())
            }
            (SHAPES, "has no shapes") => (GOOD, vec![0, 0]),
            (SHAPES, _) => (GOOD, vec![2, STR, STR, 0]),
            (_, "gives a text without end") => (GOOD, number(1 << 40)),
            (_, "gives nothing") => (GOOD, Vec::new()),
            (_, "gives what is no text") => (GOOD, vec![2, 0xff, 0xfe]),
            (_, "gives an error that is no text") => (2, vec![0xff; 16]),
            (_, "gives more than was asked for") => (GOOD, [text("Hello"), vec![7; 64]].concat()),
            (GREET, "is honest") => (GOOD, text("Hello")),
            (_, "ends") => std::process::exit(9),
            _ => (1, b"it can't".to_vec()),
        };
        answer.write_all(&bytes).expect("it takes all bytes");
        status
    });
    done.expect("threads can be started");
}

/// One export.
fn description() -> Vec<u8> {
    let obstacles = vec![0];
    let greet = [text("greet"), text("?"), text("fn(&str) -> alloc::string::String"), obstacles].concat();
    [text("liar"), text("1.0.0"), vec![1], greet].concat()
}

fn text(text: &str) -> Vec<u8> {
    [number(text.len() as u64), text.as_bytes().to_vec()].concat()
}

/// Seven bits in each byte, the lowest first.
fn number(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(0x80 | (number & 0x7f) as u8);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
