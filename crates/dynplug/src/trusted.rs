//! Loaders with a policy, and what opening by them without `unsafe` rests on.

use crate::discover::Discovery;
use crate::error::OpenError;
use crate::loader::{Loader, NotAllOpened, Opened};
use crate::plugin::Plugin;
use dynplug_trust::{Policy, Untrusted};
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl Loader {
    /// Lets in only what this policy lets in. The file is asked about before anything in it is believed, and what was asked
    /// about is what is mapped. Libraries that plugins share fall under the policy like plugins. A library of the system
    /// that isn't in the process yet is let in when the policy names it.
    ///
    /// Plugins that are linked in are part of the program, and no policy is asked about them.
    ///
    /// While the policy looks at a large file, a thread makes the copy. It has ended when the open returns, and where there
    /// can be no more threads, one is made after the other.
    ///
    /// # Examples
    ///
    /// ```
    /// use dynplug::trust::{Policy, PublicKey};
    /// use dynplug::Loader;
    ///
    /// let key: PublicKey = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".parse()?;
    /// let loader = Loader::new().beside_program().policy(Policy::new().key(key.named("releases")));
    /// # Ok::<(), dynplug::trust::KeyError>(())
    /// ```
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Loader {
        self.terms.policy = Some(Arc::new(policy));
        self
    }

    /// A loader that opens plugins without `unsafe`: what the policy vouches for.
    ///
    /// # Errors
    ///
    /// When there is no policy, or one that has neither keys nor pinned hashes; and when files are to be mapped in place,
    /// or this system has no private copies.
    ///
    /// # Safety
    ///
    /// Whatever the policy vouches for must be an honest product of `cargo dynplug build`: what its keys sign and what is
    /// pinned, as long as the loader lives. The libraries that the policy names must be sound to load, from wherever the
    /// system's loader takes them.
    ///
    /// That is what [`Loader::open`] asks at each open. It can't be checked, so somebody has to promise it; but with a policy
    /// it is a promise about people and not about files, and is made once, where the keys are chosen. The opens need no
    /// promise of their own, because
    ///
    /// - they open nothing that the policy doesn't vouch for. A file is read once. The signature is checked over these bytes,
    ///   they are proven to fit this process, and a sealed copy of them is compared with them and mapped; the file is not
    ///   looked at again.
    /// - what a file brings along is vouched for as well, is in the process already, or was named by the policy.
    /// - what was opened before by other loaders is given out only if this policy vouches for it by what was found out then.
    ///
    /// A policy alone is not enough for that, since safe code can make one that trusts any key.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use dynplug::Loader;
    /// use dynplug::trust::{Policy, PublicKey};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let policy = Policy::new().key(PublicKey::read("release.pub")?.named("releases"));
    /// // SAFETY: we sign only what our own build has made.
    /// let loader = unsafe { Loader::new().beside_program().policy(policy).trusted() }?;
    ///
    /// let plugin = loader.open("hello")?;
    /// println!("{}", plugin.voucher().map(ToString::to_string).unwrap_or_default());
    /// # Ok(())
    /// # }
    /// ```
    pub unsafe fn trusted(self) -> Result<TrustedLoader, Untrusted> {
        self.terms.can_be_kept()?;
        match &self.terms.policy {
            Some(policy) if policy.vouches() => Ok(TrustedLoader { loader: self }),
            _ => Err(Untrusted::VouchesForNothing),
        }
    }
}

/// A loader that opens what its policy vouches for, and nothing else; made by [`Loader::trusted`].
#[derive(Debug, Clone)]
pub struct TrustedLoader {
    /// Its policy vouches for something, and whoever made it has promised that this is honest.
    loader: Loader,
}

impl TrustedLoader {
    /// Opens a plugin by its name or its path, as [`Loader::open`] does.
    ///
    /// # Errors
    ///
    /// As for [`Loader::open`]; and [`OpenError::Untrusted`] when the policy doesn't vouch for the file, or for what it
    /// brings along.
    pub fn open(&self, plugin: impl AsRef<Path>) -> Result<&'static Plugin, OpenError> {
        // SAFETY: the policy vouches for all that this opens, and who made the loader has promised that what it vouches for
        // is honest. Nothing is mapped in place.
        unsafe { self.loader.open(plugin) }
    }

    /// Opens all plugins that [`discover`](Self::discover) finds, as [`Loader::open_all`] does.
    ///
    /// # Errors
    ///
    /// As for [`Loader::open_all`].
    pub fn open_all(&self) -> Result<Opened, NotAllOpened> {
        // SAFETY: as in `open`.
        unsafe { self.loader.open_all() }
    }

    /// What [`Loader::discover`] finds. Files that the policy doesn't vouch for are among what does not fit.
    pub fn discover(&self) -> Discovery {
        self.loader.discover()
    }

    /// The folders that are searched, in their order.
    pub fn folders(&self) -> &[PathBuf] {
        self.loader.folders()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::loader::Load;
    use dynplug_trust::{Digest, Pins};

    fn pinned() -> Policy {
        let mut pins = Pins::new();
        pins.add("libhello.so", Digest::of(b"x"));
        Policy::new().pins(pins)
    }

    fn refusal(loader: Loader) -> Untrusted {
        // SAFETY: nothing is opened.
        unsafe { loader.trusted() }.unwrap_err()
    }

    #[test]
    fn only_a_policy_that_vouches_and_private_copies_need_no_unsafe() {
        assert!(matches!(refusal(Loader::new()), Untrusted::VouchesForNothing));
        assert!(matches!(refusal(Loader::new().policy(Policy::new())), Untrusted::VouchesForNothing));
        let denying = Policy::new().only_owner_writes().deny([Digest::of(b"x")]);
        assert!(matches!(refusal(Loader::new().policy(denying)), Untrusted::VouchesForNothing));
        for loader in [
            Loader::new().load(Load::InPlace).policy(pinned()),
            Loader::new().policy(pinned()).load(Load::InPlace),
        ] {
            assert!(matches!(refusal(loader), Untrusted::InPlace));
        }
        // SAFETY: nothing is opened.
        unsafe { Loader::new().policy(pinned()).trusted() }.unwrap();
    }
}
