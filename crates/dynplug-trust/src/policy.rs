//! What a host wants to be true of a file before it lets it in.

use crate::comment::Comment;
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::owner::only_owner_writes;
use crate::pins::Pins;
use crate::signature::{Signature, signature_file};
use crate::time::Moment;
use crate::untrusted::Untrusted;
use dynplug_manifest::Manifest;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

/// What a host wants to be true of a file before it lets it in.
///
/// A file is vouched for when it is pinned by its hash, or when one of the keys has signed it. Where something is pinned for
/// its name, or for that of the link by which it is opened, that decides. The rest only refuses: bytes that are denied, and files to which others can write.
///
/// # Examples
///
/// ```no_run
/// use dynplug_trust::{Pins, Policy, PublicKey};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let old = PublicKey::read("keys/2025.pub")?.named("2025").until("2026-06-30".parse()?);
/// let new = PublicKey::read("keys/2026.pub")?.named("2026");
/// let policy = Policy::new().key(old).key(new).pins(Pins::read("plugins.sha256")?).only_owner_writes();
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Policy {
    keys: Vec<PublicKey>,
    pins: Pins,
    denied: BTreeSet<Digest>,
    only_owner_writes: bool,
    libraries: BTreeSet<String>,
}

/// Who speaks for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Vouched {
    /// A key has signed it.
    Signature {
        /// The key, with the name that the policy gives it.
        key: PublicKey,
        /// What was signed along with the file.
        comment: Comment,
    },
    /// Its hash is pinned.
    Pin,
    /// Nobody, and the policy didn't ask for it.
    Nobody,
}

/// What is known of a file that a policy has let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voucher {
    by: Vouched,
    file_name: String,
    digest: Option<Digest>,
    only_owner_writes: bool,
}

/// A file that was let in, as far as that can be told from its bytes alone: what its signature says of it is to be compared
/// with its manifest.
#[derive(Debug)]
pub struct Judged {
    voucher: Voucher,
    signature: Option<PathBuf>,
}

impl Policy {
    /// A policy that lets in everything, and vouches for nothing.
    pub fn new() -> Policy {
        Policy::default()
    }

    /// Trusts what this key has signed. Several keys may be trusted, so that a new one counts before the old one ends.
    #[must_use]
    pub fn key(mut self, key: PublicKey) -> Policy {
        self.keys.push(key);
        self
    }

    /// Trusts what is pinned, and of a name that is pinned nothing else.
    #[must_use]
    pub fn pins(mut self, pins: Pins) -> Policy {
        self.pins.extend(pins);
        self
    }

    /// Never lets in these bytes, whoever has signed them: versions that are known to be bad.
    #[must_use]
    pub fn deny(mut self, digests: impl IntoIterator<Item = Digest>) -> Policy {
        self.denied.extend(digests);
        self
    }

    /// Lets in only files to which nobody but this process's user and the administrator can write, in folders of which the
    /// same is true up to the top, as [`only_owner_writes`](crate::only_owner_writes) says.
    #[must_use]
    pub fn only_owner_writes(mut self) -> Policy {
        self.only_owner_writes = true;
        self
    }

    /// Lets plugins bring this library of the system into the process, such as `libz.so.1`, with whatever it needs itself.
    /// It is taken from wherever the system's loader finds it.
    #[must_use]
    pub fn library(mut self, name: impl Into<String>) -> Policy {
        self.libraries.insert(name.into());
        self
    }

    /// Whether there is anything for which it could vouch.
    pub fn vouches(&self) -> bool {
        !self.keys.is_empty() || !self.pins.is_empty()
    }

    /// Whether plugins may bring this library of the system.
    pub fn lets_in_library(&self, name: &str) -> bool {
        self.libraries.contains(name)
    }

    /// Makes sure of who can write to a file, if that matters. `canonical` leads to it and `metadata` is that of the open
    /// file.
    ///
    /// # Errors
    ///
    /// When somebody else can.
    pub fn ask_for_owner(&self, canonical: &Path, metadata: &Metadata) -> Result<(), Untrusted> {
        match self.only_owner_writes {
            true => only_owner_writes(canonical, metadata).map_err(Untrusted::Writable),
            false => Ok(()),
        }
    }

    /// Looks at the bytes of a file, and at the signature beside it: beside the file itself or, where there is none, beside
    /// the link that leads to it. `path` is as it was asked for, `canonical` leads to the file.
    ///
    /// # Errors
    ///
    /// When the policy doesn't let them in.
    pub fn judge(&self, path: &Path, canonical: &Path, bytes: &[u8]) -> Result<Judged, Untrusted> {
        self.judge_at(path, canonical, bytes, Moment::now())
    }

    fn judge_at(
        &self,
        path: &Path,
        canonical: &Path,
        bytes: &[u8],
        now: Moment,
    ) -> Result<Judged, Untrusted> {
        let file_name = name_of(canonical);
        let names = [&*name_of(path), &*file_name];
        let is_hashed = !self.pins.is_empty() || !self.denied.is_empty();
        let digest = is_hashed.then(|| Digest::of(bytes));
        if let Some(digest) = digest.filter(|digest| self.denied.contains(digest)) {
            return Err(Untrusted::Denied { digest });
        }
        let (by, signature) = if let Some(digest) = digest.filter(|_| self.decides_by_pin(names)) {
            (self.pinned(names, digest)?, None)
        } else if self.keys.is_empty() {
            (Vouched::Nobody, None)
        } else {
            let (by, signature) = self.signed(path, canonical, bytes, now)?;
            (by, Some(signature))
        };
        let only_owner_writes = self.only_owner_writes;
        Ok(Judged { voucher: Voucher { by, file_name, digest, only_owner_writes }, signature })
    }

    /// Whether a file of these names is let in by its hash or not at all. Of both names, since a link that takes the place of a
    /// pinned file would otherwise lead to whatever else is signed.
    fn decides_by_pin(&self, names: [&str; 2]) -> bool {
        names.iter().any(|name| self.pins.of(name).next().is_some())
            || (self.keys.is_empty() && !self.pins.is_empty())
    }

    fn pinned(&self, names: [&str; 2], have: Digest) -> Result<Vouched, Untrusted> {
        let mut is_pinned = false;
        for name in names {
            let want: Vec<Digest> = self.pins.of(name).collect();
            if !want.is_empty() && !want.contains(&have) {
                return Err(Untrusted::PinnedOtherwise { have, want });
            }
            is_pinned |= !want.is_empty();
        }
        if is_pinned { Ok(Vouched::Pin) } else { Err(Untrusted::NotPinned { have }) }
    }

    fn signed(
        &self,
        path: &Path,
        canonical: &Path,
        bytes: &[u8],
        now: Moment,
    ) -> Result<(Vouched, PathBuf), Untrusted> {
        let mut place = signature_file(canonical);
        let mut read = Signature::read(&place);
        let by_link = signature_file(path);
        if matches!(read, Ok(None)) && by_link != place {
            let beside = Signature::read(&by_link);
            if !matches!(beside, Ok(None)) {
                (place, read) = (by_link, beside);
            }
        }
        let signature = match read {
            Ok(Some(signature)) => signature,
            Ok(None) => return Err(Untrusted::Unsigned { signature: place }),
            Err(source) => return Err(Untrusted::Signature { signature: place, source }),
        };
        let mut named = self.keys.iter().filter(|key| key.id() == signature.key_id()).peekable();
        let Some(first) = named.peek().copied() else {
            let (key, trusted) = (signature.key_id(), self.keys.clone());
            return Err(Untrusted::UnknownKey { signature: place, key, trusted });
        };
        // Ids may be equal by design. Of one key that stands there twice, the later end counts.
        let good = named.filter(|key| signature.is_good(key, bytes));
        let Some(key) = good.max_by_key(|key| (key.expires().is_none(), key.expires())) else {
            return Err(Untrusted::Altered { signature: place, key: Box::new(first.clone()) });
        };
        let comment = signature.comment();
        self.is_in_time(key, &comment, &place, now)?;
        Ok((Vouched::Signature { key: key.clone(), comment }, place))
    }

    fn is_in_time(
        &self,
        key: &PublicKey,
        comment: &Comment,
        place: &Path,
        now: Moment,
    ) -> Result<(), Untrusted> {
        let (signature, of) = (place.to_owned(), Box::new(key.clone()));
        if let Some(at) = key.expires().filter(|at| *at < now) {
            return Err(Untrusted::KeyExpired { key: of, at });
        }
        match comment.expires() {
            Ok(Some(at)) if at < now => Err(Untrusted::SignatureExpired { signature, key: of, at }),
            Ok(_) => Ok(()),
            Err(claim) => Err(Untrusted::Comment { signature, key: of, claims: vec![claim] }),
        }
    }

    /// Whether it lets in what was opened before, by what was found out then. `path` is the one by which it is asked for now.
    ///
    /// # Errors
    ///
    /// When it doesn't, or when that can't be told, since another policy looked at other things.
    pub fn accepts(&self, path: &Path, voucher: &Voucher) -> Result<(), Untrusted> {
        self.accepts_at(path, voucher, Moment::now())
    }

    fn accepts_at(&self, path: &Path, voucher: &Voucher, now: Moment) -> Result<(), Untrusted> {
        if self.only_owner_writes && !voucher.only_owner_writes {
            return Err(Untrusted::OpenedBefore);
        }
        let names = [&*name_of(path), &*voucher.file_name];
        let decides_by_pin = self.decides_by_pin(names);
        if let Some(digest) = voucher.digest {
            if self.denied.contains(&digest) {
                return Err(Untrusted::Denied { digest });
            }
            if decides_by_pin {
                return self.pinned(names, digest).map(drop);
            }
        } else if decides_by_pin || !self.denied.is_empty() {
            return Err(Untrusted::OpenedBefore);
        }
        if self.keys.is_empty() {
            return Ok(());
        }
        let Vouched::Signature { key, comment } = &voucher.by else { return Err(Untrusted::OpenedBefore) };
        let mine = self.keys.iter().filter(|mine| mine.is_same(key));
        match mine.max_by_key(|key| (key.expires().is_none(), key.expires())) {
            Some(mine) => self.is_in_time(mine, comment, &signature_file(Path::new(&voucher.file_name)), now),
            None => Err(Untrusted::OpenedBefore),
        }
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().map(OsStr::to_string_lossy).unwrap_or_default().into_owned()
}

impl Judged {
    /// Compares what the signature says of the file with what the file says of itself.
    ///
    /// # Errors
    ///
    /// When the signature is of another plugin, version, build or target.
    pub fn compare(self, manifest: &Manifest) -> Result<Voucher, Untrusted> {
        if let (Vouched::Signature { key, comment }, Some(signature)) = (&self.voucher.by, self.signature) {
            let claims = comment.contradictions(manifest);
            if !claims.is_empty() {
                return Err(Untrusted::Comment { signature, key: Box::new(key.clone()), claims });
            }
        }
        Ok(self.voucher)
    }
}

impl Voucher {
    /// Who speaks for the file.
    pub fn by(&self) -> &Vouched {
        &self.by
    }

    /// The SHA-256 of what was let in, where the policy had to know it: for pinned or denied hashes.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// The file's name.
    pub fn file_name(&self) -> &str {
        &self.file_name
    }
}

impl std::fmt::Display for Voucher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.by {
            Vouched::Signature { key, comment } => {
                write!(f, "signed with the key {key}")?;
                comment.signed().map_or(Ok(()), |at| write!(f, " on {at}"))
            }
            Vouched::Pin => f.write_str("pinned by its SHA-256"),
            Vouched::Nobody => f.write_str("nobody speaks for it"),
        }
    }
}

#[cfg(test)]
mod tests;
