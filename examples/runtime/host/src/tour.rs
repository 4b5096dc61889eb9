//! What the host does with its plugins: each step shows one thing that they share.
//!
//! A step prints what it got when all tasks that it started are done, so that the output has one order.

use crate::plugins::Plugins;
use runtime_api::dynplug::{LookupError, Plugin};
use runtime_api::{CALLS, Impossible, Job, REQUEST, Reading, Running, View, view};
use std::error::Error;
use std::panic::catch_unwind;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tracing::{Instrument, info_span};

type Outcome = Result<(), Box<dyn Error>>;
/// What a call of an exported `async fn` gives.
type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Goes through all steps.
pub async fn run(plugins: &Plugins) -> Outcome {
    let (station, summary) = (plugins.get("station")?, plugins.get("summary")?);
    one_of_each(&[station, summary]).instrument(info_span!("one_of_each")).await?;
    channels(station, summary).instrument(info_span!("channels")).await?;
    jobs(station, summary).instrument(info_span!("jobs")).await?;
    an_async_fn(station, summary).instrument(info_span!("an_async_fn")).await?;
    one_counter();
    // Where a panic is the end of the program, nobody catches one.
    if cfg!(panic = "unwind") {
        panics(station).instrument(info_span!("panics")).await?;
    }
    Ok(())
}

fn title(text: &str) {
    println!("--- {text}");
}

/// The runtime, the logger, a static and a type are what they are for the host.
async fn one_of_each(plugins: &[&'static Plugin]) -> Outcome {
    title("one of each");
    let here = tokio::spawn(async { view!() }).await?;
    println!("the host's tasks run on the thread `{}`", here.thread);
    for plugin in plugins {
        let look: fn() -> Pending<'static, View> = plugin.lookup("look")?;
        let there = look().await;
        println!("{}'s tasks run on the thread `{}`", plugin.name(), there.thread);
        println!("  same runtime: {}", there.runtime == here.runtime);
        println!("  same logger: {}", there.logger == here.logger);
        println!("  same counter: {}", there.calls == here.calls);
        println!("  same type: {}", there.reading == here.reading);
    }
    Ok(())
}

/// One plugin sends to a channel of the host's and to one of the other plugin's.
async fn channels(station: &'static Plugin, summary: &'static Plugin) -> Outcome {
    type Watch = fn(String, usize, Vec<mpsc::Sender<Reading>>) -> JoinHandle<usize>;
    type Collect = fn() -> (mpsc::Sender<Reading>, oneshot::Receiver<Vec<Reading>>);

    title("channels");
    let watch: Watch = station.lookup("watch")?;
    let collect: Collect = summary.lookup("collect")?;

    let (to_host, mut from_station) = mpsc::channel(1);
    let (to_summary, collected) = collect();
    let watching = watch("Oslo".to_owned(), 3, vec![to_host, to_summary]);
    let mut received = Vec::new();
    while let Some(reading) = from_station.recv().await {
        received.push(reading);
    }
    let (sent, collected) = (watching.await?, collected.await?);
    println!("station sent {sent}, the host received {}, summary {}", received.len(), collected.len());
    say(&received);
    println!("both received the same: {}", received == collected);
    Ok(())
}

/// A job of the host's.
struct Remembered(Vec<Reading>);

impl Job for Remembered {
    fn name(&self) -> String {
        "what the host remembers".to_owned()
    }

    fn run(self: Box<Self>) -> Running {
        Box::pin(async move { self.0 })
    }
}

/// Jobs go from a plugin to the host, from the host to a plugin, and from plugin to plugin.
async fn jobs(station: &'static Plugin, summary: &'static Plugin) -> Outcome {
    title("trait objects");
    let job: fn(&str, usize) -> Box<dyn Job> = station.lookup("job")?;
    let run: fn(Box<dyn Job>) -> JoinHandle<Vec<Reading>> = summary.lookup("run")?;

    let of_station = job("Bergen", 2);
    println!("the host runs a job: {}", of_station.name());
    let measured = tokio::spawn(of_station.run()).await?;
    say(&measured);
    say(&run(Box::new(Remembered(measured))).await?);
    say(&run(job("Hamar", 1)).await?);
    Ok(())
}

/// The host awaits a plugin's `async fn`, and lets plugins lengthen and shorten what it owns.
async fn an_async_fn(station: &'static Plugin, summary: &'static Plugin) -> Outcome {
    title("an async fn, and a Vec there and back");
    let forecast: fn(&[Reading]) -> Pending<'_, Option<Reading>> = station.lookup("forecast")?;
    let with_mean: fn(Vec<Reading>) -> Vec<Reading> = summary.lookup("with_mean")?;

    let mut readings = vec![reading(100), reading(130)];
    let next = REQUEST.scope(17, forecast(&readings)).await;
    readings.extend(next);
    let mut readings = with_mean(readings);
    readings.push(reading(0));
    say(&readings);
    Ok(())
}

fn reading(tenths: i32) -> Reading {
    Reading { place: "host".to_owned(), tenths }
}

/// Only plugins have counted.
fn one_counter() {
    title("one counter");
    println!("calls that the host counts: {}", CALLS.load(Ordering::Relaxed));
}

/// A plugin's panics are caught by the host, whatever their payload.
async fn panics(station: &'static Plugin) -> Outcome {
    title("panics");
    let kelvin: fn(i32) -> i32 = station.lookup("kelvin")?;
    println!("kelvin(0) is {}", kelvin(0));
    let payload = catch_unwind(|| kelvin(-3000)).expect_err("it is too cold");
    println!("caught: {:?}", payload.downcast_ref::<String>());

    let kelvin_later: fn(i32) -> JoinHandle<i32> = station.lookup("kelvin_later")?;
    let error = kelvin_later(-4000).await.expect_err("it is too cold");
    println!("a JoinError, of a panic: {}", error.is_panic());
    println!("caught: {:?}", error.into_panic().downcast_ref::<Impossible>());

    // A name that isn't there is an error like any other.
    let missing: Result<fn(i32) -> i32, LookupError> = station.lookup("kelvins");
    println!("{}", missing.expect_err("it has no such function"));
    Ok(())
}

fn say(readings: &[Reading]) {
    for Reading { place, tenths } in readings {
        println!("  {place} {tenths}");
    }
}
