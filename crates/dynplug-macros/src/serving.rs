//! How an item is served to other processes: what `dynplug` is told of each argument, so that it can ask whether serde carries
//! its type.
//!
//! A macro sees tokens, not types. What stands in them decides only how an argument is taken (see the module `expand` of
//! `dynplug`); whether it can be is a constant that rustc computes.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::visit_mut::VisitMut;
use syn::{Lifetime, ReturnType, Safety, Signature, Type, TypeReference};

use crate::expand::argument_types;
use crate::future::{OneLifetime, lifetimes};
use crate::parse::Static;
use crate::span;

/// As many arguments as there are bits for.
const MOST_ARGUMENTS: usize = 61;

/// The bit for what a function returns.
const RESULT: u32 = 61;

/// The bit for the function itself.
const ITEM: u32 = 62;

/// What the two expressions are that say how an item is served.
pub(crate) struct Serving {
    /// What keeps it from being served, as bits.
    pub(crate) obstacles: TokenStream,
    /// How it's served, where nothing does. `__DYNPLUG_OBSTACLES` has the bits.
    pub(crate) served: TokenStream,
}

/// How a function is served.
pub(crate) fn function(signature: &Signature) -> Serving {
    let site = Span::mixed_site();
    let named = lifetimes(signature);
    let types: Vec<&Type> = argument_types(signature).collect();
    let mut arguments: Vec<Argument> = types
        .iter()
        .take(MOST_ARGUMENTS)
        .zip(0..)
        .map(|(ty, number)| Argument::of(number, ty, &named))
        .collect();
    if matches!(signature.safety, Safety::Unsafe(_)) || types.len() > MOST_ARGUMENTS {
        arguments.push(Argument::never(ITEM));
    }
    let result = match &signature.output {
        // What never returns has nothing to send, and its type has no place in an expression.
        ReturnType::Type(_, ty) if matches!(without_parentheses(ty), Type::Never(_)) => {
            arguments.push(Argument::never(RESULT));
            quote_spanned!(site=> ())
        }
        ReturnType::Default => quote_spanned!(site=> ()),
        ReturnType::Type(_, ty) => Erased::of(ty, &named).ty,
    };
    let is_served = arguments.iter().all(|argument| argument.kind != Kind::Never);
    let arguments = arguments.iter().map(Argument::tokens);
    let arguments = quote_spanned!(site=> #(#arguments)* ; #result);
    let obstacles = quote_spanned!(site=> __dynplug::obstacles!(#arguments));
    let served = if !is_served {
        quote_spanned!(site=> __dynplug::UNSERVED)
    } else if signature.asyncness.is_some() {
        quote_spanned!(site=> __dynplug::of_function!(__DYNPLUG_OBSTACLES; later __dynplug_boxed; #arguments))
    } else {
        let ident = span::copy_ident(&signature.ident);
        quote_spanned!(site=> __dynplug::of_function!(__DYNPLUG_OBSTACLES; now #ident; #arguments))
    };
    Serving { obstacles, served }
}

/// How a static is served: its value can be read.
pub(crate) fn variable(variable: &Static) -> Serving {
    let site = Span::mixed_site();
    let ident = span::copy_ident(&variable.ident);
    let ty = Erased::of(&variable.ty, &[]).ty;
    Serving {
        obstacles: quote_spanned!(site=> __dynplug::obstacles!(; #ty)),
        served: quote_spanned!(site=> __dynplug::of_static!(__DYNPLUG_OBSTACLES; #ident; #ty)),
    }
}

/// How an argument is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Owned,
    Lending,
    Behind,
    BehindLending,
    Never,
}

struct Argument {
    number: u32,
    kind: Kind,
    ty: TokenStream,
}

impl Argument {
    fn of(number: u32, ty: &Type, named: &[Lifetime]) -> Argument {
        let ty = without_parentheses(ty);
        let (target, kind) = match ty {
            Type::Reference(TypeReference { mutability: Some(_), elem, .. }) => (&**elem, Kind::Never),
            // The bytes of a message have it as it is.
            Type::Reference(TypeReference { elem, .. }) if is_bytes(elem) => (ty, Kind::Owned),
            Type::Reference(TypeReference { lifetime, elem, .. }) => {
                let forever = lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static");
                (&**elem, if forever { Kind::Never } else { Kind::Behind })
            }
            other => (other, Kind::Owned),
        };
        let Erased { ty, is_seen, is_forever } = Erased::of(target, named);
        let kind = match kind {
            _ if is_forever => Kind::Never,
            Kind::Owned if is_seen => Kind::Lending,
            Kind::Behind if is_seen => Kind::BehindLending,
            kind => kind,
        };
        Argument { number, kind, ty }
    }

    /// Something else than an argument that is in the way.
    fn never(number: u32) -> Argument {
        Argument { number, kind: Kind::Never, ty: quote_spanned!(Span::mixed_site()=> ()) }
    }

    fn tokens(&self) -> TokenStream {
        let site = Span::mixed_site();
        let Argument { number, kind, ty } = self;
        let name = format_ident!("argument{number}", span = site);
        let number = Literal::u32_unsuffixed(*number);
        let word = match kind {
            Kind::Owned => "owned",
            Kind::Lending => "lending",
            Kind::Behind => "behind",
            Kind::BehindLending => "behind_lending",
            Kind::Never => "never",
        };
        let word = syn::Ident::new(word, site);
        quote_spanned!(site=> (#number #name #word #ty))
    }
}

fn without_parentheses(ty: &Type) -> &Type {
    match ty {
        Type::Paren(inner) => without_parentheses(&inner.elem),
        Type::Group(inner) => without_parentheses(&inner.elem),
        other => other,
    }
}

/// Whether it is written `str` or `[u8]`.
fn is_bytes(ty: &Type) -> bool {
    match without_parentheses(ty) {
        Type::Path(path) => path.path.is_ident("str"),
        Type::Slice(slice) => matches!(&*slice.elem, Type::Path(path) if path.path.is_ident("u8")),
        _ => false,
    }
}

/// A type as it can be written in an expression, where the lifetimes of a function have no names.
struct Erased {
    ty: TokenStream,
    /// Whether there was a lifetime, written or left out.
    is_seen: bool,
    /// Whether one was `'static`.
    is_forever: bool,
}

impl Erased {
    fn of(ty: &Type, named: &[Lifetime]) -> Erased {
        let mut ty = ty.clone();
        let mut erase = OneLifetime::new(named, Lifetime::new("'_", Span::mixed_site()));
        erase.visit_type_mut(&mut ty);
        Erased { ty: span::copy(&ty), is_seen: erase.found, is_forever: erase.has_static }
    }
}
