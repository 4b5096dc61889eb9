//! Limits: up to them everything works, and beyond them it is what the documentation says.

use super::play::{Folder, command, confine, confinement, has_landlock, run, said, say};
use dynplug_process::confine::{Confinement, EnforceError, Level, Measure, Stage, State};
use std::{
    env, fs,
    io::{ErrorKind, Write},
    os::{
        fd::AsFd,
        unix::process::{CommandExt, ExitStatusExt},
    },
    process::ExitStatus,
    sync::mpsc,
    thread,
};

/// A user without privileges. 65534 is what a user is called who has no number in a namespace, so it isn't that.
const NOBODY: u32 = 65533;

const MIB: usize = 1 << 20;

pub fn play(role: &str) {
    match role {
        "memory" => memory(),
        "stack" => stack(),
        "memory without end" => memory_without_end(),
        "time" => time(),
        "threads" => threads(),
        "user" => user(),
        "threads of root" => threads_of_root(),
        "open files" => open_files(),
        "file size" => file_size(),
        "core" => core(),
        "many threads" => many_threads(),
        "no such file" => no_such_file(),
        _ => panic!("no role {role}"),
    }
}

/// At the weakest level: limits don't depend on it.
fn limits() -> Confinement {
    Confinement::new(Level::LimitsOnly)
}

fn signal(status: ExitStatus) -> Option<i32> {
    assert!(!status.core_dumped());
    status.signal()
}

/// What the role says with the confinement, and without.
fn both(role: &str, confinement: &Confinement) -> [Vec<String>; 2] {
    [Some(confinement), None].map(|confinement| {
        let output = run(role, confinement, &[]);
        assert!(output.status.success(), "{output:?}");
        said(&output)
    })
}

#[test]
fn memory_beyond_the_limit_is_not_given() {
    let [confined, free] = both("limited memory", &limits().memory(64 << 20));
    assert_eq!(confined, ["48 MiB: true", "80 MiB: false", "48 MiB: true"]);
    assert_eq!(free, ["48 MiB: true", "80 MiB: true", "48 MiB: true"]);
}

fn memory() {
    confine();
    for mebibytes in [48, 80, 48] {
        let mut bytes = Vec::<u8>::new();
        let given = bytes.try_reserve_exact(mebibytes * MIB).is_ok();
        if given {
            bytes.resize(mebibytes * MIB, 1);
        }
        say(format_args!("{mebibytes} MiB: {given}"));
    }
}

#[test]
fn the_first_stack_is_no_way_around_the_limit_of_memory() {
    let role = |confinement: Confinement| said(&run("limited stack", Some(&confinement), &[]));
    let [free] = &role(limits())[..] else { panic!() };
    let free: u64 = free.parse().unwrap();
    assert_eq!(role(limits().memory(64 << 20)), [free.min(64 << 20).to_string()]);
    assert_eq!(role(limits().memory(1 << 20)), [free.min(8 << 20).to_string()]);
}

fn stack() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Stack).maximum;
    setrlimit(Resource::Stack, Rlimit { current: maximum, maximum }).unwrap();
    confine();
    say(getrlimit(Resource::Stack).current.unwrap_or(u64::MAX));
}

#[test]
fn a_process_that_takes_memory_without_end_is_aborted_and_says_why() {
    let output = run("limited memory without end", Some(&limits().memory(64 << 20)), &[]);
    assert_eq!(signal(output.status), Some(libc::SIGABRT), "{output:?}");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("memory allocation of"), "{error}");
    let free = run("limited memory without end", None, &[]);
    assert!(free.status.success(), "{free:?}");
}

fn memory_without_end() {
    confine();
    let mut all = Vec::new();
    // Not quite without end, where nothing ends it.
    while all.len() < 200 {
        all.push(vec![1_u8; MIB]);
    }
    std::hint::black_box(all);
}

#[test]
fn a_process_that_computes_too_long_is_ended() {
    let output = run("limited time", Some(&limits().processor_time(1)), &[]);
    assert_eq!(signal(output.status), Some(libc::SIGXCPU), "{output:?}");
    let free = run("limited time", None, &[]);
    assert!(free.status.success(), "{free:?}");
}

fn time() {
    confine();
    // More than a second and what a second is rounded to, and an end.
    let mut used = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    while used.tv_sec < 3 {
        // SAFETY: It writes to a variable that is there.
        assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut used) }, 0);
    }
}

#[test]
fn no_more_threads_run_at_once_than_may() {
    let output = run("limited threads", Some(&limits().threads(2)), &[]);
    let lines = said(&output);
    if let Some(why) = lines.iter().find(|line| line.starts_with("missing")) {
        println!("skipped: the limit of threads, which this system can't set: {why}");
        return;
    }
    assert!(output.status.success(), "{output:?}");
    let refused = format!("none: {}", libc::EAGAIN);
    assert_eq!(lines, ["a thread", "a thread", &refused, "a thread"]);
    let free = run("limited threads", None, &[]);
    assert_eq!(said(&free), ["a thread", "a thread", "a thread", "a thread"]);
}

/// Three threads at once, the third of which may be one too many, and one more when they have ended.
fn threads() {
    not_root();
    if let Some(confinement) = confinement() {
        match confinement.enforce().and_then(Stage::loaded) {
            Err(EnforceError::Missing { report }) => {
                return say(format_args!("missing: {:?}", report.missing().next()));
            }
            enforced => drop(enforced.unwrap()),
        }
    }
    let start = || {
        let (end, wait) = mpsc::channel::<()>();
        let started = thread::Builder::new().spawn(move || wait.recv());
        match &started {
            Ok(_) => say("a thread"),
            Err(error) => say(format_args!("none: {}", error.raw_os_error().unwrap())),
        }
        Some((end, started.ok()?))
    };
    let running = [start(), start(), start()];
    for (end, thread) in running.into_iter().flatten() {
        drop(end);
        thread.join().unwrap().unwrap_err();
    }
    // A thread that was joined is still counted for a moment. Where that can't be looked at, there is no more to try.
    while let Ok(threads) = fs::read_dir("/proc/self/task") {
        if threads.count() == 1 {
            start();
            break;
        }
        thread::yield_now();
    }
}

#[test]
fn a_process_whose_threads_are_limited_runs_as_the_same_user_without_privileges() {
    let mut command = command("limited user", Some(&limits().threads(2)));
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = match command.output() {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            println!("skipped: the user of a process whose threads are limited, who can't run this test");
            return;
        }
        output => output.unwrap(),
    };
    match &said(&output)[..] {
        [missing] if missing.starts_with("missing") => {
            println!("skipped: the limit of threads, which this system can't set: {missing}");
        }
        [before, after, privileges] => {
            assert_eq!(before, after);
            assert_eq!(privileges, "CapEff:\t0000000000000000");
        }
        other => panic!("{other:?}: {output:?}"),
    }
}

fn user() {
    use rustix::process::{getegid, geteuid, getgid, getuid};
    let who = || format!("{:?}", (getuid(), geteuid(), getgid(), getegid()));
    let before = who();
    match confinement().unwrap().enforce().and_then(Stage::loaded) {
        Err(EnforceError::Missing { report }) => {
            return say(format_args!("missing: {:?}", report.missing().next()));
        }
        enforced => drop(enforced.unwrap()),
    }
    say(before);
    say(who());
    let status = fs::read_to_string("/proc/self/status").unwrap();
    status.lines().filter(|line| line.starts_with("CapEff:")).for_each(say);
}

/// For the kernel root has no limit of threads.
fn not_root() {
    if rustix::process::geteuid().is_root() {
        // SAFETY: It changes who this process is, which has no other thread.
        unsafe {
            assert_eq!(libc::setgroups(0, std::ptr::null()), 0);
            assert_eq!(libc::setgid(NOBODY), 0);
            assert_eq!(libc::setuid(NOBODY), 0);
        }
    }
}

#[test]
fn threads_are_limited_at_the_strict_levels_too() {
    if !has_landlock("the limit of threads at the strict levels") {
        return;
    }
    for level in [Level::ComputeOnly, Level::ReadOnly { read: vec!["/proc".into()] }] {
        let output = run("limited threads", Some(&Confinement::new(level).threads(2)), &[]);
        let lines = said(&output);
        if let Some(why) = lines.iter().find(|line| line.starts_with("missing")) {
            println!("skipped: the limit of threads, which this system can't set: {why}");
            return;
        }
        assert!(output.status.success(), "{output:?}");
        assert_eq!(lines[..3], ["a thread", "a thread", &format!("none: {}", libc::EAGAIN)]);
    }
}

#[test]
fn what_can_t_be_in_force_is_an_error_or_reported() {
    let users = fs::read_to_string("/proc/self/uid_map").unwrap();
    let root_is_root = users.split_whitespace().take(2).eq(["0", "0"]);
    if !(rustix::process::geteuid().is_root() && root_is_root) {
        println!("skipped: the limit of threads of root, since this isn't root");
        return;
    }
    let output = run("limited threads of root", None, &[]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        said(&output),
        [
            "this system can't put all of the confinement in force:",
            "  threads: the kernel doesn't count the threads of root; run the host as another user",
            "leave that out, or accept to go without it with `lenient(true)`",
            "lenient: [(Privileges, InForce), (CoreDumps, InForce)]",
        ]
    );
}

fn threads_of_root() {
    limits().threads(1).enforce().unwrap_err().to_string().lines().for_each(say);
    let report = limits().threads(1).lenient(true).enforce().unwrap().loaded().unwrap();
    assert_eq!(report.missing().map(|(measure, _)| measure).collect::<Vec<_>>(), [Measure::Threads]);
    let in_force = report.measures().filter(|(_, state)| **state == State::InForce);
    say(format_args!("lenient: {:?}", in_force.collect::<Vec<_>>()));
}

#[test]
fn no_more_descriptors_are_opened_than_may() {
    let [confined, free] = both("limited open files", &limits().open_files(3));
    assert_eq!(confined, ["opened 3 of 8", &format!("then {}", libc::EMFILE)]);
    assert_eq!(free, ["opened 8 of 8"]);
}

fn open_files() {
    // Whatever is open already, at whatever numbers, isn't counted.
    let before: Vec<_> = (0..5).map(|_| std::io::stdin().as_fd().try_clone_to_owned().unwrap()).collect();
    let (_keep, _gaps): (Vec<_>, Vec<_>) = {
        let mut before = before;
        let last = before.split_off(3);
        drop(before.remove(1));
        (before, last)
    };
    confine();
    let tries: Vec<_> = (0..8).map(|_| std::io::stdin().as_fd().try_clone_to_owned()).collect();
    say(format_args!("opened {} of 8", tries.iter().filter(|file| file.is_ok()).count()));
    if let Some(error) = tries.iter().find_map(|file| file.as_ref().err()) {
        say(format_args!("then {}", error.raw_os_error().unwrap()));
    }
}

#[test]
fn a_process_that_writes_too_large_a_file_is_ended() {
    let folder = Folder::new();
    let path = folder.file("large", "");
    let path = [("DYNPLUG_CONFINE_FILE", path.as_os_str())];
    let output = run("limited file size", Some(&limits().file_size(1 << 20)), &path);
    assert_eq!(signal(output.status), Some(libc::SIGXFSZ), "{output:?}");
    assert_eq!(fs::metadata(path[0].1).unwrap().len(), 1 << 20);
    let free = run("limited file size", None, &path);
    assert!(free.status.success(), "{free:?}");
}

fn file_size() {
    let mut file = fs::File::create(env::var_os("DYNPLUG_CONFINE_FILE").unwrap()).unwrap();
    confine();
    for _ in 0..20 {
        file.write_all(&[1; 64 << 10]).unwrap();
    }
}

#[test]
fn there_are_no_core_dumps_unless_they_are_asked_for() {
    // 1 is what keeps programs that take cores from a pipe from having them.
    assert_eq!(said(&run("limited core", Some(&limits()), &[])), ["at most 1"]);
    let [asked, free] = both("limited core", &limits().core_dumps(true));
    assert_eq!(asked, free);
}

fn core() {
    confine();
    let limit = rustix::process::getrlimit(rustix::process::Resource::Core);
    match limit.maximum {
        Some(maximum) => say(format_args!("at most {maximum}")),
        None => say("endless"),
    }
}

#[test]
fn a_process_with_other_threads_is_not_confined_by_halves() {
    let output = run("limited many threads", Some(&limits()), &[]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        said(&output),
        ["the process has 2 threads, and is confined while it has one; confine it before it starts others"]
    );
}

fn many_threads() {
    let (_end, wait) = mpsc::channel::<()>();
    thread::spawn(move || wait.recv());
    say(limits().enforce().unwrap_err());
}

#[test]
fn a_listed_file_that_is_not_there_is_an_error() {
    if !has_landlock("a listed file that is not there") {
        return;
    }
    let output = run("limited no such file", None, &[]);
    assert_eq!(
        said(&output),
        ["`/no/such/file` is listed as a file that may be read, and can't be looked at"],
        "{output:?}"
    );
}

fn no_such_file() {
    let level = Level::ReadOnly { read: vec!["/no/such/file".into()] };
    say(Confinement::new(level).lenient(true).enforce().unwrap_err());
}

#[test]
fn limits_bind_at_the_strict_levels_too() {
    if !has_landlock("limits at the strict levels") {
        return;
    }
    for level in [Level::ComputeOnly, Level::ReadOnly { read: Vec::new() }] {
        let confinement = Confinement::new(level).memory(64 << 20).open_files(3);
        let output = run("limited memory", Some(&confinement), &[]);
        assert_eq!(said(&output), ["48 MiB: true", "80 MiB: false", "48 MiB: true"], "{output:?}");
        let output = run("limited open files", Some(&confinement), &[]);
        assert_eq!(said(&output).first().map(String::as_str), Some("opened 3 of 8"), "{output:?}");
    }
}
