//! A plugin that measures. It has a dependency of its own, `fastrand`, of which the host knows nothing.

use runtime_api::{CALLS, Impossible, Job, REQUEST, Reading, Running, View, view};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinHandle;
use tracing::Instrument;

/// How long one measurement takes.
const PAUSE: Duration = Duration::from_millis(5);

/// What this plugin sees from a task that it spawned.
#[dynplug::export]
async fn look() -> View {
    CALLS.fetch_add(1, Ordering::Relaxed);
    tokio::spawn(async { view!() }).await.expect("a task that only looks does not fail")
}

/// Measures in the background, and sends each reading to all receivers.
#[dynplug::export]
fn watch(place: String, times: usize, receivers: Vec<Sender<Reading>>) -> JoinHandle<usize> {
    CALLS.fetch_add(1, Ordering::Relaxed);
    let span = tracing::info_span!("watch", place);
    let work = async move {
        let mut sent = 0;
        for reading in readings(&place, times) {
            tokio::time::sleep(PAUSE).await;
            for receiver in &receivers {
                // Nobody listens any more: that is the receiver's choice.
                sent += usize::from(receiver.send(reading.clone()).await.is_ok());
            }
        }
        tracing::info!(sent, "watched");
        sent
    };
    tokio::spawn(work.instrument(span))
}

/// A job that measures when it is run.
#[dynplug::export]
fn job(place: &str, times: usize) -> Box<dyn Job> {
    CALLS.fetch_add(1, Ordering::Relaxed);
    Box::new(Measuring { place: place.to_owned(), times })
}

/// Guesses the next reading.
#[dynplug::export]
#[tracing::instrument(skip_all, fields(known = past.len()))]
async fn forecast(past: &[Reading]) -> Option<Reading> {
    CALLS.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(PAUSE).await;
    log::info!("forecast for request {}", REQUEST.get());
    let [.., before, last] = past else { return None };
    Some(Reading { place: last.place.clone(), tenths: 2 * last.tenths - before.tenths })
}

/// The temperature above absolute zero. Panics below it.
#[dynplug::export]
fn kelvin(tenths: i32) -> i32 {
    CALLS.fetch_add(1, Ordering::Relaxed);
    assert!(tenths >= -2731, "{tenths} tenths of a degree are below absolute zero");
    tenths + 2731
}

/// The same in a task, which panics with an `Impossible`.
#[dynplug::export]
fn kelvin_later(tenths: i32) -> JoinHandle<i32> {
    CALLS.fetch_add(1, Ordering::Relaxed);
    tokio::spawn(async move {
        tokio::time::sleep(PAUSE).await;
        if tenths < -2731 {
            std::panic::panic_any(Impossible { tenths });
        }
        tenths + 2731
    })
}

struct Measuring {
    place: String,
    times: usize,
}

impl Job for Measuring {
    fn name(&self) -> String {
        format!("measuring in {}", self.place)
    }

    fn run(self: Box<Self>) -> Running {
        Box::pin(async move {
            tokio::time::sleep(PAUSE).await;
            log::info!("measured in {}", self.place);
            readings(&self.place, self.times)
        })
    }
}

/// No thermometer, so that the output is the same on each run.
fn readings(place: &str, times: usize) -> Vec<Reading> {
    let seed = place.bytes().map(u64::from).sum();
    let mut random = fastrand::Rng::with_seed(seed);
    (0..times).map(|_| Reading { place: place.to_owned(), tenths: random.i32(-200..300) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_forecast_goes_on_as_before() {
        let past = [10, 30].map(|tenths| Reading { place: "Oslo".to_owned(), tenths });
        let next = REQUEST.scope(1, forecast(&past)).await;
        assert_eq!(next.map(|r| r.tenths), Some(50));
    }

    #[test]
    fn a_place_has_the_same_readings_each_time() {
        assert_eq!(readings("Oslo", 3), readings("Oslo", 3));
    }
}
