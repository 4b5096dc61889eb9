//! What is generated behind an item: the record that can be read from the file, and the entry that the
//! running program reads.
//!
//! Everything stands in a `const _` of its own, where `__dynplug` is the hidden module of `dynplug`. Paths go
//! through it, since a crate may have its own `std` or `u8` and no prelude.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use std::sync::atomic::{AtomicUsize, Ordering};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{FnArg, Meta, ReturnType, Safety, Signature, Token, Type};

use crate::parse::{Attribute, Function, Item, Request, Static};
use crate::standing::{self, Standing};
use crate::{docs, future, serving, signature, span};

/// The name under which rustc gets the plugin's API crate, set by the build tool.
const API_EXTERN: &str = "DYNPLUG_API_EXTERN";

/// Generates what stands behind the item of a checked request.
pub(crate) fn request(request: Request) -> syn::Result<TokenStream> {
    let site = Span::mixed_site();
    let dynplug = match &request.arguments.dynplug {
        Some(path) => span::copy(path),
        None => quote_spanned!(site=> ::dynplug),
    };
    let link_api = link_api_crate()?;
    let (attributes, items) = match (&request.item, request.attribute) {
        (Item::Function(function), Attribute::Export) => {
            (&function.attributes, exported_function(&request, function))
        }
        (Item::Function(function), Attribute::Init) => (&function.attributes, init(&request, function)),
        (Item::Static(variable), _) => (&variable.attributes, exported_static(&request, variable)),
        (Item::Other(_), _) => return Ok(TokenStream::new()),
    };
    let inherited = inherited(attributes);
    Ok(quote_spanned! {site=>
        #(#inherited)*
        const _: () = {
            #link_api
            use #dynplug::__private as __dynplug;
            #items
        };
    })
}

/// rustc leaves out a crate that the code never names, and a plugin without its API library would get a
/// second copy of everything.
fn link_api_crate() -> syn::Result<TokenStream> {
    let site = Span::mixed_site();
    match std::env::var(API_EXTERN) {
        Ok(name) if !name.is_empty() => match syn::parse_str::<syn::Ident>(&name) {
            Ok(mut name) => {
                name.set_span(site);
                Ok(quote_spanned!(site=> extern crate #name as _;))
            }
            Err(_) => Err(syn::Error::new(
                Span::call_site(),
                format_args!(
                    "the environment variable `{API_EXTERN}` is `{name}`, which is not a crate's name"
                ),
            )),
        },
        _ => Ok(TokenStream::new()),
    }
}

fn exported_function(request: &Request, function: &Function) -> TokenStream {
    let site = Span::mixed_site();
    let Function { signature, attributes, .. } = function;
    let text = signature::function(signature);
    let flags = u16::from(signature.asyncness.is_some())
        | (u16::from(matches!(signature.safety, Safety::Unsafe(_))) << 1);
    let serving::Serving { obstacles, served } = serving::function(signature);
    let meta = meta(request, "Function", flags, &obstacles, &text, &docs::expression(attributes));
    let (definition, pointer, function) = if signature.asyncness.is_some() {
        let future::Boxed { definition, pointer } = future::boxed(signature);
        (definition, pointer, quote_spanned!(site=> __dynplug_boxed))
    } else {
        (TokenStream::new(), pointer(signature), span::copy_ident(&signature.ident).into_token_stream())
    };
    let (sections, kept) = (sections("dp_sym"), kept("Entry", "add_symbol"));
    quote_spanned! {site=>
        #meta
        #definition
        type __DynplugPointer = #pointer;
        const __DYNPLUG_POINTER: __DynplugPointer = #function;
        const __DYNPLUG_SERVED: __dynplug::Served = #served;
        // The address is that of a function of the type whose id is beside it.
        static __DYNPLUG_ENTRY: __dynplug::Entry = unsafe {
            __dynplug::Entry::new(
                &__DYNPLUG_META,
                __DYNPLUG_POINTER as *const (),
                __dynplug::TypeId::of::<__DynplugPointer>(),
                __dynplug::type_name::<__DynplugPointer>,
            )
        }.served(__DYNPLUG_SERVED);
        #sections
        static __DYNPLUG_LISTED: &__dynplug::Entry = &__DYNPLUG_ENTRY;
        #kept
    }
}

fn exported_static(request: &Request, variable: &Static) -> TokenStream {
    let site = Span::mixed_site();
    let text = signature::text(variable.declaration());
    let serving::Serving { obstacles, served } = serving::variable(variable);
    let meta = meta(request, "Static", 0, &obstacles, &text, &docs::expression(&variable.attributes));
    let ident = span::copy_ident(&variable.ident);
    let (sections, kept) = (sections("dp_sym"), kept("Entry", "add_symbol"));
    quote_spanned! {site=>
        #meta
        const __DYNPLUG_SERVED: __dynplug::Served = #served;
        // A `static` that rustc accepts is `Sync`; asked for again here, it would be reported twice.
        static __DYNPLUG_ENTRY: __dynplug::Entry = unsafe {
            __dynplug::Entry::variable(&__DYNPLUG_META, &#ident)
        }.served(__DYNPLUG_SERVED);
        #sections
        static __DYNPLUG_LISTED: &__dynplug::Entry = &__DYNPLUG_ENTRY;
        #kept
    }
}

fn init(request: &Request, function: &Function) -> TokenStream {
    let site = Span::mixed_site();
    let Function { signature, attributes, .. } = function;
    let text = signature::function(signature);
    // Init functions run where the plugin is.
    let obstacles = quote_spanned!(site=> 0);
    let meta = meta(request, "Init", 0, &obstacles, &text, &docs::expression(attributes));
    let ident = span::copy_ident(&signature.ident);
    // A result of the wrong type is shown at the function's name.
    let call = quote_spanned!(span::generated_at(signature.ident.span())=> #ident());
    let (sections, kept) = (sections("dp_init"), kept("InitEntry", "add_init"));
    quote_spanned! {site=>
        #meta
        fn __dynplug_run() -> __dynplug::Outcome {
            __dynplug::outcome(#call)
        }
        static __DYNPLUG_ENTRY: __dynplug::InitEntry = __dynplug::InitEntry::new(&__DYNPLUG_META, __dynplug_run);
        #sections
        static __DYNPLUG_LISTED: &__dynplug::InitEntry = &__DYNPLUG_ENTRY;
        #kept
    }
}

/// The record of an item, as bytes in a section of its own.
fn meta(
    request: &Request,
    kind: &str,
    flags: u16,
    obstacles: &TokenStream,
    signature: &str,
    docs: &TokenStream,
) -> TokenStream {
    let site = Span::mixed_site();
    let kind = syn::Ident::new(kind, site);
    let name = match &request.arguments.name {
        Some(name) => name.value(),
        None => request.ident().unraw().to_string(),
    };
    let Standing { is_plugin, below } = standing::standing();
    let flags = flags | (u16::from(is_plugin) << 2);
    let sections = sections("dp_exp");
    quote_spanned! {site=>
        const __DYNPLUG_OBSTACLES: __dynplug::primitive::u64 = #obstacles;
        const __DYNPLUG_FIELDS: __dynplug::record::Fields<'static> = __dynplug::record::Fields {
            kind: __dynplug::record::Kind::#kind,
            flags: #flags,
            line: __dynplug::line!(),
            column: __dynplug::column!(),
            obstacles: __DYNPLUG_OBSTACLES,
            name: #name,
            signature: #signature,
            docs: #docs,
            package: __dynplug::meta_or(__dynplug::option_env!("CARGO_PKG_NAME")),
            version: __dynplug::meta_or(__dynplug::option_env!("CARGO_PKG_VERSION")),
            module: __dynplug::module_path!(),
            file: __dynplug::file!(),
            below: #below,
        };
        #sections
        static __DYNPLUG_META: [__dynplug::primitive::u8; __dynplug::record::encoded_len(&__DYNPLUG_FIELDS)] =
            __dynplug::record::encode(&__DYNPLUG_FIELDS);
    }
}

/// Places the next static in a section, and keeps it there though nothing refers to it.
///
/// WebAssembly has no sections with addresses in them; see [`kept`].
fn sections(name: &str) -> TokenStream {
    let site = Span::mixed_site();
    let apple = format!("__DATA,{name}");
    quote_spanned! {site=>
        #[used]
        #[cfg_attr(target_vendor = "apple", unsafe(link_section = #apple))]
        #[cfg_attr(not(any(target_vendor = "apple", target_family = "wasm")), unsafe(link_section = #name))]
    }
}

/// Has the reference to an entry found where it takes more than a section that `#[used]` keeps.
///
/// For Windows, the GNU linker collects what nothing refers to, and that the compiler names a symbol is no reference to
/// it. It keeps the sections of the C library's start, of which this one is read by nobody.
///
/// For WebAssembly, a constructor adds the entry to a list. The linker takes it in for the sake of an exported function, and
/// of nothing else in a crate that nobody names.
fn kept(entry: &str, add: &str) -> TokenStream {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let site = Span::mixed_site();
    let [entry, add] = [entry, add].map(|name| syn::Ident::new(name, site));
    let of = ["CARGO_CRATE_NAME", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"]
        .map(|name| std::env::var(name).unwrap_or_default());
    let exported = format!("__dynplug_{}_{}", of.join("_"), COUNT.fetch_add(1, Ordering::Relaxed));
    quote_spanned! {site=>
        #[cfg(all(windows, target_env = "gnu"))]
        #[used]
        #[unsafe(link_section = ".CRT$XPD")]
        static __DYNPLUG_KEPT: &&__dynplug::#entry = &__DYNPLUG_LISTED;
        #[cfg(target_family = "wasm")]
        #[used]
        #[unsafe(link_section = ".init_array")]
        static __DYNPLUG_KEPT: extern "C" fn() = {
            extern "C" fn add() {
                __dynplug::#add(&__DYNPLUG_ENTRY);
            }
            add
        };
        #[cfg(target_family = "wasm")]
        #[unsafe(export_name = #exported)]
        extern "C" fn __dynplug_keep() -> *const () {
            &raw const __DYNPLUG_KEPT as *const ()
        }
    }
}

/// The type of a pointer to a function, for all lifetimes that the function is generic over.
fn pointer(signature: &Signature) -> TokenStream {
    let site = Span::mixed_site();
    let Signature { safety, abi, output, generics, .. } = signature;
    let mut lifetimes = generics.lifetimes().map(|param| span::copy(&param.lifetime)).peekable();
    let quantifier = lifetimes.peek().is_some().then(|| quote_spanned!(site=> for<#(#lifetimes),*>));
    let safety = span::copy(safety);
    let abi = span::copy(abi);
    let types = argument_types(signature).map(span::copy);
    let output = match output {
        ReturnType::Default => TokenStream::new(),
        output @ ReturnType::Type(..) => span::copy(output),
    };
    quote_spanned!(site=> #quantifier #safety #abi fn(#(#types),*) #output)
}

/// The types of all arguments; a function that was checked has no `self`.
pub(crate) fn argument_types(signature: &Signature) -> impl Iterator<Item = &Type> {
    signature.inputs.iter().filter_map(|argument| match argument {
        FnArg::Typed(argument) => Some(&*argument.ty),
        FnArg::Receiver(_) => None,
    })
}

/// The attributes of the item that what stands behind it needs too.
///
/// It exists under the same conditions, and what the user allowed there is allowed: a use of something
/// deprecated is reported inside macros as well.
fn inherited(attributes: &[syn::Attribute]) -> Vec<TokenStream> {
    let site = Span::mixed_site();
    let mut inherited = Vec::new();
    for attribute in attributes {
        let path = attribute.path();
        if path.is_ident("cfg") {
            inherited.push(span::copy(attribute));
        } else if path.is_ident("allow") || path.is_ident("expect") {
            if let Meta::List(list) = &attribute.meta {
                let lints = span::copy(&list.tokens);
                inherited.push(quote_spanned!(site=> #[allow(#lints)]));
            }
        } else if path.is_ident("deprecated") {
            inherited.push(quote_spanned!(site=> #[allow(deprecated)]));
        } else if path.is_ident("cfg_attr") {
            inherited.extend(conditional(attribute));
        }
    }
    inherited
}

/// Of `#[cfg_attr(condition, …)]`, the part that is inherited.
fn conditional(attribute: &syn::Attribute) -> Option<TokenStream> {
    let site = Span::mixed_site();
    let metas = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
    let mut metas = metas.iter();
    let condition = span::copy(metas.next()?);
    let inherited: Vec<TokenStream> = metas
        .filter(|meta| meta.path().is_ident("cfg") || meta.path().is_ident("allow"))
        .map(span::copy)
        .collect();
    (!inherited.is_empty()).then(|| quote_spanned!(site=> #[cfg_attr(#condition, #(#inherited),*)]))
}
