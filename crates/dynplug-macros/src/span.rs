//! Where generated tokens say they come from.
//!
//! What a user wrote is written again in what we generate: types, names, conditions. If these copies kept
//! their spans, rustc and clippy would take the generated code for the user's, and `#![forbid(unsafe_code)]`
//! or `#![deny(unused_qualifications)]` would find fault with it. So a copy keeps its place, which errors
//! show, and otherwise belongs to the macro.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;

/// A copy of what a user wrote, for use in generated code.
pub(crate) fn copy(node: &impl ToTokens) -> TokenStream {
    copy_tokens(node.to_token_stream())
}

/// A name that a user wrote, for use in generated code.
pub(crate) fn copy_ident(ident: &Ident) -> Ident {
    let mut ident = ident.clone();
    if !keeps_its_span(&ident) {
        ident.set_span(generated_at(ident.span()));
    }
    ident
}

/// A span of generated code that errors show at `place`.
pub(crate) fn generated_at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}

fn copy_tokens(tokens: TokenStream) -> TokenStream {
    tokens.into_iter().map(copy_token).collect()
}

fn copy_token(token: TokenTree) -> TokenTree {
    match token {
        TokenTree::Group(group) => {
            let mut copy = Group::new(group.delimiter(), copy_tokens(group.stream()));
            copy.set_span(generated_at(group.span()));
            copy.into()
        }
        TokenTree::Ident(ident) => copy_ident(&ident).into(),
        mut other => {
            other.set_span(generated_at(other.span()));
            other
        }
    }
}

/// `$crate` names its crate through its span, and whether `gen` is a keyword is decided by the edition there.
fn keeps_its_span(ident: &Ident) -> bool {
    ident == "$crate" || ident == "gen"
}
