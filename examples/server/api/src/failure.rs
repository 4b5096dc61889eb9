//! What a handler answers when it can't do what it was asked for.

use crate::DatabaseError;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// A status with a sentence, which becomes `{"error": "…"}`. Errors of the database turn into it by `?`.
#[derive(Debug)]
pub struct Failure {
    /// The status.
    pub status: StatusCode,
    /// What went wrong.
    pub message: String,
}

impl Failure {
    /// The request makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Failure {
        Failure { status: StatusCode::BAD_REQUEST, message: message.into() }
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        tracing::error!(%error, "a request failed");
        Failure { status: StatusCode::INTERNAL_SERVER_ERROR, message: error.to_string() }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(serde_json::json!({ "error": self.message }))).into_response()
    }
}
