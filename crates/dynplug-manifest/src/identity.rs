//! The hash that says which build something is.

use std::fmt;
use std::str::FromStr;

/// Which build of an API library or plugin something is: a SHA-256 over what was compiled.
///
/// Displayed and parsed as 64 hexadecimal digits.
///
/// # Examples
///
/// ```
/// use dynplug_manifest::Identity;
///
/// let identity = Identity([0xab; 32]);
/// assert_eq!(identity.short(), "abababababababab");
/// assert_eq!(identity.to_string().parse(), Ok(identity));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Identity(pub [u8; 32]);

impl Identity {
    /// The identity of something that has none, such as a host.
    pub const ZERO: Identity = Identity([0; 32]);

    /// The first 16 hexadecimal digits: enough to tell builds apart where space is short.
    pub fn short(&self) -> String {
        let mut digits = self.to_string();
        digits.truncate(16);
        digits
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({self})")
    }
}

impl FromStr for Identity {
    type Err = ParseIdentityError;

    fn from_str(text: &str) -> Result<Identity, ParseIdentityError> {
        let digits = text.as_bytes();
        let (pairs, []) = digits.as_chunks::<2>() else {
            return Err(ParseIdentityError::Length { have: digits.len() });
        };
        let pairs: &[[u8; 2]; 32] =
            pairs.try_into().map_err(|_| ParseIdentityError::Length { have: digits.len() })?;
        let mut bytes = [0; 32];
        for (i, (byte, &[high, low])) in bytes.iter_mut().zip(pairs).enumerate() {
            let nibble = |digit: u8, offset| {
                // A `char` has a hexadecimal value below 16, so that the conversion cannot lose anything.
                char::from(digit)
                    .to_digit(16)
                    .map(|value| value as u8)
                    .ok_or(ParseIdentityError::Digit { offset })
            };
            *byte = nibble(high, 2 * i)? << 4 | nibble(low, 2 * i + 1)?;
        }
        Ok(Identity(bytes))
    }
}

/// Why a text is no [`Identity`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseIdentityError {
    /// It does not have 64 digits.
    Length {
        /// How many bytes it has.
        have: usize,
    },
    /// Something in it is no hexadecimal digit.
    Digit {
        /// The byte at which that is.
        offset: usize,
    },
}

impl fmt::Display for ParseIdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseIdentityError::Length { have } => {
                write!(f, "an identity has 64 hexadecimal digits and this has {have} bytes")
            }
            ParseIdentityError::Digit { offset } => {
                write!(f, "what stands at offset {offset} of the identity is no hexadecimal digit")
            }
        }
    }
}

impl std::error::Error for ParseIdentityError {}
