//! The record that every exported item leaves in its file, readable without loading it.
//!
//! Each `#[export]` and `#[init]` item puts one record into the section `dp_exp`; the linker lays them one
//! after the other. A record, all numbers little-endian:
//!
//! | size | what |
//! |---|---|
//! | 4 | length of the record in bytes, these four included |
//! | 1 | version, [`VERSION`] |
//! | 1 | kind: 0 function, 1 static, 2 init |
//! | 2 | flags: bit 0 `async fn`, bit 1 `unsafe fn`, bit 2 the crate is a plugin, the others zero |
//! | 4 | line of the item, counted from 1 |
//! | 4 | column of the item, counted from 1 |
//! | 8 | obstacles: what keeps the item from being called from another process, [`Fields::obstacles`] |
//! | 4 + n, eight times | name, signature, docs, package, version, module, file, below: byte length, then UTF-8 |
//! | 0 or 1 | one zero byte if the length would be a multiple of 256 without it |
//!
//! The last row is there because linkers may put zero bytes between the pieces of a section, any number of
//! them. With it a record never begins with a zero byte, so zeros between records can be told from a record
//! without guessing.
//!
//! `below` says what the crate depends on, for programs that have no manifest to say so: a line `package version` for
//! each package below the crate's own, directly or through others, that can have init functions, which is those that
//! depend on dynplug. ` shared` follows where the package is the API crate's or lies below it. It is empty in what the
//! build tool makes, where manifests say it better, and [`UNKNOWN`] where the macros could not find out.
//!
//! The version is that of everything that the macros make: in memory, an entry begins with the place of its record, and
//! who finds another version there knows no more of that entry.

use std::fmt;

use crate::reader::Reader;

/// The version of the record that this crate writes, and the only one that it reads.
pub const VERSION: u8 = 3;

/// The flag of an item declared `async fn`.
pub const FLAG_ASYNC: u16 = 1 << 0;

/// The flag of an item declared `unsafe fn`.
pub const FLAG_UNSAFE: u16 = 1 << 1;

/// The flag of an item in a crate that is a plugin: one with the crate type `cdylib`.
pub const FLAG_PLUGIN: u16 = 1 << 2;

const KNOWN_FLAGS: u16 = FLAG_ASYNC | FLAG_UNSAFE | FLAG_PLUGIN;

/// The bit for what a function returns, or for the type of a static.
pub const OBSTACLE_RESULT: u32 = 61;

/// The bit for the function itself.
pub const OBSTACLE_ITEM: u32 = 62;

/// What [`Fields::obstacles`] is where nobody has asked: dynplug had no feature `process`.
pub const OBSTACLES_UNKNOWN: u64 = 1 << 63;

/// What [`Fields::below`] is where nobody knows.
pub const UNKNOWN: &str = "?";

/// Everything before the first string.
const HEADER_LEN: usize = 24;

/// The smallest length a record can have: a header and eight empty strings.
const MIN_LEN: usize = HEADER_LEN + 8 * 4;

/// What kind of item a record describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An exported function.
    Function,
    /// An exported static.
    Static,
    /// A function that runs once, before the first lookup can succeed.
    Init,
}

impl Kind {
    const fn to_byte(self) -> u8 {
        match self {
            Kind::Function => 0,
            Kind::Static => 1,
            Kind::Init => 2,
        }
    }

    fn from_byte(byte: u8) -> Option<Kind> {
        match byte {
            0 => Some(Kind::Function),
            1 => Some(Kind::Static),
            2 => Some(Kind::Init),
            _ => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Kind::Function => "function",
            Kind::Static => "static",
            Kind::Init => "init",
        })
    }
}

/// What a record says about one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields<'a> {
    /// What kind of item it is.
    pub kind: Kind,
    /// Any of [`FLAG_ASYNC`], [`FLAG_UNSAFE`] and [`FLAG_PLUGIN`].
    pub flags: u16,
    /// The line of the item in [`file`](Self::file), counted from 1.
    pub line: u32,
    /// The column of the item, counted from 1.
    pub column: u32,
    /// What keeps it from being called from another process, as bits: 0 to 60 the arguments that serde can't carry,
    /// [`OBSTACLE_RESULT`] what is returned or the type of a static, [`OBSTACLE_ITEM`] the function itself, which is
    /// `unsafe`, and [`OBSTACLES_UNKNOWN`] that nobody has asked.
    pub obstacles: u64,
    /// What a lookup finds; for an init function its own name.
    pub name: &'a str,
    /// The item as a person would write it, such as `fn greet(name: &str) -> String`.
    pub signature: &'a str,
    /// The doc comments, joined by newlines, without the space that leads each.
    pub docs: &'a str,
    /// The package that the item is from.
    pub package: &'a str,
    /// The version of that package.
    pub version: &'a str,
    /// The path of the module, whose first segment is the crate's name.
    pub module: &'a str,
    /// The source file, as `file!()` gives it.
    pub file: &'a str,
    /// The packages below, as the top of the module says.
    pub below: &'a str,
}

/// A package that a crate depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Below<'a> {
    /// Its name.
    pub package: &'a str,
    /// Its version.
    pub version: &'a str,
    /// Whether it is the API crate's, or lies below it.
    pub shared: bool,
}

/// What decoding gives back: the fields that went in, borrowed from the bytes.
pub type Record<'a> = Fields<'a>;

impl<'a> Fields<'a> {
    /// Reads exactly one record, with nothing before it and nothing behind.
    ///
    /// # Errors
    ///
    /// A [`RecordError`] when the bytes are not one whole record of this version.
    ///
    /// # Examples
    ///
    /// ```
    /// # use dynplug_manifest::record::{Fields, Kind, encode, encoded_len};
    /// const FIELDS: Fields<'static> = Fields {
    ///     kind: Kind::Function, flags: 0, line: 3, column: 1, obstacles: 0,
    ///     name: "f", signature: "fn f()", docs: "", package: "hello", version: "0.1.0",
    ///     module: "hello", file: "src/lib.rs", below: "hello-api 0.1.0 shared",
    /// };
    /// static META: [u8; encoded_len(&FIELDS)] = encode(&FIELDS);
    /// assert_eq!(Fields::decode(&META), Ok(FIELDS));
    /// ```
    pub fn decode(bytes: &'a [u8]) -> Result<Fields<'a>, RecordError> {
        let (record, rest) = split(bytes, 0)?;
        match rest.len() {
            0 => Ok(record),
            count => Err(RecordError::Trailing { offset: bytes.len() - count, count }),
        }
    }

    /// Whether the item is an `async fn`.
    pub fn is_async(&self) -> bool {
        self.flags & FLAG_ASYNC != 0
    }

    /// Whether the item is an `unsafe fn`.
    pub fn is_unsafe(&self) -> bool {
        self.flags & FLAG_UNSAFE != 0
    }

    /// The crate that the item is from: the first segment of [`module`](Self::module).
    pub fn crate_name(&self) -> &'a str {
        // Two bytes at a time, since the standard library's search for a text is a kilobyte of code.
        let end = self.module.as_bytes().windows(2).position(|pair| pair == b"::");
        end.and_then(|end| self.module.get(..end)).unwrap_or(self.module)
    }

    /// Whether the crate is a plugin.
    pub fn is_plugin(&self) -> bool {
        self.flags & FLAG_PLUGIN != 0
    }

    /// The packages below; none where nobody knows them. What can't be read is passed over.
    pub fn packages_below(&self) -> Option<impl Iterator<Item = Below<'a>> + use<'a>> {
        let line = |line: &'a str| {
            let mut words = line.split_ascii_whitespace();
            let (package, version) = (words.next()?, words.next()?);
            Some(Below { package, version, shared: words.next() == Some("shared") })
        };
        (self.below != UNKNOWN).then(|| self.below.lines().filter_map(line))
    }

    const fn strings(&self) -> [&'a str; 8] {
        let Fields { name, signature, docs, package, version, module, file, below, .. } = *self;
        [name, signature, docs, package, version, module, file, below]
    }
}

/// The length of the record that [`encode`] makes of these fields.
pub const fn encoded_len(fields: &Fields<'_>) -> usize {
    let strings = fields.strings();
    let mut len = HEADER_LEN;
    let mut i = 0;
    while i < strings.len() {
        len += 4 + strings[i].len();
        i += 1;
    }
    // The first byte of a record must not be zero; see the top of this file.
    if len.is_multiple_of(256) { len + 1 } else { len }
}

/// Writes the record, at compile time where a constant is asked for.
///
/// # Panics
///
/// If `N` is not [`encoded_len`] of the same fields, or the record would reach 4 GiB. In a constant, which is
/// where the macros call this, both are compile errors.
///
/// # Examples
///
/// ```
/// # use dynplug_manifest::record::{Fields, Kind, encode, encoded_len};
/// const FIELDS: Fields<'static> = Fields {
///     kind: Kind::Static, flags: 0, line: 7, column: 1, obstacles: 0,
///     name: "V", signature: "static V: AtomicI64", docs: "Counts.", package: "hello", version: "0.1.0",
///     module: "hello", file: "src/lib.rs", below: "",
/// };
/// static META: [u8; encoded_len(&FIELDS)] = encode(&FIELDS);
/// assert_eq!(META[0] as usize, META.len());
/// ```
pub const fn encode<const N: usize>(fields: &Fields<'_>) -> [u8; N] {
    assert!(N == encoded_len(fields), "the length of the array must be `encoded_len` of the fields");
    // `as` keeps the low half only where the assertion has failed already.
    assert!(N as u64 <= u32::MAX as u64, "a record must be smaller than 4 GiB");
    let mut out = [0; N];
    let mut rest: &mut [u8] = &mut out;
    rest = put(rest, &(N as u32).to_le_bytes());
    rest = put(rest, &[VERSION, fields.kind.to_byte()]);
    rest = put(rest, &fields.flags.to_le_bytes());
    rest = put(rest, &fields.line.to_le_bytes());
    rest = put(rest, &fields.column.to_le_bytes());
    rest = put(rest, &fields.obstacles.to_le_bytes());
    let strings = fields.strings();
    let mut i = 0;
    while i < strings.len() {
        let bytes = strings[i].as_bytes();
        rest = put(rest, &(bytes.len() as u32).to_le_bytes());
        rest = put(rest, bytes);
        i += 1;
    }
    assert!(rest.len() <= 1, "`encoded_len` counts what is written here");
    out
}

/// Copies `bytes` to the front of `out` and returns what is left of it.
const fn put<'o>(out: &'o mut [u8], bytes: &[u8]) -> &'o mut [u8] {
    let (front, rest) = out.split_at_mut(bytes.len());
    front.copy_from_slice(bytes);
    rest
}

/// Reads the records of a section, one after the other.
///
/// Zero bytes before, between and after records are skipped, however many: linkers pad. After an error the
/// iteration ends, since nothing says where the next record would begin.
///
/// # Examples
///
/// ```
/// # use dynplug_manifest::record::{Fields, Kind, Records, encode, encoded_len};
/// # const FIELDS: Fields<'static> = Fields {
/// #     kind: Kind::Function, flags: 0, line: 3, column: 1, obstacles: 0,
/// #     name: "f", signature: "fn f()", docs: "", package: "hello", version: "0.1.0",
/// #     module: "hello", file: "src/lib.rs", below: "",
/// # };
/// let meta: [u8; encoded_len(&FIELDS)] = encode(&FIELDS);
/// let section = [&meta[..], &[0; 5], &meta[..]].concat();
/// for record in Records::new(&section) {
///     assert_eq!(record?.signature, "fn f()");
/// }
/// # Ok::<(), dynplug_manifest::record::RecordError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Records<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Records<'a> {
    /// Begins at the start of a section's bytes.
    pub fn new(section: &'a [u8]) -> Records<'a> {
        Records { rest: section, offset: 0 }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let padding = self.rest.iter().position(|&byte| byte != 0)?;
        let (_, record) = self.rest.split_at_checked(padding)?;
        self.offset += padding;
        match split(record, self.offset) {
            Ok((fields, rest)) => {
                self.offset += record.len() - rest.len();
                self.rest = rest;
                Some(Ok(fields))
            }
            Err(error) => {
                self.rest = &[];
                Some(Err(error))
            }
        }
    }
}

impl std::iter::FusedIterator for Records<'_> {}

/// Reads the record at the front of `bytes`; `offset` is where that is, for the error.
fn split(bytes: &[u8], offset: usize) -> Result<(Fields<'_>, &[u8]), RecordError> {
    let truncated = |want| RecordError::Truncated { offset, have: bytes.len(), want };
    let len = Reader::new(bytes).u32().ok_or_else(|| truncated(MIN_LEN))?;
    let len = usize::try_from(len).map_err(|_| truncated(usize::MAX))?;
    if len < MIN_LEN || len.is_multiple_of(256) {
        return Err(RecordError::Length { offset, len });
    }
    let (record, rest) = bytes.split_at_checked(len).ok_or_else(|| truncated(len))?;

    // Nothing below can run out of bytes before the strings: the record has its smallest length at least.
    let short = || RecordError::Length { offset, len };
    let mut reader = Reader::new(record);
    reader.skip(4).ok_or_else(short)?;
    let version = reader.u8().ok_or_else(short)?;
    if version != VERSION {
        return Err(RecordError::Version { offset, version });
    }
    let kind = reader.u8().ok_or_else(short)?;
    let kind = Kind::from_byte(kind).ok_or(RecordError::Kind { offset, kind })?;
    let flags = reader.u16().ok_or_else(short)?;
    if flags & !KNOWN_FLAGS != 0 {
        return Err(RecordError::Flags { offset, flags });
    }
    let line = reader.u32().ok_or_else(short)?;
    let column = reader.u32().ok_or_else(short)?;
    let obstacles = reader.u64().ok_or_else(short)?;
    let mut text = |field: &'static str| {
        let bytes = reader.prefixed().ok_or(RecordError::Overrun { offset, field })?;
        std::str::from_utf8(bytes).map_err(|_| RecordError::Text { offset, field })
    };
    let fields = Fields {
        kind,
        flags,
        line,
        column,
        obstacles,
        name: text("name")?,
        signature: text("signature")?,
        docs: text("docs")?,
        package: text("package")?,
        version: text("version")?,
        module: text("module")?,
        file: text("file")?,
        below: text("below")?,
    };
    match reader.rest() {
        [] => Ok((fields, rest)),
        // The byte that keeps the length from being a multiple of 256.
        [0] if len % 256 == 1 => Ok((fields, rest)),
        more => Err(RecordError::Trailing { offset: offset + len - more.len(), count: more.len() }),
    }
}

/// Why bytes are not records.
///
/// Every `offset` is counted from the start of the bytes that were given.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordError {
    /// The record is longer than what is there.
    Truncated {
        /// Where the record begins.
        offset: usize,
        /// How many bytes there are from there on.
        have: usize,
        /// How many the record needs.
        want: usize,
    },
    /// The length is one that no record has.
    Length {
        /// Where the record begins.
        offset: usize,
        /// The length that it gives.
        len: usize,
    },
    /// The record is of a version that this reader doesn't know.
    Version {
        /// Where the record begins.
        offset: usize,
        /// The version that it gives; [`VERSION`] was expected.
        version: u8,
    },
    /// The kind of the item is unknown.
    Kind {
        /// Where the record begins.
        offset: usize,
        /// The kind that it gives.
        kind: u8,
    },
    /// A flag is set that means nothing.
    Flags {
        /// Where the record begins.
        offset: usize,
        /// All flags that it gives.
        flags: u16,
    },
    /// A string reaches beyond the end of its record.
    Overrun {
        /// Where the record begins.
        offset: usize,
        /// Which string it is.
        field: &'static str,
    },
    /// A string is not UTF-8.
    Text {
        /// Where the record begins.
        offset: usize,
        /// Which string it is.
        field: &'static str,
    },
    /// There are bytes behind the last string, or behind the one record that was expected.
    Trailing {
        /// Where they begin.
        offset: usize,
        /// How many there are.
        count: usize,
    },
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordError::Truncated { offset, have, want } => {
                write!(f, "the record at offset {offset} needs {want} bytes where there are {have}")
            }
            RecordError::Length { offset, len } => {
                write!(f, "the record at offset {offset} gives its length as {len}, which no record has")
            }
            RecordError::Version { offset, version } => {
                write!(
                    f,
                    "the record at offset {offset} has version {version}, and this reads only {VERSION}"
                )
            }
            RecordError::Kind { offset, kind } => {
                write!(f, "the record at offset {offset} is of kind {kind}, which is unknown")
            }
            RecordError::Flags { offset, flags } => {
                write!(
                    f,
                    "the record at offset {offset} has the flags {flags:#06x}, of which some are unknown"
                )
            }
            RecordError::Overrun { offset, field } => {
                write!(f, "the {field} of the record at offset {offset} reaches beyond the record's end")
            }
            RecordError::Text { offset, field } => {
                write!(f, "the {field} of the record at offset {offset} is not UTF-8")
            }
            RecordError::Trailing { offset, count } => {
                write!(f, "there are {count} bytes too many at offset {offset}")
            }
        }
    }
}

impl std::error::Error for RecordError {}
