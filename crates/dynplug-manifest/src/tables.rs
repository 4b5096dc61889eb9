//! The tables of a product: its records, and the references by which the running program finds what they are about.
//!
//! They are found by the names of their sections, which no loader needs. A tool that takes sections away, or only their
//! names, leaves a file that can be loaded and in which nothing is found. So the manifest says how many records there
//! are, and they say how many references.

use crate::image::{Image, Section};
use crate::manifest::Manifest;
use crate::record::{Kind, RecordError, Records};
use std::fmt;

/// The section with the records.
pub const RECORDS: &str = "dp_exp";

/// The section with the references to exported items.
pub const SYMBOLS: &str = "dp_sym";

/// The section with the references to init functions.
pub const INITS: &str = "dp_init";

/// Where a table of references lies in an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Relative to where the image is loaded.
    pub address: u64,
    /// How many references there are.
    pub count: usize,
}

/// The tables of references in an image, whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tables {
    /// Of exported items.
    pub symbols: Option<Table>,
    /// Of init functions.
    pub inits: Option<Table>,
}

impl Tables {
    /// The tables of the image that carries this manifest.
    ///
    /// # Errors
    ///
    /// A [`TablesError`] when they are not what the build tool made.
    pub fn of(image: &Image<'_>, manifest: &Manifest) -> Result<Tables, TablesError> {
        let (mut exported, mut started) = (0, 0);
        for record in records(image) {
            match record.map_err(TablesError::Record)?.kind {
                Kind::Init => started += 1,
                Kind::Function | Kind::Static => exported += 1,
            }
        }
        has(RECORDS, exported + started, usize::try_from(manifest.records).unwrap_or(usize::MAX))?;
        let (symbols, inits) = (table(image, SYMBOLS)?, table(image, INITS)?);
        let count = |table: Option<Table>| table.map_or(0, |table| table.count);
        has(SYMBOLS, count(symbols), exported)?;
        has(INITS, count(inits), started)?;
        Ok(Tables { symbols, inits })
    }
}

/// The records of an image, whatever it is; none where it has no section of them.
pub fn records<'a>(image: &Image<'a>) -> Records<'a> {
    Records::new(image.section(RECORDS).map(|section| section.data).unwrap_or_default())
}

fn has(section: &'static str, have: usize, want: usize) -> Result<(), TablesError> {
    if have == want { Ok(()) } else { Err(TablesError::Count { section, have, want }) }
}

/// A section of references, if there is one; whole references, and where the loader puts them.
fn table(image: &Image<'_>, name: &'static str) -> Result<Option<Table>, TablesError> {
    let Some(Section { address, size, mapped, .. }) = image.section(name).filter(|s| s.size > 0) else {
        return Ok(None);
    };
    let width = u64::from(image.bits() / 8).max(1);
    let count = usize::try_from(size / width).ok();
    match count.filter(|_| mapped && size % width == 0 && address % width == 0) {
        Some(count) => Ok(Some(Table { address, count })),
        None => Err(TablesError::Table { section: name }),
    }
}

/// Why the tables in an image are not what the build tool made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TablesError {
    /// A record can't be read.
    Record(RecordError),
    /// A section is no whole table of references, or the loader doesn't put it into memory.
    Table {
        /// Which one.
        section: &'static str,
    },
    /// A section has another number of entries than it has to have.
    Count {
        /// Which one.
        section: &'static str,
        /// How many it has; none where it is missing.
        have: usize,
        /// How many it should have.
        want: usize,
    },
}

impl fmt::Display for TablesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TablesError::Record(error) => write!(f, "{error}"),
            TablesError::Table { section } => {
                write!(f, "the section `{section}` is no whole table of references")
            }
            TablesError::Count { section, have, want } => {
                write!(f, "the section `{section}` has {have} entries and should have {want}")
            }
        }
    }
}

impl std::error::Error for TablesError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            TablesError::Record(error) => Some(error),
            _ => None,
        }
    }
}
