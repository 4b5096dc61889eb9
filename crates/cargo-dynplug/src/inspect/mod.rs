//! `cargo dynplug inspect`: what a file says of itself, without loading it.

mod human;
mod json;
mod sdk;

use crate::cli::{InspectArguments, MessageFormat};
use crate::diagnostic::Diagnostic;
use crate::floor::Floor;
use crate::terminal::{self, Progress, line};
use dynplug_manifest::diagnostics::Code;
use dynplug_manifest::image::{Image, ImageError, ImageKind, LooksLike};
use dynplug_manifest::manifest::{DecodeError, Manifest, Product};
use dynplug_manifest::order;
use dynplug_manifest::record::{Kind, Record};
use dynplug_manifest::tables::{self, Tables};
use std::path::Path;

/// Prints what each file is. The exit code: 0, 1 when a file is no product of the tool or damaged, 2 when one can't be read.
pub fn run(arguments: &InspectArguments) -> i32 {
    let for_programs = arguments.format() == MessageFormat::Json;
    let mut code = 0;
    let mut first = true;
    let progress = Progress::of_files("Inspecting", arguments.files.len());
    for path in &arguments.files {
        progress.more(1);
        let text = match read(path) {
            Err(error) => {
                code = 2;
                if for_programs {
                    line!("{}", json::unreadable(path, &error));
                } else {
                    terminal::error(&format!("could not read {}: {error}", path.display()));
                }
                continue;
            }
            Ok(bytes) => {
                let found = Found::of(&bytes, path);
                if !matches!(found, Found::File(About::Product(_)) | Found::Sdk(_)) {
                    code = code.max(1);
                }
                if for_programs { json::found(path, &found).to_string() } else { human::found(path, &found) }
            }
        };
        if !first && !for_programs {
            line!();
        }
        first = false;
        line!("{}", text.trim_end());
    }
    code
}

/// Reads a file, and nothing that isn't one: reading a pipe waits for its writer, a device may never end.
pub(crate) fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "it is a folder" } else { "it is no regular file" };
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, what));
    }
    std::fs::read(path)
}

/// What there is to look at.
enum Found<'a> {
    /// A file that can be loaded, or anything else.
    File(About<'a>),
    /// An SDK.
    Sdk(Box<sdk::Sdk>),
    /// What was one, or is one of another version.
    Broken(Box<Diagnostic>),
}

impl<'a> Found<'a> {
    fn of(bytes: &'a [u8], path: &Path) -> Found<'a> {
        if sdk::may_be(bytes) {
            match sdk::Sdk::of(bytes, path) {
                Ok(sdk) => return Found::Sdk(Box::new(sdk)),
                // Others use zstd too.
                Err(why) if why.code == "no-sdk" => {}
                Err(why) => return Found::Broken(why),
            }
        }
        Found::File(About::of(bytes))
    }
}

/// What is wrong, with what is known of it.
fn in_a_sentence(why: &Diagnostic) -> String {
    std::iter::once(&why.message).chain(&why.notes).cloned().collect::<Vec<_>>().join(": ")
}

/// What a file is.
pub(crate) enum About<'a> {
    /// A plugin, an API library or a host.
    Product(Box<Details<'a>>),
    /// Something else.
    Other(Other),
}

/// What a file is that is no product of the tool.
pub(crate) struct Other {
    /// The entry in the table of diagnostics.
    pub(crate) code: Code,
    /// What it is, as a sentence.
    pub(crate) what: String,
}

/// A product, with everything that stands in its file.
pub(crate) struct Details<'a> {
    pub(crate) manifest: Manifest,
    pub(crate) image: Image<'a>,
    /// The size of the file in bytes.
    pub(crate) size: usize,
    /// In the order of the names.
    pub(crate) exports: Vec<Record<'a>>,
    /// In the order in which they run.
    pub(crate) inits: Vec<Record<'a>>,
    /// Why its exports and init functions are not all there, if they aren't.
    pub(crate) damage: Option<String>,
    /// The oldest glibc that it works with, or why that can't be told.
    pub(crate) floor: Result<Option<Floor>, String>,
}

impl<'a> About<'a> {
    /// Looks at the bytes of a file.
    pub(crate) fn of(bytes: &'a [u8]) -> About<'a> {
        let image = match Image::parse(bytes) {
            Ok(image) => image,
            Err(error) => return About::Other(Other::of_error(&error)),
        };
        match image.manifest() {
            Err(error) => About::Other(Other::of_error(&error)),
            Ok(None) => About::Other(Other::of_image(&image)),
            Ok(Some(manifest)) => About::Product(Box::new(Details::of(manifest, image, bytes))),
        }
    }
}

/// The records of everything that is exported in an image, whatever it is; none where it can't be read.
pub(crate) fn linked_in(bytes: &[u8]) -> Vec<Record<'_>> {
    let Ok(image) = Image::parse(bytes) else { return Vec::new() };
    tables::records(&image).map_while(Result::ok).collect()
}

/// What the runtime says in a program of plain cargo's when it is to open a file: such a program has no manifest. Written in
/// another way, so that this program isn't taken for one.
const PLAIN: &str = "this-program-was-built-by-plain-cargo";

/// Whether dynplug's runtime is linked into an executable.
fn has_runtime(image: &Image<'_>) -> bool {
    let said = PLAIN.replace('-', " ");
    // ELF's, those of Windows, and those of macOS.
    [".rodata", ".rdata", "__const", "__cstring"]
        .iter()
        .filter_map(|name| image.section(name))
        .any(|section| section.data.windows(said.len()).any(|bytes| bytes == said.as_bytes()))
}

impl Other {
    fn of_error(error: &ImageError) -> Other {
        let code = match error {
            ImageError::NotAnImage { looks_like: LooksLike::Empty | LooksLike::Zeros } => Code::Damaged,
            ImageError::NotAnImage { .. } => Code::NotAPlugin,
            ImageError::Manifest(DecodeError::TooOld { .. } | DecodeError::TooNew { .. }) => Code::Format,
            _ => Code::Damaged,
        };
        Other { code, what: error.to_string() }
    }

    fn of_image(image: &Image<'_>) -> Other {
        let kind = image.kind();
        let (format, machine) = (image.format(), image.machine());
        if image.section(tables::RECORDS).is_none() && kind == ImageKind::Executable && has_runtime(image) {
            let what = "a host that plain cargo built: it shares nothing with plugins".to_owned();
            return Other { code: Code::PlainHost, what };
        }
        if image.section(tables::RECORDS).is_none() {
            let article = if kind == ImageKind::SharedLibrary { "a" } else { "an" };
            let what = format!("{article} {kind} ({format}, {machine}) that has nothing to do with dynplug");
            return Other { code: Code::NotAPlugin, what };
        }
        match kind {
            ImageKind::SharedLibrary => Other {
                code: Code::PlainBuild,
                what: "a plugin's crate, but plain cargo built it: it has a std, an allocator and statics of its own"
                    .to_owned(),
            },
            ImageKind::Executable => Other {
                code: Code::PlainHost,
                what: "an executable that plain cargo built: it contains exports, but shares nothing with plugins"
                    .to_owned(),
            },
            _ => Other { code: Code::NotAPlugin, what: format!("an {kind} of a plugin's crate, for the linker") },
        }
    }
}

impl<'a> Details<'a> {
    fn of(manifest: Manifest, image: Image<'a>, bytes: &'a [u8]) -> Details<'a> {
        let mut exports = Vec::new();
        let mut inits = Vec::new();
        for record in tables::records(&image).map_while(Result::ok) {
            // As in the runtime, a plugin's exports are those of its own crate, not of its dependencies.
            if record.kind == Kind::Init {
                inits.push(record);
            } else if manifest.product != Product::Plugin || record.crate_name() == manifest.crate_name {
                exports.push(record);
            }
        }
        let damage = Tables::of(&image, &manifest).err().map(|error| error.to_string());
        exports.sort_by_key(|record| record.name);
        order::sort(&mut inits, &manifest.crates, |record| *record);
        let (size, floor) = (bytes.len(), Floor::of(bytes));
        Details { manifest, image, size, exports, inits, damage, floor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_another_format_is_no_damaged_one() {
        let code = |error| Other::of_error(&ImageError::Manifest(error)).code;
        assert_eq!(code(DecodeError::TooOld { have: 1, want: 2 }), Code::Format);
        assert_eq!(code(DecodeError::TooNew { have: 2, want: 3 }), Code::Format);
        let cut_off = Manifest::decode(b"dynplug").unwrap_err();
        assert_eq!(code(cut_off), Code::Damaged);
    }
}
