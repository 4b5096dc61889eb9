//! The linker's command line: what goes in, what comes out.

use super::Role;
use crate::context::Context;
use crate::diagnostic::{Doing, Result};
use crate::unit::Unit;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The arguments, response files written out.
#[derive(Debug)]
pub(super) struct Arguments {
    pub(super) words: Vec<OsString>,
}

/// What goes into a product.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// Object files of the crate itself.
    pub(super) objects: Vec<PathBuf>,
    /// The object that carries the crate's metadata, for dylibs.
    pub(super) metadata: Option<PathBuf>,
    /// Rust libraries from outside of the sysroot.
    pub(super) crates: Vec<InputCrate>,
    /// Rust libraries of the sysroot.
    pub(super) sysroot: Vec<PathBuf>,
    /// Other static libraries.
    pub(super) archives: Vec<PathBuf>,
    /// Shared libraries that are named by their path.
    pub(super) libraries: Vec<PathBuf>,
}

/// A Rust library that goes in.
#[derive(Debug)]
pub(super) struct InputCrate {
    pub(super) file: PathBuf,
    pub(super) unit: Unit,
}

impl Arguments {
    pub(super) fn parse(words: Vec<OsString>) -> Result<Arguments> {
        let mut flat = Vec::new();
        for word in words {
            match word.to_str().and_then(|w| w.strip_prefix('@')) {
                Some(file) => {
                    let bytes = std::fs::read(file).doing(format_args!("read the arguments in {file}"))?;
                    let text = text_of(bytes).doing(format_args!("read the arguments in {file}"))?;
                    flat.extend(split(&text).into_iter().map(OsString::from));
                }
                None => flat.push(word),
            }
        }
        Ok(Arguments { words: flat })
    }

    /// The file that is made.
    pub(super) fn output(&self) -> Option<PathBuf> {
        let of_msvc =
            || self.words.iter().find_map(|w| Some(PathBuf::from(w.to_str()?.strip_prefix("/OUT:")?)));
        match self.words.iter().position(|w| w == "-o") {
            Some(at) => self.words.get(at + 1).map(PathBuf::from),
            None => of_msvc(),
        }
    }

    /// Puts another soname in the place of rustc's.
    pub(super) fn set_soname(&mut self, soname: &str) {
        self.remove_soname();
        self.words.push(format!("-Wl,-soname={soname}").into());
    }

    /// Takes the soname away.
    pub(super) fn remove_soname(&mut self) {
        self.words.retain(|w| !w.to_string_lossy().starts_with("-Wl,-soname="));
    }

    /// Sorts out what goes in.
    pub(super) fn inputs(&self, context: &Context, role: Role) -> Result<Inputs> {
        let mut inputs = Inputs::default();
        let mut words = self.words.iter();
        let mut static_libraries = Vec::new();
        let mut folders = Vec::new();
        while let Some(word) = words.next() {
            let text = word.to_string_lossy();
            if text == "-o" {
                words.next();
            } else if text == "-L" {
                folders.extend(words.next().map(PathBuf::from));
            } else if let Some(folder) = text.strip_prefix("-L") {
                folders.push(PathBuf::from(folder));
            } else if let Some(name) = text.strip_prefix("-l") {
                static_libraries.push(name.to_owned());
            } else if !text.starts_with('-') && !is_option_of_msvc(&text) {
                inputs.sort_in(Path::new(word), context, role)?;
            }
        }
        for name in static_libraries {
            let file = format!("lib{}.a", name.trim_start_matches(':'));
            // Only what an `-L` of the build names can be a library of the build; the rest is the system's.
            inputs.archives.extend(folders.iter().map(|f| f.join(&file)).find(|p| p.is_file()));
        }
        Ok(inputs)
    }
}

impl Inputs {
    fn sort_in(&mut self, file: &Path, context: &Context, role: Role) -> Result<()> {
        if let Some(library) = super::pe::library_of_import(file) {
            self.libraries.push(library);
            return Ok(());
        }
        match file.extension().and_then(OsStr::to_str) {
            Some("o") if file.file_stem() == Some(OsStr::new("rmeta")) => {
                self.metadata = Some(file.to_owned())
            }
            Some("o") => self.objects.push(file.to_owned()),
            Some("rlib") if file.starts_with(&context.sysroot) => self.sysroot.push(file.to_owned()),
            Some("rlib") => match Unit::beside(file)? {
                // What goes into the API library is its own. Nobody else has a std that isn't from there.
                Some(unit) if unit.is_of_std() && role != Role::ApiLibrary => {
                    self.sysroot.push(file.to_owned());
                }
                Some(unit) => self.crates.push(InputCrate { file: file.to_owned(), unit }),
                None => self.archives.push(file.to_owned()),
            },
            Some("a") => self.archives.push(file.to_owned()),
            Some("so" | "dylib" | "dll") => self.libraries.push(file.to_owned()),
            _ => {}
        }
        Ok(())
    }
}

/// Whether a word is an option of Microsoft's linker, and no path: `/DLL`, `/OUT:file`.
fn is_option_of_msvc(word: &str) -> bool {
    let Some(rest) = word.strip_prefix('/') else { return false };
    let name = rest.split(':').next().unwrap_or_default();
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase())
}

/// The text of a response file: UTF-8, or the UTF-16 that Microsoft's linker wants, which says that of itself.
fn text_of(bytes: Vec<u8>) -> std::io::Result<String> {
    let invalid = || std::io::Error::from(std::io::ErrorKind::InvalidData);
    match bytes.strip_prefix(&[0xff, 0xfe]) {
        Some(wide) => {
            let units: Vec<u16> = wide.as_chunks().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
            String::from_utf16(&units).map_err(|_| invalid())
        }
        None => String::from_utf8(bytes).map_err(|_| invalid()),
    }
}

/// Splits a response file as the linkers do: at blanks and line ends, with backslashes and quotes.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut started = false;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (c, quote) {
            ('\\', _) => {
                word.extend(characters.next());
                started = true;
            }
            (c, Some(q)) if c == q => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                started = true;
            }
            (c, None) if c.is_whitespace() => {
                if started {
                    words.push(std::mem::take(&mut word));
                }
                started = false;
            }
            (c, _) => {
                word.push(c);
                started = true;
            }
        }
    }
    if started {
        words.push(word);
    }
    words
}

/// A file with the words, for command lines that the system would refuse.
pub(super) fn response_file(words: &[OsString]) -> Result<tempfile::NamedTempFile> {
    let text: String = words
        .iter()
        .map(|w| format!("\"{}\"\n", w.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"")))
        .collect();
    let file = tempfile::NamedTempFile::new().doing("write the linker's arguments")?;
    std::fs::write(file.path(), text).doing("write the linker's arguments")?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn response_files_are_split_as_linkers_do() {
        assert_eq!(split("a \"b c\"\nd\\ e 'f\"g' \"\""), ["a", "b c", "d e", "f\"g", ""]);
        assert_eq!(split("\"a\\\\b\""), ["a\\b"]);
    }
}
