//! Packing a folder into an archive: the same contents give the same bytes, whoever packs them where.

use super::{DIGESTS, LIMITS, STAMP, WINDOW, digest_lines, is_portable};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files::{self, hex, sha256};
use crate::sdk::DESCRIPTION;
use crate::terminal::Progress;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::Path;

const LEVEL: i32 = 19;

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
pub(super) fn collect(folder: &Path, prefix: &str, names: &mut Vec<String>) -> Result<()> {
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

pub(super) fn is_executable(path: &Path) -> bool {
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
