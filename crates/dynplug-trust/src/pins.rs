//! Pinned hashes: a lock file in the format of `sha256sum`, which checks it as well.

use crate::digest::Digest;
use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

/// Which bytes the files of given names may have.
///
/// What counts of a path is its last part, so a lock file stays true when the folder moves. A name may stand several times:
/// each of its hashes is good.
///
/// # Examples
///
/// ```
/// use dynplug_trust::{Digest, Pins};
///
/// let pins: Pins = "\
///     2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824  plugins/libhello.so\n".parse()?;
/// assert_eq!(pins.of("libhello.so").collect::<Vec<_>>(), [Digest::of(b"hello")]);
/// # Ok::<(), dynplug_trust::PinsError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pins {
    /// Paths and hashes, in the order of the file.
    entries: Vec<(String, Digest)>,
}

/// Why a file is no list of pinned hashes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum PinsError {
    /// The file can't be read.
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: Arc<io::Error>,
    },
    /// A line isn't as `sha256sum` writes it.
    Malformed {
        /// The file, where it is one.
        path: Option<PathBuf>,
        /// Which line, counted from 1.
        line: usize,
    },
}

impl fmt::Display for PinsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PinsError::Read { path, source } => {
                write!(f, "cannot read the pinned hashes {}: {source}", path.display())
            }
            PinsError::Malformed { path, line } => {
                if let Some(path) = path {
                    write!(f, "{}: ", path.display())?;
                }
                write!(
                    f,
                    "line {line} isn't of the form `<SHA-256>  <file>`; `cargo dynplug pin` and `sha256sum` write such lines"
                )
            }
        }
    }
}

impl Error for PinsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            PinsError::Read { source, .. } => Some(&**source),
            PinsError::Malformed { .. } => None,
        }
    }
}

impl Pins {
    /// No pins.
    pub const fn new() -> Pins {
        Pins { entries: Vec::new() }
    }

    /// Reads a lock file.
    ///
    /// # Errors
    ///
    /// When it can't be read, or a line of it is none.
    pub fn read(path: impl AsRef<Path>) -> Result<Pins, PinsError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path)
            .map_err(|source| PinsError::Read { path: path.to_owned(), source: Arc::new(source) })?;
        text.parse().map_err(|error| match error {
            PinsError::Malformed { line, .. } => PinsError::Malformed { path: Some(path.to_owned()), line },
            other => other,
        })
    }

    /// Pins one more file.
    pub fn add(&mut self, path: impl Into<String>, digest: Digest) {
        self.entries.push((path.into(), digest));
    }

    /// Takes out what is pinned for a path, as it stands in the list.
    pub fn remove(&mut self, path: &str) {
        self.entries.retain(|(other, _)| other != path);
    }

    /// All of them, in the order of the file: path and hash.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&str, Digest)> {
        self.entries.iter().map(|(path, digest)| (&**path, *digest))
    }

    /// The hashes of a file of this name.
    pub fn of(&self, file_name: &str) -> impl Iterator<Item = Digest> {
        let is_it = move |path: &str| path.rsplit(['/', '\\']).next() == Some(file_name);
        self.entries.iter().filter(move |(path, _)| is_it(path)).map(|(_, digest)| *digest)
    }

    /// Whether nothing is pinned.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn extend(&mut self, other: Pins) {
        self.entries.extend(other.entries);
    }
}

impl FromStr for Pins {
    type Err = PinsError;

    fn from_str(text: &str) -> Result<Pins, PinsError> {
        let mut pins = Pins::new();
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (path, digest) = entry(line).ok_or(PinsError::Malformed { path: None, line: at + 1 })?;
            pins.add(path, digest);
        }
        Ok(pins)
    }
}

/// One line: a hash, a blank, a blank or `*`, a path. In a line that begins with `\` the path has escapes.
fn entry(line: &str) -> Option<(String, Digest)> {
    let (escaped, line) = line.strip_prefix('\\').map_or((false, line), |rest| (true, rest));
    let (digest, path) = line.split_once(' ')?;
    let path = path.strip_prefix([' ', '*'])?;
    let path = if escaped { unescaped(path)? } else { path.to_owned() };
    (!path.is_empty()).then_some((path, digest.parse().ok()?))
}

fn unescaped(path: &str) -> Option<String> {
    let mut plain = String::new();
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        plain.push(match (c, c == '\\') {
            (c, false) => c,
            (_, true) => match chars.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
        });
    }
    Some(plain)
}

impl fmt::Display for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (path, digest) in &self.entries {
            let escaped = path.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
            let mark = if escaped == *path { "" } else { "\\" };
            writeln!(f, "{mark}{digest}  {escaped}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_is_read_as_it_is_written() {
        let mut pins = Pins::new();
        for path in
            ["libhello.so", "a folder/lib hello.so", "back\\slash", "line\nbreak\r", "*star", "# mark"]
        {
            pins.add(path, Digest::of(path.as_bytes()));
        }
        assert_eq!(pins.to_string().parse::<Pins>().unwrap(), pins);
    }

    #[test]
    fn other_lines_are_told_by_their_number() {
        let good = Digest::of(b"");
        for bad in [
            "x",
            &format!("{good}"),
            &format!("{good}  "),
            &format!("{good} x"),
            "12  x",
            &format!("\\{good}  a\\x"),
        ] {
            let text = format!("# comment\n\n{good}  a\n{good} *b\n{bad}\n");
            match text.parse::<Pins>() {
                Err(PinsError::Malformed { line: 5, .. }) => {}
                other => panic!("{bad}: {other:?}"),
            }
        }
        assert!(Pins::read("/nowhere/pins").unwrap_err().to_string().contains("/nowhere/pins"));
    }

    #[test]
    fn a_name_counts_wherever_it_stands_and_may_stand_twice() {
        let pins: Pins = format!(
            "{}  x/libhello.so\n{}  libhello.so\n{}  libhello.so.1\n",
            Digest::of(b"1"),
            Digest::of(b"2"),
            Digest::of(b"3")
        )
        .parse()
        .unwrap();
        assert_eq!(pins.of("libhello.so").collect::<Vec<_>>(), [Digest::of(b"1"), Digest::of(b"2")]);
        assert_eq!(pins.of("hello.so").count(), 0);
    }
}
