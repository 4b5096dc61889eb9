//! The SHA-256 of a file, as `sha256sum` writes it.

use dynplug_manifest::Identity;
use sha2::{Digest as _, Sha256};
use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// The SHA-256 of a file's bytes.
///
/// # Examples
///
/// ```
/// use dynplug_trust::Digest;
///
/// let digest = Digest::of(b"hello");
/// assert_eq!(digest.to_string(), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
/// assert_eq!(digest.to_string().parse(), Ok(digest));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// That of these bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Identity(self.0).fmt(f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is no SHA-256: it hasn't 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigestError;

impl fmt::Display for DigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a SHA-256 has 64 hexadecimal digits")
    }
}

impl Error for DigestError {}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Digest, DigestError> {
        text.parse::<Identity>().map(|digits| Digest(digits.0)).map_err(|_| DigestError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_another_length_or_other_letters_is_none() {
        let good = Digest::of(b"").to_string();
        assert_eq!(good.to_uppercase().parse(), Ok(Digest::of(b"")));
        for bad in ["", &good[1..], &format!("{good}0"), &good.replace('e', "g"), &"é".repeat(32)] {
            assert_eq!(bad.parse::<Digest>(), Err(DigestError), "{bad}");
        }
    }
}
