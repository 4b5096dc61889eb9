//! The host: its first argument says which scenario to play. A scenario that goes wrong panics.

mod calling;
mod failing;
#[cfg(unix)]
mod forking;
#[cfg(not(unix))]
#[path = "not_forking.rs"]
mod forking;
mod many;
mod once;
mod order;

use app_api::LOG;

fn main() {
    let name = std::env::args().nth(1).expect("the scenario's name");
    let lists = [
        order::SCENARIOS,
        once::SCENARIOS,
        calling::SCENARIOS,
        failing::SCENARIOS,
        forking::SCENARIOS,
        many::SCENARIOS,
    ];
    let (_, scenario) =
        lists.into_iter().flatten().find(|(n, _)| *n == name).expect("a scenario of this name");
    scenario();
    println!("{name}: done");
}

/// A scenario and its name.
type Scenario = (&'static str, fn());

/// Opens a plugin that opens.
fn open(name: &str) -> &'static app_api::dynplug::Plugin {
    app_api::open(name).unwrap_or_else(|e| panic!("{e}"))
}

/// What was logged since the last time.
fn logged() -> Vec<String> {
    std::mem::take(&mut *LOG.lock().unwrap())
}
