//! The structures of ELF: where their fields stand in either class and byte order.
//!
//! Every field that has the size of an address is widened, so that whoever reads a file does so once, for
//! files of every kind. The layouts are those of the [System V ABI](https://gabi.xinuos.com/elf/).

use std::slice::ChunksExact;

/// How an ELF file writes its numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Encoding {
    /// Whether it is of the 64-bit class.
    pub(super) is_64: bool,
    pub(super) is_big_endian: bool,
}

impl Encoding {
    /// The one of two sizes that goes with the class.
    const fn size(self, of_32: usize, of_64: usize) -> usize {
        if self.is_64 { of_64 } else { of_32 }
    }
}

/// A structure of which a file has a table.
pub(super) trait Structure: Sized {
    /// How many bytes of the file one takes.
    fn size(encoding: Encoding) -> usize;

    /// Reads one from the first bytes, which have to be enough.
    fn read(bytes: &[u8], encoding: Encoding) -> Option<Self>;
}

/// A table of structures, read one at a time.
#[derive(Debug, Clone)]
pub(super) struct Table<'a> {
    entries: ChunksExact<'a, u8>,
    encoding: Encoding,
}

impl<'a> Table<'a> {
    /// The table of as many whole structures as the bytes hold.
    pub(super) fn new<T: Structure>(bytes: &'a [u8], encoding: Encoding) -> Table<'a> {
        Table { entries: bytes.chunks_exact(T::size(encoding)), encoding }
    }

    /// Whether bytes are left over behind the last structure.
    pub(super) fn ends_within_entry(&self) -> bool {
        !self.entries.remainder().is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.len() == 0
    }

    /// The entry of that number.
    pub(super) fn get<T: Structure>(&self, index: u32) -> Option<T> {
        T::read(self.entries.clone().nth(usize::try_from(index).ok()?)?, self.encoding)
    }

    /// The next entry.
    pub(super) fn next<T: Structure>(&mut self) -> Option<T> {
        T::read(self.entries.next()?, self.encoding)
    }

    /// All entries.
    pub(super) fn iter<T: Structure>(&self) -> impl Iterator<Item = T> + use<'a, T> {
        let mut table = self.clone();
        std::iter::from_fn(move || table.next())
    }
}

/// What the file begins with.
pub(super) struct FileHeader {
    pub(super) kind: u16,
    pub(super) machine: u16,
    pub(super) segments_offset: u64,
    pub(super) sections_offset: u64,
    pub(super) segment_size: u16,
    pub(super) segment_count: u16,
    pub(super) section_size: u16,
    pub(super) section_count: u16,
    pub(super) section_names: u16,
}

impl Structure for FileHeader {
    fn size(encoding: Encoding) -> usize {
        encoding.size(52, 64)
    }

    fn read(bytes: &[u8], encoding: Encoding) -> Option<FileHeader> {
        let mut fields = Fields { rest: bytes.get(16..)?, encoding };
        let (kind, machine, _version) = (fields.half()?, fields.half()?, fields.word()?);
        let _entry_point = fields.address()?;
        let (segments_offset, sections_offset) = (fields.address()?, fields.address()?);
        let (_flags, _own_size) = (fields.word()?, fields.half()?);
        Some(FileHeader {
            kind,
            machine,
            segments_offset,
            sections_offset,
            segment_size: fields.half()?,
            segment_count: fields.half()?,
            section_size: fields.half()?,
            section_count: fields.half()?,
            section_names: fields.half()?,
        })
    }
}

/// A program header: a part of the file as the loader sees it.
pub(super) struct Segment {
    pub(super) kind: u32,
    pub(super) offset: u64,
    pub(super) address: u64,
    pub(super) file_size: u64,
    pub(super) memory_size: u64,
    pub(super) align: u64,
}

impl Structure for Segment {
    fn size(encoding: Encoding) -> usize {
        encoding.size(32, 56)
    }

    fn read(bytes: &[u8], encoding: Encoding) -> Option<Segment> {
        let mut fields = Fields { rest: bytes, encoding };
        let kind = fields.word()?;
        // The flags, which the other class has further behind.
        if encoding.is_64 {
            fields.word()?;
        }
        let (offset, address, _physical) = (fields.address()?, fields.address()?, fields.address()?);
        let (file_size, memory_size) = (fields.address()?, fields.address()?);
        if !encoding.is_64 {
            fields.word()?;
        }
        Some(Segment { kind, offset, address, file_size, memory_size, align: fields.address()? })
    }
}

/// A section header: a part of the file as linkers and tools see it.
pub(super) struct SectionHeader {
    pub(super) name: u32,
    pub(super) kind: u32,
    pub(super) flags: u64,
    pub(super) address: u64,
    pub(super) offset: u64,
    pub(super) size: u64,
    pub(super) link: u32,
    pub(super) info: u32,
}

impl Structure for SectionHeader {
    fn size(encoding: Encoding) -> usize {
        encoding.size(40, 64)
    }

    fn read(bytes: &[u8], encoding: Encoding) -> Option<SectionHeader> {
        let mut fields = Fields { rest: bytes, encoding };
        Some(SectionHeader {
            name: fields.word()?,
            kind: fields.word()?,
            flags: fields.address()?,
            address: fields.address()?,
            offset: fields.address()?,
            size: fields.address()?,
            link: fields.word()?,
            info: fields.word()?,
        })
    }
}

/// An entry of the dynamic table.
pub(super) struct DynamicEntry {
    pub(super) tag: u64,
    pub(super) value: u64,
}

impl Structure for DynamicEntry {
    fn size(encoding: Encoding) -> usize {
        encoding.size(8, 16)
    }

    fn read(bytes: &[u8], encoding: Encoding) -> Option<DynamicEntry> {
        let mut fields = Fields { rest: bytes, encoding };
        Some(DynamicEntry { tag: fields.address()?, value: fields.address()? })
    }
}

/// An entry of a symbol table.
pub(super) struct SymbolEntry {
    pub(super) name: u32,
    pub(super) binding: u8,
    pub(super) kind: u8,
    pub(super) section: u16,
    pub(super) value: u64,
    pub(super) size: u64,
}

impl Structure for SymbolEntry {
    fn size(encoding: Encoding) -> usize {
        encoding.size(16, 24)
    }

    fn read(bytes: &[u8], encoding: Encoding) -> Option<SymbolEntry> {
        let mut fields = Fields { rest: bytes, encoding };
        let name = fields.word()?;
        // What is larger in the 64-bit class stands last there, so that it is aligned.
        let small_first = encoding.is_64;
        let (mut value, mut size) = (0, 0);
        if !small_first {
            (value, size) = (fields.address()?, fields.address()?);
        }
        let (info, _visibility, section) = (fields.byte()?, fields.byte()?, fields.half()?);
        if small_first {
            (value, size) = (fields.address()?, fields.address()?);
        }
        Some(SymbolEntry { name, binding: info >> 4, kind: info & 0xf, section, value, size })
    }
}

/// The fields of a structure that have not been read yet.
struct Fields<'a> {
    rest: &'a [u8],
    encoding: Encoding,
}

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (front, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*front)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    fn half(&mut self) -> Option<u16> {
        self.array().map(if self.encoding.is_big_endian { u16::from_be_bytes } else { u16::from_le_bytes })
    }

    fn word(&mut self) -> Option<u32> {
        self.array().map(if self.encoding.is_big_endian { u32::from_be_bytes } else { u32::from_le_bytes })
    }

    /// A number of the size that addresses have.
    fn address(&mut self) -> Option<u64> {
        if !self.encoding.is_64 {
            return self.word().map(u64::from);
        }
        self.array().map(if self.encoding.is_big_endian { u64::from_be_bytes } else { u64::from_le_bytes })
    }
}
