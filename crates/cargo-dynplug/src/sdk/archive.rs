//! An SDK as one file: a tar of its folder, compressed by zstd. The description comes first, so that it can be read
//! without the rest, and the digests of all that came before are last, so that nothing is believed that isn't proven.
//!
//! Archives come from strangers. What unpacking writes is decided here and not by the archive: regular files beneath
//! one new folder, of a bounded number and size.

use super::{DESCRIPTION, FORMAT};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files::{self, hex, sha256};
use crate::terminal::Progress;
use etcetera::BaseStrategy;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use tar::EntryType;

/// The last entry: a line for each file, as `sha256sum` writes them.
const DIGESTS: &str = "digests";
/// Written into the unpacked folder when all else is there: what was unpacked, and how long each file is.
const STAMP: &str = "unpacked";
/// How the folders of attempts that aren't complete are called.
const ATTEMPT: &str = "unpacking-";
/// One attempt at a time: whoever holds this file knows that the other attempts are dead.
const LOCK: &str = "lock";
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const LEVEL: i32 = 19;
/// The largest window that every decoder of zstd accepts without being asked to.
const WINDOW: u32 = 27;

/// What is refused without being tried.
struct Limits {
    /// Bytes of the archive, which is held in memory.
    archive: u64,
    /// Bytes of all that is unpacked.
    unpacked: u64,
    /// Entries.
    entries: usize,
    /// Bytes of the description and of the digests each, which are held in memory.
    text: u64,
    /// Bytes of a name.
    name: u64,
}

const LIMITS: Limits =
    Limits { archive: 1 << 30, unpacked: 4 << 30, entries: 200_000, text: 64 << 20, name: 4096 };

/// Packs everything in `folder` into the file `to`. The same contents give the same bytes, whoever packs them where.
///
/// # Errors
/// When the folder holds no SDK, or something that is no regular file, or can't be read, or `to` can't be written.
pub fn pack(folder: &Path, to: &Path) -> Result<()> {
    let mut names = Vec::new();
    collect(folder, "", &mut names)?;
    names.sort();
    names.retain(|n| n != DESCRIPTION && n != DIGESTS && n != STAMP);
    if !folder.join(DESCRIPTION).is_file() {
        return Err(Diagnostic::error("no-sdk", "the folder holds no SDK")
            .note(format!("have no {DESCRIPTION} in {}", folder.display()))
            .into());
    }
    names.insert(0, DESCRIPTION.to_owned());

    let what = format!("write {}", to.display());
    let beside = to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::NamedTempFile::new_in(beside).doing(&what)?;
    let mut encoder = zstd::Encoder::new(file, LEVEL).doing(&what)?;
    encoder.long_distance_matching(true).doing(&what)?;
    encoder.window_log(WINDOW).doing(&what)?;
    encoder.include_checksum(true).doing(&what)?;
    let mut archive = tar::Builder::new(encoder);
    let mut digests = BTreeMap::new();
    let sizes = names.iter().filter_map(|name| folder.join(name).metadata().ok()).map(|m| m.len());
    let progress = Progress::of_bytes("Packing", sizes.sum());
    for name in &names {
        let path = folder.join(name);
        let bytes = std::fs::read(&path).doing(format_args!("read {}", path.display()))?;
        let read = progress.reading(bytes.as_slice());
        append(&mut archive, name, is_executable(&path), bytes.len(), read).doing(&what)?;
        digests.insert(name.clone(), hex(&sha256(&bytes)));
    }
    let lines = digest_lines(&digests);
    append(&mut archive, DIGESTS, false, lines.len(), lines.as_bytes()).doing(&what)?;
    let file = archive.into_inner().and_then(zstd::Encoder::finish).doing(&what)?;
    files::open_to_others(file.path(), 0o644);
    file.persist(to).doing(&what)?;
    Ok(())
}

/// The names of the files beneath a folder.
fn collect(folder: &Path, prefix: &str, names: &mut Vec<String>) -> Result<()> {
    let what = format!("read the folder {}", folder.display());
    for entry in std::fs::read_dir(folder).doing(&what)? {
        let entry = entry.doing(&what)?;
        let kind = entry.file_type().doing(&what)?;
        let refused = |why: &str| {
            Diagnostic::error("sdk-file", format!("an SDK can't hold {}", entry.path().display())).note(why)
        };
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|n| is_portable(n)) else {
            return Err(refused("want a name in UTF-8, without backslashes and control characters").into());
        };
        let name = format!("{prefix}{name}");
        if kind.is_dir() {
            collect(&entry.path(), &format!("{name}/"), names)?;
        } else if kind.is_file() && name.len() as u64 <= LIMITS.name {
            names.push(name);
        } else if kind.is_file() {
            return Err(refused("its name is too long").into());
        } else {
            return Err(refused("want regular files and folders").into());
        }
    }
    Ok(())
}

/// Whether a name, without its folders, means the same on every system.
fn is_portable(name: &str) -> bool {
    let reserved = |c: char| matches!(c, '/' | '\\') || c.is_control() || (cfg!(windows) && c == ':');
    !matches!(name, "" | "." | "..") && !name.contains(reserved)
}

fn is_executable(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if path.metadata().is_ok_and(|m| m.permissions().mode() & 0o100 != 0) {
            return true;
        }
    }
    path.extension().is_some_and(|e| ["so", "dylib", "dll", "exe"].iter().any(|x| e == *x))
}

fn append(
    archive: &mut tar::Builder<impl Write>,
    name: &str,
    executable: bool,
    size: usize,
    bytes: impl Read,
) -> io::Result<()> {
    // A new header has nothing in it but that it is a regular file: no owner, and the beginning of time.
    let mut header = tar::Header::new_gnu();
    header.set_size(size as u64);
    header.set_mode(if executable { 0o755 } else { 0o644 });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    archive.append_data(&mut header, name, bytes)
}

fn digest_lines(digests: &BTreeMap<String, String>) -> String {
    digests.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect()
}

/// The folder beneath `cache` with what is in the SDK's archive `file`: unpacked now, unless it was before.
///
/// # Errors
/// When `file` is no SDK, is damaged or of another format, or the cache can't be written.
pub fn unpack(file: &Path, cache: &Path) -> Result<PathBuf> {
    unpack_within(file, cache, &LIMITS)
}

fn unpack_within(file: &Path, cache: &Path, limits: &Limits) -> Result<PathBuf> {
    let bytes = read_archive(file, limits)?;
    let digest = hex(&sha256(&bytes));
    let folder = cache.join(&digest[..32]);
    if is_complete(&folder, &digest) {
        return Ok(folder);
    }
    files::make_folder(cache)?;
    let _lock = lock(cache)?;
    if is_complete(&folder, &digest) {
        return Ok(folder);
    }
    let what = format!("unpack {} into {}", file.display(), cache.display());
    let attempt = new_attempt(cache).doing(&what)?;
    let lengths =
        Unpacking { limits, folder: attempt.path(), found: BTreeMap::new(), folders: BTreeSet::new() }
            .all(&bytes)
            .map_err(|e| e.told(file, &what))?;
    std::fs::write(attempt.path().join(STAMP), stamp(&digest, &lengths)).doing(&what)?;
    // What is there isn't complete, or it would have been returned: something took files away.
    remove(&folder).doing(format_args!("remove {}", folder.display()))?;
    match std::fs::rename(attempt.path(), &folder) {
        Ok(()) => drop(attempt.keep()),
        // Where files can't be locked, another process may have been faster.
        Err(_) if is_complete(&folder, &digest) => {}
        Err(e) => return Err(e).doing(&what),
    }
    Ok(folder)
}

fn read_archive(file: &Path, limits: &Limits) -> Result<Vec<u8>> {
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

/// Waits until no other process unpacks into this cache, and removes what attempts left that came to nothing. None
/// where the file system has no locks.
fn lock(cache: &Path) -> Result<Option<File>> {
    let path = cache.join(LOCK);
    let what = format!("lock {}", path.display());
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).doing(&what)?;
    match file.lock() {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::Unsupported => return Ok(None),
        Err(e) => return Err(e).doing(&what),
    }
    for entry in std::fs::read_dir(cache).doing(&what)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(ATTEMPT) {
            // One that can't be removed is in nobody's way.
            let _ = remove(&entry.path());
        }
    }
    Ok(Some(file))
}

fn new_attempt(cache: &Path) -> io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(ATTEMPT);
    // A cache may be shared, as far as the user's umask allows.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    builder.tempdir_in(cache)
}

/// Removes what is there, if anything is.
fn remove(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(_) => Ok(()),
    }
}

fn stamp(digest: &str, lengths: &BTreeMap<String, u64>) -> String {
    let lines: String = lengths.iter().map(|(name, length)| format!("{length} {name}\n")).collect();
    format!("{digest}\n{lines}")
}

/// Whether a folder has all of an archive. Files are looked at, not read: caches lose files, since there are programs
/// that clean them of what is old.
fn is_complete(folder: &Path, digest: &str) -> bool {
    let Ok(text) = std::fs::read_to_string(folder.join(STAMP)) else { return false };
    let mut lines = text.lines();
    let is_whole = |line: &str| {
        let Some((length, name)) = line.split_once(' ') else { return false };
        let Ok(found) = folder.join(name).symlink_metadata() else { return false };
        found.is_file() && length.parse() == Ok(found.len())
    };
    lines.next() == Some(digest) && lines.all(is_whole)
}

/// Why an archive wasn't unpacked.
enum Failure {
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
    fn told(self, file: &Path, what: &str) -> Box<Diagnostic> {
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

/// An archive's way into a folder.
struct Unpacking<'a> {
    limits: &'a Limits,
    folder: &'a Path,
    /// Length and digest of every file that was written.
    found: BTreeMap<String, (u64, String)>,
    /// The folders that files were written to.
    folders: BTreeSet<String>,
}

impl Unpacking<'_> {
    /// Writes every file and proves it. Gives the files' lengths.
    fn all(mut self, bytes: &[u8]) -> Result<BTreeMap<String, u64>, Failure> {
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
        Ok(lengths)
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
        drop(first);
        while let Some((name, mut entry)) = entries.next()? {
            if name == DIGESTS {
                let digests = in_memory(&mut entry, &name, self.limits.text)?;
                drop(entry);
                if let Some((name, _)) = entries.next()? {
                    let name = name.escape_debug();
                    return Err(Failure::Damaged(format!("`{name}` follows after the digests")));
                }
                File::create_new(self.folder.join(DIGESTS))
                    .and_then(|mut file| file.write_all(&digests))
                    .map_err(|e| exists_or_system(&name, e))?;
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
        let path = self.place(&name)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, if executable { 0o755 } else { 0o644 });
        #[cfg(not(unix))]
        let _ = executable;
        let mut file = options.open(path).map_err(|e| exists_or_system(&name, e))?;
        let mut hash = Sha256::new();
        let mut length = 0;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = from.read(&mut buffer).map_err(damaged)?;
            let Some(part) = buffer.get(..count).filter(|p| !p.is_empty()) else { break };
            hash.update(part);
            length += count as u64;
            file.write_all(part).map_err(Failure::System)?;
        }
        if length != size {
            return Err(Failure::Damaged(format!("`{name}` ends early: have {length} bytes, want {size}")));
        }
        self.found.insert(name, (length, hex(&hash.finalize())));
        Ok(())
    }

    /// Where a file goes, with its folders made.
    fn place(&mut self, name: &str) -> Result<PathBuf, Failure> {
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
            if self.folders.insert(above.to_owned()) {
                match std::fs::create_dir(self.folder.join(above)) {
                    Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                        // Another spelling of a folder may be the same folder, but not of a file.
                        if !self.folder.join(above).is_dir() {
                            return Err(twice(above));
                        }
                    }
                    made => made.map_err(Failure::System)?,
                }
            }
        }
        Ok(self.folder.join(name))
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

/// The folder where unpacked SDKs are kept: `$DYNPLUG_CACHE`, or the system's place for what can be had again.
///
/// # Errors
/// When the user has no home.
pub fn cache_folder() -> Result<PathBuf> {
    let named = std::env::var_os("DYNPLUG_CACHE").filter(|v| !v.is_empty());
    if let Some(named) = named {
        return std::path::absolute(named).doing("find the folder that DYNPLUG_CACHE names");
    }
    let system = etcetera::base_strategy::choose_native_strategy().map_err(|e| {
        Diagnostic::error("system", "could not find the folder for caches")
            .note(e.to_string())
            .help("name a folder in the environment variable DYNPLUG_CACHE")
    })?;
    Ok(system.cache_dir().join("dynplug").join("sdk"))
}

#[cfg(test)]
mod tests;
