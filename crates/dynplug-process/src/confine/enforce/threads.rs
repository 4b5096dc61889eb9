//! The limit of threads and processes. The kernel counts them by user and user namespace, so the process gets a namespace of its
//! own, in which it is the only one of its user.

use super::limits;
use rustix::{
    io::Errno,
    process::{getegid, geteuid},
    thread::{UnshareFlags, unshare_unsafe},
};
use std::{fs, thread};

/// That many beside the calling thread, which has to be the only one.
pub(super) fn limit(most: u32) -> Result<(), String> {
    let (user, group) = (geteuid(), getegid());
    if user.is_root() && is_root_of_the_machine() {
        return Err("the kernel doesn't count the threads of root; run the host as another user".into());
    }
    // SAFETY: Descriptors stay shared among threads: this makes a user namespace and nothing else.
    unsafe { unshare_unsafe(UnshareFlags::NEWUSER) }.map_err(|error| {
        let hint = match error {
            Errno::NOSPC | Errno::PERM => ", since ordinary users may have none on this system",
            _ => "",
        };
        format!(
            "the process gets no user namespace of its own, where its threads could be counted{hint}: {error}"
        )
    })?;
    // In the namespace the user has the number that it had. Where that isn't allowed it is called "nobody" and may do what it could
    // before: the limit holds either way.
    let _ = fs::write("/proc/self/setgroups", "deny");
    let _ = fs::write("/proc/self/uid_map", format!("{0} {0} 1", user.as_raw()));
    let _ = fs::write("/proc/self/gid_map", format!("{0} {0} 1", group.as_raw()));

    let most = u64::from(most).saturating_add(1);
    limits::processes(1, most)?;
    // With one thread allowed, the one that runs, another fails. If it doesn't, the user is one whom the kernel doesn't count.
    if let Ok(thread) = thread::Builder::new().stack_size(64 << 10).spawn(|| {}) {
        let _ = thread.join();
        return Err("the kernel doesn't count the threads of this user".into());
    }
    limits::processes(most, most)
}

/// Whether user 0 here is user 0 of the machine, and not one of a container that has other users.
fn is_root_of_the_machine() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    // Inside, outside, how many.
    let mut numbers = map.split_whitespace();
    numbers.next() != Some("0") || numbers.next() == Some("0")
}
