//! Limits of the process, by `setrlimit`.

use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    time::{ClockId, clock_gettime},
};
use std::{fs, io};

/// Private memory that can be written: what there is, and that much more.
pub(super) fn memory(more: u64) -> Result<(), String> {
    let status = fs::read_to_string("/proc/self/status")
        .map_err(|error| format!("can't read /proc/self/status: {error}"))?;
    let kibibytes = status.lines().find_map(|line| {
        line.strip_prefix("VmData:")?.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()
    });
    let now = kibibytes.ok_or("/proc/self/status says nothing of `VmData`")?.saturating_mul(1024);
    set(Resource::Data, now.saturating_add(more))?;
    // The stack that the process began with grows by itself and isn't counted. Often it has no limit that anybody has chosen.
    set(Resource::Stack, more.max(USUAL_STACK))
}

/// What systems give to a stack, where nobody says otherwise.
const USUAL_STACK: u64 = 8 << 20;

/// Processor time in seconds: what was used, and that much more.
pub(super) fn processor_time(more: u64) -> Result<(), String> {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let used = u64::try_from(used.tv_sec).unwrap_or(0) + u64::from(used.tv_nsec > 0);
    let most = used.saturating_add(more);
    // At the first of the two there is `SIGXCPU`, which says what has happened; at the second `SIGKILL`.
    set_two(Resource::Cpu, most, most.saturating_add(1))
}

/// The numbers of the descriptors that are open.
pub(super) fn descriptors() -> io::Result<Vec<u64>> {
    let names = fs::read_dir("/proc/self/fd")?.map(|entry| Ok(entry?.file_name()));
    let names = names.collect::<io::Result<Vec<_>>>()?;
    let numbers = names.iter().filter_map(|name| name.to_str()?.parse::<u64>().ok());
    // The folder was read by a descriptor, which was open in its own list and isn't any more.
    Ok(numbers.filter(|number| fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_ok()).collect())
}

/// Descriptors: those that are open, and that many more.
pub(super) fn open_files(mut open: Vec<u64>, more: u32) -> Result<(), String> {
    // What is limited is their numbers, and a new descriptor has the lowest free one.
    open.sort_unstable();
    let most = open.iter().fold(u64::from(more), |most, &number| most + u64::from(number < most));
    set(Resource::Nofile, most)
}

/// How large files become by being written.
pub(super) fn file_size(bytes: u64) -> Result<(), String> {
    set(Resource::Fsize, bytes)
}

/// No core dumps.
pub(super) fn core_dumps() -> Result<(), String> {
    // 0 keeps the kernel from writing a file. A program that takes cores from a pipe (`core_pattern`) gets them all the same, and
    // not at 1, which is too little for a file too.
    set(Resource::Core, 1)
}

/// How many threads and processes the user has, in this user namespace.
pub(super) fn processes(soft: u64, hard: u64) -> Result<(), String> {
    set_two(Resource::Nproc, soft, hard)
}

fn set(resource: Resource, most: u64) -> Result<(), String> {
    set_two(resource, most, most)
}

/// Lowers a limit, and leaves one that is lower.
fn set_two(resource: Resource, soft: u64, hard: u64) -> Result<(), String> {
    let lower = |have: Option<u64>, want: u64| Some(have.map_or(want, |have| have.min(want)));
    let now = getrlimit(resource);
    let maximum = lower(now.maximum, hard);
    // A soft limit may be raised to the hard one: it is of `processes` alone.
    let current = lower(maximum, soft);
    setrlimit(resource, Rlimit { current, maximum })
        .map_err(|error| format!("the system doesn't set this limit: {error}"))
}
