//! A bundle as one file: a tar of one folder, the description first. The same bundle gives the same bytes: entries are in
//! the order of their paths, of nobody, and of one time.

use super::contents::{Contents, Entry};
use super::description::{self, Description, NAME};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use tar::{EntryType, Header};

/// How an archive is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// By zstd.
    Zstd,
    /// Not at all.
    Plain,
}

const LEVEL: i32 = 19;
/// The largest window that every decoder of zstd accepts without being asked to.
const WINDOW: u32 = 27;
/// The largest description that is read.
const LONGEST: u64 = 64 << 20;
/// The time of the files, where nobody says another: the first of 1980. There are archivers that take an earlier one for a
/// mistake.
const TIME: u64 = 315_532_800;

/// The time of the files: that of `SOURCE_DATE_EPOCH`, in seconds since 1970, where it is set.
///
/// # Errors
/// When it is no such number.
pub fn time() -> Result<u64> {
    let Some(value) = std::env::var_os("SOURCE_DATE_EPOCH") else { return Ok(TIME) };
    let number = value.to_str().and_then(|text| text.trim().parse().ok());
    // An archive has eleven octal digits for it.
    number.filter(|time| *time < 1 << 33).ok_or_else(|| {
        let error = Diagnostic::error("bad-time", "SOURCE_DATE_EPOCH is no time");
        error.note(format!("have {value:?}, want seconds since 1970")).usage().into()
    })
}

/// Packs everything into `to`, in a folder of the name `folder`; what is at `first` comes first.
///
/// # Errors
/// When it can't be written.
pub fn pack(
    contents: &Contents,
    first: &str,
    folder: &str,
    time: u64,
    to: &Path,
    packing: Packing,
) -> Result<()> {
    let what = format!("write {}", to.display());
    let beside = to.parent().unwrap_or(Path::new("."));
    files::make_folder(beside)?;
    let file = tempfile::NamedTempFile::new_in(beside).doing(&what)?;
    let entries = contents.entries();
    let ordered = entries.get_key_value(first).into_iter().chain(entries.iter().filter(|(p, _)| *p != first));
    let file = match packing {
        Packing::Plain => write(file, ordered, folder, time).doing(&what)?,
        Packing::Zstd => {
            let mut encoder = zstd::Encoder::new(file, LEVEL).doing(&what)?;
            encoder.long_distance_matching(true).doing(&what)?;
            encoder.window_log(WINDOW).doing(&what)?;
            encoder.include_checksum(true).doing(&what)?;
            write(encoder, ordered, folder, time).and_then(zstd::Encoder::finish).doing(&what)?
        }
    };
    files::open_to_others(file.path(), 0o644);
    file.persist(to).doing(&what)?;
    Ok(())
}

fn write<'a, W: Write>(
    writer: W,
    entries: impl Iterator<Item = (&'a String, &'a Entry)>,
    folder: &str,
    time: u64,
) -> io::Result<W> {
    let mut archive = tar::Builder::new(writer);
    for (path, entry) in entries {
        let path = format!("{folder}/{path}");
        let mut header = Header::new_gnu();
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(time);
        match entry {
            Entry::File { bytes, executable } => {
                header.set_size(bytes.len() as u64);
                header.set_mode(if *executable { 0o755 } else { 0o644 });
                archive.append_data(&mut header, path, bytes.as_slice())?;
            }
            Entry::Link(target) => {
                header.set_entry_type(EntryType::Symlink);
                header.set_size(0);
                header.set_mode(0o777);
                archive.append_link(&mut header, path, target)?;
            }
        }
    }
    archive.into_inner()
}

/// The description of the bundle in an archive, if it is one of ours. The file may be anything.
pub fn description_in(path: &Path, packing: Packing) -> Option<Description> {
    let file = File::open(path).ok()?;
    let reader: Box<dyn Read> = match packing {
        Packing::Zstd => Box::new(zstd::Decoder::new(file).ok()?),
        Packing::Plain => Box::new(file),
    };
    let mut archive = tar::Archive::new(reader.take(LONGEST));
    let entry = archive.entries().ok()?.next()?.ok()?;
    if entry.path().ok()?.file_name()? != NAME || entry.header().entry_type() != EntryType::Regular {
        return None;
    }
    let mut bytes = Vec::new();
    entry.take(LONGEST).read_to_end(&mut bytes).ok()?;
    description::parse(&bytes)
}
