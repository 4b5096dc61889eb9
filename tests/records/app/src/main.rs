//! The host: its arguments are words of a small language.

use app_api::dynplug::Loader;
use app_api::dynplug::apart::{Confinement, Level, OwnProcess, RunIn, Started};
use log::kv::{Key, Value, VisitSource};
use std::fmt::Write;
use std::sync::{Condvar, Mutex};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

struct Logger;

/// What the logger was told, and a bell for each.
static HEARD: (Mutex<String>, Condvar) = (Mutex::new(String::new()), Condvar::new());

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target() != "worker::hushed"
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut pairs = Pairs(String::new());
        record.key_values().visit(&mut pairs).expect("it takes all");
        let place = record.file().is_some_and(|file| file.ends_with("lib.rs")) && record.line().is_some();
        println!("log {} {}: {}{} [{place}]", record.level(), record.target(), record.args(), pairs.0);
        HEARD.0.lock().expect("nobody panics").push_str(&format!("{}\n", record.args()));
        HEARD.1.notify_all();
    }

    fn flush(&self) {}
}

struct Pairs(String);

impl VisitSource<'_> for Pairs {
    fn visit_pair(&mut self, key: Key<'_>, value: Value<'_>) -> Result<(), log::kv::Error> {
        write!(self.0, " {key}={value}").map_err(Into::into)
    }
}

fn main() {
    let mut words = std::env::args().skip(1);
    let (mut place, mut options) = (RunIn::OwnProcess, OwnProcess::new().deadline(Duration::from_secs(20)));
    let mut plugin: Option<Started> = None;
    while let Some(verb) = words.next() {
        let mut word = || words.next().expect("the verb takes a word");
        match &*verb {
            "host" => place = RunIn::Host,
            "compute" => options = options.confine(Confinement::new(Level::ComputeOnly).memory(512 << 20)),
            "lines" => options = options.on_line(|stream, line| println!("{stream:?}: {line}")),
            "log" => {
                let _ = log::set_logger(&Logger);
                log::set_max_level(word().parse().expect("a level"));
            }
            "heard" => {
                let word = word();
                let heard = HEARD.0.lock().expect("nobody panics");
                let within = Duration::from_secs(20);
                let waited = HEARD.1.wait_timeout_while(heard, within, |heard| !heard.contains(&word));
                assert!(!waited.expect("nobody panics").1.timed_out(), "nobody said {word}");
            }
            "trace" => {
                let filter = EnvFilter::new(word());
                let plain = tracing_subscriber::fmt().with_ansi(false).without_time();
                plain.with_env_filter(filter).init();
            }
            "start" => {
                let loader = Loader::new().beside_program().run_in(place).own_process(options.clone());
                // SAFETY: the build made it.
                match unsafe { loader.start(word()) } {
                    Ok(started) => plugin = Some(started),
                    Err(error) => println!("refused: {error}"),
                }
            }
            "end" => {
                let plugin = plugin.take().expect("it was started");
                plugin.close();
                println!("ended");
            }
            verb => {
                let plugin = plugin.as_ref().expect("it was started");
                match plugin.function::<fn()>(verb).expect("it has it").call(()) {
                    Ok(()) => println!("done: {verb}"),
                    Err(error) => println!("failed: {error}"),
                }
            }
        }
    }
}
