//! Starting a plugin in a process of its own.

use super::launch::launch;
use super::message::{DESCRIBE, Description, GOOD};
use super::started::{Own, Place, Started};
use super::waiters::Waiters;
use super::{OnLine, StartError};
use crate::loader::Loader;
use crate::wire::{Input, Source};
use dynplug_process::channel::{self, CallError};
use dynplug_process::keeper::{Failure, Keeper, Options};
use dynplug_process::records::Records;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

impl Loader {
    pub(super) fn start_apart(&self, path: &Path) -> Result<Started, StartError> {
        let options = &self.apart.options;
        let bytes = crate::open::read_judged(path, &self.terms)?;
        let launch = launch(path, &bytes, options, &self.terms)?;
        let (on_line, records) = told_to(&launch.name);
        let on_line = options.on_line.clone().unwrap_or(on_line);
        let mut channel = channel::Config::new();
        channel.slots = options.threads.saturating_mul(2).clamp(2, 64);
        let waiters = Waiters::new(options.processes.saturating_mul(channel.slots as usize));
        let kept = Options {
            processes: options.processes,
            restart: options.restart.clone(),
            kill_when_late: options.kill_when_late,
            grace: Duration::from_secs(1),
            channel,
            on_line,
            records,
        };
        let keeper = Keeper::start(launch.program, kept).map_err(StartError::Process)?;
        let description = describe(&keeper, path, options.ready)?;
        let (shares_types, deadline) = (launch.shares_types, options.deadline);
        Ok(Started(Place::Own(Arc::new(Own { keeper, waiters, description, shares_types, deadline }))))
    }
}

/// What is done with the lines and records of a plugin where the host doesn't say.
#[cfg(any(feature = "log", feature = "tracing"))]
fn told_to(plugin: &str) -> (OnLine, Option<Arc<dyn Records>>) {
    let recipient = Arc::new(super::records::Recipient::new(plugin));
    (super::records::lines(&recipient), Some(recipient))
}

#[cfg(not(any(feature = "log", feature = "tracing")))]
fn told_to(_plugin: &str) -> (OnLine, Option<Arc<dyn Records>>) {
    let on_line: OnLine = Arc::new(|stream, line| match stream {
        super::Stream::Output => println!("{line}"),
        super::Stream::Error => eprintln!("{line}"),
    });
    (on_line, None)
}

fn describe(keeper: &Keeper, path: &Path, within: Duration) -> Result<Description, StartError> {
    let mut answer = Vec::new();
    let deadline = Instant::now() + within;
    let path = path.to_owned();
    let called = keeper.call::<std::convert::Infallible>(DESCRIBE, Some(deadline), |_| Ok(()), &mut answer);
    match called {
        Ok(GOOD) => Input::new(&answer)
            .forgetting()
            .read()
            .map_err(|error| StartError::Answer { path, what: error.to_string() }),
        Ok(status) => Err(StartError::Answer { path, what: format!("the status {status}") }),
        Err(Failure::Ended(ending) | Failure::GivenUp(ending) | Failure::NotStarted(ending)) => {
            Err(StartError::Ended { path, ending })
        }
        Err(Failure::Call(CallError::Deadline)) => Err(StartError::Late { path, within }),
        Err(Failure::Call(error)) => Err(StartError::Answer { path, what: error.to_string() }),
        Err(other) => Err(StartError::Answer { path, what: format!("{other:?}") }),
    }
}
