//! The host: its first argument says which scenario to play. A scenario that goes wrong panics.

mod events;
mod exits;
mod joins;

use app_api::dynplug::{OpenError, Plugin};
use std::path::PathBuf;

type Scenario = (&'static str, fn());

fn main() {
    let name = std::env::args().nth(1).expect("the scenario's name");
    let lists = [joins::SCENARIOS, exits::SCENARIOS, events::SCENARIOS];
    let (_, scenario) =
        lists.into_iter().flatten().find(|(n, _)| *n == name).expect("a scenario of this name");
    scenario();
}

fn file(name: &str) -> PathBuf {
    let here = std::env::current_exe().expect("the program lies somewhere");
    here.with_file_name("plugins").join(format!("lib{name}.so"))
}

fn try_open(name: &str) -> Result<&'static Plugin, OpenError> {
    // SAFETY: the build made it.
    unsafe { Plugin::open(file(name)) }
}

fn open(name: &str) -> &'static Plugin {
    try_open(name).unwrap_or_else(|e| panic!("{e}"))
}
