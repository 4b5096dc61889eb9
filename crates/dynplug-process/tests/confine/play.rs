//! Roles that this binary plays when it is started again, and how it is started.

use dynplug_process::confine::{Confinement, Report, Stage};
use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    io::{BufRead, BufReader, Read},
    panic,
    path::{Path, PathBuf},
    process::{self, Child, ChildStdout, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

const ROLE: &str = "DYNPLUG_CONFINE_ROLE";
const CONFINEMENT: &str = "DYNPLUG_CONFINE";
/// Between arguments, in a variable of the environment.
const BETWEEN: &str = "\x1f";

/// This binary again, to play that role alone, with what it may do.
pub fn command(role: &str, confinement: Option<&Confinement>) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["play::role", "--exact", "--nocapture", "--test-threads=1"]).env(ROLE, role);
    command.env_remove(CONFINEMENT).env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    if let Some(confinement) = confinement {
        command.env(CONFINEMENT, confinement.to_args().join(OsStr::new(BETWEEN)));
    }
    command
}

/// What it says, once it has ended by itself.
pub fn run(role: &str, confinement: Option<&Confinement>, more: &[(&str, &OsStr)]) -> Output {
    command(role, confinement).envs(more.iter().copied()).output().unwrap()
}

/// The lines that a role says, of what `role` printed.
pub fn said(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter_map(|line| Some(line.split_once("@ ")?.1.to_owned())).collect()
}

pub fn say(text: impl std::fmt::Display) {
    println!("@ {text}");
}

/// In the role: what the process may do, if that is said.
pub fn confinement() -> Option<Confinement> {
    let args = env::var_os(CONFINEMENT)?;
    let args = args.to_str().unwrap().split(BETWEEN).map(OsString::from);
    Some(Confinement::from_args(args).unwrap())
}

/// In the role: confines the process, if that is asked for.
pub fn enforce() -> Option<Stage> {
    Some(confinement()?.enforce().unwrap_or_else(|error| panic!("{error}: {error:?}")))
}

/// In the role: confines the process, with nothing to be loaded.
pub fn confine() -> Option<Report> {
    Some(enforce()?.loaded().unwrap())
}

/// Not a test of its own: what the process does that a test has started.
#[test]
fn role() {
    let Ok(role) = env::var(ROLE) else { return };
    if role == "victim" {
        victim();
        process::exit(0);
    }
    alone(|| match role.split_once(' ') {
        Some(("attempts", theme)) => super::attempts::play(theme),
        Some(("calling", role)) => super::calling::play(role),
        Some(("limited", role)) => super::limited::play(role),
        Some(("working", role)) => super::working::play(role),
        _ => panic!("no role {role}"),
    })
}

/// Plays in a process with one thread, as a process has to be that is confined. Here it has two, since tests have a thread of their
/// own. Then this one ends as that one did.
fn alone(play: impl FnOnce()) -> ! {
    // SAFETY: The other thread waits for this one and holds no lock that the child could want.
    match unsafe { libc::fork() } {
        0 => {
            let played = panic::catch_unwind(panic::AssertUnwindSafe(play));
            process::exit(if played.is_ok() { 0 } else { 101 });
        }
        child => {
            let mut status = 0;
            // SAFETY: The status is a variable of this function. The signal is one that this process may end by.
            unsafe {
                assert_eq!(libc::waitpid(child, &mut status, 0), child);
                if libc::WIFSIGNALED(status) {
                    let signal = libc::WTERMSIG(status);
                    libc::signal(signal, libc::SIG_DFL);
                    libc::setrlimit(libc::RLIMIT_CORE, &libc::rlimit { rlim_cur: 0, rlim_max: 0 });
                    libc::raise(signal);
                }
            }
            process::exit(libc::WEXITSTATUS(status))
        }
    }
}

static SECRET: u64 = 0x5ec7e7;

/// Says where it has something, and waits until its standard input ends.
fn victim() {
    say(&raw const SECRET as usize);
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// Another process, that does nothing.
pub struct Victim {
    child: Child,
    _output: BufReader<ChildStdout>,
    /// Where it has eight bytes.
    pub address: String,
}

impl Victim {
    pub fn new() -> Victim {
        let mut child = command("victim", None).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("@ ") {
            line.clear();
            assert_ne!(output.read_line(&mut line).unwrap(), 0, "the other process has ended");
        }
        let address = line.split_once("@ ").unwrap().1.trim().to_owned();
        Victim { child, _output: output, address }
    }

    pub fn id(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An empty folder, that is removed in the end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("confine-{}-{}", process::id(), NEXT.fetch_add(1, Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether the kernel has Landlock, without which the strict levels can't be in force. Says so if it hasn't.
pub fn has_landlock(test: &str) -> bool {
    const VERSION: usize = 1;
    let has = super::attempts::call(libc::SYS_landlock_create_ruleset, [0, 0, VERSION, 0, 0, 0]).is_ok();
    if !has {
        println!("skipped: {test}, for which this kernel has no Landlock");
    }
    has
}
