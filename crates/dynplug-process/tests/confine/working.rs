//! What has to work at the strict levels: all that computing is made of.

use super::play::{Folder, confine, enforce, has_landlock, run, said, say};
use dynplug_process::confine::{Confinement, Level, Measure, State};
use std::{
    backtrace::Backtrace,
    collections::HashMap,
    env,
    ffi::{CStr, CString},
    io::{Read, Seek, Write},
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        unix::process::ExitStatusExt,
    },
    path::PathBuf,
    process::{self, Command},
    sync::{Arc, Barrier, Mutex},
    thread,
    time::{Duration, Instant, SystemTime},
};

pub fn play(role: &str) {
    match role {
        "everything" => everything(),
        "load" => load(),
        "abort" => {
            confine();
            process::abort();
        }
        "overflow" => {
            confine();
            overflow(0);
        }
        "panic" => {
            confine();
            panic!("told as ever");
        }
        "report" => report(),
        "privileges" => privileges(),
        _ => panic!("no role {role}"),
    }
}

fn strict() -> [Confinement; 2] {
    [Level::ComputeOnly, Level::ReadOnly { read: vec!["/etc/hostname".into(), "/usr/share".into()] }]
        .map(|level| Confinement::new(level).memory(256 << 20).open_files(16))
}

#[test]
fn threads_panics_time_and_memory_are_as_ever() {
    if !has_landlock("what works at the strict levels") {
        return;
    }
    for confinement in strict() {
        let output = run("working everything", Some(&confinement), &[("RUST_BACKTRACE", "1".as_ref())]);
        assert!(output.status.success(), "{confinement:?}: {output:#?}");
        let lines = said(&output);
        assert_eq!(lines.last().map(String::as_str), Some("everything"), "{lines:?}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains("caught below") && error.contains("stack backtrace"), "{error}");
        assert!(error.contains("to standard error"), "{error}");
    }
}

fn everything() {
    confine().unwrap();
    // Threads that wait for each other, with names, and what they return.
    let barrier = Arc::new(Barrier::new(5));
    let sum = Arc::new(Mutex::new(0));
    let threads: Vec<_> = (0..4)
        .map(|i| {
            let (barrier, sum) = (barrier.clone(), sum.clone());
            let body = move || {
                barrier.wait();
                *sum.lock().unwrap() += i;
                thread::current().name().unwrap().to_owned()
            };
            thread::Builder::new().name(format!("worker {i}")).spawn(body).unwrap()
        })
        .collect();
    barrier.wait();
    for (i, thread) in threads.into_iter().enumerate() {
        assert_eq!(thread.join().unwrap(), format!("worker {i}"));
    }
    assert_eq!(*sum.lock().unwrap(), 6);
    assert!(thread::available_parallelism().unwrap().get() > 0);

    // Panics, told with a backtrace, and caught.
    let caught = std::panic::catch_unwind(|| panic!("caught below")).unwrap_err();
    assert_eq!(caught.downcast_ref(), Some(&"caught below"));
    assert!(thread::spawn(|| panic!("caught below")).join().is_err());
    assert!(!Backtrace::force_capture().to_string().is_empty());

    // Random numbers, time, sleep.
    assert_eq!(HashMap::from([(1, 2)])[&1], 2);
    let start = Instant::now();
    thread::sleep(Duration::from_millis(2));
    thread::park_timeout(Duration::from_millis(2));
    assert!(start.elapsed() >= Duration::from_millis(2));
    assert!(SystemTime::now() > SystemTime::UNIX_EPOCH);

    // Memory that grows, moves, shrinks and goes.
    let mut bytes = vec![1_u8; 64 << 20];
    bytes.reserve_exact(32 << 20);
    bytes.truncate(1 << 20);
    bytes.shrink_to_fit();
    drop(bytes);

    // Pipes, and descriptors.
    let (mut output, mut input) = std::io::pipe().unwrap();
    input.write_all(b"within").unwrap();
    drop(input);
    let mut text = String::new();
    output.try_clone().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(output.read(&mut [0]).unwrap(), 0);
    assert_eq!(text, "within");

    assert!(!std::io::IsTerminal::is_terminal(&std::io::stdin()));
    eprintln!("to standard error");
    // A signal that it sends itself, and handles.
    // SAFETY: It ignores a signal of its own, and raises it.
    unsafe {
        libc::signal(libc::SIGUSR1, libc::SIG_IGN);
        assert_eq!(libc::raise(libc::SIGUSR1), 0);
    }
    say("everything");
}

#[test]
fn a_process_ends_by_what_ends_it() {
    if !has_landlock("how a confined process ends") {
        return;
    }
    for confinement in strict() {
        for role in ["abort", "overflow"] {
            let output = run(&format!("working {role}"), Some(&confinement), &[]);
            assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{role}: {output:?}");
            let error = String::from_utf8_lossy(&output.stderr);
            assert_eq!(error.contains("has overflowed its stack"), role == "overflow", "{error}");
        }
        let output = run("working panic", Some(&confinement), &[]);
        assert_eq!(output.status.code(), Some(101), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("told as ever"), "{output:?}");
    }
}

#[allow(unconditional_recursion)]
fn overflow(depth: usize) -> usize {
    let room = std::hint::black_box([depth; 100]);
    overflow(depth + 1) + room[depth % 100]
}

#[test]
fn a_library_is_loaded_from_memory_in_the_first_stage_and_none_in_the_second() {
    if !has_landlock("loading a library") {
        return;
    }
    let folder = Folder::new();
    let source = folder.file(
        "library.rs",
        "#[unsafe(no_mangle)] pub extern \"C\" fn answer() -> u32 { std::thread::spawn(|| 42).join().unwrap() }",
    );
    let library = folder.path().join("library.so");
    let rustc = env::var_os("RUSTC").unwrap_or("rustc".into());
    let mut command = Command::new(rustc);
    command.args(["--edition=2024", "--crate-type=cdylib", "-o"]).arg(&library).arg(source);
    assert!(command.status().unwrap().success());

    for confinement in strict() {
        let output =
            run("working load", Some(&confinement), &[("DYNPLUG_CONFINE_FILE", library.as_os_str())]);
        assert!(output.status.success(), "{output:?}");
        let lines = said(&output);
        assert_eq!(lines[0], "before: 42");
        assert!(lines[1].starts_with("after: ") && lines[1].contains("/proc/self/fd/"), "{lines:?}");
        assert_eq!(lines[2], "again: 42");
    }
}

fn load() {
    let path = PathBuf::from(env::var_os("DYNPLUG_CONFINE_FILE").unwrap());
    let bytes = std::fs::read(path).unwrap();
    let copy = || {
        // SAFETY: The name is a text with an end, and what it gives is a descriptor that nobody else has.
        let mut file = std::fs::File::from(unsafe {
            let number = libc::memfd_create(c"library".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING);
            assert!(number >= 0);
            OwnedFd::from_raw_fd(number)
        });
        file.write_all(&bytes).unwrap();
        file.rewind().unwrap();
        file
    };
    let [one, two] = [copy(), copy()];
    let stage = enforce().unwrap();
    assert_eq!(executable(), Some(libc::EACCES));
    let answer = open(&one).unwrap();
    say(format_args!("before: {}", answer()));
    // What the library has started when it was loaded loses the right as well.
    let (go, wait) = std::sync::mpsc::channel();
    let early = thread::spawn(move || {
        wait.recv().unwrap();
        executable()
    });
    stage.loaded().unwrap();
    go.send(()).unwrap();
    assert_eq!(early.join().unwrap(), Some(libc::EPERM));
    match open(&two) {
        Ok(_) => say("after: loaded"),
        Err(error) => say(format_args!("after: {error}")),
    }
    say(format_args!("again: {}", answer()));
}

/// What the system says to code from a pipe's writing end: that it can't be read, unless it refuses before it looks.
fn executable() -> Option<i32> {
    let (_output, input) = std::io::pipe().unwrap();
    let (protection, flags) = (libc::PROT_READ | libc::PROT_EXEC, libc::MAP_PRIVATE);
    // SAFETY: The system chooses the place, and nothing is run from there.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), 4096, protection, flags, input.as_raw_fd(), 0) };
    assert_eq!(start, libc::MAP_FAILED);
    std::io::Error::last_os_error().raw_os_error()
}

fn open(file: &std::fs::File) -> Result<extern "C" fn() -> u32, String> {
    let path = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
    // SAFETY: It is the library that the test has made, which has that function and nothing that runs by itself.
    unsafe {
        let library = libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
        if library.is_null() {
            return Err(CStr::from_ptr(libc::dlerror()).to_string_lossy().into_owned());
        }
        let symbol = libc::dlsym(library, c"answer".as_ptr());
        assert!(!symbol.is_null());
        Ok(std::mem::transmute::<*mut libc::c_void, extern "C" fn() -> u32>(symbol))
    }
}

#[test]
fn the_report_says_what_is_in_force() {
    if !has_landlock("the report") {
        return;
    }
    let output = run("working report", Some(&strict()[0]), &[]);
    assert_eq!(
        said(&output),
        [
            "no new privileges: in force",
            "no capabilities: in force",
            "no core dumps: in force",
            "open files: in force",
            "memory: in force",
            "files: in force",
            "system calls: in force",
            "no more code: once the plugin is loaded",
            "then: true",
        ],
        "{output:?}"
    );
    let output = run("working report", Some(&Confinement::new(Level::LimitsOnly)), &[]);
    assert_eq!(said(&output), ["no new privileges: in force", "no core dumps: in force", "then: false"]);
}

fn report() {
    let stage = enforce().unwrap();
    stage.report().to_string().lines().for_each(say);
    let report = stage.loaded().unwrap();
    assert!(report.measures().all(|(_, state)| *state == State::InForce));
    say(format_args!("then: {}", report.in_force(Measure::Code)));
}

#[test]
fn privileges_are_given_up() {
    if !has_landlock("privileges") {
        return;
    }
    let level = Level::ReadOnly { read: vec!["/proc".into()] };
    let output = run("working privileges", Some(&Confinement::new(level)), &[]);
    let none = "0".repeat(16);
    let lines: Vec<_> = ["CapInh", "CapPrm", "CapEff"].map(|name| format!("{name}:\t{none}")).into();
    assert_eq!(said(&output), [&lines[..], &["NoNewPrivs:\t1".to_owned()]].concat(), "{output:?}");
    let limits = said(&run("working privileges", Some(&Confinement::new(Level::LimitsOnly)), &[]));
    assert_eq!(limits.last().map(String::as_str), Some("NoNewPrivs:\t1"));
    let free = said(&run("working privileges", None, &[]));
    assert_eq!(free.last().map(String::as_str), Some("NoNewPrivs:\t0"));
    if rustix::process::geteuid().is_root() {
        assert_ne!(free[2], lines[2]);
    }
}

fn privileges() {
    confine();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let told = ["CapInh:", "CapPrm:", "CapEff:", "NoNewPrivs:"];
    status.lines().filter(|line| told.iter().any(|name| line.starts_with(name))).for_each(say);
}
