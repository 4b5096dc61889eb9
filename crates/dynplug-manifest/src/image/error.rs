//! Why a file is not an image that can be read, and what it looks like instead.

use std::fmt;

use crate::manifest::DecodeError;

/// Why a file is not an executable image that can be read here.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageError {
    /// It is something else.
    NotAnImage {
        /// What it seems to be.
        looks_like: LooksLike,
    },
    /// The file ends before what its headers speak of does: a copy or download that stopped early.
    Truncated {
        /// How many bytes the file has.
        have: u64,
        /// How many it needs at least.
        want: u64,
    },
    /// The parts of the file contradict each other or the format.
    Malformed {
        /// What is wrong, as a clause: `a segment is larger in the file than in memory`.
        what: &'static str,
    },
    /// The manifest that it carries cannot be read.
    Manifest(DecodeError),
    /// It carries more than one manifest, so that none can be believed.
    SeveralManifests {
        /// How many.
        count: usize,
    },
}

/// A shorthand for the variant that every check ends in.
pub(super) fn malformed(what: &'static str) -> ImageError {
    ImageError::Malformed { what }
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImageError::NotAnImage { looks_like } => {
                write!(f, "the file is no executable image, it looks like {looks_like}")
            }
            ImageError::Truncated { have, want } => {
                write!(f, "the file ends after {have} bytes, and should have at least {want}")
            }
            ImageError::Malformed { what } => write!(f, "the file is damaged: {what}"),
            ImageError::Manifest(error) => error.fmt(f),
            ImageError::SeveralManifests { count } => {
                write!(f, "the file has {count} manifests where there can be one")
            }
        }
    }
}

impl std::error::Error for ImageError {}

impl From<DecodeError> for ImageError {
    fn from(error: DecodeError) -> ImageError {
        ImageError::Manifest(error)
    }
}

/// What a file that is no image looks like, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LooksLike {
    /// A file without a byte.
    Empty,
    /// Text.
    Text,
    /// A script: text that begins with `#!`.
    Script,
    /// A linker script, which some systems name like a library.
    LinkerScript,
    /// A static library, `.a` or `.rlib`.
    Archive,
    /// A static library that only names its members.
    ThinArchive,
    /// The metadata of a Rust crate, `.rmeta`.
    RustMetadata,
    /// LLVM bitcode.
    Bitcode,
    /// A WebAssembly module or component.
    Wasm,
    /// A Java class.
    JavaClass,
    /// A zip archive.
    Zip,
    /// A gzip file.
    Gzip,
    /// An xz file.
    Xz,
    /// A zstd file.
    Zstd,
    /// A bzip2 file.
    Bzip2,
    /// A Mach-O image, and this build reads only ELF.
    MachO,
    /// A PE image, and this build reads only ELF.
    Pe,
    /// A program for DOS, or the first bytes of one for Windows.
    Dos,
    /// A debugging database, `.pdb`.
    Pdb,
    /// Nothing but zero bytes, as a file system leaves them after a crash.
    Zeros,
    /// Something unknown.
    Unknown {
        /// How it begins; zeros behind a shorter file's end.
        start: [u8; 4],
    },
}

impl fmt::Display for LooksLike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LooksLike::Empty => "an empty file",
            LooksLike::Text => "a text file",
            LooksLike::Script => "a script",
            LooksLike::LinkerScript => "a linker script",
            LooksLike::Archive => "a static library",
            LooksLike::ThinArchive => "a thin static library",
            LooksLike::RustMetadata => "the metadata of a Rust crate",
            LooksLike::Bitcode => "LLVM bitcode",
            LooksLike::Wasm => "a WebAssembly module",
            LooksLike::JavaClass => "a Java class",
            LooksLike::Zip => "a zip archive",
            LooksLike::Gzip => "a gzip file",
            LooksLike::Xz => "an xz file",
            LooksLike::Zstd => "a zstd file",
            LooksLike::Bzip2 => "a bzip2 file",
            LooksLike::MachO => "a Mach-O image, which this build cannot read",
            LooksLike::Pe => "a PE image, which this build cannot read",
            LooksLike::Dos => "a program for DOS or the first bytes of one for Windows",
            LooksLike::Pdb => "a debugging database",
            LooksLike::Zeros => "a file of zeros",
            LooksLike::Unknown { start: [a, b, c, d] } => {
                return write!(f, "data that begins with the bytes {a:02x} {b:02x} {c:02x} {d:02x}");
            }
        })
    }
}
