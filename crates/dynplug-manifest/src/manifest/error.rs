//! Why bytes are not a manifest.

use std::fmt;

/// Why bytes are not a manifest that can be read here.
///
/// A `field` is named as in [`Manifest`](super::Manifest), with a dot for what lies within another:
/// `crates.package`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes begin with something else.
    NotAManifest,
    /// A later version of the tool made it, in a way that this reader doesn't understand.
    TooNew {
        /// The version of the format that is read here.
        have: u16,
        /// The version that a reader has to have.
        want: u16,
    },
    /// An earlier version of the tool made it, which didn't write all that is needed now.
    TooOld {
        /// The version of the format that it has.
        have: u16,
        /// The version that is read here.
        want: u16,
    },
    /// The bytes end before the manifest does.
    Truncated {
        /// How many bytes there are.
        have: usize,
        /// How many there have to be.
        want: usize,
    },
    /// The length in the header is one that no manifest has.
    Length {
        /// That length.
        len: u32,
    },
    /// There is something behind the end that is not zero.
    Trailing {
        /// Where the manifest ends.
        offset: usize,
        /// How many bytes follow.
        count: usize,
    },
    /// A field, or a text in it, reaches beyond the end of what it lies in.
    Overrun {
        /// Where it begins.
        offset: usize,
    },
    /// A field that stands once stands twice.
    Duplicate {
        /// Which one.
        field: &'static str,
    },
    /// A field that has to be there is not.
    Missing {
        /// Which one.
        field: &'static str,
    },
    /// A field has more or fewer bytes than it can have.
    Size {
        /// Which one.
        field: &'static str,
        /// How many it has.
        have: usize,
        /// How many it should have; for a list the nearest smaller size.
        want: usize,
    },
    /// A field has a value without a meaning.
    Value {
        /// Which one.
        field: &'static str,
        /// That value.
        value: u8,
    },
    /// A text is not UTF-8.
    Text {
        /// Which one.
        field: &'static str,
    },
    /// A text is longer than the limit.
    TooLong {
        /// Which one.
        field: &'static str,
        /// Its length in bytes.
        have: usize,
        /// The limit.
        limit: usize,
    },
    /// A list has more entries than the limit.
    TooMany {
        /// Which one.
        field: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A crate depends on one that isn't in the list.
    Dependency {
        /// Which crate, as an index.
        crate_index: usize,
        /// The index that it names.
        index: u32,
        /// How many crates there are.
        crates: usize,
    },
    /// A crate depends on itself, by itself or through others.
    Cycle {
        /// Which crate, as an index.
        crate_index: usize,
        /// The name of that crate.
        crate_name: String,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::NotAManifest => f.write_str("this is no manifest of dynplug"),
            DecodeError::TooNew { have, want } => write!(
                f,
                "it was built with a later dynplug (its manifest has format {want}, and this reads {have}); build it with \
                 the version that its host was built with"
            ),
            DecodeError::TooOld { have, want } => write!(
                f,
                "it was built with an earlier dynplug (its manifest has format {have}, and this reads {want}); build it again"
            ),
            DecodeError::Truncated { have, want } => {
                write!(f, "the manifest ends after {have} bytes, and should have {want}")
            }
            DecodeError::Length { len } => {
                write!(f, "the manifest gives its length as {len}, which no manifest has")
            }
            DecodeError::Trailing { offset, count } => {
                write!(f, "the manifest ends at offset {offset}, but {count} bytes follow")
            }
            DecodeError::Overrun { offset } => {
                write!(f, "what begins at offset {offset} of the manifest reaches beyond its end")
            }
            DecodeError::Duplicate { field } => write!(f, "the manifest has the field `{field}` twice"),
            DecodeError::Missing { field } => write!(f, "the manifest lacks the field `{field}`"),
            DecodeError::Size { field, have, want } => {
                write!(f, "the field `{field}` of the manifest has {have} bytes and should have {want}")
            }
            DecodeError::Value { field, value } => {
                write!(f, "the field `{field}` of the manifest has the value {value}, which means nothing")
            }
            DecodeError::Text { field } => write!(f, "the field `{field}` of the manifest is not UTF-8"),
            DecodeError::TooLong { field, have, limit } => {
                write!(f, "the field `{field}` of the manifest has {have} bytes and may have {limit}")
            }
            DecodeError::TooMany { field, limit } => {
                write!(f, "the list `{field}` of the manifest has more than {limit} entries")
            }
            DecodeError::Dependency { crate_index, index, crates } => write!(
                f,
                "crate {crate_index} of the manifest depends on crate {index}, and there are {crates} crates"
            ),
            DecodeError::Cycle { crate_index, crate_name } => {
                write!(f, "crate {crate_index} of the manifest, `{crate_name}`, depends on itself")
            }
        }
    }
}

impl std::error::Error for DecodeError {}
