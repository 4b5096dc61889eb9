//! A plugin with a mistake in it: it divides by what it is given.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use server_api::{Extension, Shared};

struct Fragile;

impl Extension for Fragile {
    fn routes(&self) -> Router<Shared> {
        Router::new().route("/{parts}", get(async |Path(parts): Path<u32>| (100 / parts).to_string()))
    }
}

/// `GET /fragile/4` says how much each gets when four share a hundred. Panics at nought, and the server goes on.
#[dynplug::export]
fn extension() -> Box<dyn Extension> {
    Box::new(Fragile)
}
