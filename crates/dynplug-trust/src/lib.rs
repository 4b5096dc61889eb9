//! Whom a host trusts: signatures in the format of [minisign](https://jedisct1.github.io/minisign/), pinned hashes, and
//! who may write to a plugin's file. The runtime asks a [`Policy`] before it maps anything; `cargo dynplug sign` and `pin`
//! make what the policy looks at.
//!
//! There is no cryptography here: Ed25519 and BLAKE2b are those of `minisign-verify`, SHA-256 is that of `sha2`.
//!
//! # Examples
//!
//! ```
//! use dynplug_trust::{Policy, PublicKey, Untrusted};
//! use std::path::Path;
//!
//! let key: PublicKey = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".parse()?;
//! let policy = Policy::new().key(key.named("releases"));
//!
//! // Nothing lies beside the file that speaks for it.
//! let file = Path::new("/nowhere/libhello.so");
//! let refusal = policy.judge(file, file, b"what was read").unwrap_err();
//! assert!(matches!(refusal, Untrusted::Unsigned { .. }));
//! # Ok::<(), dynplug_trust::KeyError>(())
//! ```

mod comment;
mod digest;
mod key;
mod owner;
mod pins;
mod policy;
mod signature;
mod time;
mod untrusted;

pub use comment::{Claim, Comment};
pub use digest::{Digest, DigestError};
pub use key::{KeyError, KeyId, PublicKey};
pub use owner::{OwnerError, Who, only_owner_writes};
pub use pins::{Pins, PinsError};
pub use policy::{Judged, Policy, Vouched, Voucher};
pub use signature::{Signature, SignatureError, signature_file};
pub use time::{Moment, MomentError};
pub use untrusted::Untrusted;
