//! From what the loader opens to what the server uses: each plugin's extension, or why it has none.

use server_api::axum::Router;
use server_api::axum::http::{Method, StatusCode, Uri, header};
use server_api::axum::response::{IntoResponse, Response};
use server_api::axum::routing::any;
use server_api::dynplug::apart::{Function, Started};
use server_api::dynplug::{About, Found, Loader, Plugin};
use server_api::tokio::task::spawn_blocking;
use server_api::{Answer, AnswerQuestion, Extension, Failure, Job, NewExtension, Question, Shared};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;

/// Below these names stand the server's own routes.
const TAKEN: [&str; 2] = ["admin", "plugins"];

/// A plugin in use.
pub struct Used {
    /// Its name.
    pub name: String,
    /// Where it runs.
    pub running: Running,
    /// What it adds, unless it only answers.
    pub extension: Option<Box<dyn Extension>>,
    /// Its routes, of which a panic is an answer.
    pub routes: Router<Shared>,
}

/// Where a plugin runs.
pub enum Running {
    /// In the server's process.
    Here(&'static Plugin),
    /// In a process of its own.
    Elsewhere {
        /// The plugin.
        plugin: Started,
        /// What it said of itself before it was started.
        about: Box<About>,
        /// Its file.
        path: String,
    },
}

impl Used {
    /// The plugin, where it runs in the server's process.
    pub fn here(&self) -> Option<&'static Plugin> {
        match self.running {
            Running::Here(plugin) => Some(plugin),
            Running::Elsewhere { .. } => None,
        }
    }
}

/// Whether a plugin only answers, and so can run elsewhere.
pub fn only_answers(found: &Found) -> bool {
    let exports = |name| found.about().is_some_and(|about| about.exports.iter().any(|it| it.name == name));
    exports("answer") && !exports("extension")
}

/// Starts a plugin that only answers, where the loader says.
///
/// # Safety
///
/// As for [`Loader::start`].
pub unsafe fn start(found: &Found, loader: &Loader) -> Result<Used, String> {
    let about = found.about().ok_or("it says nothing of itself")?;
    let name = about.package.clone();
    is_free(&name)?;
    let place = found.path().or(found.name().map(Path::new)).ok_or("it has no name")?;
    // SAFETY: the caller's obligation is handed on as it is.
    let plugin = unsafe { loader.start(place) }.map_err(|e| e.to_string())?;
    let function = Arc::new(plugin.function::<AnswerQuestion>("answer").map_err(|e| e.to_string())?);
    let ask = any(move |method: Method, uri: Uri, body: String| {
        let question = Question {
            method: method.to_string(),
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
            body,
        };
        ask(Arc::clone(&function), question)
    });
    let running = match plugin.in_host() {
        Some(plugin) => Running::Here(plugin),
        None => {
            Running::Elsewhere { plugin, about: Box::new(about.clone()), path: place.display().to_string() }
        }
    };
    let routes = Router::new().route("/", ask.clone()).route("/{*path}", ask);
    Ok(Used { name, running, extension: None, routes })
}

/// Asks a plugin. It may take its time, so that is done on a thread that may block.
async fn ask(function: Arc<Function<AnswerQuestion>>, question: Question) -> Response {
    let answered = spawn_blocking(move || function.call((&question,))).await;
    let failed = |message| Failure { status: StatusCode::INTERNAL_SERVER_ERROR, message }.into_response();
    match answered {
        Ok(Ok(Answer { status, kind, body })) => match StatusCode::from_u16(status) {
            Ok(status) => (status, [(header::CONTENT_TYPE, kind)], body).into_response(),
            Err(_) => failed(format!("the plugin answered with the status {status}")),
        },
        Ok(Err(error)) => failed(error.to_string()),
        Err(error) => match error.try_into_panic() {
            Ok(payload) => crate::app::panicked(payload),
            Err(error) => failed(error.to_string()),
        },
    }
}

fn is_free(name: &str) -> Result<(), String> {
    match TAKEN.contains(&name) {
        true => Err(format!("the server has routes of its own at `/{name}`")),
        false => Ok(()),
    }
}

/// Asks a plugin for its extension. A plugin that panics on the way is one that isn't used.
pub fn prepare(plugin: &'static Plugin, shared: &Shared) -> Result<(Used, Vec<Job>), String> {
    is_free(plugin.name())?;
    let new: NewExtension = plugin.lookup("extension").map_err(|e| e.to_string())?;
    let ask = || {
        let extension = new();
        let prepared = shared.database.call_blocking(|database| extension.prepare(database));
        prepared.map_err(|e| e.to_string())?;
        let routes = extension.routes().layer(CatchPanicLayer::custom(crate::app::panicked));
        // Routes that can't stand beside the others panic here, and not when all are put together.
        let _ = below(Router::new(), plugin.name(), &routes);
        let _ = extension.layer(Router::new());
        let jobs = extension.jobs(shared);
        let name = plugin.name().to_owned();
        let used = Used { name, running: Running::Here(plugin), extension: Some(extension), routes };
        Ok((used, jobs))
    };
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|payload| {
        Err(format!("it panicked when it was asked for its extension: {}", text(&*payload)))
    })
}

/// All plugins' routes, each below its name, and around them all plugins' middleware.
pub fn together(all: &[Used]) -> Router<Shared> {
    let routes = all.iter().fold(Router::new(), |routes, used| below(routes, &used.name, &used.routes));
    all.iter().filter_map(|used| used.extension.as_ref()).fold(routes, |routes, it| it.layer(routes))
}

fn below(routes: Router<Shared>, name: &str, own: &Router<Shared>) -> Router<Shared> {
    routes.nest(&format!("/{name}"), own.clone())
}

/// What a panic says.
pub fn text(payload: &(dyn std::any::Any + Send)) -> &str {
    let owned = payload.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a payload that is no text")
}
