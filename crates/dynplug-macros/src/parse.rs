//! What was written: the arguments of the attribute and the item under it.
//!
//! Only signatures are parsed. Bodies and initial values stay tokens, so that nothing in them depends on
//! which syntax the parser knows, and a half-written body in an editor still gives a symbol.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{LitStr, Path, Result, Signature, Token, Type, Visibility};

/// Which of the two attributes it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attribute {
    Export,
    Init,
}

/// One use of an attribute.
pub(crate) struct Request {
    pub(crate) attribute: Attribute,
    pub(crate) arguments: Arguments,
    pub(crate) item: Item,
}

/// What stands in the parentheses of the attribute.
#[derive(Default)]
pub(crate) struct Arguments {
    /// The name that a lookup finds, where it isn't the item's own.
    pub(crate) name: Option<LitStr>,
    /// Where `dynplug` is found, where it isn't `::dynplug`.
    pub(crate) dynplug: Option<Path>,
    /// What is wrong with the arguments; told together with what is wrong with the item.
    pub(crate) error: Option<syn::Error>,
}

/// The item under the attribute.
pub(crate) enum Item {
    Function(Function),
    Static(Static),
    /// Anything else: the keyword that begins it.
    Other(Ident),
}

/// A function without its body.
pub(crate) struct Function {
    pub(crate) attributes: Vec<syn::Attribute>,
    pub(crate) signature: Signature,
    pub(crate) has_body: bool,
}

/// A `static` without its value.
pub(crate) struct Static {
    pub(crate) attributes: Vec<syn::Attribute>,
    pub(crate) token: Token![static],
    pub(crate) mutability: Option<Token![mut]>,
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) has_value: bool,
}

/// Reads one use of an attribute.
pub(crate) fn request(attribute: Attribute, arguments: TokenStream, item: TokenStream) -> Result<Request> {
    let item = Parser::parse2(parse_item, item)?;
    let arguments = Parser::parse2(|input: ParseStream| Ok(parse_arguments(attribute, input)), arguments)?;
    Ok(Request { attribute, arguments, item })
}

/// Reads all arguments, going on behind each wrong one.
fn parse_arguments(attribute: Attribute, input: ParseStream) -> Arguments {
    let mut arguments = Arguments::default();
    while !input.is_empty() {
        if let Err(error) = parse_argument(attribute, input, &mut arguments) {
            combine(&mut arguments.error, error);
            skip_to_comma(input);
        }
    }
    arguments
}

fn parse_argument(attribute: Attribute, input: ParseStream, arguments: &mut Arguments) -> Result<()> {
    let allowed = match attribute {
        Attribute::Export => "`name = \"…\"` or `crate = path::to::dynplug`",
        Attribute::Init => "`crate = path::to::dynplug`",
    };
    let key = Ident::parse_any(input)
        .map_err(|error| syn::Error::new(error.span(), format!("expected {allowed}")))?;
    let is_name = key == "name" && attribute == Attribute::Export;
    if !is_name && key != "crate" {
        let message = if key == "name" {
            format!("nobody looks up an init function, so it has no `name`: expected {allowed}")
        } else {
            format!("unknown argument `{key}`: expected {allowed}")
        };
        return Err(syn::Error::new(key.span(), message));
    }
    let equals = input.parse::<Option<Token![=]>>()?;
    if equals.is_none() || input.is_empty() || input.peek(Token![,]) {
        return Err(syn::Error::new(key.span(), format!("`{key}` needs a value: expected {allowed}")));
    }
    if is_name {
        let name = input.parse::<LitStr>().map_err(|error| {
            syn::Error::new(error.span(), "the name is a string literal, such as `\"greet\"`")
        })?;
        if name.value().is_empty() {
            combine(
                &mut arguments.error,
                syn::Error::new(name.span(), "the name is empty: a lookup needs at least one character"),
            );
        }
        set_once(&mut arguments.name, name, &key)?;
    } else {
        let path = input.call(Path::parse_mod_style).map_err(|error| {
            syn::Error::new(
                error.span(),
                "expected the path of the `dynplug` crate, such as `app_api::dynplug`",
            )
        })?;
        set_once(&mut arguments.dynplug, path, &key)?;
    }
    if input.is_empty() {
        return Ok(());
    }
    match input.parse::<Token![,]>() {
        Ok(_) => Ok(()),
        Err(_) => Err(syn::Error::new(input.span(), "expected a comma between the arguments")),
    }
}

fn set_once<T>(slot: &mut Option<T>, value: T, key: &Ident) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(syn::Error::new(key.span(), format!("`{key}` is given twice: remove one of them"))),
    }
}

fn skip_to_comma(input: ParseStream) {
    while !input.is_empty() {
        let was_comma = input.peek(Token![,]);
        // A token tree can always be read where the input isn't empty.
        let _ = input.parse::<proc_macro2::TokenTree>();
        if was_comma {
            break;
        }
    }
}

fn parse_item(input: ParseStream) -> Result<Item> {
    let attributes = input.call(syn::Attribute::parse_outer)?;
    let start = input.fork();
    input.parse::<Visibility>()?;
    let item = if is_function(input) {
        let signature = input.parse()?;
        Item::Function(Function { attributes, signature, has_body: !input.peek(Token![;]) })
    } else if input.peek(Token![static]) {
        Item::Static(Static {
            attributes,
            token: input.parse()?,
            mutability: input.parse()?,
            ident: input.parse()?,
            ty: {
                input.parse::<Token![:]>()?;
                input.parse()?
            },
            has_value: input.peek(Token![=]),
        })
    } else {
        Item::Other(keyword(input).unwrap_or_else(|| Ident::new("item", start.span())))
    };
    // What is left stays in the item, which is passed on whole.
    input.parse::<TokenStream>()?;
    Ok(item)
}

/// Whether `fn` follows behind the words that may stand before it.
fn is_function(input: ParseStream) -> bool {
    let ahead = input.fork();
    loop {
        if ahead.peek(Token![fn]) {
            return true;
        }
        if !(ahead.peek(Token![const])
            || ahead.peek(Token![async])
            || ahead.peek(Token![unsafe])
            || ahead.peek(Token![extern])
            || ahead.peek(LitStr))
            || ahead.parse::<proc_macro2::TokenTree>().is_err()
        {
            return false;
        }
    }
}

/// The word that says what an item is: the `trait` of `unsafe auto trait`, the `crate` of `extern crate`.
fn keyword(input: ParseStream) -> Option<Ident> {
    let ahead = input.fork();
    loop {
        let word = Ident::parse_any(&ahead).ok()?;
        let is_prefix = word == "unsafe" || word == "auto" || (word == "extern" && ahead.peek(Token![crate]));
        if !is_prefix || !ahead.peek(Ident::peek_any) {
            return Some(word);
        }
    }
}

impl Request {
    /// What the listing, and everything that is generated, calls the item.
    pub(crate) fn ident(&self) -> &Ident {
        match &self.item {
            Item::Function(function) => &function.signature.ident,
            Item::Static(variable) => &variable.ident,
            Item::Other(keyword) => keyword,
        }
    }
}

impl Function {
    /// The place to report what concerns the function as a whole.
    pub(crate) fn span(&self) -> Span {
        self.signature.ident.span()
    }
}

impl Static {
    /// `static NAME: Type`, without what comes before and behind.
    pub(crate) fn declaration(&self) -> TokenStream {
        let Static { token, mutability, ident, ty, .. } = self;
        let colon = Token![:](ty.span());
        [
            token.to_token_stream(),
            mutability.to_token_stream(),
            ident.to_token_stream(),
            colon.to_token_stream(),
            ty.to_token_stream(),
        ]
        .into_iter()
        .collect()
    }
}

/// Adds an error to those that are there already.
pub(crate) fn combine(errors: &mut Option<syn::Error>, error: syn::Error) {
    match errors {
        Some(all) => all.combine(error),
        None => *errors = Some(error),
    }
}
