//! Why a policy refuses a file, as data. Each reason has a code, and its row in the table of
//! [`dynplug_manifest::diagnostics`].

use crate::comment::Claim;
use crate::digest::Digest;
use crate::key::{KeyId, PublicKey};
use crate::owner::OwnerError;
use crate::signature::SignatureError;
use crate::time::Moment;
use dynplug_manifest::diagnostics::Code;
use std::error::Error;
use std::fmt;
use std::path::PathBuf;

/// Why a policy refuses a file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Untrusted {
    /// Nothing lies beside the file that speaks for it.
    Unsigned {
        /// Where the signature would lie.
        signature: PathBuf,
    },
    /// There is a signature that can't be checked.
    Signature {
        /// Its file.
        signature: PathBuf,
        /// Why.
        source: SignatureError,
    },
    /// The file is signed with a key that the policy doesn't know.
    UnknownKey {
        /// The signature's file.
        signature: PathBuf,
        /// The key that it names.
        key: KeyId,
        /// The keys that the policy knows.
        trusted: Vec<PublicKey>,
    },
    /// A key of the policy has signed other bytes, or another comment, than are there.
    Altered {
        /// The signature's file.
        signature: PathBuf,
        /// The key.
        key: Box<PublicKey>,
    },
    /// The signature's comment is for another file than this.
    Comment {
        /// The signature's file.
        signature: PathBuf,
        /// The key.
        key: Box<PublicKey>,
        /// What isn't so.
        claims: Vec<Claim>,
    },
    /// The key no longer counts.
    KeyExpired {
        /// The key.
        key: Box<PublicKey>,
        /// Until when it did.
        at: Moment,
    },
    /// The signature no longer counts.
    SignatureExpired {
        /// The signature's file.
        signature: PathBuf,
        /// The key.
        key: Box<PublicKey>,
        /// Until when it did.
        at: Moment,
    },
    /// Other bytes are pinned for a file of this name.
    PinnedOtherwise {
        /// The hash of the file.
        have: Digest,
        /// Those that are pinned.
        want: Vec<Digest>,
    },
    /// Only what is pinned is trusted, and nothing is pinned for a file of this name.
    NotPinned {
        /// The hash of the file.
        have: Digest,
    },
    /// The policy has these bytes among those that it never lets in.
    Denied {
        /// Their hash.
        digest: Digest,
    },
    /// Somebody else can write to the file, or to a folder above it.
    Writable(OwnerError),
    /// It needs a library of the system that isn't in the process yet, and for which nobody speaks.
    Library {
        /// The name by which the loader would look for it.
        library: String,
    },
    /// It is open in this process, and was opened under another policy or under none.
    OpenedBefore,
    /// The policy can speak for no file: it has neither keys nor pinned hashes.
    VouchesForNothing,
    /// What is checked and what is mapped are the same only in a private copy, and the file itself is to be mapped, or this
    /// system has no private copies.
    InPlace,
}

impl Untrusted {
    /// Its row in the table of refusals.
    pub fn code(&self) -> Code {
        match self {
            Untrusted::Unsigned { .. } => Code::Unsigned,
            Untrusted::Signature { .. } => Code::BadSignature,
            Untrusted::UnknownKey { .. } => Code::UnknownKey,
            Untrusted::Altered { .. } => Code::Altered,
            Untrusted::Comment { .. } => Code::WrongComment,
            Untrusted::KeyExpired { .. } | Untrusted::SignatureExpired { .. } => Code::Expired,
            Untrusted::PinnedOtherwise { .. } | Untrusted::NotPinned { .. } => Code::NotPinned,
            Untrusted::Denied { .. } => Code::Denied,
            Untrusted::Writable(_) => Code::WritableByOthers,
            Untrusted::Library { .. } => Code::UntrustedLibrary,
            Untrusted::OpenedBefore => Code::OpenedBefore,
            Untrusted::VouchesForNothing | Untrusted::InPlace => Code::Policy,
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> String {
        let file = |path: &PathBuf| path.with_extension("").display().to_string();
        let diagnostic = self.code().diagnostic();
        match self {
            Untrusted::Unsigned { signature }
            | Untrusted::Signature { signature, .. }
            | Untrusted::UnknownKey { signature, .. }
            | Untrusted::Altered { signature, .. }
            | Untrusted::Comment { signature, .. }
            | Untrusted::SignatureExpired { signature, .. } => {
                diagnostic.remedy_for(false, &[("file", &file(signature))])
            }
            Untrusted::Writable(OwnerError::Writable { path, .. }) => {
                diagnostic.remedy_for(false, &[("path", &path.display().to_string())])
            }
            Untrusted::Library { library } => diagnostic.remedy_for(false, &[("library", library)]),
            _ => diagnostic.remedy.to_owned(),
        }
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Untrusted::Unsigned { signature } => {
                write!(f, "nobody has signed it: there is no {}", signature.display())
            }
            Untrusted::Signature { signature, source } => {
                write!(f, "the signature {} can't be checked: {source}", signature.display())
            }
            Untrusted::UnknownKey { signature, key, trusted } => {
                write!(f, "{} is made with the key {key}, and those that count are ", signature.display())?;
                for (place, key) in trusted.iter().enumerate() {
                    write!(f, "{}{key}", if place == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Untrusted::Altered { signature, key } => write!(
                f,
                "it isn't what the key {key} has signed: the file or its signature {} was altered",
                signature.display()
            ),
            Untrusted::Comment { signature, key, claims } => {
                write!(
                    f,
                    "the comment in {}, signed with the key {key}, is of another file: ",
                    signature.display()
                )?;
                for (place, claim) in claims.iter().enumerate() {
                    write!(f, "{}{claim}", if place == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Untrusted::KeyExpired { key, at } => {
                write!(f, "the key {key} that has signed it counted until {at}")
            }
            Untrusted::SignatureExpired { signature, key, at } => {
                write!(f, "the signature {} of the key {key} counted until {at}", signature.display())
            }
            Untrusted::PinnedOtherwise { have, want } => {
                write!(f, "its SHA-256 is {have}, and pinned for a file of its name is ")?;
                for (place, digest) in want.iter().enumerate() {
                    write!(f, "{}{digest}", if place == 0 { "" } else { " or " })?;
                }
                Ok(())
            }
            Untrusted::NotPinned { have } => {
                write!(f, "its SHA-256 is {have}, and nothing is pinned for a file of its name")
            }
            Untrusted::Denied { digest } => {
                write!(f, "its SHA-256 {digest} is among those that are never let in")
            }
            Untrusted::Writable(error) => write!(f, "{error}"),
            Untrusted::Library { library } => write!(
                f,
                "it needs the library `{library}`, which isn't in the process and for which nobody speaks"
            ),
            Untrusted::OpenedBefore => {
                f.write_str("it is open in this process already, under another policy or under none")
            }
            Untrusted::VouchesForNothing => f.write_str(
                "the policy has neither keys nor pinned hashes, so there is nothing that it would trust",
            ),
            Untrusted::InPlace => f.write_str(
                "a policy wants a private copy, since the file itself may be changed after it was checked",
            ),
        }?;
        write!(f, "; {}", self.remedy())
    }
}

impl Error for Untrusted {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Untrusted::Signature { source, .. } => Some(source),
            Untrusted::Writable(source) => Some(source),
            _ => None,
        }
    }
}
