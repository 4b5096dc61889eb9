//! Which system calls the strict levels allow, with which arguments. Whatever isn't here is refused.
//!
//! Each list says what it is for. A call belongs here if a program that only computes, or only reads files, comes to make it through std
//! or the C library, and if none of its arguments reaches beyond the process.

use libc::{c_int, c_long};
use std::collections::BTreeMap;

/// Something that is so of an argument: `argument & mask == value`, of its lower 32 bits, or of all 64 if it is `wide`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) argument: u8,
    pub(super) mask: u64,
    pub(super) value: u64,
    pub(super) wide: bool,
}

/// The arguments with which a call is allowed: all conditions of one of these lists hold. Without lists it always is.
pub(super) type Ways = Vec<Vec<Condition>>;

/// Calls by their numbers.
pub(super) type Calls = BTreeMap<c_long, Ways>;

/// What a level comes to before the plugin is loaded.
pub(super) fn allowed(files: bool) -> Calls {
    let mut calls = Calls::new();
    for call in always(COMPUTING).chain(always(OLD_COMPUTING)) {
        calls.insert(call, Vec::new());
    }
    calls.extend(with_arguments());
    calls.extend(opening());
    if files {
        for call in always(READING).chain(always(OLD_READING)) {
            calls.insert(call, Vec::new());
        }
        // Both ends are in this process. Of a pair of datagram sockets each could send to any socket that has a name.
        calls.insert(libc::SYS_socketpair, vec![vec![is(0, libc::AF_UNIX), bits(1, 0xf, libc::SOCK_STREAM)]]);
    }
    calls
}

/// What is taken away once the plugin is loaded.
pub(super) fn taken(files: bool) -> Calls {
    // This is the last filter.
    let mut calls = Calls::from([
        (libc::SYS_mmap, vec![vec![bits(2, libc::PROT_EXEC, libc::PROT_EXEC)]]),
        (libc::SYS_seccomp, Vec::new()),
    ]);
    if !files {
        calls.extend(opening().into_keys().map(|call| (call, Vec::new())));
    }
    calls
}

/// Calls that are answered as an older kernel would (`ENOSYS`): who tries them can do without. `clone3` has its flags in
/// memory, where no filter sees them; the C library then calls `clone`. `openat2` likewise.
pub(super) fn absent() -> Calls {
    [libc::SYS_clone3, libc::SYS_openat2, MAP_SHADOW_STACK, MSEAL]
        .into_iter()
        .chain(UNKNOWN)
        .map(|call| (call, Vec::new()))
        .collect()
}

// Numbers that `libc` hasn't for every target. From 424 on, a call has one number everywhere.
const MAP_SHADOW_STACK: c_long = 453;
const FUTEX_WAKE: c_long = 454;
const FUTEX_WAIT: c_long = 455;
const FUTEX_REQUEUE: c_long = 456;
const MSEAL: c_long = 462;
/// What comes after Linux 6.18. It isn't endless, since each number makes the filter longer; what is beyond is refused as well.
const UNKNOWN: std::ops::Range<c_long> = 470..534;

fn always(list: &'static [c_long]) -> impl Iterator<Item = c_long> {
    list.iter().copied()
}

#[rustfmt::skip]
const COMPUTING: &[c_long] = &[
    // What is open already: files, pipes, sockets, memory.
    libc::SYS_read, libc::SYS_readv, libc::SYS_pread64, libc::SYS_preadv, libc::SYS_preadv2,
    libc::SYS_write, libc::SYS_writev, libc::SYS_pwrite64, libc::SYS_pwritev, libc::SYS_pwritev2,
    libc::SYS_lseek, libc::SYS_fstat, libc::SYS_fadvise64, libc::SYS_fsync, libc::SYS_fdatasync,
    libc::SYS_ftruncate, libc::SYS_fallocate,
    libc::SYS_close, libc::SYS_close_range, libc::SYS_dup, libc::SYS_dup3,
    // Receiving has no address, and sending is below, with its arguments. `sendmsg` keeps its address in memory, unseen.
    libc::SYS_recvfrom, libc::SYS_recvmsg, libc::SYS_shutdown,
    libc::SYS_getsockopt, libc::SYS_getsockname, libc::SYS_getpeername,
    // Waiting, and what is waited for within the process: what async runtimes are made of.
    libc::SYS_ppoll, libc::SYS_pselect6,
    libc::SYS_epoll_create1, libc::SYS_epoll_ctl, libc::SYS_epoll_pwait, libc::SYS_epoll_pwait2,
    libc::SYS_eventfd2, libc::SYS_pipe2,
    libc::SYS_timerfd_create, libc::SYS_timerfd_settime, libc::SYS_timerfd_gettime,
    // Memory. Mapping and protecting are below.
    libc::SYS_brk, libc::SYS_munmap, libc::SYS_mremap, libc::SYS_madvise, libc::SYS_msync,
    libc::SYS_mlock, libc::SYS_munlock, libc::SYS_membarrier,
    // Threads. Starting one is below.
    libc::SYS_futex, libc::SYS_futex_waitv, FUTEX_WAKE, FUTEX_WAIT, FUTEX_REQUEUE,
    libc::SYS_set_robust_list, libc::SYS_set_tid_address, libc::SYS_rseq,
    libc::SYS_exit, libc::SYS_exit_group, libc::SYS_gettid,
    libc::SYS_sched_yield, libc::SYS_sched_getaffinity, libc::SYS_sched_getparam, libc::SYS_sched_getscheduler,
    libc::SYS_sched_get_priority_min, libc::SYS_sched_get_priority_max, libc::SYS_getcpu,
    // Signals to itself: handlers, masks, stacks.
    libc::SYS_rt_sigaction, libc::SYS_rt_sigprocmask, libc::SYS_rt_sigreturn, libc::SYS_rt_sigpending,
    libc::SYS_rt_sigsuspend, libc::SYS_rt_sigtimedwait, libc::SYS_sigaltstack, libc::SYS_signalfd4,
    libc::SYS_restart_syscall,
    // Time.
    libc::SYS_clock_gettime, libc::SYS_clock_getres, libc::SYS_clock_nanosleep, libc::SYS_nanosleep,
    libc::SYS_gettimeofday, libc::SYS_times,
    // Who and where it is.
    libc::SYS_getpid, libc::SYS_getppid, libc::SYS_getuid, libc::SYS_geteuid, libc::SYS_getgid, libc::SYS_getegid,
    libc::SYS_getresuid, libc::SYS_getresgid, libc::SYS_getgroups,
    libc::SYS_uname, libc::SYS_sysinfo, libc::SYS_getrusage, libc::SYS_getrlimit, libc::SYS_getrandom,
];

/// Names that newer architectures have no more.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const OLD_COMPUTING: &[c_long] = &[
    libc::SYS_dup2, libc::SYS_poll, libc::SYS_select, libc::SYS_epoll_create, libc::SYS_epoll_wait,
    libc::SYS_eventfd, libc::SYS_pipe, libc::SYS_signalfd, libc::SYS_pause, libc::SYS_time,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD_COMPUTING: &[c_long] = &[];

/// Looking at files and folders. Which of them can be opened is Landlock's matter; it doesn't know of asking for their names and
/// sizes.
#[rustfmt::skip]
const READING: &[c_long] = &[
    libc::SYS_statx, libc::SYS_faccessat, libc::SYS_faccessat2, libc::SYS_readlinkat, libc::SYS_getdents64,
    libc::SYS_getcwd, libc::SYS_chdir, libc::SYS_fchdir, libc::SYS_statfs, libc::SYS_fstatfs, libc::SYS_flock,
];
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const OLD_READING: &[c_long] =
    &[libc::SYS_stat, libc::SYS_lstat, libc::SYS_access, libc::SYS_readlink, libc::SYS_getdents];
#[cfg(not(target_arch = "x86_64"))]
const OLD_READING: &[c_long] = &[];

/// The flags by which opening a file would change it: how it is opened (two bits), creating, truncating, and files without a
/// name. As the kernel has them, since C libraries add to these.
const CHANGING: c_int = 0o3 | 0o100 | 0o1000 | 0o20_000_000;

/// What the loader opens a library with. Reading files needs it too.
fn opening() -> Calls {
    let reading = |flags| vec![vec![bits(flags, CHANGING, libc::O_RDONLY)]];
    Calls::from([
        (libc::SYS_openat, reading(2)),
        (libc::SYS_newfstatat, Vec::new()),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_open, reading(1)),
    ])
}

/// Of a call that takes many different things: those that are harmless.
fn with_arguments() -> Calls {
    let own = std::process::id() as c_int;
    let one_of = |argument, values: &[c_int]| values.iter().map(|&value| vec![is(argument, value)]).collect();

    // A thread of this process, in no new namespace.
    let other_than_thread = libc::CLONE_NEWNS
        | libc::CLONE_NEWCGROUP
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUSER
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET
        | libc::CLONE_PTRACE
        | libc::CLONE_VFORK
        | libc::CLONE_IO;
    let thread = vec![bits(0, other_than_thread | libc::CLONE_THREAD, libc::CLONE_THREAD)];

    // Memory of its own, that isn't executable and that the limit of memory counts: not shared, not a stack that grows down.
    let kind = 0xf | libc::MAP_ANONYMOUS | libc::MAP_GROWSDOWN;
    let memory = vec![bits(2, libc::PROT_EXEC, 0), bits(3, kind, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS)];
    // A file, with its code: what the loader does. `taken` says until when.
    let file = vec![bits(3, libc::MAP_ANONYMOUS | libc::MAP_GROWSDOWN, 0)];

    // Reading limits of its own, and changing none. glibc asks how large stacks are.
    let limits = |process| vec![is(0, process), null(2)];

    Calls::from([
        (libc::SYS_clone, vec![thread]),
        (libc::SYS_mmap, vec![memory, file]),
        (libc::SYS_mprotect, vec![vec![bits(2, libc::PROT_EXEC, 0)]]),
        (libc::SYS_prlimit64, vec![limits(0), limits(own)]),
        // `raise` and `abort`.
        (libc::SYS_tgkill, one_of(0, &[own])),
        (libc::SYS_kill, one_of(0, &[own])),
        // Where its own threads run, by 0 for the one that asks.
        (libc::SYS_sched_setaffinity, one_of(0, &[0])),
        // Further filters, until the plugin is loaded: they only take away.
        (libc::SYS_seccomp, one_of(0, &[libc::SECCOMP_SET_MODE_FILTER as c_int])),
        // Names of threads and of memory. What was installed is there for good: no new privileges, once more.
        (
            libc::SYS_prctl,
            one_of(
                0,
                &[
                    libc::PR_SET_NAME,
                    libc::PR_GET_NAME,
                    libc::PR_SET_VMA,
                    libc::PR_GET_DUMPABLE,
                    libc::PR_SET_NO_NEW_PRIVS,
                    libc::PR_GET_NO_NEW_PRIVS,
                ],
            ),
        ),
        // Not who gets a signal when a descriptor is ready: that may be any process of the user.
        (
            libc::SYS_fcntl,
            one_of(
                1,
                &[
                    libc::F_DUPFD,
                    libc::F_DUPFD_CLOEXEC,
                    libc::F_GETFD,
                    libc::F_SETFD,
                    libc::F_GETFL,
                    libc::F_SETFL,
                    libc::F_GETLK,
                    libc::F_SETLK,
                    libc::F_SETLKW,
                    libc::F_OFD_GETLK,
                    libc::F_OFD_SETLK,
                    libc::F_OFD_SETLKW,
                    libc::F_GETPIPE_SZ,
                    libc::F_ADD_SEALS,
                    libc::F_GET_SEALS,
                ],
            ),
        ),
        // Whether it is a terminal and how large, how much there is to read, and what `fcntl` could do too. Nothing that types into a
        // terminal. `TCGETS2` has the same number on both architectures.
        (libc::SYS_ioctl, one_of(1, &[TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX, TCGETS2])),
        // To whom a socket is connected, and to no address.
        (libc::SYS_sendto, vec![vec![null(4)]]),
    ])
}

// Requests have different types in different C libraries.
const TCGETS: c_int = 0x5401;
const TIOCGWINSZ: c_int = 0x5413;
const FIONREAD: c_int = 0x541b;
const FIONBIO: c_int = 0x5421;
const FIONCLEX: c_int = 0x5450;
const FIOCLEX: c_int = 0x5451;
const TCGETS2: c_int = 0x802c_542a_u32 as c_int;

fn is(argument: u8, value: c_int) -> Condition {
    bits(argument, -1, value)
}

fn bits(argument: u8, mask: c_int, value: c_int) -> Condition {
    Condition { argument, mask: u64::from(mask as u32), value: u64::from(value as u32), wide: false }
}

fn null(argument: u8) -> Condition {
    Condition { argument, mask: u64::MAX, value: 0, wide: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_is_in_two_lists_and_none_is_refused_and_allowed() {
        let mut seen = std::collections::BTreeSet::new();
        let lists = [COMPUTING, OLD_COMPUTING, READING, OLD_READING];
        for call in lists.into_iter().flatten().copied() {
            assert!(seen.insert(call), "{call}");
        }
        for call in with_arguments().into_keys().chain(opening().into_keys()).chain(absent().into_keys()) {
            assert!(seen.insert(call), "{call}");
        }
    }

    #[test]
    fn conditions_can_be_met() {
        for (call, ways) in allowed(true).into_iter().chain(taken(false)) {
            for condition in ways.into_iter().flatten() {
                assert_eq!(condition.value & condition.mask, condition.value, "{call}: {condition:?}");
            }
        }
    }

    #[test]
    fn what_reaches_beyond_the_process_is_in_no_list() {
        let allowed = allowed(true);
        for call in [
            libc::SYS_socket,
            libc::SYS_connect,
            libc::SYS_sendmsg,
            libc::SYS_execve,
            libc::SYS_ptrace,
            libc::SYS_io_uring_setup,
            libc::SYS_memfd_create,
            libc::SYS_personality,
            libc::SYS_fchmodat,
            libc::SYS_utimensat,
            libc::SYS_inotify_add_watch,
            libc::SYS_name_to_handle_at,
            libc::SYS_pkey_mprotect,
            libc::SYS_shmat,
        ] {
            assert!(!allowed.contains_key(&call), "{call}");
        }
    }
}
