//! An HTTP server whose routes, middleware and background jobs come from plugins.

mod app;
mod page;
mod plugins;
mod settings;
mod view;

use app::App;
use server_api::tokio::net::TcpListener;
use server_api::{Database, Shared};
use settings::Settings;
use std::error::Error;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::{env, io};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The program.
pub fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("server-host: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<(), Box<dyn Error>> {
    let settings = Settings::read()?;
    let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into()).from_env()?;
    let colours = io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colours).init();
    std::panic::set_hook(Box::new(|info| {
        let message = info.payload_as_str().unwrap_or("a payload that is no text");
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a panic: {message}");
    }));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(settings))
}

async fn serve(settings: Settings) -> Result<(), Box<dyn Error>> {
    let database = match &settings.database {
        Some(file) => Database::in_file(file)?,
        None => Database::in_memory()?,
    };
    let app = Arc::new(App::new(settings.loader(), Shared { database }));
    app.load().await;

    let listener = TcpListener::bind(&settings.address)
        .await
        .map_err(|e| format!("no requests can be received at {}: {e}", settings.address))?;
    println!("listening on http://{}", listener.local_addr()?);
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let stop = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stops: requests that are under way are answered");
    };
    axum::serve(listener, app::router(&app)).with_graceful_shutdown(stop).await?;
    app.stop().await;
    Ok(())
}
