//! A proc macro.

use proc_macro::TokenStream;
use quote::quote;

/// Gives a type a name.
#[proc_macro_derive(Named)]
pub fn named(item: TokenStream) -> TokenStream {
    let item = proc_macro2::TokenStream::from(item);
    let mut words = item.into_iter().skip_while(|w| !matches!(w.to_string().as_str(), "struct" | "enum"));
    let name = words.nth(1);
    let text = name.as_ref().map(ToString::to_string);
    quote!(impl #name { pub const NAME: &'static str = #text; }).into()
}
