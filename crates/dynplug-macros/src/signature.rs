//! The text of a signature, as a person would write it.
//!
//! The compiler prints tokens with its own idea of spaces, which changes between versions. The text of an
//! item is shown by listings and compared by people, so it is laid out here, in one line and as rustfmt
//! would. Only what occurs in signatures matters: types, patterns, and the arithmetic in array lengths.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{FnArg, Pat, Signature};

/// The text of a function's signature: `async fn greet(name: &str) -> String`.
///
/// What only concerns the body is left out: attributes of arguments, and their `mut`.
pub(crate) fn function(signature: &Signature) -> String {
    let mut signature = signature.clone();
    for argument in &mut signature.inputs {
        if let FnArg::Typed(argument) = argument {
            argument.attrs.clear();
            if let Pat::Ident(pattern) = &mut *argument.pat
                && pattern.by_ref.is_none()
            {
                pattern.mutability = None;
            }
        }
    }
    text(signature.to_token_stream())
}

/// The text of some tokens.
pub(crate) fn text(tokens: TokenStream) -> String {
    let mut atoms = Vec::new();
    flatten(tokens, &mut atoms);
    let mut out = String::new();
    let mut previous: Option<&Atom> = None;
    for atom in &atoms {
        if previous.is_some_and(|previous| has_space(previous, atom)) {
            out.push(' ');
        }
        out.push_str(&atom.text);
        previous = Some(atom);
    }
    out
}

struct Atom {
    role: Role,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A name or a literal: an operand is complete behind it.
    Operand,
    /// A keyword or a lifetime: an operand is still to come.
    Lead,
    /// `&` `*` `!` `?` before what they belong to.
    Prefix,
    /// `+` `=` `->` between two operands.
    Binary,
    /// `::` and `.`, and the `!` of a macro.
    Tight,
    /// `,` `;` `:`.
    Separator,
    /// `(` `[` `<`.
    Open,
    /// `)` `]` `>`.
    Close,
    OpenBrace,
    CloseBrace,
}

impl Role {
    fn ends_operand(self) -> bool {
        matches!(self, Role::Operand | Role::Close | Role::CloseBrace)
    }
}

fn has_space(previous: &Atom, next: &Atom) -> bool {
    use Role::*;
    match (previous.role, next.role) {
        (OpenBrace, CloseBrace) => false,
        (OpenBrace, _) | (_, CloseBrace) => true,
        (Open | Prefix | Tight, _) | (_, Close | Separator) => false,
        (Separator | Binary, _) | (_, Binary | OpenBrace) => true,
        // `fn(u32)`, `for<'a>`, and `fn` or `mut` before a name.
        (Lead, Open) => {
            !((previous.text == "fn" && next.text == "(") || (previous.text == "for" && next.text == "<"))
        }
        (Lead, _) => true,
        (_, Open | Tight) => false,
        (_, _) => true,
    }
}

fn flatten(tokens: TokenStream, atoms: &mut Vec<Atom>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let follows_operand = atoms.last().is_some_and(|atom| atom.role.ends_operand());
        match token {
            TokenTree::Group(group) => flatten_group(&group, atoms),
            TokenTree::Ident(ident) => {
                let text = ident.to_string();
                let role = if is_lead(&text) { Role::Lead } else { Role::Operand };
                atoms.push(Atom { role, text });
            }
            TokenTree::Literal(literal) => {
                atoms.push(Atom { role: Role::Operand, text: literal.to_string() })
            }
            TokenTree::Punct(punct) => {
                let mut text = String::from(punct.as_char());
                let mut spacing = punct.spacing();
                // Puts characters together that are one token for a person.
                while let (Spacing::Joint, Some(TokenTree::Punct(next))) = (spacing, tokens.peek()) {
                    let longer = format!("{text}{}", next.as_char());
                    if !is_joined(&longer, atoms.last()) {
                        break;
                    }
                    (text, spacing) = (longer, next.spacing());
                    tokens.next();
                }
                if text == "'" {
                    let name = tokens.next().map(|name| name.to_string()).unwrap_or_default();
                    atoms.push(Atom { role: Role::Lead, text: text + &name });
                    continue;
                }
                let before_close = match tokens.peek() {
                    None => true,
                    Some(TokenTree::Punct(next)) => next.as_char() == '>',
                    Some(_) => false,
                };
                // A trailing comma belongs to lists that go over several lines.
                if text == "," && before_close {
                    continue;
                }
                atoms.push(Atom { role: role_of(&text, follows_operand), text });
            }
        }
    }
}

fn flatten_group(group: &proc_macro2::Group, atoms: &mut Vec<Atom>) {
    let (open, close, roles) = match group.delimiter() {
        Delimiter::Parenthesis => ("(", ")", (Role::Open, Role::Close)),
        Delimiter::Bracket => ("[", "]", (Role::Open, Role::Close)),
        Delimiter::Brace => ("{", "}", (Role::OpenBrace, Role::CloseBrace)),
        Delimiter::None => return flatten(group.stream(), atoms),
    };
    // `f(u32,)` and `fn(u32,)` are lists; `(u32,)` by itself is a tuple, which its comma makes one.
    let is_list = atoms.last().is_some_and(|atom| atom.role.ends_operand() || atom.text == "fn");
    let is_single = !is_list && open == "(" && has_only_a_trailing_comma(group.stream());
    atoms.push(Atom { role: roles.0, text: open.into() });
    flatten(group.stream(), atoms);
    if is_single {
        atoms.push(Atom { role: Role::Separator, text: ",".into() });
    }
    atoms.push(Atom { role: roles.1, text: close.into() });
}

/// Whether the only comma that isn't between angle brackets is the last token.
fn has_only_a_trailing_comma(tokens: TokenStream) -> bool {
    let mut depth = 0_i32;
    let mut after_arrow_head = false;
    let mut commas = 0;
    let mut last_is_comma = false;
    for token in tokens {
        last_is_comma = false;
        let character = if let TokenTree::Punct(punct) = &token { punct.as_char() } else { ' ' };
        match character {
            '<' => depth += 1,
            '>' if !after_arrow_head => depth -= 1,
            ',' if depth == 0 => {
                commas += 1;
                last_is_comma = true;
            }
            _ => {}
        }
        after_arrow_head = character == '-' || character == '=';
    }
    commas == 1 && last_is_comma
}

fn is_joined(text: &str, previous: Option<&Atom>) -> bool {
    let follows_operand = previous.is_some_and(|atom| atom.role.ends_operand());
    match text {
        "::" | "->" | "=>" | ".." | "..." | "..=" => true,
        "&&" | "||" | "==" => follows_operand,
        // `1 << 10` is a shift, `Vec<<T as Trait>::Type>` is none.
        "<<" => previous.is_some_and(|atom| atom.text.starts_with(|first: char| first.is_ascii_digit())),
        _ => false,
    }
}

fn role_of(text: &str, follows_operand: bool) -> Role {
    match text {
        "," | ";" | ":" => Role::Separator,
        "<" => Role::Open,
        ">" => Role::Close,
        "." | ".." | "..." | "..=" => Role::Tight,
        // A path may begin with it: `dyn ::core::fmt::Debug`.
        "::" if follows_operand => Role::Tight,
        "!" if follows_operand => Role::Tight,
        "::" | "!" | "&" | "*" | "-" | "?" | "~" if !follows_operand => Role::Prefix,
        "?" => Role::Tight,
        _ => Role::Binary,
    }
}

/// Keywords behind which an operand is still to come.
fn is_lead(word: &str) -> bool {
    matches!(
        word,
        "as" | "async"
            | "const"
            | "dyn"
            | "extern"
            | "fn"
            | "for"
            | "impl"
            | "mut"
            | "ref"
            | "static"
            | "unsafe"
            | "where"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is_kept(signature: &str) {
        let parsed: Signature = syn::parse_str(signature).unwrap();
        assert_eq!(function(&parsed), signature);
        // Tokens as they come out of a macro, with no two of them joined by the source.
        let spaced = signature.replace('(', " ( ").replace('<', " < ").replace(", ", " , ");
        // A shift is one token.
        let spaced = spaced.replace("  <  <  ", " << ");
        assert_eq!(function(&syn::parse_str(&spaced).unwrap()), signature);
    }

    #[test]
    fn a_signature_is_written_as_rustfmt_would() {
        is_kept("fn f()");
        is_kept("fn f(x: &str, n: u32) -> Vec<String>");
        is_kept(
            "const unsafe extern \"C\" fn f<'a>(x: &'a mut [u8; 4], y: *const u8, z: *mut ()) -> &'a [u8]",
        );
        is_kept("async fn f(x: &'static dyn Send) -> Result<(), Box<dyn Error + Send + 'static>>");
        is_kept("fn f(x: for<'a> fn(&'a str) -> &'a str, y: &dyn for<'a> Fn(&'a (u8, u16)) -> !) -> !");
        is_kept(
            "fn f(x: <Vec<u8> as IntoIterator>::Item, y: Vec<<X as Y>::Z>, z: &<X as Y>::Z, w: &'static <X as Y>::Z)",
        );
        is_kept("fn f(x: ::std::string::String, y: &::std::string::String, z: Box<dyn ::core::fmt::Debug>)");
        is_kept(
            "fn f(x: [u8; N * 2 + 1], y: [u8; 1 << 10], z: Foo<{ A & B }>, w: [u8; { -1 }], v: [u8; size_of::<u8>()])",
        );
        is_kept(
            "fn f(x: Box<dyn Iterator<Item = (u8,)> + '_>, y: &&&u8, z: (A,), w: (A, B), v: (HashMap<A, B>,))",
        );
        is_kept(
            "fn f((a, b): (u8, u8), Point { x, .. }: Point, &c: &u8, [d, ..]: [u8; 3], _: (), Empty {}: Empty)",
        );
        is_kept("fn r#type(r#fn: r#struct) -> name!(a, b)");
        is_kept("unsafe extern \"C\" fn f(format: *const c_char, ...)");
        is_kept("fn f(x: &[&'static str], y: &mut (dyn Trait + Send), z: *const *mut [u8])");
    }

    #[test]
    fn trailing_commas_line_breaks_and_what_concerns_the_body_are_left_out() {
        let parsed: Signature = syn::parse_str(
            "fn f(\n    mut x: Vec<u8,>,\n    #[allow(unused)] y: fn(u8,) -> (u8, u8,),\n    ref mut z: (u8,),\n) -> Vec<(u8,),>",
        )
        .unwrap();
        assert_eq!(
            function(&parsed),
            "fn f(x: Vec<u8>, y: fn(u8) -> (u8, u8), ref mut z: (u8,)) -> Vec<(u8,)>"
        );
    }

    #[test]
    fn a_static_is_written_as_rustfmt_would() {
        let tokens: TokenStream = "static V : Mutex < Vec < & 'static str > >".parse().unwrap();
        assert_eq!(text(tokens), "static V: Mutex<Vec<&'static str>>");
    }
}
