//! Middleware that times the requests to all plugins.

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use server_api::serde_json::{Value, json};
use server_api::{Extension, Shared};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// What has been timed so far.
#[derive(Default)]
struct Times {
    requests: AtomicU64,
    microseconds: AtomicU64,
    slowest: AtomicU64,
}

#[derive(Default)]
struct Timing(Arc<Times>);

impl Extension for Timing {
    fn routes(&self) -> Router<Shared> {
        let times = Arc::clone(&self.0);
        Router::new().route("/", get(async move || say(&times)))
    }

    fn layer(&self, routes: Router<Shared>) -> Router<Shared> {
        routes.layer(from_fn_with_state(Arc::clone(&self.0), time))
    }
}

fn say(times: &Times) -> Json<Value> {
    let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
    Json(json!({
        "requests": read(&times.requests),
        "microseconds": read(&times.microseconds),
        "slowest": read(&times.slowest),
    }))
}

async fn time(State(times): State<Arc<Times>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let mut response = next.run(request).await;
    let took = start.elapsed();
    let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    times.requests.fetch_add(1, Ordering::Relaxed);
    times.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    times.slowest.fetch_max(microseconds, Ordering::Relaxed);
    let text = format!("plugins;dur={:.3}", took.as_secs_f64() * 1000.0);
    if let Ok(value) = HeaderValue::try_from(text) {
        response.headers_mut().insert("server-timing", value);
    }
    response
}

/// Adds the header `server-timing` to what plugins answer; `GET /timing` says how many requests there were, and how long
/// they took.
#[dynplug::export]
fn extension() -> Box<dyn Extension> {
    Box::new(Timing::default())
}
