//! What cannot be exported, and what to write instead.
//!
//! Everything that is wrong with one item is told at once, each at the smallest token that has to change.

use std::collections::HashSet;

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{FnArg, GenericParam, Generics, ReturnType, Safety, Signature, Token};

use crate::parse::{Attribute, Function, Item, Request, Static, combine};
use crate::signature;

/// Passes a request on if nothing is wrong with it.
pub(crate) fn request(mut request: Request) -> syn::Result<Request> {
    let mut errors = Errors(request.arguments.error.take());
    match (&request.item, request.attribute) {
        (Item::Function(function), Attribute::Export) => check_exported(function, &mut errors),
        (Item::Function(function), Attribute::Init) => check_init(function, &mut errors),
        (Item::Static(variable), Attribute::Export) => check_static(variable, &mut errors),
        (Item::Static(variable), Attribute::Init) => errors.add(variable.token.span, NOT_AN_INIT),
        (Item::Other(keyword), Attribute::Init) => errors.add(keyword.span(), NOT_AN_INIT),
        (Item::Other(keyword), Attribute::Export) => errors.add(keyword.span(), instead_of(keyword)),
    }
    match errors.0 {
        Some(errors) => Err(errors),
        None => Ok(request),
    }
}

const NOT_AN_INIT: &str =
    "only a function can be run: write `#[init]` on a `fn()` or a `fn() -> Result<(), E>`";

/// The errors found so far.
struct Errors(Option<syn::Error>);

impl Errors {
    fn add(&mut self, span: Span, message: impl std::fmt::Display) {
        combine(&mut self.0, syn::Error::new(span, message));
    }
}

fn instead_of(keyword: &Ident) -> String {
    let advice = match keyword.to_string().as_str() {
        "const" => return "a `const` has no address to look up: write `static`".into(),
        "struct" | "enum" | "union" | "type" => {
            "host and plugin share a type by having it in the API crate; export a function that makes the value"
        }
        "trait" => "put the trait into the API crate; export a function that returns a `Box<dyn Trait>`",
        "impl" => "export a free function that makes the value, such as `fn make() -> Box<dyn Trait>`",
        "mod" => "write `#[export]` on each function and `static` in it",
        "use" | "crate" => "write `#[export]` on the item itself, or on a function here that calls it",
        "extern" | "safe" => "export a function of your own that calls the foreign one",
        "macro_rules" | "macro" => "a macro is gone after compilation; put it into the API crate",
        _ => return "only functions and `static`s can be exported".into(),
    };
    format!("only functions and `static`s can be exported: {advice}")
}

fn check_exported(function: &Function, errors: &mut Errors) {
    let signature = &function.signature;
    check_body(function, errors);
    check_generics(signature, errors);
    check_arguments(signature, errors);
    check_types(signature, errors);
    if let (Some(_), Some(abi)) = (&signature.asyncness, &signature.abi) {
        errors.add(
            abi.extern_token.span,
            "an exported `async fn` returns a boxed future, which other calling conventions don't know: remove \
             `extern` or `async`",
        );
    }
}

fn check_body(function: &Function, errors: &mut Errors) {
    if !function.has_body {
        errors.add(
            function.span(),
            "a function without a body has no address here: write `#[export]` on a free function that has one",
        );
    }
}

/// A function pointer's type can say that it holds for all lifetimes, and no more than that.
fn check_generics(signature: &Signature, errors: &mut Errors) {
    let Generics { params, where_clause, .. } = &signature.generics;
    let name = &signature.ident;
    let in_arguments = lifetimes_of(signature.inputs.iter());
    let in_result = lifetimes_of([&signature.output]);
    for param in params {
        match param {
            GenericParam::Type(param) => errors.add(
                param.ident.span(),
                format_args!(
                    "a generic function has no address: export a concrete function, such as `fn {name}_u32(…)`, \
                     that calls this one"
                ),
            ),
            GenericParam::Const(param) => errors.add(
                param.ident.span(),
                format_args!(
                    "a generic function has no address: export a concrete function, such as `fn {name}_4(…)`, \
                     that calls this one"
                ),
            ),
            GenericParam::Lifetime(param) => {
                let lifetime = &param.lifetime;
                if let Some(bound) = param.bounds.first() {
                    errors.add(
                        bound.span(),
                        format_args!(
                            "the type of a function pointer cannot say that one lifetime outlives another: use one \
                             lifetime in place of `{lifetime}` and `{bound}`"
                        ),
                    );
                } else if in_result.contains(&lifetime.ident) && !in_arguments.contains(&lifetime.ident) {
                    errors.add(
                        lifetime.span(),
                        format_args!("no argument has the lifetime `{lifetime}`: write `'static` in the result"),
                    );
                }
            }
        }
    }
    if let Some(clause) = where_clause {
        errors.add(
            clause.where_token.span,
            "the type of a function pointer has no `where` clause: remove it, and use concrete types and unbound \
             lifetimes",
        );
    }
}

fn check_arguments(signature: &Signature, errors: &mut Errors) {
    for argument in &signature.inputs {
        let attributes = match argument {
            FnArg::Receiver(receiver) => {
                errors.add(
                    receiver.self_token.span,
                    format_args!(
                        "a method cannot be exported: export a free function, such as `fn {}(this: &Type)`",
                        signature.ident
                    ),
                );
                &receiver.attrs
            }
            FnArg::Typed(argument) => &argument.attrs,
        };
        for attribute in attributes {
            if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
                errors.add(
                    path_span(attribute),
                    "the type of an exported function must not depend on the configuration of one argument: write \
                     the function twice, each under its own `cfg`",
                );
            }
        }
    }
    if let Some(variadic) = &signature.variadic {
        errors.add(
            variadic.dots.spans[0],
            "a variadic function cannot be exported: take a slice, such as `&[u32]`",
        );
    }
}

/// Finds what has no meaning in a type that is written a second time, outside of the function.
fn check_types(signature: &Signature, errors: &mut Errors) {
    // The visitor that is there for other reasons wants its input mutable.
    let Signature { inputs, output, .. } = &mut signature.clone();
    let visitor = &mut Types(errors);
    for argument in inputs {
        // That a method cannot be exported is said already; the `Self` in it is not the point.
        if let FnArg::Typed(argument) = argument {
            visitor.visit_type_mut(&mut argument.ty);
        }
    }
    visitor.visit_return_type_mut(output);
}

struct Types<'a>(&'a mut Errors);

impl VisitMut for Types<'_> {
    fn visit_type_impl_trait_mut(&mut self, node: &mut syn::TypeImplTrait) {
        let bounds =
            node.bounds.iter().filter(|bound| !matches!(bound, syn::TypeParamBound::PreciseCapture(_)));
        let mut tokens = proc_macro2::TokenStream::new();
        for (index, bound) in bounds.enumerate() {
            if index > 0 {
                Token![+](Span::call_site()).to_tokens(&mut tokens);
            }
            bound.to_tokens(&mut tokens);
        }
        let bounds = signature::text(tokens);
        self.0.add(
            node.impl_token.span,
            format_args!("`impl Trait` is a type without a name: write `Box<dyn {bounds}>`"),
        );
        visit_mut::visit_type_impl_trait_mut(self, node);
    }

    fn visit_ident_mut(&mut self, node: &mut Ident) {
        if node == "Self" {
            self.0.add(
                node.span(),
                "an associated function cannot be exported: export a free function, with the type's name in place \
                 of `Self`",
            );
        }
    }
}

/// The names of all lifetimes that occur in some pieces of syntax.
fn lifetimes_of<'a, T: ToTokens + 'a>(nodes: impl IntoIterator<Item = &'a T>) -> HashSet<Ident> {
    fn collect(tokens: proc_macro2::TokenStream, names: &mut HashSet<Ident>) {
        let mut after_quote = false;
        for token in tokens {
            match token {
                proc_macro2::TokenTree::Group(group) => collect(group.stream(), names),
                proc_macro2::TokenTree::Ident(ident) if after_quote => {
                    names.insert(ident);
                    after_quote = false;
                }
                proc_macro2::TokenTree::Punct(punct) => after_quote = punct.as_char() == '\'',
                _ => after_quote = false,
            }
        }
    }
    let mut names = HashSet::new();
    for node in nodes {
        collect(node.to_token_stream(), &mut names);
    }
    names
}

fn check_static(variable: &Static, errors: &mut Errors) {
    if let Some(token) = variable.mutability {
        errors.add(
            token.span,
            "a `static mut` cannot be shared safely: write `static` with an atomic, a `Mutex` or a `OnceLock`",
        );
    }
    if !variable.has_value {
        errors.add(
            variable.ident.span(),
            "a `static` without a value lies somewhere else: export a function that returns a reference to it",
        );
    }
    for attribute in &variable.attributes {
        if attribute.path().is_ident("thread_local") {
            errors.add(
                path_span(attribute),
                "a `#[thread_local]` has an address in each thread: export a function that reads or writes it",
            );
        }
    }
}

fn check_init(function: &Function, errors: &mut Errors) {
    let Signature { asyncness, safety, abi, generics, inputs, variadic, output, .. } = &function.signature;
    check_body(function, errors);
    if let Some(token) = asyncness {
        errors.add(
            token.span,
            "an init function has ended when `open` returns: remove `async`, and block or spawn",
        );
    }
    if let Safety::Unsafe(token) = safety {
        errors.add(
            token.span,
            "nobody could keep the promise: remove `unsafe`, and write `unsafe { … }` in the body",
        );
    }
    if let Some(abi) = abi {
        errors.add(abi.extern_token.span, "an init function is called by Rust: remove `extern`");
    }
    for param in &generics.params {
        let (span, what) = match param {
            GenericParam::Lifetime(param) => (param.lifetime.span(), "lifetime"),
            GenericParam::Type(param) => (param.ident.span(), "type"),
            GenericParam::Const(param) => (param.ident.span(), "value"),
        };
        errors.add(span, format_args!("nobody could choose this {what}: an init function is not generic"));
    }
    if let Some(clause) = &generics.where_clause {
        errors.add(clause.where_token.span, "an init function is not generic: remove the `where` clause");
    }
    for argument in inputs {
        let span = match argument {
            FnArg::Receiver(receiver) => receiver.self_token.span,
            FnArg::Typed(argument) => first_span(&argument.pat),
        };
        errors.add(span, "an init function takes no arguments: remove this one");
    }
    if let Some(variadic) = variadic {
        errors.add(variadic.dots.spans[0], "an init function takes no arguments: remove this one");
    }
    if let ReturnType::Type(_, ty) = output
        && let syn::Type::ImplTrait(ty) = &**ty
    {
        errors.add(ty.impl_token.span, "an init function returns nothing or a `Result<(), E>`");
    }
}

fn path_span(attribute: &syn::Attribute) -> Span {
    first_span(attribute.path())
}

/// Where something begins: joining the spans of a whole needs a newer compiler interface than there is.
fn first_span(node: &impl ToTokens) -> Span {
    node.to_token_stream().into_iter().next().map_or_else(Span::call_site, |token| token.span())
}
