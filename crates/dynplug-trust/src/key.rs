//! Public keys, as minisign writes them: a file of two lines, or the second of them alone.

use crate::time::Moment;
use base64ct::{Base64, Encoding};
use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

/// By what keys and signatures name a key. Two keys may have one by chance or by design: it proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub(crate) [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", u64::from_le_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A public key, with a name for people and the time until which it counts.
///
/// # Examples
///
/// ```
/// use dynplug_trust::PublicKey;
///
/// // What `minisign -G` prints, or the file that it writes.
/// let key: PublicKey = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".parse()?;
/// assert_eq!(key.id().to_string(), "E7620F1842B4E81F");
/// let key = key.named("releases of 2026").until("2027-03-01".parse().unwrap());
/// assert_eq!(key.to_string(), "`releases of 2026` (E7620F1842B4E81F)");
/// # Ok::<(), dynplug_trust::KeyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub(crate) key: minisign_verify::PublicKey,
    /// What `key` was made of, which doesn't tell.
    bytes: [u8; 42],
    name: Option<String>,
    expires: Option<Moment>,
}

/// Why a text or file is no public key.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum KeyError {
    /// The file can't be read.
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: Arc<io::Error>,
    },
    /// It is no public key of minisign's.
    Malformed {
        /// The file, where it is one.
        path: Option<PathBuf>,
    },
    /// It is a secret key, which no host should have.
    Secret {
        /// The file, where it is one.
        path: Option<PathBuf>,
    },
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |path: &Option<PathBuf>| {
            path.as_ref().map_or("the text".to_owned(), |path| path.display().to_string())
        };
        match self {
            KeyError::Read { path, source } => {
                write!(f, "cannot read the public key {}: {source}", path.display())
            }
            KeyError::Malformed { path } => write!(
                f,
                "{} is no public key: one has two lines, a comment and 56 letters that begin with `RW`, or only the \
                 second; `cargo dynplug keygen` and `minisign -G` write it to the file that ends in `.pub`",
                place(path)
            ),
            KeyError::Secret { path } => write!(
                f,
                "{} is a secret key, which only who signs should have; name the public one, which ends in `.pub`",
                place(path)
            ),
        }
    }
}

impl Error for KeyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            KeyError::Read { source, .. } => Some(&**source),
            _ => None,
        }
    }
}

impl PublicKey {
    /// Reads the key in a file.
    ///
    /// # Errors
    ///
    /// When the file can't be read, or is no public key of minisign's.
    pub fn read(path: impl AsRef<Path>) -> Result<PublicKey, KeyError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path)
            .map_err(|source| KeyError::Read { path: path.to_owned(), source: Arc::new(source) })?;
        text.parse().map_err(|error| match error {
            KeyError::Malformed { .. } => KeyError::Malformed { path: Some(path.to_owned()) },
            KeyError::Secret { .. } => KeyError::Secret { path: Some(path.to_owned()) },
            other => other,
        })
    }

    /// Gives it a name, which stands in errors and in what says who signed a plugin.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> PublicKey {
        PublicKey { name: Some(name.into()), ..self }
    }

    /// Lets it count until then: afterwards nothing that it has signed is trusted.
    #[must_use]
    pub fn until(self, moment: Moment) -> PublicKey {
        PublicKey { expires: Some(moment), ..self }
    }

    /// By what signatures name it.
    pub fn id(&self) -> KeyId {
        let mut id = [0; 8];
        self.bytes.iter().skip(2).zip(&mut id).for_each(|(byte, place)| *place = *byte);
        KeyId(id)
    }

    /// Its name, where it was given one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Until when it counts; for ever, where that wasn't said.
    pub fn expires(&self) -> Option<Moment> {
        self.expires
    }

    /// The key in one line of letters.
    pub fn base64(&self) -> String {
        Base64::encode_string(&self.bytes)
    }

    /// Whether it is the same key, whatever its name and its time.
    pub fn is_same(&self, other: &PublicKey) -> bool {
        self.bytes == other.bytes
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "`{name}` ({})", self.id()),
            None => self.id().fmt(f),
        }
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<PublicKey, KeyError> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let last = lines.next_back().unwrap_or_default();
        let comment = lines.next_back();
        let is_comment = |line: &str| line.starts_with("untrusted comment:");
        // minisign's secret keys have 158 bytes behind the same first two.
        if last.len() > 200 && last.starts_with("RWQ") {
            return Err(KeyError::Secret { path: None });
        }
        let malformed = || KeyError::Malformed { path: None };
        if lines.next().is_some() || comment.is_some_and(|line| !is_comment(line)) {
            return Err(malformed());
        }
        let mut bytes = [0; 42];
        match Base64::decode(last, &mut bytes) {
            Ok(decoded) if decoded.len() == 42 => {}
            _ => return Err(malformed()),
        }
        let key = minisign_verify::PublicKey::from_base64(last).map_err(|_| malformed())?;
        Ok(PublicKey { key, bytes, name: None, expires: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

    #[test]
    fn a_file_and_its_second_line_are_the_same_key() {
        let alone: PublicKey = KEY.parse().unwrap();
        let file = format!("untrusted comment: minisign public key E7620F1842B4E81F\r\n{KEY}\n\n");
        assert_eq!(file.parse::<PublicKey>().unwrap(), alone);
        assert_eq!(alone.base64(), KEY);
        assert!(alone.is_same(&alone.clone().named("releases")));
    }

    #[test]
    fn what_is_no_key_is_told() {
        let pair = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
        let secret = pair.sk.to_box(None).unwrap().to_string();
        assert!(matches!(secret.parse::<PublicKey>(), Err(KeyError::Secret { .. })));
        for bad in
            ["", "a", KEY.get(1..).unwrap(), &format!("x\n{KEY}"), &format!("a\nb\n{KEY}"), &KEY.repeat(2)]
        {
            assert!(matches!(bad.parse::<PublicKey>(), Err(KeyError::Malformed { .. })), "{bad}");
        }
        let missing = PublicKey::read("/nowhere/a.pub").unwrap_err();
        assert!(missing.to_string().contains("/nowhere/a.pub"), "{missing}");
    }
}
