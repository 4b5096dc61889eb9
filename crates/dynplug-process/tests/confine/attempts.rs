//! What a plugin may try, by themes. Each attempt is made by a process without confinement too, where it has another outcome.

use super::play::{confine, enforce, say};
use std::{
    env, fs, io,
    net::{TcpListener, TcpStream, UdpSocket},
    os::{fd::AsRawFd, unix::net::UnixStream},
    path::PathBuf,
    process::Command,
    ptr,
};

/// What comes of it: nothing special, or the system's error number.
type Outcome = Result<(), i32>;
type Attempt = (&'static str, fn() -> Outcome);

pub const THEMES: [(&str, &[Attempt]); 6] = [
    ("files", FILES),
    ("network", NETWORK),
    ("programs", PROGRAMS),
    ("processes", PROCESSES),
    ("code", CODE),
    ("kernel", KERNEL),
];

/// Makes all attempts of a theme and says what came of each.
pub fn play(theme: &str) {
    let confined = match theme.strip_suffix(" before") {
        Some(_) => enforce().is_some(),
        None => confine().is_some(),
    };
    let theme = theme.trim_end_matches(" before");
    let (_, attempts) = THEMES.iter().find(|(name, _)| *name == theme).unwrap();
    for (name, attempt) in attempts.iter() {
        // The C library's `vfork` can't be called by a test that goes on.
        if *name == "vfork" && !confined {
            continue;
        }
        match attempt() {
            Ok(()) => say(format_args!("{name}: done")),
            Err(number) => say(format_args!("{name}: {number}")),
        }
    }
}

/// A system call as it is. Pointers that are passed lead to what lives as long as the call.
pub fn call(number: libc::c_long, arguments: [usize; 6]) -> Result<usize, i32> {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: Attempts pass no pointer, or such as the kernel only reads, or to variables of theirs that have the room. None maps or
    // unmaps what this program has.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    usize::try_from(result).map_err(|_| io::Error::last_os_error().raw_os_error().unwrap())
}

fn tried(number: libc::c_long, arguments: [usize; 6]) -> Outcome {
    call(number, arguments).map(drop)
}

fn outcome<T>(result: io::Result<T>) -> Outcome {
    // Rust has an error without a number for a child that doesn't start.
    result.map(drop).map_err(|error| error.raw_os_error().unwrap_or(0))
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env::var_os("DYNPLUG_CONFINE_FOLDER").unwrap()).join(name)
}

fn c_path(name: &str) -> std::ffi::CString {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::CString::new(path(name).into_os_string().into_vec()).unwrap()
}

fn number(variable: &str) -> usize {
    env::var(variable).unwrap().parse().unwrap()
}

fn victim() -> usize {
    number("DYNPLUG_CONFINE_VICTIM")
}

const HERE: usize = libc::AT_FDCWD as isize as usize;
const PAGE: usize = 65536;

const FILES: &[Attempt] = &[
    ("read listed", || outcome(fs::read(path("listed")))),
    ("read in a listed folder", || outcome(fs::read(path("folder/below")))),
    ("list a listed folder", || outcome(fs::read_dir(path("folder")))),
    ("ask for a size", || outcome(fs::metadata(path("listed")))),
    ("read another", || outcome(fs::read(path("other")))),
    ("read through a link", || outcome(fs::read(path("folder/link")))),
    ("list another folder", || outcome(fs::read_dir(path(".")))),
    ("read a password file", || outcome(fs::read("/etc/passwd"))),
    ("read its own memory map", || outcome(fs::read("/proc/self/maps"))),
    ("write listed", || outcome(fs::OpenOptions::new().write(true).open(path("listed")))),
    ("append to listed", || outcome(fs::OpenOptions::new().append(true).open(path("listed")))),
    ("truncate listed", || tried(libc::SYS_truncate, [c_path("listed").as_ptr() as usize, 3, 0, 0, 0, 0])),
    ("create", || outcome(fs::write(path("folder/new"), "new"))),
    ("create without a name", || {
        let flags = (libc::O_TMPFILE | libc::O_RDWR) as usize;
        tried(libc::SYS_openat, [HERE, c_path("folder").as_ptr() as usize, flags, 0o600, 0, 0])
    }),
    ("make a folder", || outcome(fs::create_dir(path("folder/deeper")))),
    ("make a link", || outcome(fs::hard_link(path("listed"), path("folder/hard")))),
    ("rename", || outcome(fs::rename(path("folder/below"), path("folder/above")))),
    ("change rights", || {
        tried(libc::SYS_fchmodat, [HERE, c_path("listed").as_ptr() as usize, 0o644, 0, 0, 0])
    }),
    ("change owner", || {
        let same = usize::MAX;
        tried(libc::SYS_fchownat, [HERE, c_path("listed").as_ptr() as usize, same, same, 0, 0])
    }),
    ("change times", || tried(libc::SYS_utimensat, [HERE, c_path("listed").as_ptr() as usize, 0, 0, 0, 0])),
    ("watch", || tried(libc::SYS_inotify_init1, [0; 6])),
    ("remove", || outcome(fs::remove_file(path("other")))),
];

const NETWORK: &[Attempt] = &[
    ("connect TCP", || outcome(TcpStream::connect(("127.0.0.1", number("DYNPLUG_CONFINE_PORT") as u16)))),
    ("connect Unix", || outcome(UnixStream::connect(path("socket")))),
    ("listen", || outcome(TcpListener::bind("127.0.0.1:0"))),
    ("send UDP", || outcome(UdpSocket::bind("127.0.0.1:0"))),
    ("ask the kernel by netlink", || {
        tried(libc::SYS_socket, [libc::AF_NETLINK as usize, libc::SOCK_RAW as usize, 0, 0, 0, 0])
    }),
    ("send to an address", || {
        let address = [0_u8; 16];
        // Not a socket: nothing is sent where it is allowed either.
        tried(libc::SYS_sendto, [usize::MAX, 0, 0, 0, address.as_ptr() as usize, address.len()])
    }),
    ("send a message", || tried(libc::SYS_sendmsg, [usize::MAX, 0, 0, 0, 0, 0])),
    ("a pair of datagram sockets", || outcome(std::os::unix::net::UnixDatagram::pair())),
    ("a pair of streams", || outcome(UnixStream::pair())),
];

const PROGRAMS: &[Attempt] = &[
    ("run a program", || outcome(Command::new("/bin/true").status())),
    ("execve", || tried(libc::SYS_execve, [c"/nowhere".as_ptr() as usize, 0, 0, 0, 0, 0])),
    ("execveat", || tried(libc::SYS_execveat, [HERE, c"/nowhere".as_ptr() as usize, 0, 0, 0, 0])),
    #[cfg(target_arch = "x86_64")]
    ("fork", || child(call(libc::SYS_fork, [0; 6]))),
    #[cfg(target_arch = "x86_64")]
    ("vfork", || child(call(libc::SYS_vfork, [0; 6]))),
    ("clone", || child(call(libc::SYS_clone, [libc::SIGCHLD as usize, 0, 0, 0, 0, 0]))),
    ("clone into a namespace", || {
        child(call(libc::SYS_clone, [(libc::SIGCHLD | libc::CLONE_NEWUSER) as usize, 0, 0, 0, 0, 0]))
    }),
    ("clone a thread into a namespace", || {
        let namespaces = [
            libc::CLONE_NEWNS,
            libc::CLONE_NEWCGROUP,
            libc::CLONE_NEWUTS,
            libc::CLONE_NEWIPC,
            libc::CLONE_NEWUSER,
            libc::CLONE_NEWPID,
            libc::CLONE_NEWNET,
        ];
        // No thread is made of this where it isn't refused: flags are missing.
        let clone =
            |namespace| call(libc::SYS_clone, [(libc::CLONE_THREAD | namespace) as usize, 0, 0, 0, 0, 0]);
        let errors = namespaces.map(|namespace| clone(namespace).unwrap_err());
        Err(errors.into_iter().find(|&error| error != libc::EPERM).unwrap_or(libc::EPERM))
    }),
    ("clone3", || tried(libc::SYS_clone3, [0; 6])),
];

/// The child of a fork ends at once.
fn child(result: Result<usize, i32>) -> Outcome {
    match result? {
        // SAFETY: It ends this process, which is the child and has nothing to lose.
        0 => unsafe { libc::_exit(0) },
        _ => Ok(()),
    }
}

/// More than any process has for a number.
const NOBODY: usize = i32::MAX as usize;

const PROCESSES: &[Attempt] = &[
    ("trace", || {
        const SEIZE: usize = 0x4206;
        tried(libc::SYS_ptrace, [SEIZE, victim(), 0, 0, 0, 0])
    }),
    ("read memory", || {
        let mut bytes = [0_u8; 8];
        let here = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: 8 };
        let there = libc::iovec {
            iov_base: ptr::with_exposed_provenance_mut(number("DYNPLUG_CONFINE_ADDRESS")),
            iov_len: 8,
        };
        let (here, there) = (&raw const here as usize, &raw const there as usize);
        tried(libc::SYS_process_vm_readv, [victim(), here, 1, there, 1, 0])
    }),
    ("write memory", || tried(libc::SYS_process_vm_writev, [victim(), 0, 0, 0, 0, 0])),
    ("open memory", || outcome(fs::File::open(format!("/proc/{}/mem", victim())))),
    ("look into its descriptors", || outcome(fs::read_dir(format!("/proc/{}/fd", victim())))),
    ("kill the parent", || {
        // SAFETY: It asks for a number.
        let parent = unsafe { libc::getppid() };
        // Whether it could, without doing it.
        tried(libc::SYS_kill, [parent as usize, 0, 0, 0, 0, 0])
    }),
    ("kill its group", || tried(libc::SYS_kill, [0; 6])),
    ("kill a thread", || tried(libc::SYS_tgkill, [victim(), victim(), 0, 0, 0, 0])),
    // Landlock and the kernel's rules refuse some of these too. A process that isn't there shows the filter.
    ("kill a thread that isn't there", || tried(libc::SYS_tgkill, [NOBODY, NOBODY, 0, 0, 0, 0])),
    ("kill what isn't there", || tried(libc::SYS_kill, [NOBODY, 0, 0, 0, 0, 0])),
    ("move what isn't there to a processor", || {
        let set = [1_u64; 16];
        tried(libc::SYS_sched_setaffinity, [NOBODY, 128, set.as_ptr() as usize, 0, 0, 0])
    }),
    ("kill by the old call", || tried(libc::SYS_tkill, [victim(), 0, 0, 0, 0, 0])),
    ("kill by descriptor", || tried(libc::SYS_pidfd_open, [victim(), 0, 0, 0, 0, 0])),
    ("be told by signals to another", || {
        let (input, _output) = io::pipe().unwrap();
        tried(libc::SYS_fcntl, [input.as_raw_fd() as usize, libc::F_SETOWN as usize, victim(), 0, 0, 0])
    }),
    ("limit", || {
        let mut limit = [0_u64; 2];
        let nofile = libc::RLIMIT_NOFILE as usize;
        tried(libc::SYS_prlimit64, [victim(), nofile, 0, limit.as_mut_ptr() as usize, 0, 0])
    }),
    ("limit itself otherwise", || {
        let mut limit = [0_u64; 2];
        let (nofile, limit) = (libc::RLIMIT_NOFILE as usize, limit.as_mut_ptr() as usize);
        tried(libc::SYS_prlimit64, [0, nofile, 0, limit, 0, 0]).unwrap();
        tried(libc::SYS_prlimit64, [0, nofile, limit, 0, 0, 0])
    }),
    ("move to a processor", || {
        let mut set = [0_u64; 16];
        let size = call(libc::SYS_sched_getaffinity, [victim(), 128, set.as_mut_ptr() as usize, 0, 0, 0]);
        tried(libc::SYS_sched_setaffinity, [victim(), size.unwrap(), set.as_ptr() as usize, 0, 0, 0])
    }),
    ("change its importance", || tried(libc::SYS_setpriority, [0, victim(), 0, 0, 0, 0])),
    ("a session of its own", || tried(libc::SYS_getsid, [0; 6])),
];

const CODE: &[Attempt] = &[
    ("writable and executable", || map(libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC, PRIVATE)),
    ("executable", || map(libc::PROT_EXEC, PRIVATE)),
    ("shared executable", || map(libc::PROT_EXEC, libc::MAP_SHARED | libc::MAP_ANONYMOUS)),
    ("made executable", || protect(libc::SYS_mprotect)),
    ("made executable with a key", || protect(libc::SYS_pkey_mprotect)),
    ("an executable file", || {
        let file = fs::File::open("/proc/self/exe").or_else(|_| {
            // No file can be opened: standard error may be one, and is refused before that is looked at.
            use std::os::fd::AsFd;
            io::stderr().as_fd().try_clone_to_owned().map(fs::File::from)
        });
        let file = file.unwrap();
        let protection = (libc::PROT_READ | libc::PROT_EXEC) as usize;
        let flags = libc::MAP_PRIVATE as usize;
        tried(libc::SYS_mmap, [0, PAGE, protection, flags, file.as_raw_fd() as usize, 0])
    }),
    ("all that is readable is executable", || {
        const READ_IMPLIES_EXEC: usize = 0x0400000;
        let before = call(libc::SYS_personality, [0xffff_ffff, 0, 0, 0, 0, 0])?;
        tried(libc::SYS_personality, [before | READ_IMPLIES_EXEC, 0, 0, 0, 0, 0])?;
        tried(libc::SYS_personality, [before, 0, 0, 0, 0, 0])
    }),
    ("a file in memory", || tried(libc::SYS_memfd_create, [c"code".as_ptr() as usize, 0, 0, 0, 0, 0])),
    ("memory of System V", || tried(libc::SYS_shmget, [0, PAGE, 0o600, 0, 0, 0])),
    ("memory that is shared and not counted", || {
        map(libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS)
    }),
    ("a stack that is not counted", || map(libc::PROT_READ, PRIVATE | libc::MAP_GROWSDOWN)),
    ("memory", || map(libc::PROT_READ | libc::PROT_WRITE, PRIVATE)),
];

const PRIVATE: libc::c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;

fn map(protection: libc::c_int, flags: libc::c_int) -> Outcome {
    tried(libc::SYS_mmap, [0, PAGE, protection as usize, flags as usize, usize::MAX, 0])
}

/// Memory that was just mapped, made executable.
fn protect(number: libc::c_long) -> Outcome {
    let start = call(
        libc::SYS_mmap,
        [0, PAGE, (libc::PROT_READ | libc::PROT_WRITE) as usize, PRIVATE as usize, usize::MAX, 0],
    )?;
    let protection = (libc::PROT_READ | libc::PROT_EXEC) as usize;
    let no_key = usize::MAX;
    tried(number, [start, PAGE, protection, no_key, 0, 0])
}

/// Calls that are of no use as they are made here: what comes of them without a filter is another error, if any.
const KERNEL: &[Attempt] = &[
    ("io_uring", || tried(libc::SYS_io_uring_setup, [0; 6])),
    ("bpf", || tried(libc::SYS_bpf, [usize::MAX, 0, 0, 0, 0, 0])),
    ("userfaultfd", || tried(libc::SYS_userfaultfd, [usize::MAX, 0, 0, 0, 0, 0])),
    ("keyctl", || tried(libc::SYS_keyctl, [0, -1_isize as usize, 0, 0, 0, 0])),
    ("add_key", || tried(libc::SYS_add_key, [0; 6])),
    ("mount", || tried(libc::SYS_mount, [0; 6])),
    ("unmount", || tried(libc::SYS_umount2, [c"/nowhere".as_ptr() as usize, 0, 0, 0, 0, 0])),
    ("unshare", || tried(libc::SYS_unshare, [0; 6])),
    ("setns", || tried(libc::SYS_setns, [usize::MAX, 0, 0, 0, 0, 0])),
    ("chroot", || tried(libc::SYS_chroot, [c"/nowhere".as_ptr() as usize, 0, 0, 0, 0, 0])),
    ("perf_event_open", || tried(libc::SYS_perf_event_open, [0; 6])),
    ("load a module", || tried(libc::SYS_finit_module, [usize::MAX, 0, 0, 0, 0, 0])),
    ("restart", || tried(libc::SYS_reboot, [0; 6])),
    ("set the clock", || tried(libc::SYS_clock_settime, [0; 6])),
    ("rename the machine", || tried(libc::SYS_sethostname, [0, usize::MAX, 0, 0, 0, 0])),
    ("open by handle", || tried(libc::SYS_open_by_handle_at, [usize::MAX, 0, 0, 0, 0, 0])),
    ("become somebody", || {
        // SAFETY: It asks for a number.
        let user = unsafe { libc::getuid() };
        tried(libc::SYS_setuid, [user as usize, 0, 0, 0, 0, 0])
    }),
    ("change the filter", || tried(libc::SYS_seccomp, [usize::MAX, 0, 0, 0, 0, 0])),
    ("hide from crash handlers", || tried(libc::SYS_prctl, [libc::PR_SET_DUMPABLE as usize, 1, 0, 0, 0, 0])),
    ("type into a terminal", || tried(libc::SYS_ioctl, [1, libc::TIOCSTI as usize, 0, 0, 0, 0])),
    ("splice", || tried(libc::SYS_splice, [usize::MAX, 0, usize::MAX, 0, 1, 0])),
    ("a device", || outcome(fs::File::open("/dev/zero"))),
    ("a call of the future", || tried(500, [0; 6])),
    #[cfg(target_arch = "x86_64")]
    ("a call of the x32 kind", || tried(0x4000_0000 + 39, [0; 6])),
];
