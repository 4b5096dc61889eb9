//! The symbols that a loader sees, read one at a time.

use super::ImageError;
#[cfg(any(target_os = "macos", feature = "all-formats"))]
use super::macho::MachOSymbols;
use super::names::Names;
#[cfg(any(windows, feature = "all-formats"))]
use super::pe::PeSymbols;
use super::structures::{SymbolEntry, Table};

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
    Elf(ElfSymbols<'a>),
    #[cfg(any(windows, feature = "all-formats"))]
    Pe(Option<PeSymbols<'a>>),
    #[cfg(any(target_os = "macos", feature = "all-formats"))]
    MachO(Option<MachOSymbols<'a>>),
}

/// A symbol table of ELF that hasn't been read.
#[derive(Debug, Clone)]
pub(super) struct ElfSymbols<'a> {
    /// Of [`SymbolEntry`].
    pub(super) entries: Table<'a>,
    pub(super) names: Names<'a>,
}

impl<'a> DynamicSymbols<'a> {
    pub(super) fn elf(symbols: ElfSymbols<'a>) -> DynamicSymbols<'a> {
        DynamicSymbols(Inner::Elf(symbols))
    }

    #[cfg(any(windows, feature = "all-formats"))]
    pub(super) fn pe(symbols: Option<PeSymbols<'a>>) -> DynamicSymbols<'a> {
        DynamicSymbols(Inner::Pe(symbols))
    }

    #[cfg(any(target_os = "macos", feature = "all-formats"))]
    pub(super) fn macho(symbols: Option<MachOSymbols<'a>>) -> DynamicSymbols<'a> {
        DynamicSymbols(Inner::MachO(symbols))
    }
}

impl<'a> Iterator for DynamicSymbols<'a> {
    type Item = Result<Symbol<'a>, ImageError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Inner::Elf(symbols) => symbols.next(),
            #[cfg(any(windows, feature = "all-formats"))]
            Inner::Pe(symbols) => symbols.as_mut()?.next(),
            #[cfg(any(target_os = "macos", feature = "all-formats"))]
            Inner::MachO(symbols) => symbols.as_mut()?.next(),
        }
    }
}

impl<'a> Iterator for ElfSymbols<'a> {
    type Item = Result<Symbol<'a>, ImageError>;

    fn next(&mut self) -> Option<Self::Item> {
        // Local ones are in the table for relocations by section, and nobody looks for them.
        let entry = loop {
            let entry: SymbolEntry = self.entries.next()?;
            if entry.binding != STB_LOCAL {
                break entry;
            }
        };
        let name = self.names.get(entry.name.into(), "a symbol's name is no text of the table");
        Some(name.map(|name| Symbol {
            name,
            defined: entry.section != SHN_UNDEF,
            weak: entry.binding == STB_WEAK,
            kind: match entry.kind {
                STT_FUNC | STT_GNU_IFUNC => SymbolKind::Function,
                STT_OBJECT | STT_COMMON => SymbolKind::Object,
                STT_TLS => SymbolKind::ThreadLocal,
                _ => SymbolKind::Other,
            },
            address: entry.value,
            size: entry.size,
        }))
    }
}

const SHN_UNDEF: u16 = 0;

const STB_LOCAL: u8 = 0;
const STB_WEAK: u8 = 2;

const STT_OBJECT: u8 = 1;
const STT_FUNC: u8 = 2;
const STT_COMMON: u8 = 5;
const STT_TLS: u8 = 6;
const STT_GNU_IFUNC: u8 = 10;
