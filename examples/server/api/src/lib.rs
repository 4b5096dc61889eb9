//! What the server and its plugins share: the crates that are named here, and the interface by which a plugin extends the
//! server.
//!
//! A plugin exports one function, called `extension`:
//!
//! ```ignore
//! struct Hello;
//!
//! impl Extension for Hello {
//!     fn routes(&self) -> Router<State> {
//!         Router::new().route("/", get(async || "Hello"))
//!     }
//! }
//!
//! /// `GET /hello` greets.
//! #[dynplug::export]
//! fn extension() -> Box<dyn Extension> {
//!     Box::new(Hello)
//! }
//! ```
//!
//! A plugin that shares nothing with the server exports a function called `answer` in its place, an [`AnswerQuestion`]. The
//! server can run it in a process of its own.

// rustc leaves out of a library what is never named, so each crate that is to be shared is named here.
pub use axum;
pub use dynplug;
pub use r2d2;
pub use r2d2_sqlite;
pub use r2d2_sqlite::rusqlite;
pub use serde;
pub use serde_json;
pub use tokio;
pub use tracing;

mod answer;
mod database;
mod failure;

pub use answer::{Answer, AnswerQuestion, Question};
pub use database::{Database, DatabaseError};
pub use failure::Failure;

use axum::Router;
use rusqlite::Connection;
use std::pin::Pin;

/// What every handler can ask for, by axum's extractor `State`: the host has put it there.
#[derive(Clone)]
pub struct Shared {
    /// The server's database.
    pub database: Database,
}

/// Work in the background. It is dropped at an `await` when the server stops.
pub type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a plugin adds to the server. All methods have a default that adds nothing.
pub trait Extension: Send + Sync {
    /// Makes ready what the plugin needs in the database, tables for example. Called once, before anything else.
    ///
    /// # Errors
    ///
    /// What the database says. The plugin is then not used.
    fn prepare(&self, database: &mut Connection) -> rusqlite::Result<()> {
        let _ = database;
        Ok(())
    }

    /// The plugin's routes. They stand below the plugin's name: what the plugin `notes` calls `/`, the world calls
    /// `/notes`. Called once.
    fn routes(&self) -> Router<Shared> {
        Router::new()
    }

    /// Puts middleware around the routes of all plugins. Called anew when plugins come, with all routes that there are
    /// then.
    fn layer(&self, routes: Router<Shared>) -> Router<Shared> {
        routes
    }

    /// What the host is to run in the background, on its runtime. Called once.
    fn jobs(&self, shared: &Shared) -> Vec<Job> {
        let _ = shared;
        Vec::new()
    }
}

/// What each plugin exports as `extension`.
pub type NewExtension = fn() -> Box<dyn Extension>;
