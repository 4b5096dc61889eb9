//! A plugin that collects what others measure. All that it needs comes through the API crate.

use runtime_api::tokio::sync::{mpsc, oneshot};
use runtime_api::tokio::task::JoinHandle;
use runtime_api::tracing::Instrument;
use runtime_api::{CALLS, Job, Reading, View, log, tokio, tracing, view};
use std::sync::atomic::Ordering;

/// Runs in the host's `Plugin::open`, with its runtime and its logger at hand.
#[dynplug::init]
fn start() {
    log::info!("starts on the thread `{}`", view!().thread);
}

/// What this plugin sees from a task that it spawned.
#[dynplug::export]
async fn look() -> View {
    CALLS.fetch_add(1, Ordering::Relaxed);
    tokio::spawn(async { view!() }).await.expect("a task that only looks does not fail")
}

/// Opens a channel for readings. They come back, all together, when the last sender is gone.
#[dynplug::export]
fn collect() -> (mpsc::Sender<Reading>, oneshot::Receiver<Vec<Reading>>) {
    CALLS.fetch_add(1, Ordering::Relaxed);
    let (sender, mut readings) = mpsc::channel(2);
    let (finished, result) = oneshot::channel();
    let work = async move {
        let mut all = Vec::new();
        while let Some(reading) = readings.recv().await {
            all.push(reading);
        }
        tracing::info!(received = all.len(), "collected");
        // Whoever asked may have gone.
        let _ = finished.send(all);
    };
    tokio::spawn(work.instrument(tracing::info_span!("collect")));
    (sender, result)
}

/// Runs a job, whoever made it.
#[dynplug::export]
fn run(job: Box<dyn Job>) -> JoinHandle<Vec<Reading>> {
    CALLS.fetch_add(1, Ordering::Relaxed);
    log::info!("runs a job: {}", job.name());
    tokio::spawn(job.run())
}

/// Adds the mean to the readings that it is given.
#[dynplug::export]
fn with_mean(mut readings: Vec<Reading>) -> Vec<Reading> {
    CALLS.fetch_add(1, Ordering::Relaxed);
    if let Some(mean) = mean(&readings) {
        readings.push(mean);
    }
    readings
}

fn mean(readings: &[Reading]) -> Option<Reading> {
    let count = i32::try_from(readings.len()).ok().filter(|c| *c > 0)?;
    let sum: i32 = readings.iter().map(|r| r.tenths).sum();
    Some(Reading { place: "mean".to_owned(), tenths: sum / count })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_comes_last() {
        let readings = [10, 20].map(|tenths| Reading { place: "Oslo".to_owned(), tenths });
        let all = with_mean(readings.to_vec());
        assert_eq!(all.last(), Some(&Reading { place: "mean".to_owned(), tenths: 15 }));
    }

    #[test]
    fn nothing_has_no_mean() {
        assert!(with_mean(Vec::new()).is_empty());
    }
}
