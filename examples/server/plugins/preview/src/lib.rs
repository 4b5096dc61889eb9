//! Markdown as a page. Its parser, `pulldown-cmark`, is its own: the server knows nothing of it.

use axum::Router;
use axum::response::Html;
use axum::routing::post;
use pulldown_cmark::{Event, Parser, html};
use server_api::{Extension, Shared};

struct Preview;

impl Extension for Preview {
    fn routes(&self) -> Router<Shared> {
        Router::new().route("/", post(async |markdown: String| Html(render(&markdown))))
    }
}

/// Markdown as HTML, in which HTML is text.
fn render(markdown: &str) -> String {
    let events = Parser::new(markdown).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        other => other,
    });
    let mut page = String::new();
    html::push_html(&mut page, events);
    page
}

/// `POST /preview` with Markdown answers with HTML.
#[dynplug::export]
fn extension() -> Box<dyn Extension> {
    Box::new(Preview)
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn html_in_markdown_is_text() {
        assert_eq!(render("*so* <b>"), "<p><em>so</em> &lt;b&gt;</p>\n");
    }
}
