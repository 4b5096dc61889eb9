//! Where a plugin came from, and whether the file there is still the same.

use crate::system::{self, FileId};
use std::fs::Metadata;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What the system says of a file and changes when somebody writes to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    /// Of what is no file.
    pub(crate) const NONE: Stamp = Stamp { size: 0, modified: None };

    pub(crate) fn of(metadata: &Metadata) -> Stamp {
        Stamp { size: metadata.len(), modified: metadata.modified().ok() }
    }

    /// Whether a write that came just after the file was looked at could have left the time as it was. Systems count
    /// the time of a file in steps, of two seconds on the coarsest.
    fn is_fresh(&self, at: SystemTime) -> bool {
        const STEP: Duration = Duration::from_secs(2);
        self.modified
            .is_none_or(|modified| at.duration_since(modified).is_ok_and(|age| age < STEP) || modified > at)
    }
}

/// What tells one content from another, inside one process. Not against forgery, which an open can't tell either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Content {
    size: u64,
    hash: u64,
}

impl Content {
    pub(crate) fn of(bytes: &[u8]) -> Content {
        let mut reading = Reading::default();
        reading.add(bytes);
        reading.end()
    }
}

#[derive(Default)]
struct Reading {
    size: u64,
    hasher: DefaultHasher,
}

impl Reading {
    fn add(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.hasher.write(bytes);
    }

    fn end(self) -> Content {
        Content { size: self.size, hash: self.hasher.finish() }
    }
}

/// The file that a plugin was loaded from.
#[derive(Debug)]
pub(crate) struct Origin {
    /// Absolute, since the working directory may change; not canonical, since a link may be set to another file.
    path: PathBuf,
    file: FileId,
    stamp: Stamp,
    content: Content,
    read: SystemTime,
}

impl Origin {
    /// `stamp` is from before the file was read.
    pub(crate) fn new(path: &Path, file: FileId, stamp: Stamp, content: Content) -> Origin {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Origin { path: absolute, file, stamp, content, read: SystemTime::now() }
    }

    /// Whether the path leads to other bytes now.
    pub(crate) fn changed(&self) -> io::Result<bool> {
        let metadata = match self.path.metadata() {
            Ok(metadata) => metadata,
            Err(error) => return gone(error),
        };
        let stamp = Stamp::of(&metadata);
        if system::kind_of(&metadata).is_some() || stamp.size != self.stamp.size {
            return Ok(true);
        }
        let same_file = system::file_id_at(&self.path, &metadata) == self.file;
        if same_file && stamp == self.stamp && !self.stamp.is_fresh(self.read) {
            return Ok(false);
        }
        let mut file = match system::open_for_reading(&self.path) {
            Ok(file) => file,
            Err(error) => return gone(error),
        };
        if system::kind_of(&file.metadata()?).is_some() {
            return Ok(true);
        }
        let mut reading = Reading::default();
        let mut buffer = vec![0; 64 << 10];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(reading.end() != self.content),
                // A file that grows while it is read is another one, and needn't be read to its end.
                Ok(_) if reading.size > self.content.size => return Ok(true),
                Ok(count) => reading.add(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// A path that leads nowhere is an answer, too.
fn gone(error: io::Error) -> io::Result<bool> {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(true),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("dynplug-origin-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn origin(path: &Path) -> Origin {
        let metadata = path.metadata().unwrap();
        let content = Content::of(&fs::read(path).unwrap());
        Origin::new(path, system::file_id_at(path, &metadata), Stamp::of(&metadata), content)
    }

    #[test]
    fn bytes_are_what_counts() {
        let folder = Folder::new("bytes");
        let (path, other) = (folder.0.join("a"), folder.0.join("b"));
        fs::write(&path, "one").unwrap();
        let origin = origin(&path);
        assert!(!origin.changed().unwrap());
        // Of the same size, and maybe within one step of the file system's clock.
        fs::write(&path, "two").unwrap();
        assert!(origin.changed().unwrap(), "overwritten");
        fs::write(&path, "one").unwrap();
        assert!(!origin.changed().unwrap(), "the same again");
        fs::write(&other, "one").unwrap();
        fs::rename(&other, &path).unwrap();
        assert!(!origin.changed().unwrap(), "replaced by the same bytes");
        fs::write(&other, "six").unwrap();
        fs::rename(&other, &path).unwrap();
        assert!(origin.changed().unwrap(), "replaced");
        fs::write(&path, "").unwrap();
        assert!(origin.changed().unwrap(), "truncated");
        fs::remove_file(&path).unwrap();
        assert!(origin.changed().unwrap(), "removed");
        fs::create_dir(&path).unwrap();
        assert!(origin.changed().unwrap(), "a folder now");
    }

    #[test]
    #[cfg(unix)]
    fn a_link_that_is_set_anew_is_a_change() {
        let folder = Folder::new("link");
        let (a, b, link) = (folder.0.join("a"), folder.0.join("b"), folder.0.join("link"));
        fs::write(&a, "one").unwrap();
        fs::write(&b, "two").unwrap();
        std::os::unix::fs::symlink(&a, &link).unwrap();
        let origin = origin(&link);
        assert!(!origin.changed().unwrap());
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(&b, &link).unwrap();
        assert!(origin.changed().unwrap());
    }
}
