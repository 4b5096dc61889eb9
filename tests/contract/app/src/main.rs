//! The host: its first argument says which scenario to play. A scenario that goes wrong panics.

mod basics;
mod sharing;
mod symbols;

use app_api::dynplug::Plugin;
use std::path::PathBuf;

fn main() {
    let name = std::env::args().nth(1).expect("the scenario's name");
    let scenarios = basics::SCENARIOS.iter().chain(sharing::SCENARIOS).chain(symbols::SCENARIOS);
    let (_, scenario) = scenarios.into_iter().find(|(n, _)| *n == name).expect("a scenario of this name");
    scenario();
    println!("{name}: done");
}

/// A scenario and its name.
type Scenario = (&'static str, fn());

/// Where a plugin lies.
fn file(name: &str) -> PathBuf {
    let folder = std::env::current_exe().unwrap().with_file_name("plugins");
    folder.join(format!("lib{name}.so"))
}

/// Opens a plugin.
fn open(name: &str) -> &'static Plugin {
    // SAFETY: the build made it.
    unsafe { Plugin::open(file(name)) }.unwrap_or_else(|e| panic!("{e}"))
}
