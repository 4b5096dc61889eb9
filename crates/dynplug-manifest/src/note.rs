//! The ELF note that carries the manifest.
//!
//! On ELF the manifest is the descriptor of a note in the section [`SECTION`], which is loaded, so that the
//! linker makes a `PT_NOTE` for it and it is found without section headers. A note is three words in the
//! file's endianness (length of the owner's name, length of the descriptor, type), the name, the descriptor;
//! name and descriptor are filled up with zeros to a multiple of four. A host has a second note, of its [`Tables`]. See the chapter "Note Section" of the
//! [System V ABI](https://gabi.xinuos.com/elf/07-pheader.html#note-section).

use crate::image::Endian;

/// The section on ELF.
pub const SECTION: &str = ".note.dynplug";

/// The section where there are no notes: `__DATA,dp_note` on Mach-O, `dp_note` on PE. It holds the bare manifest.
pub const BARE_SECTION: &str = "dp_note";

/// The owner of the note.
pub const OWNER: &[u8; 8] = b"dynplug\0";

/// The type of the note, `DPLG`.
pub const TYPE: u32 = 0x4450_4c47;

/// The type of the note that says where a host's tables are, `DPTB`.
pub const TABLES_TYPE: u32 = 0x4450_5442;

/// Where the sections `dp_sym` and `dp_init` of a host lie, by which plugins that are linked into it are found: a
/// program can ask for the tables of the image that a piece of code is in, and the runtime's code is in the API library.
///
/// The descriptor of the note is these four numbers in their order, each a little-endian `u64`; all zero where there are
/// no tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tables {
    /// The address of `dp_sym`, relative to where the image is loaded.
    pub symbols: u64,
    /// Its size in bytes.
    pub symbols_size: u64,
    /// The address of `dp_init`.
    pub inits: u64,
    /// Its size in bytes.
    pub inits_size: u64,
}

impl Tables {
    /// The tables that the notes of a segment or section tell of.
    pub fn find(notes: &[u8]) -> Option<Tables> {
        let first = |endian| descriptors_of(notes, endian, TABLES_TYPE).next();
        let found = first(Endian::Little).or_else(|| first(Endian::Big))?;
        let mut numbers = found.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
        Some(Tables {
            symbols: numbers.next()?,
            symbols_size: numbers.next()?,
            inits: numbers.next()?,
            inits_size: numbers.next()?,
        })
    }

    /// The whole note.
    #[cfg(feature = "write")]
    pub fn encode(&self, endian: Endian) -> Vec<u8> {
        let Tables { symbols, symbols_size, inits, inits_size } = *self;
        let numbers = [symbols, symbols_size, inits, inits_size];
        encode_as(&numbers.map(u64::to_le_bytes).concat(), endian, TABLES_TYPE)
    }
}

/// The whole note with this descriptor, for a little-endian target. With the feature `write`.
///
/// # Examples
///
/// ```
/// use dynplug_manifest::note;
///
/// let bytes = note::encode(b"descriptor");
/// assert_eq!(note::find(&bytes), Some(&b"descriptor"[..]));
/// ```
#[cfg(feature = "write")]
pub fn encode(descriptor: &[u8]) -> Vec<u8> {
    encode_for(descriptor, Endian::Little)
}

/// The whole note with this descriptor, for a target of this endianness.
///
/// The descriptor should be smaller than 4 GiB; there is no way to write down a larger length, so a reader
/// would see none of it.
#[cfg(feature = "write")]
pub fn encode_for(descriptor: &[u8], endian: Endian) -> Vec<u8> {
    encode_as(descriptor, endian, TYPE)
}

#[cfg(feature = "write")]
fn encode_as(descriptor: &[u8], endian: Endian, kind: u32) -> Vec<u8> {
    let mut note = Vec::with_capacity(12 + OWNER.len() + descriptor.len() + 3);
    let length = u32::try_from(descriptor.len()).unwrap_or(u32::MAX);
    for word in [OWNER.len() as u32, length, kind] {
        note.extend(match endian {
            Endian::Little => word.to_le_bytes(),
            Endian::Big => word.to_be_bytes(),
        });
    }
    note.extend(OWNER);
    note.extend(descriptor);
    note.resize(note.len().next_multiple_of(4), 0);
    note
}

/// The descriptor of dynplug's note among the notes of a segment or section, of either endianness.
///
/// `None` when there is no such note, or the bytes stop being notes before it.
pub fn find(notes: &[u8]) -> Option<&[u8]> {
    let first = |endian| descriptors(notes, endian).next();
    first(Endian::Little).or_else(|| first(Endian::Big))
}

/// The descriptors of all of dynplug's notes that hold a manifest.
pub(crate) fn descriptors(notes: &[u8], endian: Endian) -> impl Iterator<Item = &[u8]> {
    descriptors_of(notes, endian, TYPE)
}

fn descriptors_of(notes: &[u8], endian: Endian, kind: u32) -> impl Iterator<Item = &[u8]> {
    let mut rest = notes;
    std::iter::from_fn(move || {
        while let Some((note, more)) = split(rest, endian) {
            rest = more;
            if note.owner == OWNER && note.kind == kind {
                return Some(note.descriptor);
            }
        }
        rest = &[];
        None
    })
}

struct Note<'a> {
    owner: &'a [u8],
    kind: u32,
    descriptor: &'a [u8],
}

/// The first note, and the bytes behind it.
fn split(bytes: &[u8], endian: Endian) -> Option<(Note<'_>, &[u8])> {
    // No note has an owner without a name; a word of zeros is what a linker put between two sections.
    let mut rest = bytes;
    while let Some((&[0, 0, 0, 0], more)) = rest.split_first_chunk::<4>() {
        rest = more;
    }
    let mut word = || {
        let (word, more) = rest.split_first_chunk::<4>()?;
        rest = more;
        Some(match endian {
            Endian::Little => u32::from_le_bytes(*word),
            Endian::Big => u32::from_be_bytes(*word),
        })
    };
    let (owner, descriptor, kind) = (word()?, word()?, word()?);
    let mut padded = |len: u32| {
        let len = usize::try_from(len).ok()?;
        let bytes = rest.get(..len)?;
        // The last one may lack its padding.
        rest = rest.get(len.checked_next_multiple_of(4)?..).unwrap_or(&[]);
        Some(bytes)
    };
    let note = Note { owner: padded(owner)?, kind, descriptor: padded(descriptor)? };
    Some((note, rest))
}
