//! Reading an archive: the files in it, each proven by the digests at the end, within limits.

use super::{DIGESTS, LIMITS, Limits, STAMP, WINDOW, digest_lines, is_portable};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files::hex;
use crate::sdk::{DESCRIPTION, FORMAT};
use crate::terminal::Progress;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use tar::EntryType;

/// How a file that zstd has compressed begins.
pub const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

pub(super) fn read_archive(file: &Path, limits: &Limits) -> Result<Vec<u8>> {
    let what = format!("read {}", file.display());
    let mut opened = open(file)?;
    let mut bytes = Vec::new();
    let claimed = opened.metadata().doing(&what)?.len();
    if claimed <= limits.archive {
        Read::by_ref(&mut opened)
            .take(limits.archive.saturating_add(1))
            .read_to_end(&mut bytes)
            .doing(&what)?;
    }
    if claimed.max(bytes.len() as u64) > limits.archive {
        let why = format!("have {claimed} bytes, want at most {}", limits.archive);
        return Err(Failure::Damaged(why).told(file, &what));
    }
    if !bytes.starts_with(&MAGIC) {
        return Err(Failure::Foreign.told(file, &what));
    }
    Ok(bytes)
}

fn open(file: &Path) -> Result<File> {
    // Asked before it is opened, since opening a pipe waits.
    if !file.is_file() {
        let found = match (file.is_dir(), file.exists()) {
            (true, _) => "a folder",
            (_, true) => "something that is no regular file",
            _ => "nothing",
        };
        return Err(Diagnostic::error("no-sdk", "there is no SDK's archive")
            .note(format!("{}: have {found}, want a file that `cargo dynplug sdk` made", file.display()))
            .usage()
            .into());
    }
    File::open(file).doing(format_args!("read {}", file.display()))
}

/// Why an archive wasn't unpacked.
pub(super) enum Failure {
    /// It is no SDK.
    Foreign,
    /// It is an SDK of another format.
    Format(u32),
    /// It was one.
    Damaged(String),
    /// The archive isn't to blame.
    System(io::Error),
}

impl Failure {
    pub(super) fn told(self, file: &Path, what: &str) -> Box<Diagnostic> {
        let path = file.display();
        let again = "get the file again from where it came from, or make it anew with `cargo dynplug sdk`";
        Box::new(match self {
            Failure::Foreign => Diagnostic::error("no-sdk", "the file is no SDK")
                .note(format!("{path}: want an archive that `cargo dynplug sdk` made"))
                .usage(),
            Failure::Format(format) => Diagnostic::error("sdk-format", "the SDK has another format")
                .note(format!("{path}: have format {format}, want {FORMAT}"))
                .help(
                    "make it anew with this version of cargo-dynplug, or build with the version that made it",
                ),
            Failure::Damaged(why) => Diagnostic::error("damaged-sdk", "the SDK is damaged")
                .note(format!("{path}: {why}"))
                .help(again),
            Failure::System(error) => {
                Diagnostic::error("system", format!("could not {what}")).note(error.to_string())
            }
        })
    }
}

/// For what zstd and tar find: they read from memory, so it is the archive's fault.
fn damaged(error: io::Error) -> Failure {
    Failure::Damaged(error.to_string())
}

/// What an archive holds, when all of it is proven.
#[derive(Debug)]
pub struct Proven {
    /// The description.
    pub description: Vec<u8>,
    /// The files, and how long each is.
    pub lengths: BTreeMap<String, u64>,
}

/// Reads an archive from its beginning to its end and proves it, and writes nothing.
///
/// # Errors
/// When it is no SDK, or is damaged or of another format. `file` is what it is called.
pub fn prove(bytes: &[u8], file: &Path) -> Result<Proven> {
    let what = format!("read {}", file.display());
    if !bytes.starts_with(&MAGIC) {
        return Err(Failure::Foreign.told(file, &what));
    }
    Unpacking::into(None, &LIMITS).all(bytes).map_err(|e| e.told(file, &what))
}

/// An archive's way into a folder.
pub(super) struct Unpacking<'a> {
    limits: &'a Limits,
    /// The folder; none where it is only looked at.
    folder: Option<&'a Path>,
    description: Vec<u8>,
    /// Length and digest of every file that was written.
    found: BTreeMap<String, (u64, String)>,
    /// The folders that files were written to.
    folders: BTreeSet<String>,
}

impl<'a> Unpacking<'a> {
    pub(super) fn into(folder: Option<&'a Path>, limits: &'a Limits) -> Self {
        let (description, found, folders) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        Unpacking { limits, folder, description, found, folders }
    }

    /// Writes every file and proves it.
    pub(super) fn all(mut self, bytes: &[u8]) -> Result<Proven, Failure> {
        let progress = Progress::of_bytes("Unpacking", bytes.len() as u64);
        let decoder = decoder(progress.reading(bytes)).map_err(damaged)?;
        let mut archive = tar::Archive::new(decoder);
        let digests = self.entries(&mut archive)?;
        let mut decoder = archive.into_inner();
        let mut rest = Vec::new();
        // This reads to the end of the frame, where its checksum is. A tar ends with two empty blocks, of which one
        // has been read.
        Read::by_ref(&mut decoder).take(1024).read_to_end(&mut rest).map_err(damaged)?;
        if rest != [0; 512] || !decoder.finish().into_inner().is_empty() {
            return Err(Failure::Damaged("something follows after its end".to_owned()));
        }
        self.prove(&digests)?;
        let mut lengths: BTreeMap<String, u64> =
            self.found.into_iter().map(|(name, (length, _))| (name, length)).collect();
        lengths.insert(DIGESTS.to_owned(), digests.len() as u64);
        Ok(Proven { description: self.description, lengths })
    }

    /// Writes every file. Gives the text of the digests.
    fn entries(&mut self, archive: &mut tar::Archive<impl Read>) -> Result<Vec<u8>, Failure> {
        let mut entries = Entries::new(archive, self.limits)?;
        let Some((name, mut first)) = entries.next()? else { return Err(Failure::Foreign) };
        if name != DESCRIPTION {
            return Err(Failure::Foreign);
        }
        let bytes = in_memory(&mut first, &name, self.limits.text)?;
        // Before all else: what the other entries of another format are isn't known here.
        is_our_format(&bytes)?;
        self.write(name, &mut bytes.as_slice(), bytes.len() as u64, false)?;
        self.description = bytes;
        drop(first);
        while let Some((name, mut entry)) = entries.next()? {
            if name == DIGESTS {
                let digests = in_memory(&mut entry, &name, self.limits.text)?;
                drop(entry);
                if let Some((name, _)) = entries.next()? {
                    let name = name.escape_debug();
                    return Err(Failure::Damaged(format!("`{name}` follows after the digests")));
                }
                if let Some(folder) = self.folder {
                    File::create_new(folder.join(DIGESTS))
                        .and_then(|mut file| file.write_all(&digests))
                        .map_err(|e| exists_or_system(&name, e))?;
                }
                return Ok(digests);
            }
            let executable = entry.header().mode().is_ok_and(|m| m & 0o111 != 0);
            let size = entry.size();
            self.write(name, &mut entry, size, executable)?;
        }
        Err(Failure::Damaged("it has no digests".to_owned()))
    }

    fn write(
        &mut self,
        name: String,
        from: &mut impl Read,
        size: u64,
        executable: bool,
    ) -> Result<(), Failure> {
        let mut file = match self.place(&name)? {
            Some(path) => Some(created(&path, executable).map_err(|e| exists_or_system(&name, e))?),
            None => None,
        };
        let mut hash = Sha256::new();
        let mut length = 0;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = from.read(&mut buffer).map_err(damaged)?;
            let Some(part) = buffer.get(..count).filter(|p| !p.is_empty()) else { break };
            hash.update(part);
            length += count as u64;
            if let Some(file) = &mut file {
                file.write_all(part).map_err(Failure::System)?;
            }
        }
        if length != size {
            return Err(Failure::Damaged(format!("`{name}` ends early: have {length} bytes, want {size}")));
        }
        self.found.insert(name, (length, hex(&hash.finalize())));
        Ok(())
    }

    /// Where a file goes, with its folders made; nowhere where nothing is written.
    fn place(&mut self, name: &str) -> Result<Option<PathBuf>, Failure> {
        if name == STAMP || self.found.contains_key(name) || self.folders.contains(name) {
            return Err(twice(name));
        }
        if !name.split('/').all(is_portable) {
            return Err(Failure::Damaged(format!("`{}` is no name for a file in it", name.escape_debug())));
        }
        for (at, _) in name.match_indices('/') {
            let above = name.get(..at).unwrap_or_default();
            if above == STAMP || above == DIGESTS || self.found.contains_key(above) {
                return Err(Failure::Damaged(format!("`{name}` leads through the file `{above}`")));
            }
            let is_new = self.folders.insert(above.to_owned());
            if let Some(folder) = self.folder.filter(|_| is_new) {
                match std::fs::create_dir(folder.join(above)) {
                    Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                        // Another spelling of a folder may be the same folder, but not of a file.
                        if !folder.join(above).is_dir() {
                            return Err(twice(above));
                        }
                    }
                    made => made.map_err(Failure::System)?,
                }
            }
        }
        Ok(self.folder.map(|folder| folder.join(name)))
    }

    /// Every file is in the digests with what it holds, and nothing else is.
    fn prove(&self, digests: &[u8]) -> Result<(), Failure> {
        let have: BTreeMap<String, String> =
            self.found.iter().map(|(name, (_, digest))| (name.clone(), digest.clone())).collect();
        if digest_lines(&have).as_bytes() == digests {
            return Ok(());
        }
        let text = String::from_utf8_lossy(digests);
        let want: BTreeMap<&str, &str> =
            text.lines().filter_map(|l| l.split_once("  ")).map(|(digest, name)| (name, digest)).collect();
        let changed = have.iter().find(|(name, digest)| want.get(name.as_str()) != Some(&digest.as_str()));
        let missing = want.keys().find(|name| !have.contains_key(**name));
        Err(Failure::Damaged(match (changed, missing) {
            (Some((name, _)), _) if want.contains_key(name.as_str()) => {
                format!("`{name}` isn't what the digests say")
            }
            (Some((name, _)), _) => format!("`{name}` isn't in the digests"),
            (None, Some(name)) => format!("`{}` is missing", name.escape_debug()),
            (None, None) => "the digests aren't as they are written".to_owned(),
        }))
    }
}

/// A new file, to be written.
fn created(path: &Path, executable: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if executable { 0o755 } else { 0o644 });
    #[cfg(not(unix))]
    let _ = executable;
    options.open(path)
}

fn twice(name: &str) -> Failure {
    Failure::Damaged(format!("`{name}` is there twice"))
}

fn exists_or_system(name: &str, error: io::Error) -> Failure {
    match error.kind() {
        // Two names that are one to this file system.
        io::ErrorKind::AlreadyExists => twice(name),
        _ => Failure::System(error),
    }
}

fn decoder<R: io::BufRead>(bytes: R) -> io::Result<zstd::Decoder<'static, R>> {
    let mut decoder = zstd::Decoder::with_buffer(bytes)?.single_frame();
    decoder.window_log_max(WINDOW)?;
    Ok(decoder)
}

/// The archive's regular files with their names. Anything else is an error.
struct Entries<'a, R: Read> {
    entries: tar::Entries<'a, R>,
    limits: &'a Limits,
    count: usize,
    unpacked: u64,
}

impl<'a, R: Read> Entries<'a, R> {
    fn new(archive: &'a mut tar::Archive<R>, limits: &'a Limits) -> Result<Self, Failure> {
        // Raw: tar's extensions would be read into memory whatever their size, and could say anything.
        let entries = archive.entries().map_err(damaged)?.raw(true);
        Ok(Entries { entries, limits, count: 0, unpacked: 0 })
    }

    fn next(&mut self) -> Result<Option<(String, tar::Entry<'a, R>)>, Failure> {
        let Some(entry) = self.raw()? else { return Ok(None) };
        match entry.header().entry_type() {
            EntryType::Regular => {
                let name = entry.path_bytes().into_owned();
                Ok(Some((utf8(name)?, entry)))
            }
            // A name that is too long for the header comes in an entry of its own, before the file's.
            EntryType::GNULongName => {
                let mut long = entry;
                let mut name = in_memory(&mut long, "a name", self.limits.name + 1)?;
                drop(long);
                if name.pop() != Some(0) || name.contains(&0) {
                    return Err(Failure::Damaged("a long name isn't one".to_owned()));
                }
                match self.raw()? {
                    Some(entry) if entry.header().entry_type() == EntryType::Regular => {
                        Ok(Some((utf8(name)?, entry)))
                    }
                    _ => Err(Failure::Damaged("a long name has no file".to_owned())),
                }
            }
            other => Err(Failure::Damaged(format!(
                "`{}` is no regular file (tar calls its kind `{}`)",
                String::from_utf8_lossy(&entry.path_bytes()).escape_debug(),
                char::from(other.as_byte()).escape_debug(),
            ))),
        }
    }

    fn raw(&mut self) -> Result<Option<tar::Entry<'a, R>>, Failure> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        let entry = entry.map_err(damaged)?;
        self.count += 1;
        if self.count > self.limits.entries {
            return Err(Failure::Damaged(format!("it has more than {} entries", self.limits.entries)));
        }
        // By the size that is claimed, so that nothing is written that would be too much.
        self.unpacked = self.unpacked.saturating_add(entry.size());
        if self.unpacked > self.limits.unpacked {
            return Err(Failure::Damaged(format!(
                "unpacked it has more than {} bytes",
                self.limits.unpacked
            )));
        }
        Ok(Some(entry))
    }
}

fn utf8(name: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(name).map_err(|e| {
        let name = String::from_utf8_lossy(e.as_bytes()).into_owned();
        Failure::Damaged(format!("`{}` isn't UTF-8", name.escape_debug()))
    })
}

/// A small entry's bytes.
fn in_memory(entry: &mut tar::Entry<impl Read>, name: &str, limit: u64) -> Result<Vec<u8>, Failure> {
    let size = entry.size();
    if size > limit {
        return Err(Failure::Damaged(format!("{name}: have {size} bytes, want at most {limit}")));
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).map_err(damaged)?;
    if bytes.len() as u64 != size {
        return Err(Failure::Damaged(format!(
            "`{name}` ends early: have {} bytes, want {size}",
            bytes.len()
        )));
    }
    Ok(bytes)
}

fn is_our_format(description: &[u8]) -> Result<(), Failure> {
    #[derive(serde::Deserialize)]
    struct Format {
        format: u32,
    }
    let Format { format } = serde_json::from_slice(description)
        .map_err(|e| Failure::Damaged(format!("{DESCRIPTION} isn't a description: {e}")))?;
    if format == FORMAT { Ok(()) } else { Err(Failure::Format(format)) }
}

/// The description in an archive. Nothing proves it: for that the archive has to be read to its end.
///
/// # Errors
/// When `file` is no SDK, or its beginning is damaged.
pub fn look(file: &Path) -> Result<Vec<u8>> {
    let what = format!("read {}", file.display());
    let opened = io::BufReader::new(open(file)?);
    description(opened).map_err(|e| e.told(file, &what))
}

fn description(mut from: impl io::BufRead) -> Result<Vec<u8>, Failure> {
    if !from.fill_buf().map_err(Failure::System)?.starts_with(&MAGIC) {
        return Err(Failure::Foreign);
    }
    let mut archive = tar::Archive::new(decoder(from).map_err(damaged)?);
    let first = Entries::new(&mut archive, &LIMITS)?.next()?;
    match first {
        Some((name, mut entry)) if name == DESCRIPTION => in_memory(&mut entry, &name, LIMITS.text),
        _ => Err(Failure::Foreign),
    }
}
