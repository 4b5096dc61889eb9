//! What a crate means: a hash that stays the same when only comments, blanks or places change.
//!
//! The compiled metadata moves with every line that is added above an item. For crates that people edit, the source is
//! taken instead as the compiler sees it after all macros have been expanded, `cfg` decided and files included: what a
//! build script or a macro brings in is part of it.

use super::invocation::Invocation;
use crate::files::{hex, sha256};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use sha2::{Digest, Sha256};
use std::process::{Command, Stdio};

/// The hash of what is compiled, and that of what would be with the usual settings, by which two builds with other settings
/// can tell whether they are from one source.
pub(super) fn of_both(call: &Invocation, proc_macro: bool) -> (Option<String>, Option<String>) {
    match with_usual_settings(call) {
        Some(usual) => std::thread::scope(|scope| {
            let code = scope.spawn(|| of(&usual, proc_macro));
            (of(call, proc_macro), code.join().ok().flatten())
        }),
        None => {
            let meaning = of(call, proc_macro);
            (meaning.clone(), meaning)
        }
    }
}

/// The call without the settings that source can ask for by `cfg`; none where it has the usual ones already.
fn with_usual_settings(call: &Invocation) -> Option<Invocation> {
    let last = |name| call.codegen(name).last();
    let asserts = match last("debug-assertions") {
        Some(value) => !matches!(value, "no" | "n" | "off" | "false"),
        None => last("opt-level").is_none_or(|level| level == "0"),
    };
    let asked = ["overflow-checks", "panic", "target-cpu", "target-feature"];
    if !asserts && asked.iter().all(|name| last(name).is_none()) {
        return None;
    }
    let mut usual = call.clone();
    asked.iter().chain(&["debug-assertions"]).for_each(|name| usual.remove_codegen(name));
    usual.push("-C", "debug-assertions=off");
    Some(usual)
}

/// The hash, as hexadecimal digits; none where the compiler doesn't show the expanded source.
fn of(call: &Invocation, proc_macro: bool) -> Option<String> {
    let mut shown = call.clone();
    for option in ["--emit", "--out-dir", "--json", "--error-format", "--crate-type"] {
        shown.remove(option, |_| true);
    }
    shown.remove_codegen("extra-filename");
    let mut words = call.program.iter();
    let mut command = Command::new(words.next()?);
    command.args(words).args(shown.arguments());
    command.arg(if proc_macro { "--crate-type=proc-macro" } else { "--crate-type=lib" });
    command.args(["--cap-lints=allow", "-Zunpretty=expanded"]);
    // Showing the expanded source is an option that the compiler calls unstable; nothing is compiled here.
    command.env("RUSTC_BOOTSTRAP", "1").stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok().filter(|o| o.status.success() && !o.stdout.is_empty())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(match text.parse::<TokenStream>() {
        Ok(tokens) => {
            let mut hash = Sha256::new();
            feed(&mut hash, tokens);
            hex(&hash.finalize())
        }
        // Its comments count then, which refuses more than it need and never less.
        Err(_) => hex(&sha256(text.as_bytes())),
    })
}

/// Feeds the tokens, each with its kind and an end, so that no two sequences look alike.
fn feed(hash: &mut Sha256, tokens: TokenStream) {
    // A stack of one's own: how deep code is nested is not ours to say.
    let mut open = vec![(without_docs(tokens).into_iter(), Delimiter::None)];
    while let Some((tokens, delimiter)) = open.last_mut() {
        match tokens.next() {
            Some(TokenTree::Group(group)) => {
                hash.update([b'(', mark(group.delimiter())]);
                open.push((without_docs(group.stream()).into_iter(), group.delimiter()));
            }
            Some(TokenTree::Punct(punct)) => {
                let joint = punct.spacing() == proc_macro2::Spacing::Joint;
                hash.update([b'p', u8::from(joint)]);
                hash.update(u32::from(punct.as_char()).to_le_bytes());
            }
            Some(TokenTree::Ident(ident)) => feed_text(hash, b'i', &ident.to_string()),
            Some(TokenTree::Literal(literal)) => feed_text(hash, b'l', &literal.to_string()),
            None => {
                hash.update([b')', mark(*delimiter)]);
                open.pop();
            }
        }
    }
}

/// The tokens without `#[doc = "…"]`: what a macro makes of documentation stands in what it expands to.
fn without_docs(tokens: TokenStream) -> Vec<TokenTree> {
    let mut kept: Vec<TokenTree> = Vec::new();
    for token in tokens {
        if !is_doc(&token) {
            kept.push(token);
            continue;
        }
        // The signs before it: `#`, or `#!` for the documentation of a whole module.
        let sign =
            |t: Option<&TokenTree>, c: char| matches!(t, Some(TokenTree::Punct(p)) if p.as_char() == c);
        let inner = sign(kept.last(), '!') && sign(kept.len().checked_sub(2).and_then(|i| kept.get(i)), '#');
        if inner {
            kept.truncate(kept.len() - 2);
        } else if sign(kept.last(), '#') {
            kept.pop();
        } else {
            kept.push(token);
        }
    }
    kept
}

/// Whether this is `[doc = "…"]`.
fn is_doc(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else { return false };
    if group.delimiter() != Delimiter::Bracket {
        return false;
    }
    let mut tokens = group.stream().into_iter();
    matches!(tokens.next(), Some(TokenTree::Ident(i)) if i == "doc")
        && matches!(tokens.next(), Some(TokenTree::Punct(p)) if p.as_char() == '=')
        && matches!(tokens.next(), Some(TokenTree::Literal(_)))
        && tokens.next().is_none()
}

fn feed_text(hash: &mut Sha256, kind: u8, text: &str) {
    hash.update([kind]);
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}

fn mark(delimiter: Delimiter) -> u8 {
    match delimiter {
        Delimiter::Parenthesis => 1,
        Delimiter::Brace => 2,
        Delimiter::Bracket => 3,
        Delimiter::None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(text: &str) -> String {
        let mut hash = Sha256::new();
        feed(&mut hash, text.parse().unwrap());
        hex(&hash.finalize())
    }

    // C10
    #[test]
    fn a_release_has_the_usual_settings_and_a_build_for_debugging_is_given_them() {
        let usual = |options: &[&str]| {
            let words = ["rustc", "--crate-name", "a", "src/lib.rs"].iter().chain(options);
            let words = words.map(std::ffi::OsString::from).collect();
            let call = with_usual_settings(&Invocation::parse(words).unwrap())?;
            Some(call.arguments().join(" "))
        };
        assert_eq!(usual(&["-C", "opt-level=3"]), None);
        assert_eq!(usual(&["-C", "debug-assertions=off"]), None);
        for options in [&[][..], &["-C", "opt-level=3", "-C", "debug-assertions=on", "-C", "panic=abort"]] {
            let usual = usual(options).expect("they are others");
            assert!(usual.contains("debug-assertions=off"), "{usual}");
            assert!(!usual.contains("debug-assertions=on") && !usual.contains("panic"), "{usual}");
        }
    }

    // C13
    #[test]
    fn comments_and_blanks_mean_nothing() {
        assert_eq!(hash("fn f ( ) { 1+2 }"), hash("// a comment\nfn f() {\n    /* b */ 1 + 2\n}\n"));
    }

    // C13
    #[test]
    fn documentation_means_nothing() {
        let bare = hash("#[inline] fn f() {}");
        assert_eq!(bare, hash("/// docs\n#[inline] fn f() {}"));
        assert_eq!(bare, hash("//! docs\n#[doc = \"more\"] #[inline] fn f() {}"));
        assert_ne!(bare, hash("#[doc(hidden)] #[inline] fn f() {}"));
        assert_ne!(hash("x!([doc = \"a\"])"), hash("x!([doc = \"b\"])"));
    }

    // C10
    #[test]
    fn every_token_means_something() {
        let all = [
            "fn f(){1}",
            "fn f(){2}",
            "fn g(){1}",
            "fn f(){1;}",
            "fn f(){{1}}",
            "fn f(){(1)}",
            "fn f(){'1'}",
        ];
        for (at, one) in all.iter().enumerate() {
            for other in &all[at + 1..] {
                assert_ne!(hash(one), hash(other), "{one} and {other}");
            }
        }
        assert_ne!(hash("a && b"), hash("a & & b"));
        assert_ne!(hash("\"ab\" \"c\""), hash("\"a\" \"bc\""));
    }
}
