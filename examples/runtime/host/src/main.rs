//! A host with a runtime, a subscriber, a logger and a panic hook, all of which serve its plugins too.

mod output;
mod plugins;
mod tour;

use plugins::Plugins;
use runtime_api::tokio::runtime::Builder;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
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
    let folder = match std::env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => std::env::current_exe()?.with_file_name("plugins"),
    };
    let runtime =
        Builder::new_multi_thread().worker_threads(2).thread_name("host-worker").enable_time().build()?;
    // In the runtime's context, so that plugins can spawn tasks when they start.
    runtime.block_on(async {
        let plugins = Plugins::open(&folder)?;
        plugins.list();
        tour::run(&plugins).await
    })
}
