//! What every measured program written in Rust has in common. The driver starts each and asks it, one line at a time, in
//! turns with all others; so whatever else the machine does meets everybody.
//!
//! A question is a line of three parts with tabs between them: what, how often, an argument. The answer is `ok` and a
//! number, or `no` and a reason. Times are in nanoseconds, for all repetitions together.

pub mod apart;
pub mod loops;
pub mod memory;
pub mod names;

use std::io::{BufRead, Write};

/// The number that was asked for, or why there is none.
pub type Answer = Result<f64, Box<dyn std::error::Error>>;

/// One way to load code, as the driver sees it.
pub trait Peer {
    /// Answers one question.
    ///
    /// # Errors
    ///
    /// When it can't be done, or not by this peer.
    fn answer(&mut self, what: &str, count: u64, argument: &str) -> Answer;
}

/// The answer of a peer to what it has no means for.
///
/// # Errors
///
/// Always.
pub fn cannot(why: &str) -> Answer {
    Err(why.into())
}

/// Answers questions until there are no more. With arguments on the command line, answers that one question.
///
/// # Errors
///
/// When the driver is gone.
pub fn serve(peer: &mut dyn Peer) -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut out = std::io::stdout();
    if let [what, count, argument] = &words[..] {
        return writeln!(out, "{}", said(peer, what, count, argument));
    }
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut parts = line.splitn(3, '\t');
        let mut next = || parts.next().unwrap_or_default();
        let (what, count, argument) = (next(), next(), next());
        writeln!(out, "{}", said(peer, what, count, argument))?;
        out.flush()?;
    }
    Ok(())
}

fn said(peer: &mut dyn Peer, what: &str, count: &str, argument: &str) -> String {
    let answer = match what {
        "memory" => memory::used(),
        _ => peer.answer(what, count.parse().unwrap_or(1), argument),
    };
    match answer {
        Ok(number) => format!("ok\t{number}"),
        Err(why) => format!("no\t{}", why.to_string().replace('\n', " / ")),
    }
}
