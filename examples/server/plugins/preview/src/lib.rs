//! Markdown as a page. Its parser, `pulldown-cmark`, is its own: the server knows nothing of it. It shares nothing with the server
//! either, so it can run in a process of its own, where what a stranger's Markdown does to the parser harms nobody.

use pulldown_cmark::{Event, Parser, html};
use server_api::{Answer, Question};

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
fn answer(question: &Question) -> Answer {
    match (&*question.path, &*question.method) {
        ("/", "POST") => Answer::html(render(&question.body)),
        ("/", _) => Answer::empty(405),
        _ => Answer::empty(404),
    }
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn html_in_markdown_is_text() {
        assert_eq!(render("*so* <b>"), "<p><em>so</em> &lt;b&gt;</p>\n");
    }
}
