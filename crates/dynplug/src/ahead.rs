//! What is done with a file's bytes while a policy looks at them, which takes about as long as all the rest of an open: they are
//! copied and hashed by a thread of their own. Nothing in them is read as if it meant something, and nothing is mapped, before
//! the policy has spoken.

use crate::error::OpenError;
use crate::open::Found;
use crate::origin::Content;
use crate::system::{self, Sealed};
use crate::terms::Terms;
use dynplug_trust::Judged;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// What was made of a file's bytes meanwhile.
pub(crate) struct Ahead {
    pub(crate) content: Content,
    /// The private copy, where the system lets one be made before it is known what is in it.
    pub(crate) copy: Option<io::Result<Sealed>>,
}

/// From so many bytes on it pays to begin a thread, which takes some fifty microseconds.
const LARGE: usize = 256 << 10;

/// Asks the policy, if there is one, for a file that was read.
pub(crate) fn judge(
    path: &Path,
    found: &Found,
    bytes: &Arc<Vec<u8>>,
    terms: &Terms,
) -> Result<(Option<Judged>, Option<Ahead>), OpenError> {
    if terms.policy.is_none() || bytes.len() < LARGE {
        return Ok((terms.judge(path, found, bytes)?, None));
    }
    let prepare = {
        let (bytes, canonical, terms) = (bytes.clone(), found.canonical.clone(), terms.clone());
        move || Ahead { content: Content::of(&bytes), copy: system::seal(&bytes, &canonical, &terms) }
    };
    // In a process that may have no more threads, nothing is done ahead.
    let preparing = thread::Builder::new().name("dynplug copies".to_owned()).spawn(prepare);
    if let Ok(thread) = &preparing {
        system::run_elsewhere(thread);
    }
    let judged = terms.judge(path, found, bytes);
    // What went wrong there goes wrong once more where it is needed, and is told.
    let ahead = preparing.ok().and_then(|thread| thread.join().ok());
    Ok((judged?, ahead))
}
