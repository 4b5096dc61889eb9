//! The host: its arguments are words of a small language, done one after the other.

use app_api::dynplug::{Load, Loader, Plugin};
use app_api::{attempt, traces, variant};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

fn main() {
    let mut words = std::env::args_os().skip(1).map(PathBuf::from);
    let mut opened: Vec<&'static Plugin> = Vec::new();
    while let Some(verb) = words.next() {
        let mut path = || words.next().expect("the verb takes a path");
        let done = match verb.to_str().expect("a verb is text") {
            "open" => Ok(opened.extend(attempt(&path(), Load::PrivateCopy))),
            "open-in-place" => Ok(opened.extend(attempt(&path(), Load::InPlace))),
            "open-each" => open_each(&path()),
            "discover-each" => discover_each(&path()),
            "same" => {
                let [.., a, b] = opened[..] else { panic!("two plugins are open") };
                Ok(println!("{}", if std::ptr::eq(a, b) { "the same plugin" } else { "another plugin" }))
            }
            "call" => {
                let f = opened.last().expect("a plugin is open").lookup::<fn()>("f");
                Ok(f.expect("it has an f")())
            }
            "call-far" => {
                let far = opened.last().expect("a plugin is open").lookup::<fn() -> u64>("far");
                Ok(println!("far away: {}", far.expect("it has one")()))
            }
            "changed" => {
                let changed = opened.last().expect("a plugin is open").changed_on_disk();
                changed.map(|changed| println!("{}", if changed { "changed" } else { "as it was" }))
            }
            "write" => write(&path(), &path()),
            "truncate" => fs::OpenOptions::new().write(true).open(path()).and_then(|file| file.set_len(0)),
            "fill" => fill(&path()),
            "touch" => touch(&path()),
            "replace" => replace(&path(), &path()),
            "hard-link" => fs::hard_link(path(), path()),
            "remove" => fs::remove_file(path()),
            other => panic!("there is no verb {other}"),
        };
        done.unwrap_or_else(|error| panic!("{}: {error}", verb.display()));
    }
}

/// Writes the bytes of one file into another, which stays the same file.
fn write(from: &Path, to: &Path) -> io::Result<()> {
    fs::write(to, fs::read(from)?)
}

/// Overwrites a file with as many bytes of no meaning.
fn fill(path: &Path) -> io::Result<()> {
    let size = fs::metadata(path)?.len();
    let mut file = fs::OpenOptions::new().write(true).open(path)?;
    io::copy(&mut io::repeat(0xcc).take(size), &mut file).map(drop)
}

/// Says that a file was written to a long time ago.
fn touch(path: &Path) -> io::Result<()> {
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::OpenOptions::new().write(true).open(path)?.set_modified(then)
}

/// Puts a copy of one file in the place of another.
fn replace(from: &Path, to: &Path) -> io::Result<()> {
    let new = to.with_extension("new");
    write(from, &new)?;
    fs::rename(new, to)
}

/// Opens all files of a folder, none of which may open, and prints how that went.
fn open_each(folder: &Path) -> io::Result<()> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.sort();
    let (addresses, memory) = (peak("VmPeak:"), peak("VmHWM:"));
    let mut refused = BTreeMap::<String, usize>::new();
    for path in &paths {
        let before = traces();
        // SAFETY: each file is damaged so that it must be refused. If one isn't, the test has found what it looks for.
        match unsafe { Plugin::open(path) } {
            Ok(_) => println!("opened {}", path.display()),
            Err(error) => {
                assert!(!error.to_string().is_empty());
                *refused.entry(variant(&error)).or_default() += 1;
            }
        }
        if traces() != before {
            println!("left behind by {}", path.display());
        }
    }
    println!("refused {} of {}", refused.values().sum::<usize>(), paths.len());
    for (variant, count) in refused {
        println!("as {variant}: {count}");
    }
    println!("kilobytes of addresses: {}", peak("VmPeak:") - addresses);
    println!("kilobytes of memory: {}", peak("VmHWM:") - memory);
    Ok(())
}

/// Discovers all files of a folder, none of which may open, and compares what is said of each with what opening it says.
fn discover_each(folder: &Path) -> io::Result<()> {
    let mut alike = 0;
    let discovery = Loader::new().folder(folder).discover();
    for found in &discovery.found {
        let path = found.path().expect("nothing is linked in");
        let said = found.fits().err().map(ToString::to_string);
        // SAFETY: as above.
        let meant = unsafe { Plugin::open(path) }.err().map(|error| error.to_string());
        match said == meant {
            true => alike += 1,
            false => println!("{}: {said:?} is not {meant:?}", path.display()),
        }
    }
    // What says of itself that it is a library of plugins is no plugin that doesn't fit.
    let libraries: Vec<_> = discovery.folders.iter().flat_map(|folder| &folder.libraries).collect();
    for path in &libraries {
        // SAFETY: as above.
        let error = unsafe { Plugin::open(path) }.expect_err("it is no plugin").to_string();
        match error.contains("it is the plugin library of") {
            true => alike += 1,
            false => println!("{}: a library, but {error}", path.display()),
        }
    }
    println!("discovered {alike} of {} as they open", discovery.found.len() + libraries.len());
    Ok(())
}

/// The most that this process ever had of something, in kilobytes.
#[cfg(not(target_os = "linux"))]
fn peak(_what: &str) -> u64 {
    0
}

/// The most that this process ever had of something, in kilobytes.
#[cfg(target_os = "linux")]
fn peak(what: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the system has /proc");
    let line = status.lines().find(|line| line.starts_with(what)).expect("the system counts it");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("it is a number")
}
