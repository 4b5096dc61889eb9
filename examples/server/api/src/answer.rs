//! Questions and answers: requests for plugins that share nothing with the server.

use serde::{Deserialize, Serialize};

/// A request, as far as it concerns a plugin that only answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// As in `GET`.
    pub method: String,
    /// The path below the plugin's name, `/` at least.
    pub path: String,
    /// What stands behind the `?`.
    pub query: String,
    /// What was sent.
    pub body: String,
}

/// What such a plugin answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The media type of the body.
    pub kind: String,
    /// What is sent.
    pub body: String,
}

/// What such a plugin exports as `answer`, in place of `extension`. All that goes in and comes out can be carried to another
/// process and back.
pub type AnswerQuestion = fn(&Question) -> Answer;

impl Answer {
    /// A page.
    pub fn html(body: String) -> Answer {
        Answer { status: 200, kind: "text/html; charset=utf-8".to_owned(), body }
    }

    /// A status and nothing else.
    pub fn empty(status: u16) -> Answer {
        Answer { status, kind: "text/plain; charset=utf-8".to_owned(), body: String::new() }
    }
}
