//! What only this plugin has: C code, and crates of which the host knows nothing.

use runtime_api::{tokio, view};
use serde::{Deserialize, Serialize};

unsafe extern "C" {
    fn sum_of(numbers: *const i32, count: usize) -> i32;
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Report {
    sum: i32,
    thread: String,
}

/// Adds numbers, in C.
///
/// ```
/// assert_eq!(summary::sum(&[1, 2, 3]), 6);
/// assert!(runtime_api::CALLS.load(std::sync::atomic::Ordering::Relaxed) == 0);
/// ```
pub fn sum(numbers: &[i32]) -> i32 {
    // SAFETY: there are that many.
    unsafe { sum_of(numbers.as_ptr(), numbers.len()) }
}

#[dynplug::init]
fn report() {
    let report = Report { sum: sum(&[1, 2, 39]), thread: view!().thread };
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    // Only in a runtime can anything be spawned.
    drop(tokio::spawn(async {}));
    eprintln!("own: {text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_adds() {
        assert_eq!(sum(&[20, 22]), 42);
    }

    // tokio's macro, a feature that the host has it with.
    #[tokio::test]
    async fn it_runs_in_a_runtime() {
        assert_eq!(tokio::spawn(async { sum(&[1]) }).await.unwrap(), 1);
    }
}
