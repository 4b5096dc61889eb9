//! An `async fn` as a function whose type can be named.
//!
//! `async fn f(x: &str) -> R` returns a type without a name, so what is exported is a function that boxes it:
//! `fn(&str) -> Pin<Box<dyn Future<Output = R> + Send + '_>>`. Such a future holds all arguments, and the
//! type of a function pointer cannot say that several lifetimes outlive a third. So where the arguments have
//! several, they become one; where they have none, the future is `'static`.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Lifetime, ReturnType, Signature, Type};

use crate::span;

/// The boxing function and its type.
pub(crate) struct Boxed {
    /// The items that define the function named `__dynplug_boxed`.
    pub(crate) definition: TokenStream,
    /// Its type, as a function pointer.
    pub(crate) pointer: TokenStream,
}

/// Makes the boxing function for an `async fn`.
pub(crate) fn boxed(signature: &Signature) -> Boxed {
    let site = Span::mixed_site();
    let named = lifetimes(signature);
    let mut one = OneLifetime::new(&named, Lifetime::new("'__dynplug", site));
    let mut types: Vec<Type> = crate::expand::argument_types(signature).cloned().collect();
    types.iter_mut().for_each(|ty| one.visit_type_mut(ty));
    let has_lifetime = one.found;
    let mut output = signature.output.clone();
    one.visit_return_type_mut(&mut output);

    let types: Vec<TokenStream> = types.iter().map(span::copy).collect();
    let output = match &output {
        ReturnType::Default => quote_spanned!(site=> ()),
        ReturnType::Type(_, ty) => span::copy(ty),
    };
    let lifetime = &one.lifetime;
    let (binder, future_lifetime) = if has_lifetime {
        (quote_spanned!(site=> <#lifetime>), quote_spanned!(site=> #lifetime))
    } else {
        (TokenStream::new(), quote_spanned!(site=> 'static))
    };
    let quantifier = has_lifetime.then(|| quote_spanned!(site=> for #binder));
    let safety = span::copy(&signature.safety);
    let result = quote_spanned! {site=>
        __dynplug::Pin<__dynplug::Box<dyn __dynplug::Future<Output = #output> + __dynplug::Send + #future_lifetime>>
    };

    // Errors that come from here (a future that isn't `Send`, most of all) are shown at the function's name.
    let at_name = span::generated_at(signature.ident.span());
    let name = span::copy_ident(&signature.ident);
    let arguments: Vec<syn::Ident> =
        (0..types.len()).map(|index| quote::format_ident!("argument{index}", span = at_name)).collect();
    let mut call = quote_spanned!(at_name=> #name(#(#arguments),*));
    if let syn::Safety::Unsafe(_) = signature.safety {
        // The promise is the caller's: this function is `unsafe` as well, and does nothing else.
        call = quote_spanned!(at_name=> unsafe { #call });
    }
    let body = quote_spanned!(at_name=> __dynplug::Box::pin(#call));

    Boxed {
        definition: quote_spanned! {site=>
            #safety fn __dynplug_boxed #binder (#(#arguments: #types),*) -> #result { #body }
        },
        pointer: quote_spanned!(site=> #quantifier #safety fn(#(#types),*) -> #result),
    }
}

/// The lifetimes that a function is generic over.
pub(crate) fn lifetimes(signature: &Signature) -> Vec<Lifetime> {
    signature.generics.lifetimes().map(|param| param.lifetime.clone()).collect()
}

/// Replaces every lifetime that a function is generic over, written or left out, by one.
pub(crate) struct OneLifetime<'a> {
    /// The function's own lifetimes.
    named: &'a [Lifetime],
    lifetime: Lifetime,
    /// How many `fn(…)` and `Fn(…)` we are in: a lifetime left out there is theirs, not the function's.
    binders: u32,
    /// Whether there was one.
    pub(crate) found: bool,
    /// Whether there was `'static`, which stays.
    pub(crate) has_static: bool,
}

impl<'a> OneLifetime<'a> {
    pub(crate) fn new(named: &'a [Lifetime], lifetime: Lifetime) -> OneLifetime<'a> {
        OneLifetime { named, lifetime, binders: 0, found: false, has_static: false }
    }
}

impl VisitMut for OneLifetime<'_> {
    fn visit_lifetime_mut(&mut self, node: &mut Lifetime) {
        self.has_static |= node.ident == "static";
        let is_own = if node.ident == "_" { self.binders == 0 } else { self.named.contains(node) };
        if is_own {
            *node = self.lifetime.clone();
            self.found = true;
        }
    }

    fn visit_type_reference_mut(&mut self, node: &mut syn::TypeReference) {
        if node.lifetime.is_none() && self.binders == 0 {
            node.lifetime = Some(self.lifetime.clone());
            self.found = true;
        }
        visit_mut::visit_type_reference_mut(self, node);
    }

    fn visit_type_fn_ptr_mut(&mut self, node: &mut syn::TypeFnPtr) {
        self.binders += 1;
        visit_mut::visit_type_fn_ptr_mut(self, node);
        self.binders -= 1;
    }

    fn visit_parenthesized_generic_arguments_mut(&mut self, node: &mut syn::ParenthesizedGenericArguments) {
        self.binders += 1;
        visit_mut::visit_parenthesized_generic_arguments_mut(self, node);
        self.binders -= 1;
    }
}
