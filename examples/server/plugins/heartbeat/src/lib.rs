//! A job in the background, which writes a row to the database again and again.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use server_api::rusqlite::{self, Connection};
use server_api::{Extension, Failure, Job, Shared};
use std::sync::OnceLock;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// The variable that says how often, as in `500ms` or `1m`.
const VARIABLE: &str = "HEARTBEAT_INTERVAL";
/// How often where it isn't set.
const USUAL: Duration = Duration::from_secs(10);
/// How many beats the table keeps.
const KEPT: i64 = 1000;

static INTERVAL: OnceLock<Duration> = OnceLock::new();

/// Reads the interval. With one that makes no sense the plugin doesn't open, and the page says why.
#[dynplug::init]
fn read_interval() -> Result<(), String> {
    let interval = match std::env::var(VARIABLE) {
        Ok(text) => humantime::parse_duration(&text).map_err(|e| format!("{VARIABLE}={text}: {e}"))?,
        Err(_) => USUAL,
    };
    if interval.is_zero() {
        return Err(format!("{VARIABLE} has to be more than nothing"));
    }
    INTERVAL.get_or_init(|| interval);
    Ok(())
}

/// What the table says.
#[derive(Debug, Serialize)]
struct Beats {
    count: i64,
    last: Option<String>,
}

struct Heartbeat;

impl Extension for Heartbeat {
    fn prepare(&self, database: &mut Connection) -> rusqlite::Result<()> {
        database.execute_batch(
            "create table if not exists heartbeats (id integer primary key autoincrement, at text not null)",
        )
    }

    fn routes(&self) -> Router<Shared> {
        Router::new().route("/", get(say))
    }

    fn jobs(&self, shared: &Shared) -> Vec<Job> {
        vec![Box::pin(beat(shared.clone()))]
    }
}

async fn beat(shared: Shared) {
    let mut ticks = interval(INTERVAL.get().copied().unwrap_or(USUAL));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let written = shared.database.call(|database| {
            database.execute("insert into heartbeats (at) values (datetime('now'))", [])?;
            database.execute("delete from heartbeats where id <= ?1", [database.last_insert_rowid() - KEPT])
        });
        match written.await {
            Ok(_) => tracing::debug!("a heartbeat"),
            // The next one may be better.
            Err(error) => tracing::warn!(%error, "no heartbeat"),
        }
    }
}

async fn say(State(shared): State<Shared>) -> Result<Json<Beats>, Failure> {
    let beats = shared.database.call(|database| {
        let query = "select coalesce(max(id), 0), max(at) from heartbeats";
        database.query_row(query, [], |row| Ok(Beats { count: row.get(0)?, last: row.get(1)? }))
    });
    Ok(Json(beats.await?))
}

/// `GET /heartbeat` says how many heartbeats there were, and when the last one was.
#[dynplug::export]
fn extension() -> Box<dyn Extension> {
    Box::new(Heartbeat)
}
