//! A diagnostic as people read it, in rustc's manner: plain, or with colours for a terminal.

use super::{Diagnostic, Level, Span};
use annotate_snippets::{AnnotationKind, Element, Level as Shown, Renderer, Snippet};
use anstyle::{AnsiColor, Effects, Style};
use std::fmt::Write;

const BOLD: Style = Style::new().effects(Effects::BOLD);

impl Level {
    /// The colour that rustc has for it.
    pub(crate) fn style(self) -> Style {
        let color = match self {
            Level::Note => AnsiColor::BrightGreen,
            Level::Warning => AnsiColor::Yellow,
            Level::Error => AnsiColor::BrightRed,
        };
        color.on_default().effects(Effects::BOLD)
    }
}

/// The text, which ends with a line break.
pub(super) fn text(diagnostic: &Diagnostic, colours: bool) -> String {
    match diagnostic.spans.iter().any(|span| !span.text.is_empty()) {
        true => with_source(diagnostic, colours),
        false => without_source(diagnostic, colours),
    }
}

fn without_source(diagnostic: &Diagnostic, colours: bool) -> String {
    let style = |style: Style| if colours { style } else { Style::new() };
    let (level, bold) = (style(diagnostic.level.style()), style(BOLD));
    let mut out = String::new();
    // Writing to a string can't fail.
    let _ = writeln!(
        out,
        "{level}{}[dynplug::{}]{level:#}{bold}: {}{bold:#}",
        diagnostic.level.word(),
        diagnostic.code,
        diagnostic.message
    );
    let mark = style(AnsiColor::BrightBlue.on_default().effects(Effects::BOLD));
    let notes = diagnostic.notes.iter().map(|n| ("note", n));
    for (word, text) in notes.chain(diagnostic.help.iter().map(|h| ("help", h))) {
        let mut rows = text.lines();
        let first = rows.next().unwrap_or_default();
        let _ = writeln!(out, "  {mark}={mark:#} {bold}{word}{bold:#}: {first}");
        for row in rows {
            let _ = writeln!(out, "          {row}");
        }
    }
    out
}

fn with_source(diagnostic: &Diagnostic, colours: bool) -> String {
    let level = match diagnostic.level {
        Level::Note => Shown::NOTE,
        Level::Warning => Shown::WARNING,
        Level::Error => Shown::ERROR,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(format!("dynplug::{}", diagnostic.code));
    // The place itself stands first.
    let (first, rest): (Vec<&Span>, Vec<&Span>) = diagnostic.spans.iter().partition(|s| s.is_primary);
    let mut elements: Vec<Element<'_>> = first.into_iter().chain(rest).map(snippet).collect();
    elements.extend(diagnostic.notes.iter().map(|n| Shown::NOTE.message(n.as_str()).into()));
    elements.extend(diagnostic.help.iter().map(|h| Shown::HELP.message(h.as_str()).into()));
    let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[title.elements(elements)]) + "\n"
}

fn snippet(span: &Span) -> Element<'static> {
    let mut source = String::new();
    let (mut start, mut end) = (0, 0);
    for (at, line) in span.text.iter().enumerate() {
        let byte = |column: usize| {
            line.text.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum::<usize>()
        };
        if at == 0 {
            start = byte(line.highlight_start);
        }
        end = source.len() + byte(line.highlight_end);
        source.push_str(&line.text);
        source.push('\n');
    }
    let kind = if span.is_primary { AnnotationKind::Primary } else { AnnotationKind::Context };
    let mark = kind.span(start..end.max(start)).label(span.label.clone());
    Snippet::source(source).line_start(span.line_start).path(span.file_name.clone()).annotation(mark).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn sample() -> Diagnostic {
        Diagnostic::error("missing-feature", "the plugin `p` wants more")
            .note("first\nsecond")
            .help("do this")
    }

    #[test]
    fn without_a_source_the_text_is_lines() {
        assert_eq!(
            sample().to_string(),
            "error[dynplug::missing-feature]: the plugin `p` wants more\n  = note: first\n          second\n  = help: do this\n"
        );
    }

    #[test]
    fn the_source_is_underlined_as_rustc_does_it() {
        let text = "[dependencies]\nserde = { version = \"1\" }\n";
        let span = Span::of(Path::new("Cargo.toml"), text, 15..40).unwrap().labelled("asked for here");
        let shown = sample().span(Some(span)).to_string();
        assert_eq!(
            shown,
            "\
error[dynplug::missing-feature]: the plugin `p` wants more
 --> Cargo.toml:2:1
  |
2 | serde = { version = \"1\" }
  | ^^^^^^^^^^^^^^^^^^^^^^^^^ asked for here
  |
  = note: first
          second
  = help: do this
"
        );
    }

    #[test]
    fn colours_change_nothing_but_colours() {
        let span = Span::of(Path::new("a.rs"), "fn a() {}\n", 3..4);
        for diagnostic in [sample(), sample().span(span)] {
            let coloured = diagnostic.coloured();
            assert!(coloured.contains("\u{1b}["));
            assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), diagnostic.to_string());
        }
    }
}
