//! What wakes the watch up: the system's word of changes, a clock where the system has none to give, and signals.

use super::Event;
use crate::diagnostic::{Diagnostic, Doing, Result};
use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::time::Duration;

/// How often files are looked at where the system tells nothing.
const INTERVAL: Duration = Duration::from_millis(500);

/// The system's word of changes in folders.
pub(super) struct Notices {
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
}

impl Notices {
    /// Begins. With `poll` a clock does it.
    pub(super) fn new(sender: Sender<Event>, poll: bool) -> Result<Notices> {
        let folders = BTreeSet::new();
        if poll {
            std::thread::spawn(move || {
                while sender.send(Event::MayHaveChanged).is_ok() {
                    std::thread::sleep(INTERVAL);
                }
            });
            return Ok(Notices { watcher: None, folders });
        }
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Who reads changes nothing; builds read a lot.
            let only_read = event.as_ref().is_ok_and(|event| event.kind.is_access());
            if !only_read {
                // The watch may be at its end.
                let _ = sender.send(Event::MayHaveChanged);
            }
        });
        let watcher = watcher.map_err(|e| failed(&e, None))?;
        Ok(Notices { watcher: Some(watcher), folders })
    }

    /// Follows what folders there are by now.
    ///
    /// # Errors
    /// When the system can't watch so many, or one of them.
    pub(super) fn follow(&mut self, folders: &BTreeSet<PathBuf>) -> Result<()> {
        let Some(watcher) = &mut self.watcher else { return Ok(()) };
        for gone in self.folders.difference(folders) {
            // It is gone, and the system has mostly said so to the watcher.
            let _ = watcher.unwatch(gone);
        }
        // Also those that it knows: one that was replaced by another of its name is no longer watched.
        for folder in folders {
            match watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => {}
                // It went away meanwhile.
                Err(_) if !folder.is_dir() => {}
                Err(error) => return Err(failed(&error, Some(folder)).into()),
            }
        }
        self.folders.clone_from(folders);
        Ok(())
    }
}

fn failed(error: &notify::Error, folder: Option<&Path>) -> Diagnostic {
    let what = folder.map_or("files".to_owned(), |folder| folder.display().to_string());
    let d = Diagnostic::error("watch", format!("the system can't watch {what} for changes"))
        .note(error.to_string());
    match error.kind {
        ErrorKind::MaxFilesWatch => d
            .note("a user can watch only so many folders at a time; editors and other tools have theirs too")
            .help("raise the limit: `sudo sysctl fs.inotify.max_user_watches=524288`"),
        _ => d,
    }
    .help("or look at the files again and again: `--poll`")
}

/// Tells of signals that mean the end.
#[cfg(unix)]
pub(super) fn signals(sender: Sender<Event>) -> Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals =
        signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM]).doing("listen to signals")?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if sender.send(Event::Signal(signal)).is_err() {
                break;
            }
        }
    });
    Ok(())
}

/// Where there are none, the keepers see the end of this program.
#[cfg(not(unix))]
pub(super) fn signals(_sender: Sender<Event>) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_the_system_is_said_with_the_way_around_it() {
        let error = notify::Error::new(ErrorKind::MaxFilesWatch);
        let text = failed(&error, Some(Path::new("/x/src"))).to_string();
        for part in ["error[dynplug::watch]: the system can't watch /x/src", "max_user_watches", "`--poll`"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
