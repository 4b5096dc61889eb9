//! Windows: what its linkers are told, by their own words for it.
//!
//! A library has no soname there. Its name stands in its table of exports, from where it goes into the imports of all that
//! are linked with it, and it is written in the file that says what is exported. The GNU linker links with the library
//! itself; Microsoft's wants an import library beside it.

use super::arguments::Arguments;
use super::native::Native;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::sdk::Sdk;
use dynplug_manifest::image::Image;
use object::{Object, ObjectSymbol};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

/// The linkers for Windows differ in their words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// A compiler of C in front of a linker of GNU's kind.
    Gnu,
    /// `link.exe` and its like.
    Msvc,
}

/// The words for a target that is a Windows.
pub(super) fn words(target: &str) -> Option<Words> {
    let is_windows = target.split('-').any(|part| part == "windows");
    is_windows.then_some(if target.ends_with("-msvc") { Words::Msvc } else { Words::Gnu })
}

/// A symbol that lies in the section of the manifest, so that somebody asks for the section. Linkers collect what nobody
/// asks for.
pub(super) fn manifest_symbol(is_x86: bool) -> &'static str {
    // On the 32-bit x86, C's names have an underscore in front.
    if is_x86 { "_dynplug_manifest" } else { "dynplug_manifest" }
}

/// As many names as a library can export: each has a number of 16 bits.
const MOST_EXPORTS: usize = 65_535;

impl Words {
    fn keep(self, symbol: &str) -> OsString {
        match self {
            Words::Gnu => format!("-Wl,-u,{symbol}").into(),
            Words::Msvc => format!("/INCLUDE:{symbol}").into(),
        }
    }

    /// What every product has: the manifest is kept, and the time of the link is none of its bytes.
    pub(super) fn product(self, arguments: &mut Arguments, context: &Context) {
        arguments.remove_soname();
        let is_x86 = context.target.starts_with("i586") || context.target.starts_with("i686");
        arguments.words.push(self.keep(manifest_symbol(is_x86)));
        arguments.words.push(match self {
            Words::Gnu => "-Wl,--no-insert-timestamp".into(),
            Words::Msvc => "/Brepro".into(),
        });
        if self == Words::Gnu {
            // Nobody is linked with a plugin or host, and with a library by itself.
            arguments.words.retain(|word| !word.to_string_lossy().starts_with("-Wl,--out-implib="));
            // What unwinds the stack has no state of its own here, and as a library it would have to be shipped. These are
            // the words that rustc itself has for a program without shared libraries.
            if let Some(at) = arguments.words.iter().position(|word| word == "-lgcc_s") {
                arguments.words.splice(at..=at, ["-lgcc_eh", "-l:libpthread.a"].map(OsString::from));
            }
        }
    }

    /// What a plugin has: its crate's name and no export. Without a word of ours it would have the name of cargo's file, and
    /// with nothing to export the GNU linker would export everything. Returns a folder that has to live as long as the words
    /// are used.
    pub(super) fn plugin(self, arguments: &mut Arguments, crate_name: &str) -> Result<tempfile::TempDir> {
        let folder = tempfile::tempdir().doing("make a folder for the list of exports")?;
        let mut text = format!("LIBRARY \"{crate_name}.dll\"\nEXPORTS\n");
        let to = folder.path().join("exports.def");
        match list_of_exports(arguments) {
            Some((word, start, file)) => {
                let list = std::fs::read_to_string(&file).doing(format_args!("read {file}"))?;
                exports(&list).for_each(|line| text += &format!("  {line}\n"));
                *word = format!("{start}{}", to.display()).into();
            }
            None if self == Words::Gnu => arguments.words.push(to.clone().into()),
            None => arguments.words.push(format!("/DEF:{}", to.display()).into()),
        }
        std::fs::write(&to, text).doing(format_args!("write {}", to.display()))?;
        if self == Words::Gnu {
            arguments.words.push("-Wl,--exclude-all-symbols".into());
        }
        Ok(folder)
    }

    /// Has the product need the API library, also where nothing of it is used yet: that it fits is said of that.
    pub(super) fn bind(self, arguments: &mut Arguments, sdk: &Sdk) -> Result<()> {
        let library = sdk.library();
        let bytes = std::fs::read(&library).doing(format_args!("read the library {}", library.display()))?;
        let image = Image::parse(&bytes).doing(format_args!("inspect {}", library.display()))?;
        let is_plain = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let name = image.defined_symbols().flatten().map(|symbol| symbol.name).find(|name| is_plain(name));
        arguments.words.extend(name.map(|name| self.keep(&format!("__imp_{name}"))));
        Ok(())
    }

    /// Gives a library its name, and lets it export the names of its native code. Those that `asked` names are linked for
    /// that alone. Returns a folder that has to live as long as the words are used.
    pub(super) fn library(
        self,
        arguments: &mut Arguments,
        name: &str,
        native: &BTreeSet<String>,
        asked: bool,
        package: &str,
    ) -> Result<tempfile::TempDir> {
        let folder = tempfile::tempdir().doing("make a folder for the list of exports")?;
        let Some((word, start, file)) = list_of_exports(arguments) else {
            return Err(Diagnostic::error("system", "rustc hands no list of exports to the linker").into());
        };
        let text = std::fs::read_to_string(&file).doing(format_args!("read {file}"))?;
        let mut exports: BTreeSet<String> = exports(&text).map(str::to_owned).collect();
        let known: BTreeSet<String> = exports.iter().map(|line| name_in(line).to_owned()).collect();
        exports.extend(native.iter().filter(|name| !known.contains(*name)).map(|name| format!("\"{name}\"")));
        if exports.len() > MOST_EXPORTS {
            return Err(too_many(exports.len(), package).into());
        }
        let mut text = format!("LIBRARY \"{name}\"\nEXPORTS\n");
        for line in &exports {
            text += &format!("  {line}\n");
        }
        let to = folder.path().join("exports.def");
        std::fs::write(&to, text).doing(format_args!("write {}", to.display()))?;
        *word = format!("{start}{}", to.display()).into();
        if asked {
            arguments.words.extend(native.iter().map(|name| self.keep(name)));
        }
        Ok(folder)
    }
}

/// The word by which the linker is given a list of exports: what stands before the file's name in it, and that.
fn list_of_exports(arguments: &mut Arguments) -> Option<(&mut OsString, String, String)> {
    arguments.words.iter_mut().find_map(|word| {
        let text = word.to_str()?.to_owned();
        let file = text.strip_prefix("-Wl,").or(text.strip_prefix("/DEF:")).unwrap_or(&text);
        let start = text.strip_suffix(file)?.to_owned();
        file.ends_with(".def").then(|| (word, start, file.to_owned()))
    })
}

/// The lines of a list of exports, without those around them.
fn exports(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(str::trim);
    lines.skip_while(|line| *line != "EXPORTS").skip(1).filter(|line| !line.is_empty())
}

/// The name in a line of the list: `"name" DATA`.
fn name_in(line: &str) -> &str {
    match line.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        Some((name, _)) => name,
        None => line.split_whitespace().next().unwrap_or_default(),
    }
}

fn too_many(have: usize, package: &str) -> Diagnostic {
    Diagnostic::error(
        "too-many-exports",
        format!("the library of `{package}` would export {have} names, and a library of Windows can export {MOST_EXPORTS}"),
    )
    .note("a library exports all that generic functions of its crates were compiled to, and that is more without optimisation")
    .help("build with `--release`, or let the dependencies be optimised in Cargo.toml:\n[profile.dev.package.\"*\"]\nopt-level = 3")
    .help("name fewer crates in the API crate: those that plugins needn't share become crates of their own")
}

/// The names of native code that are in a library that was linked, where that is known.
pub(super) fn linked_names(library: &Path, native: &Native) -> Result<BTreeSet<String>> {
    let bytes = std::fs::read(library).doing(format_args!("read {}", library.display()))?;
    let image = object::File::parse(&*bytes).doing(format_args!("inspect {}", library.display()))?;
    let defined = image.symbols().filter(|symbol| symbol.is_definition() && symbol.is_global());
    let names = defined.filter_map(|symbol| symbol.name().ok().map(str::to_owned));
    Ok(names.filter(|name| native.names().contains(name)).collect())
}

/// The command line of a link whose outcome has the names of all that it is made of.
pub(super) fn with_symbols(arguments: &Arguments) -> Arguments {
    let strips = |word: &OsString| {
        let word = word.to_string_lossy();
        word == "-s"
            || word.starts_with("-Wl,-s") && !word.contains("soname")
            || word.starts_with("-Wl,--strip")
    };
    Arguments { words: arguments.words.iter().filter(|word| !strips(word)).cloned().collect() }
}

/// The object files that are none of a compiler's: they say from which library a name is taken.
pub(super) fn is_import(object: &object::File<'_>) -> bool {
    use object::ObjectSection;
    object.format() == object::BinaryFormat::Coff
        && object
            .sections()
            .any(|section| section.name_bytes().is_ok_and(|name| name.starts_with(b".idata$")))
}

/// Shared libraries that Microsoft's linker is given by their import libraries.
pub(super) fn library_of_import(file: &Path) -> Option<std::path::PathBuf> {
    file.to_str()?.ends_with(".dll.lib").then(|| file.with_extension(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(folder: &Path, list: &str) -> Arguments {
        let def = folder.join("list.def");
        std::fs::write(&def, list).unwrap();
        let words = ["a.o", "-o", "x.dll"].map(OsString::from).into_iter();
        let def = OsString::from(format!("-Wl,{}", def.display()));
        Arguments { words: std::iter::once(def).chain(words).collect() }
    }

    fn list(arguments: &Arguments) -> String {
        let word = arguments.words[0].to_str().unwrap();
        std::fs::read_to_string(word.strip_prefix("-Wl,").unwrap()).unwrap()
    }

    #[test]
    fn a_target_tells_which_words_its_linker_takes() {
        assert_eq!(words("x86_64-pc-windows-gnu"), Some(Words::Gnu));
        assert_eq!(words("aarch64-pc-windows-gnullvm"), Some(Words::Gnu));
        assert_eq!(words("x86_64-pc-windows-msvc"), Some(Words::Msvc));
        assert_eq!(words("x86_64-unknown-linux-gnu"), None);
    }

    #[test]
    fn a_library_has_its_name_and_exports_native_code() {
        let folder = tempfile::tempdir().unwrap();
        let mut arguments = arguments(folder.path(), "EXPORTS\n  \"a\"\n  \"b\" DATA\n");
        let native = BTreeSet::from(["b".to_owned(), "c_function".to_owned()]);
        let _folder = Words::Gnu.library(&mut arguments, "api-01.dll", &native, true, "api").unwrap();
        assert_eq!(
            list(&arguments),
            "LIBRARY \"api-01.dll\"\nEXPORTS\n  \"a\"\n  \"b\" DATA\n  \"c_function\"\n"
        );
        assert!(arguments.words.contains(&"-Wl,-u,c_function".into()));
    }

    #[test]
    fn a_plugin_has_the_name_of_its_crate_with_and_without_a_list_of_rustcs() {
        let folder = tempfile::tempdir().unwrap();
        let mut with = arguments(folder.path(), "EXPORTS\n  \"a\"\n");
        let _list = Words::Gnu.plugin(&mut with, "hello").unwrap();
        assert_eq!(list(&with), "LIBRARY \"hello.dll\"\nEXPORTS\n  \"a\"\n");
        for (words, start) in [(Words::Gnu, ""), (Words::Msvc, "/DEF:")] {
            let mut without = Arguments { words: vec!["a.o".into()] };
            let _list = words.plugin(&mut without, "hello").unwrap();
            let file = without.words[1].to_str().unwrap().strip_prefix(start).unwrap();
            assert_eq!(std::fs::read_to_string(file).unwrap(), "LIBRARY \"hello.dll\"\nEXPORTS\n");
        }
    }

    #[test]
    fn more_exports_than_windows_has_numbers_are_an_error_before_the_link() {
        let folder = tempfile::tempdir().unwrap();
        let text = |count: usize| {
            let lines: String = (0..count).map(|n| format!("  \"f{n}\"\n")).collect();
            format!("EXPORTS\n{lines}")
        };
        let none = BTreeSet::new();
        let mut enough = arguments(folder.path(), &text(MOST_EXPORTS));
        assert!(Words::Gnu.library(&mut enough, "api.dll", &none, false, "api").is_ok());
        let mut many = arguments(folder.path(), &text(MOST_EXPORTS + 1));
        let error = Words::Gnu.library(&mut many, "api.dll", &none, false, "api").unwrap_err();
        assert_eq!(error.code, "too-many-exports");
        assert!(error.to_string().contains("65536"), "{error}");
    }
}
