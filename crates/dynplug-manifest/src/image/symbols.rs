//! The symbols that a loader sees, read one at a time.

use object::elf;
use object::endian::Endianness;
use object::read::elf::Sym;

use super::ImageError;
use super::names::Names;

/// What a symbol stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SymbolKind {
    /// Code.
    Function,
    /// Data.
    Object,
    /// A thread-local.
    ThreadLocal,
    /// Something else, or unknown.
    Other,
}

/// A symbol that the loader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol<'a> {
    /// Its name, mangled as it is.
    pub name: &'a str,
    /// Whether it is defined here; else it is looked for elsewhere.
    pub defined: bool,
    /// Whether it may be missing, or gives way to another of its name.
    pub weak: bool,
    /// What it stands for. On Mach-O and PE that isn't known.
    pub kind: SymbolKind,
    /// Where it lies, relative to the image; for a thread-local, within the thread's block.
    pub address: u64,
    /// Its size in bytes, or 0 where it isn't known.
    pub size: u64,
}

/// The symbols of [`Image::dynamic_symbols`](super::Image::dynamic_symbols).
#[derive(Debug, Clone)]
pub struct DynamicSymbols<'a>(Inner<'a>);

#[derive(Debug, Clone)]
enum Inner<'a> {
    Elf32(ElfSymbols<'a, elf::Sym32<Endianness>>),
    Elf64(ElfSymbols<'a, elf::Sym64<Endianness>>),
    /// Of the other formats, which only tools read: all of them, made in advance.
    #[cfg(feature = "all-formats")]
    List(std::vec::IntoIter<Result<Symbol<'a>, ImageError>>),
}

/// A symbol table of ELF that hasn't been read.
#[derive(Debug, Clone)]
pub(super) struct ElfSymbols<'a, S> {
    pub(super) entries: std::slice::Iter<'a, S>,
    pub(super) names: Names<'a>,
    pub(super) endian: Endianness,
}

impl<'a> DynamicSymbols<'a> {
    pub(super) fn elf_32(symbols: ElfSymbols<'a, elf::Sym32<Endianness>>) -> DynamicSymbols<'a> {
        DynamicSymbols(Inner::Elf32(symbols))
    }

    pub(super) fn elf_64(symbols: ElfSymbols<'a, elf::Sym64<Endianness>>) -> DynamicSymbols<'a> {
        DynamicSymbols(Inner::Elf64(symbols))
    }

    #[cfg(feature = "all-formats")]
    pub(super) fn list(symbols: Vec<Result<Symbol<'a>, ImageError>>) -> DynamicSymbols<'a> {
        DynamicSymbols(Inner::List(symbols.into_iter()))
    }
}

impl<'a> Iterator for DynamicSymbols<'a> {
    type Item = Result<Symbol<'a>, ImageError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Inner::Elf32(symbols) => symbols.next(),
            Inner::Elf64(symbols) => symbols.next(),
            #[cfg(feature = "all-formats")]
            Inner::List(symbols) => symbols.next(),
        }
    }
}

impl<'a, S: Sym<Endian = Endianness>> Iterator for ElfSymbols<'a, S> {
    type Item = Result<Symbol<'a>, ImageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let endian = self.endian;
        // Local ones are in the table for relocations by section, and nobody looks for them.
        let entry = self.entries.find(|entry| !entry.is_local())?;
        let name = self.names.get(entry.st_name(endian).into(), "a symbol's name is no text of the table");
        Some(name.map(|name| Symbol {
            name,
            defined: !entry.is_undefined(endian),
            weak: entry.is_weak(),
            kind: match entry.st_type() {
                elf::STT_FUNC | elf::STT_GNU_IFUNC => SymbolKind::Function,
                elf::STT_OBJECT | elf::STT_COMMON => SymbolKind::Object,
                elf::STT_TLS => SymbolKind::ThreadLocal,
                _ => SymbolKind::Other,
            },
            address: entry.st_value(endian).into(),
            size: entry.st_size(endian).into(),
        }))
    }
}
