//! From what the loader opens to what the server uses: each plugin's extension, or why it has none.

use server_api::axum::Router;
use server_api::dynplug::Plugin;
use server_api::{Extension, Job, NewExtension, Shared};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tower_http::catch_panic::CatchPanicLayer;

/// Below these names stand the server's own routes.
const TAKEN: [&str; 2] = ["admin", "plugins"];

/// A plugin in use.
pub struct Used {
    /// The plugin.
    pub plugin: &'static Plugin,
    /// What it adds.
    pub extension: Box<dyn Extension>,
    /// Its routes, of which a panic is an answer.
    pub routes: Router<Shared>,
}

/// Asks a plugin for its extension. A plugin that panics on the way is one that isn't used.
pub fn prepare(plugin: &'static Plugin, shared: &Shared) -> Result<(Used, Vec<Job>), String> {
    if TAKEN.contains(&plugin.name()) {
        return Err(format!("the server has routes of its own at `/{}`", plugin.name()));
    }
    let new: NewExtension = plugin.lookup("extension").map_err(|e| e.to_string())?;
    let ask = || {
        let extension = new();
        let prepared = shared.database.call_blocking(|database| extension.prepare(database));
        prepared.map_err(|e| e.to_string())?;
        let routes = extension.routes().layer(CatchPanicLayer::custom(crate::app::panicked));
        // Routes that can't stand beside the others panic here, and not when all are put together.
        let _ = below(Router::new(), plugin, &routes);
        let _ = extension.layer(Router::new());
        let jobs = extension.jobs(shared);
        Ok((Used { plugin, extension, routes }, jobs))
    };
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|payload| {
        Err(format!("it panicked when it was asked for its extension: {}", text(&*payload)))
    })
}

/// All plugins' routes, each below its name, and around them all plugins' middleware.
pub fn together(all: &[Used]) -> Router<Shared> {
    let routes = all.iter().fold(Router::new(), |routes, used| below(routes, used.plugin, &used.routes));
    all.iter().fold(routes, |routes, used| used.extension.layer(routes))
}

fn below(routes: Router<Shared>, plugin: &Plugin, own: &Router<Shared>) -> Router<Shared> {
    routes.nest(&format!("/{}", plugin.name()), own.clone())
}

/// What a panic says.
pub fn text(payload: &(dyn std::any::Any + Send)) -> &str {
    let owned = payload.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a payload that is no text")
}
