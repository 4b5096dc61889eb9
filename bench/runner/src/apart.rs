//! What is asked of those who call into another process, the same for each.

use crate::memory;
use crate::{Answer, cannot, loops};
use std::error::Error;
use std::time::{Duration, Instant};

/// What goes wrong with a call.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// So many bytes a large message has.
pub const LARGE: usize = 64 << 20;

/// So long a pause is that the caller and whoever is called have gone to sleep when it is over.
const PAUSE: Duration = Duration::from_millis(2);

/// Who calls into another process.
pub trait Calls {
    /// Calls what [`loops::step`] does.
    ///
    /// # Errors
    ///
    /// The call did not succeed.
    fn number(&mut self, x: u64) -> Result<u64>;

    /// Calls what [`change`] does.
    ///
    /// # Errors
    ///
    /// As above, and when there is no such call.
    fn bytes(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>>;

    /// The processes that are called.
    fn processes(&self) -> Vec<u32>;
}

/// What the called function does to a large message. It has it as its own, and gives it back.
pub fn change(bytes: &mut [u8]) {
    if let Some(first) = bytes.first_mut() {
        *first = first.wrapping_add(1);
    }
}

/// Answers a question about calls. Before `bytes` there is one that isn't counted.
///
/// # Errors
///
/// A call did not succeed, or gave what it should not.
pub fn answer(calls: &mut impl Calls, what: &str, count: u64) -> Answer {
    match what {
        "hot" => numbers(calls, count, Duration::ZERO),
        "parked" => numbers(calls, count, PAUSE),
        "bytes" => {
            large(calls, 1)?;
            large(calls, count)
        }
        "bytes once" => large(calls, count),
        "private" => {
            let processes = calls.processes();
            let mut sum = 0.0;
            for process in &processes {
                sum += memory::private(*process)?;
            }
            if processes.is_empty() {
                cannot("it has no other process")
            } else {
                Ok(sum / processes.len() as f64)
            }
        }
        "together" => memory::used_by(&[&[std::process::id()], &calls.processes()[..]].concat()),
        _ => cannot("there is no such call"),
    }
}

/// Calls that depend on each other, each after a pause that isn't counted.
fn numbers(calls: &mut impl Calls, count: u64, pause: Duration) -> Answer {
    let (mut x, mut want, mut took) = (1, 1, 0.0);
    if pause.is_zero() {
        let began = Instant::now();
        for _ in 0..count {
            x = calls.number(x)?;
        }
        took = loops::since(began);
    } else {
        for _ in 0..count {
            std::thread::sleep(pause);
            let began = Instant::now();
            x = calls.number(x)?;
            took += loops::since(began);
        }
    }
    for _ in 0..count {
        want = loops::step(want);
    }
    if x == want { Ok(took) } else { cannot("a call gave another number") }
}

/// A large message there and back; what comes back is what the next call takes.
fn large(calls: &mut impl Calls, count: u64) -> Answer {
    let mut bytes = vec![0_u8; LARGE];
    bytes.fill(7);
    let began = Instant::now();
    for _ in 0..count {
        bytes = calls.bytes(bytes)?;
    }
    let took = loops::since(began);
    let is_right = bytes.len() == LARGE
        && bytes.first() == Some(&7_u8.wrapping_add(count as u8))
        && bytes.last() == Some(&7);
    if is_right { Ok(took) } else { cannot("a call gave other bytes") }
}
