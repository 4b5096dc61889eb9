//! Detached signatures: `libhello.so.minisig` beside `libhello.so`.

use crate::comment::Comment;
use crate::key::{KeyId, PublicKey};
use base64ct::{Base64, Encoding};
use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the signature of a file lies: beside it, by its name with `.minisig` behind.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// let file = dynplug_trust::signature_file(Path::new("plugins/libhello.so"));
/// assert_eq!(file, Path::new("plugins/libhello.so.minisig"));
/// ```
pub fn signature_file(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".minisig");
    PathBuf::from(name)
}

/// The largest file that is read: minisign's comments end before 8,192 bytes.
const LARGEST: u64 = 32 << 10;

/// A signature of which nobody has said yet that it is good.
#[derive(Clone)]
pub struct Signature {
    signature: minisign_verify::Signature,
    key: KeyId,
}

/// Why there is no signature that could be checked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SignatureError {
    /// The file can't be read.
    Read(Arc<io::Error>),
    /// It is no signature of minisign's.
    Malformed,
    /// It is one in the format of minisign before 0.6, or of `minisign -Sl`, which signs the file itself and not its hash.
    Legacy,
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SignatureError::Read(source) => write!(f, "it can't be read: {source}"),
            SignatureError::Malformed => f.write_str("it is no signature of minisign's"),
            SignatureError::Legacy => f.write_str(
                "it is in minisign's old format, in which a signature of one file can be made to look like that of another",
            ),
        }
    }
}

impl Error for SignatureError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            SignatureError::Read(source) => Some(&**source),
            _ => None,
        }
    }
}

impl Signature {
    /// Reads what a signature's file holds.
    ///
    /// # Errors
    ///
    /// When it is no signature of minisign's, or one in its old format.
    pub fn parse(text: &str) -> Result<Signature, SignatureError> {
        let malformed = |_| SignatureError::Malformed;
        let signature = minisign_verify::Signature::decode(text).map_err(|_| SignatureError::Malformed)?;
        let line = text.lines().nth(1).unwrap_or_default();
        let mut bytes = [0; 74];
        match Base64::decode(line, &mut bytes).map_err(malformed)? {
            [b'E', b'D', rest @ ..] => match rest.first_chunk() {
                Some(id) if rest.len() == 72 => Ok(Signature { signature, key: KeyId(*id) }),
                _ => Err(SignatureError::Malformed),
            },
            [b'E', b'd', ..] => Err(SignatureError::Legacy),
            _ => Err(SignatureError::Malformed),
        }
    }

    /// Reads the signature in a file; none where there is no such file.
    ///
    /// # Errors
    ///
    /// When the file can't be read or is no signature.
    pub fn read(path: &Path) -> Result<Option<Signature>, SignatureError> {
        let read = || -> io::Result<Option<String>> {
            let of_a_file = |metadata: io::Result<Metadata>| match metadata {
                Ok(metadata) if metadata.is_file() => Ok(()),
                Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")),
                Err(error) => Err(error),
            };
            // Asked before it is opened, since opening a device may do anything; and the file, which may be another by then.
            let file = match of_a_file(path.metadata()).and_then(|()| open(path)) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            of_a_file(file.metadata())?;
            let mut bytes = Vec::new();
            file.take(LARGEST + 1).read_to_end(&mut bytes)?;
            // What is too long or no text is no signature.
            Ok(Some(
                String::from_utf8(bytes).ok().filter(|text| text.len() as u64 <= LARGEST).unwrap_or_default(),
            ))
        };
        match read() {
            Ok(Some(text)) => Signature::parse(&text).map(Some),
            Ok(None) => Ok(None),
            Err(source) => Err(SignatureError::Read(Arc::new(source))),
        }
    }

    /// The key that it says it was made with.
    pub fn key_id(&self) -> KeyId {
        self.key
    }

    /// What is signed along with the file. It is to be believed when the signature is good.
    pub fn comment(&self) -> Comment {
        Comment::new(self.signature.trusted_comment())
    }

    /// Whether this is the key's signature of these bytes, and of the comment.
    pub fn is_good(&self, key: &PublicKey, bytes: &[u8]) -> bool {
        key.key.verify(bytes, &self.signature, false).is_ok()
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature").field("key", &self.key).field("comment", &self.comment()).finish()
    }
}

/// Without waiting for a writer, if it is a pipe after all.
fn open(path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)
    }
    #[cfg(not(unix))]
    File::open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From minisign's own documentation: the file `test`, in the old format.
    const LEGACY: &str = "untrusted comment: signature from minisign secret key
RWQf6LRCGA9i59SLOFxz6NxvASXDJeRtuZykwQepbDEGt87ig1BNpWaVWuNrm73YiIiJbq71Wi+dP9eKL8OC351vwIasSSbXxwA=
trusted comment: timestamp:1555779966\tfile:test
QtKMXWyYcwdpZAlPF7tE2ENJkRd1ujvKjlj1m9RtHTBnZPa5WKU5uWRs5GoP5M/VqE81QFuMKI5k/SfNQUaOAA==";
    const GOOD: &str = "untrusted comment: signature from minisign secret key
RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=
trusted comment: timestamp:1556193335\tfile:test
y/rUw2y8/hOUYjZU71eHp/Wo1KZ40fGy2VJEDl34XMJM+TX48Ss/17u3IvIfbVR1FkZZSNCisQbuQY+bHwhEBg==";

    fn key() -> PublicKey {
        "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".parse().unwrap()
    }

    #[test]
    fn one_that_minisign_made_is_good_for_its_file_and_comment_alone() {
        let signature = Signature::parse(GOOD).unwrap();
        assert_eq!(signature.key_id(), key().id());
        assert!(signature.is_good(&key(), b"test"));
        assert!(!signature.is_good(&key(), b"Test"));
        let other = Signature::parse(&GOOD.replace("file:test", "file:best")).unwrap();
        assert!(!other.is_good(&key(), b"test"));
        let other_key = minisign::KeyPair::generate_unencrypted_keypair().unwrap().pk.to_base64();
        assert!(!signature.is_good(&other_key.parse().unwrap(), b"test"));
    }

    #[test]
    fn the_old_format_and_what_is_none_are_told_apart() {
        assert!(matches!(Signature::parse(LEGACY), Err(SignatureError::Legacy)));
        for cut in 0..GOOD.len() - 1 {
            assert!(matches!(Signature::parse(&GOOD[..cut]), Err(SignatureError::Malformed)), "{cut}");
        }
        let other_algorithm = GOOD.replace("\nRUQ", "\nRUX");
        assert!(matches!(Signature::parse(&other_algorithm), Err(SignatureError::Malformed)));
    }

    #[test]
    fn files_that_are_none_are_errors_and_nobody_waits() {
        let folder = std::env::temp_dir().join(format!("dynplug-trust-signature-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (none, large, broken) = (folder.join("none"), folder.join("large"), folder.join("broken"));
        assert!(Signature::read(&none).unwrap().is_none());
        assert!(matches!(Signature::read(&folder), Err(SignatureError::Read(_))));
        std::fs::write(&large, format!("{GOOD}{}", "\n".repeat(40_000))).unwrap();
        assert!(matches!(Signature::read(&large), Err(SignatureError::Malformed)));
        std::fs::write(&broken, [0xff; 200]).unwrap();
        assert!(matches!(Signature::read(&broken), Err(SignatureError::Malformed)));
        #[cfg(unix)]
        {
            let pipe = folder.join("pipe");
            let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
            assert!(made.success());
            assert!(matches!(Signature::read(&pipe), Err(SignatureError::Read(_))));
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
