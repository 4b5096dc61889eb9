//! What the strict levels refuse, and with which error.

use super::{
    attempts::THEMES,
    play::{Folder, Victim, has_landlock, run, said},
};
use dynplug_process::confine::{Confinement, Level};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    net::TcpListener,
    os::unix::{fs::symlink, net::UnixListener},
};

/// What comes of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Done,
    Errno(i32),
}
use Expected::*;

const EPERM: Expected = Errno(libc::EPERM);
const EACCES: Expected = Errno(libc::EACCES);
const ENOSYS: Expected = Errno(libc::ENOSYS);

/// All attempts of a theme, by its name, or in the first stage, with ` before` behind its name. Those that are listed give the two outcomes, at `ReadOnly`
/// and at `ComputeOnly`, and the others `EPERM`.
fn theme(theme: &str, others: &[(&str, Expected, Expected)]) {
    if !has_landlock(theme) {
        return;
    }
    let folder = Folder::new();
    folder.file("listed", "listed");
    folder.file("other", "other");
    fs::create_dir(folder.path().join("folder")).unwrap();
    folder.file("folder/below", "below");
    symlink("../other", folder.path().join("folder/link")).unwrap();
    let _unix = UnixListener::bind(folder.path().join("socket"));
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap().port().to_string();

    let outcomes = |confinement: Option<&Confinement>| -> BTreeMap<String, Expected> {
        let victim = Victim::new();
        let id = victim.id();
        let variables = [
            ("DYNPLUG_CONFINE_FOLDER", folder.path().as_os_str()),
            ("DYNPLUG_CONFINE_PORT", OsStr::new(&port)),
            ("DYNPLUG_CONFINE_VICTIM", OsStr::new(&id)),
            ("DYNPLUG_CONFINE_ADDRESS", OsStr::new(&victim.address)),
        ];
        let output = run(&format!("attempts {theme}"), confinement, &variables);
        assert!(output.status.success(), "{confinement:?}: {output:?}");
        let outcome = |line: &String| {
            let (name, outcome) = line.rsplit_once(": ").unwrap();
            let outcome = outcome.parse().map_or(Done, Errno);
            (name.to_owned(), outcome)
        };
        said(&output).iter().map(outcome).collect()
    };
    let read = vec![folder.path().join("listed"), folder.path().join("folder")];
    let read_only = outcomes(Some(&Confinement::new(Level::ReadOnly { read })));
    let compute_only = outcomes(Some(&Confinement::new(Level::ComputeOnly)));
    // Last, since it may remove and rename.
    let free = outcomes(None);

    let theme = theme.trim_end_matches(" before");
    let mut wrong = Vec::new();
    let root = may_all();
    for (name, _) in THEMES.iter().find(|(name, _)| *name == theme).unwrap().1 {
        let other = others.iter().find(|(other, ..)| other == name);
        let expected = other.map_or([EPERM, EPERM], |(_, a, b)| [*a, *b]);
        for (expected, have) in expected.into_iter().zip([&read_only, &compute_only]) {
            if have[*name] != expected {
                wrong.push(format!("{name}: {:?}, and not {expected:?}", have[*name]));
            }
            let Some(&free) = free.get(*name) else { continue };
            if expected != Done && expected == free && expected != ENOSYS {
                // Then nothing is proven of it.
                match root {
                    true => wrong.push(format!("{name}: {free:?} without confinement too")),
                    false => println!("skipped: {name}, which is refused here anyway"),
                }
            }
        }
    }
    for (name, ..) in others {
        assert!(read_only.contains_key(*name), "no attempt {name}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whether this process is refused nothing: it is root, and in no container that takes things away.
fn may_all() -> bool {
    const SYS_ADMIN: u64 = 1 << 21;
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = |name| status.lines().find_map(|line| Some(line.strip_prefix(name)?.trim()));
    let capabilities = line("CapEff:").and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0);
    capabilities & SYS_ADMIN != 0 && line("Seccomp:") == Some("0")
}

#[test]
fn files_are_read_where_they_are_listed_and_written_nowhere() {
    theme(
        "files",
        &[
            ("read listed", Done, EPERM),
            ("read in a listed folder", Done, EPERM),
            ("list a listed folder", Done, EPERM),
            ("ask for a size", Done, EPERM),
            ("read another", EACCES, EPERM),
            ("read through a link", EACCES, EPERM),
            ("list another folder", EACCES, EPERM),
            ("read a password file", EACCES, EPERM),
            ("read its own memory map", EACCES, EPERM),
        ],
    );
}

#[test]
fn nothing_is_connected_to_and_nothing_listened_for() {
    theme("network", &[("a pair of streams", Done, EPERM)]);
}

#[test]
fn no_other_program_and_no_other_process_is_started() {
    theme("programs", &[("clone3", ENOSYS, ENOSYS)]);
}

#[test]
fn other_processes_are_not_read_traced_stopped_or_steered() {
    theme("processes", &[("open memory", EACCES, EPERM), ("look into its descriptors", EACCES, EPERM)]);
}

#[test]
fn no_memory_becomes_code_once_the_plugin_is_loaded() {
    theme("code", &[("memory", Done, Done)]);
}

#[test]
fn no_memory_becomes_code_before_that_but_what_is_mapped_from_files() {
    // It finds a pipe to be mapped, which can't be read: the filter has let that through.
    theme("code before", &[("memory", Done, Done), ("an executable file", EACCES, EACCES)]);
}

#[test]
fn before_the_plugin_is_loaded_all_else_is_refused_already() {
    theme("network before", &[("a pair of streams", Done, EPERM)]);
    theme("programs before", &[("clone3", ENOSYS, ENOSYS)]);
    let listed = |name| (name, Done, EACCES);
    let other = |name| (name, EACCES, EACCES);
    theme(
        "files before",
        &[
            listed("read listed"),
            listed("read in a listed folder"),
            ("list a listed folder", Done, EACCES),
            ("ask for a size", Done, EPERM),
            other("read another"),
            other("read through a link"),
            other("list another folder"),
            other("read a password file"),
            other("read its own memory map"),
        ],
    );
}

#[test]
fn the_kernels_larger_doors_are_closed() {
    theme("kernel", &[("a device", EACCES, EPERM), ("a call of the future", ENOSYS, ENOSYS)]);
}
