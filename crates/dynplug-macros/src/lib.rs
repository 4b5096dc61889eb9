//! The attributes `#[export]` and `#[init]`, which `dynplug` re-exports.
//!
//! An item goes through three steps, one module each: `parse` (what was written), `check` (everything that is
//! wrong with it, at once) and `expand` (the item as it was, and behind it the statics that make it known).
//! The rest serves one of these steps: `signature` and `docs` make the texts that a listing shows, `future`
//! turns an `async fn` into a function with a type that can be named, `standing` says how the crate stands among
//! others, for which `lock` and `toml` read what cargo has, `span` keeps a user's lints away from what we generate.

#![forbid(unsafe_code)]

mod check;
mod docs;
mod expand;
mod future;
mod lock;
mod parse;
mod serving;
mod signature;
mod span;
mod standing;
mod toml;

use proc_macro::TokenStream;

#[doc = include_str!("export.md")]
#[proc_macro_attribute]
pub fn export(arguments: TokenStream, item: TokenStream) -> TokenStream {
    run(arguments, item, parse::Attribute::Export)
}

#[doc = include_str!("init.md")]
#[proc_macro_attribute]
pub fn init(arguments: TokenStream, item: TokenStream) -> TokenStream {
    run(arguments, item, parse::Attribute::Init)
}

/// The item stays in the output even when it is refused, so that what uses it does not fail as well.
fn run(arguments: TokenStream, item: TokenStream, attribute: parse::Attribute) -> TokenStream {
    let mut output = proc_macro2::TokenStream::from(item);
    let generated = parse::request(attribute, arguments.into(), output.clone())
        .and_then(check::request)
        .and_then(expand::request)
        .unwrap_or_else(|errors| errors.into_compile_error());
    output.extend(generated);
    output.into()
}
