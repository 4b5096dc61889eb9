//! A host with a runtime, a subscriber, a logger and a panic hook, all of which serve its plugins too.

mod output;
mod plugins;
mod tour;

use plugins::Plugins;
use runtime_api::dynplug::Loader;
use runtime_api::tokio::runtime::Builder;
use std::error::Error;
use std::process::ExitCode;

/// The program.
pub fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("runtime-host: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<(), Box<dyn Error>> {
    output::prepare();
    let loader = match std::env::args_os().nth(1) {
        Some(folder) => Loader::new().folder(folder),
        None => Loader::new().beside_program(),
    };
    let runtime =
        Builder::new_multi_thread().worker_threads(2).thread_name("host-worker").enable_time().build()?;
    // In the runtime's context, so that plugins can spawn tasks when they start.
    runtime.block_on(async {
        let plugins = Plugins::open(loader)?;
        plugins.list();
        tour::run(&plugins).await
    })
}
