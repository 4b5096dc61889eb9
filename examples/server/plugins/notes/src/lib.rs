//! Notes, kept in the server's database.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use server_api::rusqlite::{self, Connection};
use server_api::{Extension, Failure, Shared};

/// A note that has a number.
#[derive(Debug, Serialize)]
struct Note {
    id: i64,
    text: String,
}

/// A note to add.
#[derive(Debug, Deserialize)]
struct NewNote {
    text: String,
}

struct Notes;

impl Extension for Notes {
    fn prepare(&self, database: &mut Connection) -> rusqlite::Result<()> {
        database
            .execute_batch("create table if not exists notes (id integer primary key, text text not null)")
    }

    fn routes(&self) -> Router<Shared> {
        Router::new().route("/", get(list).post(add))
    }
}

async fn list(State(shared): State<Shared>) -> Result<Json<Vec<Note>>, Failure> {
    let notes = shared.database.call(|database| {
        let mut query = database.prepare_cached("select id, text from notes order by id")?;
        let rows = query.query_map([], |row| Ok(Note { id: row.get(0)?, text: row.get(1)? }))?;
        rows.collect()
    });
    Ok(Json(notes.await?))
}

async fn add(
    State(shared): State<Shared>,
    Json(NewNote { text }): Json<NewNote>,
) -> Result<(StatusCode, Json<Note>), Failure> {
    if text.trim().is_empty() {
        return Err(Failure::bad_request("a note needs a text"));
    }
    let note = shared.database.call(|database| {
        database.execute("insert into notes (text) values (?1)", [&text])?;
        Ok(Note { id: database.last_insert_rowid(), text })
    });
    let note = note.await?;
    tracing::info!(id = note.id, "added a note");
    Ok((StatusCode::CREATED, Json(note)))
}

/// `GET /notes` lists the notes, `POST /notes` with `{"text": "…"}` adds one.
#[dynplug::export]
fn extension() -> Box<dyn Extension> {
    Box::new(Notes)
}
