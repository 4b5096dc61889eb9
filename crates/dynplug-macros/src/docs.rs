//! The doc comments of an item as one text.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

use crate::span;

/// An expression of type `&'static str`.
///
/// `#[doc = include_str!("…")]` is no literal, and the compiler joins such pieces better than we could.
pub(crate) fn expression(attributes: &[Attribute]) -> TokenStream {
    let mut pieces = Vec::new();
    for attribute in attributes {
        let Meta::NameValue(meta) = &attribute.meta else { continue };
        if !meta.path.is_ident("doc") {
            continue;
        }
        match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => match pieces.last_mut() {
                Some(Piece::Text(lines)) => lines.extend(lines_of(&text.value())),
                _ => pieces.push(Piece::Text(lines_of(&text.value()))),
            },
            other => pieces.push(Piece::Expression(span::copy(other))),
        }
    }
    let site = Span::mixed_site();
    let mut parts = Vec::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        if index > 0 {
            parts.push(quote_spanned!(site=> "\n"));
        }
        parts.push(match piece {
            Piece::Text(lines) => {
                let text = text_of(&lines);
                quote_spanned!(site=> #text)
            }
            Piece::Expression(tokens) => tokens,
        });
    }
    quote_spanned!(site=> __dynplug::concat!(#(#parts),*))
}

enum Piece {
    Text(Vec<String>),
    Expression(TokenStream),
}

/// The lines of one doc comment. A `/** … */` is one comment with many, and often a `*` before each.
fn lines_of(comment: &str) -> Vec<String> {
    let mut lines: Vec<&str> = comment.lines().collect();
    if lines.is_empty() {
        lines.push("");
    }
    let starred = lines.len() > 1
        && lines.iter().skip(1).all(|line| line.trim().is_empty() || line.trim_start().starts_with('*'));
    let unstarred = |(index, line): (usize, &str)| {
        let line = if starred && index > 0 {
            let line = line.trim_start();
            line.strip_prefix('*').unwrap_or(line)
        } else {
            line
        };
        line.trim_end().to_owned()
    };
    lines.into_iter().enumerate().map(unstarred).collect()
}

/// Joins lines without the spaces that all of them begin with, and without empty ones at the ends.
fn text_of(lines: &[String]) -> String {
    let indent = lines
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| line.len() - line.trim_start_matches(' ').len())
        .min()
        .unwrap_or(0);
    let lines: Vec<&str> = lines.iter().map(|line| line.get(indent..).unwrap_or("")).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(comments: &[&str]) -> String {
        let lines: Vec<String> = comments.iter().flat_map(|comment| lines_of(comment)).collect();
        text_of(&lines)
    }

    #[test]
    fn lines_lose_the_space_that_leads_them_and_keep_their_own_indent() {
        assert_eq!(joined(&[" Says hello.", "", "     code", " end"]), "Says hello.\n\n    code\nend");
    }

    #[test]
    fn block_comments_lose_their_stars() {
        assert_eq!(joined(&["\n * Says hello.\n * - to you\n "]), "Says hello.\n- to you");
    }

    #[test]
    fn lines_of_other_scripts_are_kept_whole() {
        assert_eq!(joined(&["Grüße", " 你好"]), "Grüße\n 你好");
    }
}
