//! On what terms a file is opened: what is mapped, and whom the host trusts.

#[cfg(feature = "trust")]
use crate::error::OpenError;
use crate::loader::Load;
#[cfg(feature = "trust")]
use crate::open::Found;
#[cfg(feature = "trust")]
use crate::plugin::Plugin;
#[cfg(feature = "trust")]
use crate::system;
use dynplug_manifest::Identity;
#[cfg(feature = "trust")]
use dynplug_manifest::Manifest;
#[cfg(feature = "trust")]
use dynplug_trust::{Judged, Policy, Untrusted, Voucher};
use std::path::Path;
#[cfg(all(feature = "process", target_os = "linux"))]
use std::path::PathBuf;
#[cfg(feature = "trust")]
use std::sync::Arc;

/// On what terms a file is opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Terms {
    pub(crate) load: Load,
    /// Where libraries of plugins are that don't lie beside them.
    #[cfg(all(feature = "process", target_os = "linux"))]
    pub(crate) libraries: Vec<(Identity, PathBuf)>,
    #[cfg(feature = "trust")]
    pub(crate) policy: Option<Arc<Policy>>,
}

impl Terms {
    /// Those of [`Plugin::open`](crate::Plugin::open).
    pub(crate) const DEFAULT: Terms = Terms {
        load: Load::PrivateCopy,
        #[cfg(all(feature = "process", target_os = "linux"))]
        libraries: Vec::new(),
        #[cfg(feature = "trust")]
        policy: None,
    };

    /// Where a plugin's library is, if it doesn't lie beside it.
    pub(crate) fn library(&self, id: Identity) -> Option<&Path> {
        #[cfg(all(feature = "process", target_os = "linux"))]
        return self.libraries.iter().find(|(own, _)| *own == id).map(|(_, path)| path.as_path());
        #[cfg(not(all(feature = "process", target_os = "linux")))]
        {
            let _ = id;
            None
        }
    }

    /// Whether the copy that is mapped has to be compared with what was looked at.
    #[cfg_attr(not(any(target_os = "linux", target_os = "macos")), allow(dead_code))]
    pub(crate) fn is_compared(&self) -> bool {
        #[cfg(feature = "trust")]
        return self.policy.is_some();
        #[cfg(not(feature = "trust"))]
        false
    }
}

#[cfg(feature = "trust")]
impl Terms {
    /// Whether the policy, if there is one, can be kept at all.
    pub(crate) fn can_be_kept(&self) -> Result<(), Untrusted> {
        let is_copied = self.load == Load::PrivateCopy && system::HAS_PRIVATE_COPIES;
        if self.policy.is_some() && !is_copied { Err(Untrusted::InPlace) } else { Ok(()) }
    }

    /// Asks the policy for a file that was read, before anything in it is believed.
    pub(crate) fn judge(
        &self,
        path: &Path,
        found: &Found,
        bytes: &[u8],
    ) -> Result<Option<Judged>, OpenError> {
        let Some(policy) = &self.policy else { return Ok(None) };
        let judged = self
            .can_be_kept()
            .and_then(|()| policy.ask_for_owner(&found.canonical, &found.metadata))
            .and_then(|()| policy.judge(path, &found.canonical, bytes));
        judged.map(Some).map_err(|reason| untrusted(path, reason))
    }

    /// Asks the policy for what is open already.
    pub(crate) fn accept(&self, path: &Path, plugin: &Plugin) -> Result<(), OpenError> {
        let Some(policy) = self.policy.as_deref().filter(|_| !plugin.is_linked_in()) else { return Ok(()) };
        let accepted = match plugin.found_out() {
            Some(voucher) => policy.accepts(path, voucher),
            None => Err(Untrusted::OpenedBefore),
        };
        accepted.map_err(|reason| untrusted(path, reason))
    }

    /// Makes sure that mapping a file brings nothing along that nobody speaks for: all that it needs is in the process, or the
    /// policy has named it. `is_there` says of a library whether the first is so.
    pub(crate) fn lets_in(
        &self,
        path: &Path,
        needed: &[String],
        is_there: impl Fn(&str) -> bool,
    ) -> Result<(), OpenError> {
        let Some(policy) = &self.policy else { return Ok(()) };
        match needed.iter().find(|name| !is_there(name) && !policy.lets_in_library(name)) {
            Some(name) => Err(untrusted(path, Untrusted::Library { library: name.clone() })),
            None => Ok(()),
        }
    }
}

/// Compares what the signature of a file says with what the file says of itself.
#[cfg(feature = "trust")]
pub(crate) fn compared(
    path: &Path,
    judged: Option<Judged>,
    manifest: &Manifest,
) -> Result<Option<Voucher>, OpenError> {
    judged.map(|judged| judged.compare(manifest)).transpose().map_err(|reason| untrusted(path, reason))
}

/// The error of a file that a policy doesn't let in.
#[cfg(feature = "trust")]
#[cold]
pub(crate) fn untrusted(path: &Path, reason: Untrusted) -> OpenError {
    OpenError::Untrusted { path: path.to_owned(), reason: Box::new(reason) }
}
