//! The server while it runs: which plugins it uses, and the routes that come of them. Both change when plugins come; a
//! request that is under way keeps the routes with which it began.

use crate::page;
use crate::plugins::{self, Used};
use crate::view::{Overview, Refused};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use server_api::dynplug::{Loader, Plugin};
use server_api::{Failure, Job, Shared};
use std::any::Any;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tokio::task::{JoinSet, spawn_blocking};
use tower::{ServiceExt, service_fn};
use tower_http::catch_panic::CatchPanicLayer;

/// The server.
pub struct App {
    loader: Loader,
    shared: Shared,
    plugins: Mutex<Plugins>,
    /// What comes of the plugins.
    current: RwLock<Current>,
    jobs: Mutex<JoinSet<()>>,
}

#[derive(Default)]
struct Plugins {
    used: Vec<Used>,
    /// Those that opened, but can't be used.
    unusable: Vec<(&'static Plugin, String)>,
}

#[derive(Clone, Default)]
struct Current {
    routes: Router,
    overview: Arc<Overview>,
}

/// A panic elsewhere leaves these as they were.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl App {
    /// A server without plugins.
    pub fn new(loader: Loader, shared: Shared) -> App {
        App { loader, shared, plugins: Mutex::default(), current: RwLock::default(), jobs: Mutex::default() }
    }

    /// Opens the plugins that it doesn't have yet, and says what there is then.
    pub async fn load(self: &Arc<Self>) -> Arc<Overview> {
        let app = Arc::clone(self);
        // Opening reads files, and plugins prepare tables.
        let loaded = spawn_blocking(move || app.load_blocking()).await;
        if let Err(error) = loaded {
            tracing::error!(%error, "loading did not end");
        }
        self.current().overview
    }

    fn load_blocking(&self) {
        let mut plugins = lock(&self.plugins);
        let discovery = self.loader.discover();
        let mut refused: Vec<Refused> = Refused::of(&discovery);
        for found in discovery.found.iter().filter(|found| found.shadowed_by().is_none()) {
            if plugins::only_answers(found) {
                if !plugins.used.iter().any(|used| found.about().is_some_and(|it| it.package == used.name)) {
                    // SAFETY: whoever can write to the plugins' folders may run what he likes here; README.md says so.
                    match unsafe { plugins::start(found, &self.loader) } {
                        Ok(used) => plugins.used.push(used),
                        Err(reason) => refused.push(Refused::at(found.place(), reason)),
                    }
                }
                continue;
            }
            if found.fits().is_err() {
                continue;
            }
            // SAFETY: as above.
            let plugin = match unsafe { found.open() } {
                Ok(plugin) => plugin,
                Err(error) => {
                    refused.push(Refused::at(found.place(), error.to_string()));
                    continue;
                }
            };
            let known = plugins.used.iter().filter_map(Used::here);
            let mut known = known.chain(plugins.unusable.iter().map(|(plugin, _)| *plugin));
            if known.any(|other| std::ptr::eq(other, plugin)) {
                continue;
            }
            match plugins::prepare(plugin, &self.shared) {
                Ok((used, jobs)) => {
                    tracing::info!(plugin = plugin.name(), version = plugin.version(), "in use");
                    plugins.used.push(used);
                    self.run(jobs);
                }
                Err(reason) => plugins.unusable.push((plugin, reason)),
            }
        }
        refused.extend(plugins.unusable.iter().map(|(plugin, reason)| Refused::unusable(plugin, reason)));
        for Refused { place, reason } in &refused {
            tracing::warn!(place, "not in use: {reason}");
        }
        plugins.used.sort_by(|a, b| a.name.cmp(&b.name));
        let overview = Overview::of(&plugins.used, refused, &discovery);
        let routes = plugins::together(&plugins.used).with_state(self.shared.clone());
        let current = Current { routes, overview: Arc::new(overview) };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = current;
    }

    fn run(&self, jobs: Vec<Job>) {
        let mut set = lock(&self.jobs);
        jobs.into_iter().for_each(|job| drop(set.spawn(job)));
    }

    fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the jobs.
    pub async fn stop(&self) {
        let mut jobs = std::mem::take(&mut *lock(&self.jobs));
        jobs.shutdown().await;
    }
}

/// All routes: the server's own, and then whatever the plugins have at the moment.
pub fn router(app: &Arc<App>) -> Router {
    let of_plugins = {
        let app = Arc::clone(app);
        service_fn(move |request: Request| {
            let routes = app.current().routes;
            async move { Ok::<Response, Infallible>(routes.oneshot(request).await.into_response()) }
        })
    };
    Router::new()
        .route("/", get(index))
        .route("/plugins", get(list))
        .route("/admin/load", post(load))
        .fallback_service(of_plugins)
        // Around everything, for a plugin's middleware can panic too.
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(Arc::clone(app))
}

async fn index(State(app): State<Arc<App>>) -> Html<String> {
    Html(page::plugins(&app.current().overview).into_string())
}

async fn list(State(app): State<Arc<App>>) -> Response {
    Json(&*app.current().overview).into_response()
}

async fn load(State(app): State<Arc<App>>) -> Response {
    Json(&*app.load().await).into_response()
}

/// What is answered when a handler panics.
pub fn panicked(payload: Box<dyn Any + Send>) -> Response {
    let message = format!("a handler panicked: {}", plugins::text(&*payload));
    Failure { status: StatusCode::INTERNAL_SERVER_ERROR, message }.into_response()
}
