//! The command line of rustc, taken apart and put together again.

use crate::diagnostic::{Diagnostic, Doing, Result};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Options of rustc that take a value in a word of its own.
const WITH_VALUE: &[&str] = &[
    "--allow",
    "--cap-lints",
    "--cfg",
    "--check-cfg",
    "--codegen",
    "--color",
    "--crate-name",
    "--crate-type",
    "--deny",
    "--diagnostic-width",
    "--edition",
    "--emit",
    "--env-set",
    "--error-format",
    "--explain",
    "--extern",
    "--forbid",
    "--force-warn",
    "--json",
    "--out-dir",
    "--print",
    "--remap-path-prefix",
    "--sysroot",
    "--target",
    "--warn",
    "-A",
    "-C",
    "-D",
    "-F",
    "-L",
    "-W",
    "-Z",
    "-l",
    "-o",
];

/// One word or pair of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Argument {
    Option(String, String),
    Word(String),
}

/// A call of rustc.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// What is run: rustc, or a workspace wrapper followed by rustc.
    pub program: Vec<OsString>,
    arguments: Vec<Argument>,
}

/// An `--extern`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extern {
    /// What stands before the name: `priv:`, `noprelude:` and the like, with the colon.
    pub options: String,
    /// The name that the code uses.
    pub name: String,
    /// The file.
    pub path: Option<PathBuf>,
}

impl Extern {
    fn parse(value: &str) -> Extern {
        let (head, path) = match value.split_once('=') {
            Some((head, path)) => (head, Some(PathBuf::from(path))),
            None => (value, None),
        };
        let (options, name) = match head.rfind(':') {
            Some(at) => head.split_at(at + 1),
            None => ("", head),
        };
        Extern { options: options.to_owned(), name: name.to_owned(), path }
    }

    /// Whether cargo gives it in the place of what the compiler would find in its sysroot.
    pub fn is_of_std(&self) -> bool {
        self.options.split([',', ':']).any(|o| o == "noprelude")
    }

    fn render(&self) -> String {
        match &self.path {
            Some(path) => format!("{}{}={}", self.options, self.name, path.display()),
            None => format!("{}{}", self.options, self.name),
        }
    }
}

/// By which cargo asks rustc for colours in what is rendered.
pub const COLOURS: &str = "diagnostic-rendered-ansi";

impl Invocation {
    /// Whether cargo has asked for colours in what is rendered.
    pub fn wants_colours(&self) -> bool {
        self.arguments().iter().any(|word| word.contains(COLOURS))
    }

    /// Takes a wrapper's arguments apart: the program first, then its arguments.
    ///
    /// # Errors
    /// When a word is not UTF-8 or an argument file can't be read.
    pub fn parse(words: Vec<OsString>) -> Result<Invocation> {
        let mut words = words.into_iter().peekable();
        let mut program: Vec<OsString> = words.next().into_iter().collect();
        // cargo calls `wrapper workspace-wrapper rustc …`, and clippy-driver wants rustc's path too.
        if let Some(next) = words.peek() {
            let stem =
                Path::new(next).file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
            if !next.to_string_lossy().starts_with(['-', '@'])
                && (stem == "rustc" || stem.starts_with("rustc-"))
            {
                program.extend(words.next());
            }
        }
        let mut flat = Vec::new();
        for word in words {
            let word = word.into_string().map_err(|w| {
                Diagnostic::error(
                    "not-utf8",
                    format!("an argument of rustc is not UTF-8: {}", w.to_string_lossy()),
                )
            })?;
            match word.strip_prefix('@') {
                Some(file) => {
                    let text =
                        std::fs::read_to_string(file).doing(format_args!("read the argument file {file}"))?;
                    flat.extend(text.lines().map(str::to_owned));
                }
                None => flat.push(word),
            }
        }
        Ok(Invocation { program, arguments: Self::pair(flat) })
    }

    fn pair(words: Vec<String>) -> Vec<Argument> {
        let mut arguments = Vec::new();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let long =
                word.split_once('=').filter(|(name, _)| name.starts_with("--") && WITH_VALUE.contains(name));
            let short =
                word.get(..2).filter(|s| !s.starts_with("--") && WITH_VALUE.contains(s) && word.len() > 2);
            let argument = if let Some((name, value)) = long {
                Argument::Option(name.to_owned(), value.to_owned())
            } else if let Some(name) = short {
                Argument::Option(name.to_owned(), word[2..].to_owned())
            } else if WITH_VALUE.contains(&word.as_str()) {
                match words.next() {
                    Some(value) => Argument::Option(word, value),
                    None => Argument::Word(word),
                }
            } else {
                Argument::Word(word)
            };
            arguments.push(match argument {
                Argument::Option(name, value) if name == "--codegen" => {
                    Argument::Option("-C".to_owned(), value)
                }
                other => other,
            });
        }
        arguments
    }

    /// The arguments as rustc is to get them.
    pub fn arguments(&self) -> Vec<String> {
        let mut words = Vec::new();
        for argument in &self.arguments {
            match argument {
                Argument::Option(name, value) => words.extend([name.clone(), value.clone()]),
                Argument::Word(word) => words.push(word.clone()),
            }
        }
        words
    }

    fn values<'a>(&'a self, option: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.arguments.iter().filter_map(move |a| match a {
            Argument::Option(name, value) if name == option => Some(value.as_str()),
            _ => None,
        })
    }

    /// The last value of an option.
    pub fn value<'a>(&'a self, option: &'a str) -> Option<&'a str> {
        self.values(option).last()
    }

    /// All values of a codegen option, such as `metadata`.
    pub fn codegen<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.values("-C").filter_map(move |v| match v.split_once('=') {
            Some((n, value)) if n == name => Some(value),
            None if v == name => Some(""),
            _ => None,
        })
    }

    /// The crate's first source file.
    pub fn root(&self) -> Option<&Path> {
        self.arguments.iter().find_map(|a| match a {
            Argument::Word(word) if word.ends_with(".rs") => Some(Path::new(word)),
            _ => None,
        })
    }

    /// Whether this word stands on the line.
    pub fn has_word(&self, word: &str) -> bool {
        self.arguments.iter().any(|a| matches!(a, Argument::Word(w) if w == word))
    }

    /// Whether the call is for the target (`--target` was given) and not for a build script or proc macro.
    pub fn is_for_target(&self) -> bool {
        self.value("--target").is_some()
    }

    /// Whether the crate is one of std's, or one that std is made of: cargo compiles them with `-Z build-std`.
    pub fn is_of_std(&self) -> bool {
        self.values("-Z").any(|v| v == "force-unstable-if-unmarked")
    }

    /// Whether the crate is given a std that cargo has compiled.
    pub fn has_compiled_std(&self) -> bool {
        self.externs().iter().any(|e| e.is_of_std())
    }

    /// The crate's name; calls without one only ask questions.
    pub fn crate_name(&self) -> Option<&str> {
        self.value("--crate-name").filter(|n| *n != "___")
    }

    /// The crate types.
    pub fn crate_types(&self) -> Vec<&str> {
        self.values("--crate-type").flat_map(|v| v.split(',')).collect()
    }

    /// What is to be emitted, without file names.
    pub fn emits(&self) -> Vec<&str> {
        self.values("--emit").flat_map(|v| v.split(',')).map(|e| e.split('=').next().unwrap_or(e)).collect()
    }

    /// The cargo features that are on.
    pub fn features(&self) -> Vec<String> {
        let mut features: Vec<String> = (self.values("--cfg"))
            .filter_map(|v| v.strip_prefix("feature=\"")?.strip_suffix('"'))
            .map(str::to_owned)
            .collect();
        features.sort();
        features.dedup();
        features
    }

    /// All arguments as pairs of an option and its value; words have an empty option.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.arguments.iter().map(|a| match a {
            Argument::Option(name, value) => (name.as_str(), value.as_str()),
            Argument::Word(word) => ("", word.as_str()),
        })
    }

    /// The crates that are passed.
    pub fn externs(&self) -> Vec<Extern> {
        self.values("--extern").map(Extern::parse).collect()
    }

    /// Rewrites every `--extern`.
    pub fn map_externs(&mut self, mut map: impl FnMut(Extern) -> Option<Extern>) {
        self.arguments = std::mem::take(&mut self.arguments)
            .into_iter()
            .filter_map(|a| match a {
                Argument::Option(name, value) if name == "--extern" => {
                    map(Extern::parse(&value)).map(|e| Argument::Option(name, e.render()))
                }
                other => Some(other),
            })
            .collect();
    }

    /// The folder for what is made.
    pub fn out_dir(&self) -> PathBuf {
        PathBuf::from(self.value("--out-dir").unwrap_or("."))
    }

    /// What cargo adds to file names, with its dash.
    pub fn extra_filename(&self) -> &str {
        self.codegen("extra-filename").last().unwrap_or("")
    }

    /// A file beside what is made that belongs to this crate alone.
    pub fn beside(&self, ending: &str) -> PathBuf {
        self.out_dir().join(format!("{}{}{ending}", self.crate_name().unwrap_or("_"), self.extra_filename()))
    }

    /// Adds an option with its value.
    pub fn push(&mut self, option: &str, value: impl Into<String>) {
        self.arguments.push(Argument::Option(option.to_owned(), value.into()));
    }

    /// Takes every `option` away whose value `unwanted` says yes to.
    pub fn remove(&mut self, option: &str, unwanted: impl Fn(&str) -> bool) {
        self.arguments
            .retain(|a| !matches!(a, Argument::Option(name, value) if name == option && unwanted(value)));
    }

    /// Takes a codegen option away.
    pub fn remove_codegen(&mut self, name: &str) {
        self.remove("-C", |v| v.split('=').next() == Some(name));
    }

    /// Sets the crate types.
    pub fn set_crate_types(&mut self, types: &[&str]) {
        self.remove("--crate-type", |_| true);
        for kind in types {
            self.push("--crate-type", *kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(line: &str) -> Invocation {
        Invocation::parse(line.split_whitespace().map(OsString::from).collect()).unwrap()
    }

    #[test]
    fn every_spelling_of_an_option_is_understood() {
        let call = invocation(
            "/x/rustc --crate-name=a -Cmetadata=1 -C metadata=2 --codegen metadata=3 --crate-type lib,dylib \
             --cfg feature=\"std\" --extern priv,noprelude:b=/p/libb.rlib --test",
        );
        assert_eq!(call.crate_name(), Some("a"));
        assert_eq!(call.codegen("metadata").collect::<Vec<_>>(), ["1", "2", "3"]);
        assert_eq!(call.crate_types(), ["lib", "dylib"]);
        assert_eq!(call.features(), ["std"]);
        assert!(call.has_word("--test"));
        let b = &call.externs()[0];
        assert_eq!((b.options.as_str(), b.name.as_str()), ("priv,noprelude:", "b"));
        assert_eq!(b.path.as_deref(), Some(Path::new("/p/libb.rlib")));
    }

    #[test]
    fn a_workspace_wrapper_stays_in_front_of_rustc() {
        let call = invocation("/x/clippy-driver /x/rustc --crate-name a");
        assert_eq!(call.program, ["/x/clippy-driver", "/x/rustc"]);
        let call = invocation("/x/rustc src/main.rs --crate-name a");
        assert_eq!(call.program, ["/x/rustc"]);
    }

    #[test]
    fn crate_types_are_replaced_whole() {
        let mut call =
            invocation("rustc --crate-type lib --crate-type dylib -C incremental=/x --crate-name a");
        call.set_crate_types(&["lib"]);
        call.remove_codegen("incremental");
        assert_eq!(call.crate_types(), ["lib"]);
        assert_eq!(call.codegen("incremental").count(), 0);
    }
}
