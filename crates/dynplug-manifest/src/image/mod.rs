//! Executable images: what a file says about itself, read without loading it and without believing it.
//!
//! [`Image::parse`] reads the formats of the system that it runs on, ELF everywhere, PE on Windows and Mach-O on macOS, and with the feature
//! `all-formats` Mach-O and PE on every system. It takes the bytes of the
//! whole file and borrows from them. What has to hold together is checked: no range reaches out of the file,
//! segments don't overlap, what the loader reads by address is what stands in the file at that place.

mod elf;
mod error;
#[cfg(any(target_os = "macos", feature = "all-formats"))]
mod macho;
mod names;
#[cfg(any(windows, feature = "all-formats"))]
mod pe;
mod recognise;
mod structures;
mod symbols;

use std::fmt;
use std::ops::Range;

use crate::manifest::Manifest;
use crate::note;
use crate::sorted::sorted_by;
use recognise::Magic;

pub use error::{ImageError, LooksLike};
pub use symbols::{DynamicSymbols, Symbol, SymbolKind};

/// The file format of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Linux, the BSDs and most others.
    Elf,
    /// Apple's systems.
    MachO,
    /// Windows.
    Pe,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Format::Elf => "ELF",
            Format::MachO => "Mach-O",
            Format::Pe => "PE",
        })
    }
}

/// Which byte of a number comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endian {
    /// The lowest.
    Little,
    /// The highest.
    Big,
}

impl fmt::Display for Endian {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Endian::Little => "little-endian",
            Endian::Big => "big-endian",
        })
    }
}

/// What an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ImageKind {
    /// A program.
    Executable,
    /// A library that is loaded while a program runs or starts.
    SharedLibrary,
    /// A file for the linker.
    Relocatable,
    /// Something else, such as a core dump.
    Other,
}

impl fmt::Display for ImageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ImageKind::Executable => "executable",
            ImageKind::SharedLibrary => "shared library",
            ImageKind::Relocatable => "object file",
            ImageKind::Other => "other image",
        })
    }
}

/// The processor architecture that an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names of the architectures say it all")]
pub enum Machine {
    X86_64,
    X86,
    Aarch64,
    Arm,
    Riscv64,
    Riscv32,
    Powerpc64,
    Powerpc,
    S390x,
    Loongarch64,
    Mips64,
    Mips,
    Sparc64,
    /// One without a name here: the number that the format gives it.
    Other(u32),
}

impl Machine {
    /// The name that Rust has for it: `x86_64`, `aarch64`. For this machine that is [`std::env::consts::ARCH`].
    pub fn name(self) -> &'static str {
        match self {
            Machine::X86_64 => "x86_64",
            Machine::X86 => "x86",
            Machine::Aarch64 => "aarch64",
            Machine::Arm => "arm",
            Machine::Riscv64 => "riscv64",
            Machine::Riscv32 => "riscv32",
            Machine::Powerpc64 => "powerpc64",
            Machine::Powerpc => "powerpc",
            Machine::S390x => "s390x",
            Machine::Loongarch64 => "loongarch64",
            Machine::Mips64 => "mips64",
            Machine::Mips => "mips",
            Machine::Sparc64 => "sparc64",
            Machine::Other(_) => "unknown",
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Machine::Other(number) => write!(f, "machine {number}"),
            known => f.pad(known.name()),
        }
    }
}

/// A section of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section<'a> {
    /// Its name; on Mach-O without the segment's.
    pub name: &'a str,
    /// Where it lies once loaded, relative to the address at which the image is loaded.
    ///
    /// On ELF and Mach-O that is the address in the file, of an image that can be placed anywhere.
    pub address: u64,
    /// Its size in memory.
    pub size: u64,
    /// Its bytes in the file; none where it has no bytes there, such as `.bss`.
    pub data: &'a [u8],
    /// Whether the loader puts just these bytes at `address`.
    ///
    /// A section header is for tools, and no loader reads it: only with this may `address` be used in memory.
    pub mapped: bool,
}

/// An image: what its headers say, checked.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use dynplug_manifest::image::Image;
///
/// # #[cfg(target_os = "linux")] {
/// let bytes = std::fs::read(std::env::current_exe()?)?;
/// let image = Image::parse(&bytes)?;
/// assert_eq!(image.machine().name(), std::env::consts::ARCH);
/// assert_eq!(image.manifest()?, None);
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Image<'a> {
    format: Format,
    machine: Machine,
    bits: u8,
    endian: Endian,
    kind: ImageKind,
    soname: Option<&'a str>,
    needed: Vec<&'a str>,
    sections: Vec<Section<'a>>,
    /// The segments of notes that are loaded; ELF only.
    notes: Vec<&'a [u8]>,
    has_segments: bool,
    symbols: DynamicSymbols<'a>,
    tls_size: u64,
    static_tls: bool,
}

impl<'a> Image<'a> {
    /// Reads the headers of an image from the bytes of the whole file.
    ///
    /// Of a Mach-O file for several architectures, this machine's image is taken, or else the first.
    ///
    /// # Errors
    ///
    /// [`ImageError::NotAnImage`] for something else, [`ImageError::Truncated`] when the file ends too early,
    /// [`ImageError::Malformed`] when its parts contradict each other.
    pub fn parse(data: &'a [u8]) -> Result<Image<'a>, ImageError> {
        let magic = recognise::recognise(data)?;
        match magic {
            Magic::Elf => elf::parse(data),
            #[cfg(any(windows, feature = "all-formats"))]
            Magic::Pe => pe::parse(data),
            #[cfg(not(any(windows, feature = "all-formats")))]
            Magic::Pe => Err(ImageError::NotAnImage { looks_like: LooksLike::Pe }),
            #[cfg(any(target_os = "macos", feature = "all-formats"))]
            Magic::MachO32 | Magic::MachO64 => macho::parse(data),
            #[cfg(any(target_os = "macos", feature = "all-formats"))]
            Magic::MachOFat32 => macho::parse_fat(data, false),
            #[cfg(any(target_os = "macos", feature = "all-formats"))]
            Magic::MachOFat64 => macho::parse_fat(data, true),
            #[cfg(not(any(target_os = "macos", feature = "all-formats")))]
            Magic::MachO32 | Magic::MachO64 | Magic::MachOFat32 | Magic::MachOFat64 => {
                Err(ImageError::NotAnImage { looks_like: LooksLike::MachO })
            }
        }
    }

    /// The stretches of a file that [`parse`](Image::parse) looks into, and those with the manifest and the records, for
    /// who doesn't want to read all of it.
    ///
    /// `data` is as long as the file and has zeros where nothing was read yet, which may be all but the first
    /// [`HEAD`] bytes. What is there says where more is, so this is to be asked again until it names nothing new, which
    /// is after a few times. Then the image is what it would be
    /// with the whole file, but for the data of other sections and for symbols. A stretch may reach beyond the file.
    /// Files of other formats than ELF and PE have to be read whole.
    pub fn stretches(data: &[u8]) -> Vec<Range<u64>> {
        match recognise::recognise(data.get(..HEAD).unwrap_or(data)) {
            Ok(Magic::Elf) => elf::stretches(data),
            #[cfg(any(windows, feature = "all-formats"))]
            Ok(Magic::Pe) => pe::stretches(data),
            // These look at more than the beginning.
            Ok(_) | Err(ImageError::NotAnImage { looks_like: LooksLike::Zeros | LooksLike::Dos }) => {
                std::iter::once(0..u64::try_from(data.len()).unwrap_or(u64::MAX)).collect()
            }
            Err(_) => Vec::new(),
        }
    }

    /// The file format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The processor architecture.
    pub fn machine(&self) -> Machine {
        self.machine
    }

    /// 32 or 64: the size of the format's addresses. It is 32 for x32 and other small ABIs of 64-bit machines.
    pub fn bits(&self) -> u8 {
        self.bits
    }

    /// The order of bytes.
    pub fn endian(&self) -> Endian {
        self.endian
    }

    /// What the image is for.
    pub fn kind(&self) -> ImageKind {
        self.kind
    }

    /// The name that the library gives itself: ELF's soname, Mach-O's install name, the name in PE's exports.
    pub fn soname(&self) -> Option<&'a str> {
        self.soname
    }

    /// The names of the libraries that have to be loaded with it, in the file's order.
    pub fn needed(&self) -> &[&'a str] {
        &self.needed
    }

    /// All sections, in the file's order.
    pub fn sections(&self) -> &[Section<'a>] {
        &self.sections
    }

    /// The first section of that name.
    pub fn section(&self, name: &str) -> Option<Section<'a>> {
        self.sections.iter().find(|section| section.name == name).copied()
    }

    /// The bytes of the manifest, if the image carries one.
    ///
    /// On ELF that is the note among those that are loaded; only in a file without segments, which is one for
    /// the linker, it is looked for by the section's name.
    ///
    /// # Errors
    ///
    /// [`ImageError::SeveralManifests`] when there is more than one.
    pub fn manifest_bytes(&self) -> Result<Option<&'a [u8]>, ImageError> {
        let mut found: Vec<&'a [u8]> = Vec::new();
        let named = |name: &'static str| {
            self.sections.iter().filter(move |section| section.name == name).map(|section| section.data)
        };
        if self.format != Format::Elf {
            found.extend(named(note::BARE_SECTION));
        } else if self.has_segments {
            let all: Vec<&'a [u8]> =
                self.notes.iter().flat_map(|notes| note::descriptors(notes, self.endian)).collect();
            // Two segments may cover the same note.
            for bytes in
                sorted_by(&all, |a, b| a.as_ptr().cmp(&b.as_ptr())).iter().filter_map(|&at| all.get(at))
            {
                if found.last().map(|last| last.as_ptr()) != Some(bytes.as_ptr()) {
                    found.push(bytes);
                }
            }
        } else {
            // One section at most: of several that lie upon each other the same notes would be read over and over.
            let count = named(note::SECTION).count();
            if count > 1 {
                return Err(ImageError::SeveralManifests { count });
            }
            found.extend(named(note::SECTION).flat_map(|notes| note::descriptors(notes, self.endian)));
        }
        match *found {
            [] => Ok(None),
            [manifest] => Ok(Some(manifest)),
            _ => Err(ImageError::SeveralManifests { count: found.len() }),
        }
    }

    /// The manifest, if the image carries one.
    ///
    /// # Errors
    ///
    /// [`ImageError::SeveralManifests`] when there is more than one, [`ImageError::Manifest`] when it cannot
    /// be read.
    pub fn manifest(&self) -> Result<Option<Manifest>, ImageError> {
        Ok(self.manifest_bytes()?.map(Manifest::decode).transpose()?)
    }

    /// The symbols that the loader sees, defined here or looked for elsewhere.
    ///
    /// On ELF those of the dynamic symbol table, on Mach-O the external ones with the underscore that leads
    /// each, on PE the exports that have a name. Each is an `Err` of its own when it cannot be read.
    pub fn dynamic_symbols(&self) -> DynamicSymbols<'a> {
        self.symbols.clone()
    }

    /// The symbols that the image offers to others.
    pub fn defined_symbols(&self) -> impl Iterator<Item = Result<Symbol<'a>, ImageError>> + use<'a> {
        self.dynamic_symbols().filter(|symbol| symbol.as_ref().map_or(true, |symbol| symbol.defined))
    }

    /// How many bytes of thread-local storage each thread has for it. ELF only, else 0.
    pub fn tls_size(&self) -> u64 {
        self.tls_size
    }

    /// Whether it has thread-locals of the initial-exec model, for which the process has little room once it
    /// has started. ELF only, else `false`.
    pub fn static_tls(&self) -> bool {
        self.static_tls
    }
}

/// As much of a file as is read of every one. Linkers put headers and notes there.
pub const HEAD: usize = 4096;

/// The `size` bytes of the file at `offset`; a file without them was cut off.
fn range(data: &[u8], offset: u64, size: u64) -> Result<&[u8], ImageError> {
    let end = offset.saturating_add(size);
    let bytes = || data.get(usize::try_from(offset).ok()?..usize::try_from(end).ok()?);
    bytes().ok_or(ImageError::Truncated { have: data.len() as u64, want: end })
}
