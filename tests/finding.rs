//! Plugins that are found: by their names, linked in or in folders, and all that there are. `mixed/` is the workspace; its
//! host has three plugins linked in.

use crate::contract::contract;
use crate::harness::{Fixture, Ran};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

static BUILT: LazyLock<(Fixture, Ran)> = LazyLock::new(|| {
    let fixture = Fixture::empty("mixed");
    // Those that are linked in are not to lie beside the host as well.
    let packages = ["-p", "mixed", "-p", "out-a", "-p", "out-b", "-p", "twice-out"];
    let ran = fixture.copy("mixed").build().args(packages).go();
    (fixture, ran)
});

#[track_caller]
fn mixed() -> &'static Fixture {
    let (fixture, build) = &*BUILT;
    build.ok();
    fixture
}

/// The host, with folders.
#[track_caller]
fn host(verb: &str, folders: &[&Path]) -> Ran {
    let host = mixed().run(&mixed().outcome("mixed")).arg(verb);
    let ran = folders.iter().fold(host, |host, folder| host.arg(folder)).go();
    ran.ok();
    ran
}

/// A new folder.
fn folder(name: &str) -> PathBuf {
    let folder = mixed().root().join(name);
    fs::create_dir(&folder).expect("no other test has a folder of this name");
    folder
}

// E1, E3, E4
#[test]
fn three_linked_in_and_three_loaded_of_which_two_have_one_name() {
    let second = folder("second");
    fs::copy(mixed().plugin_file("out_b"), second.join("libout_b.so")).unwrap();
    fs::write(second.join("README.md"), "no plugin").unwrap();
    host("tour", &[&second, &second.join("nowhere"), &second.join("../second")]).prints(
        "\
in_a in-a 0.1.0
in_b in-b 0.1.0
twice twice 0.1.0
in_a | in-a 0.1.0 (linked in) | fits
  in-a 0.1.0: fn register(answers: &mut Vec<Box<dyn $crate::Answer>>)
in_b | in-b 0.1.0 (linked in) | fits
  in-b 0.1.0: fn register(answers: &mut Vec<Box<dyn $crate::Answer>>)
twice | twice 0.1.0 (linked in) | fits
  twice 0.1.0: fn register(answers: &mut Vec<Box<dyn $crate::Answer>>)
out_b | libout_b.so | fits
  out-b 0.1.0: fn register(answers: &mut Vec<Box<dyn $crate::Answer>>)
out_a | libout_a.so | fits
  out-a 0.1.0: fn register(answers: &mut Vec<Box<dyn $crate::Answer>>)
out_b | libout_b.so | fits
  out-b 0.1.0: fn register(answers: &mut Vec<Box<dyn $crate::Answer>>)
  shadowed by libout_b.so
twice | libtwice.so | fits
  twice-out 0.1.0: fn register(answers: &mut Vec<Box<dyn $crate::Answer>>)
  shadowed by twice 0.1.0 (linked in)
1 skipped
0 skipped, not there
0 skipped
ran: 
in-a linked in: in-a at call 1; start in-a
out-b loaded: out-b at call 2; start out-b
twice linked in: twice at call 3; start twice
out-a loaded: out-a at call 4; start out-a
in-b linked in: in-b at call 5; start in-b
twice linked in: twice at call 6; 
twice linked in: twice at call 7; 
twice-out loaded: twice-out at call 8; start twice-out
there is no plugin `in-c`: none of that name is linked into this program, and `libin_c.so` is in none of the folders \
second, nowhere, second, plugins; the nearest are `in_a`, `in_b`
there is no plugin `out-a`: none of that name is linked into this program, and the loader was given no folders to \
search; a file of that name is opened as `./out-a`
all: in-a, in-b, twice, out-b, out-a
",
    );
}

// E5
#[test]
fn ten_thousand_entries_of_every_kind_are_discovered_and_each_has_a_reason() {
    let folder = folder("everything");
    let plugin = mixed().plugin_file("out_a");
    let bytes = fs::read(&plugin).unwrap();
    let at = |name: &str| folder.join(name);
    fs::copy(&plugin, at("libout_a.so")).unwrap();
    fs::copy(contract().plugin_file("hello"), at("libhello.so")).unwrap();
    fs::copy(mixed().library(), at("liblibrary.so")).unwrap();
    fs::copy(mixed().outcome("mixed"), at("libhost.so")).unwrap();
    fs::write(at("libtruncated.so"), &bytes[..bytes.len() / 2]).unwrap();
    fs::write(at("libempty.so"), "").unwrap();
    fs::write(at("libzeros.so"), [0; 10_000]).unwrap();
    fs::write(folder.join(OsStr::from_bytes(b"lib\xff.so")), "no name of any crate").unwrap();
    fs::write(at("some.plugin.so"), "no name of a library").unwrap();
    fs::create_dir(at("libfolder.so")).unwrap();
    let holes = fs::File::create(at("libholes.so")).unwrap();
    holes.set_len(1 << 40).unwrap();
    let socket = UnixListener::bind(at("libsocket.so")).unwrap();
    assert!(Command::new("mkfifo").arg(at("libpipe.so")).status().unwrap().success());
    for (name, to) in [
        ("libloop.so", "libloop.so"),
        ("libround.so", "libabout.so"),
        ("libabout.so", "libround.so"),
        ("libnowhere.so", "nowhere"),
        ("libdevice.so", "/dev/zero"),
        // Nobody may read it, not even root.
        ("libunreadable.so", "/proc/self/clear_refs"),
        ("libinto_a_file.so", "libempty.so/x"),
    ] {
        symlink(to, at(name)).unwrap();
    }
    for n in 0..5000 {
        fs::write(at(&format!("libtext{n}.so")), "a text").unwrap();
        fs::write(at(&format!("README-{n}.md")), "no plugin").unwrap();
    }
    let ran = host("discover", &[&folder, &at("libempty.so"), &at("libloop.so")]);
    drop(socket);
    for line in [
        "out_a | libout_a.so | fits\n  out-a 0.1.0: fn register",
        "hello | libhello.so | libhello.so: the plugin `hello` 0.1.0 does not fit this host",
        "library | liblibrary.so | liblibrary.so is not a plugin: it is the API library of `app-api`\n",
        "host | libhost.so | libhost.so is not a plugin: it is the host of `mixed`\n",
        "truncated | libtruncated.so | libtruncated.so is not a plugin: ",
        "empty | libempty.so | libempty.so is not a plugin: ",
        "zeros | libzeros.so | libzeros.so is not a plugin: ",
        "(no name) | lib\u{fffd}.so | lib\u{fffd}.so is not a plugin: ",
        "(no name) | some.plugin.so | some.plugin.so is not a plugin: ",
        "folder | libfolder.so | libfolder.so is not a plugin: it is a folder\n",
        "holes | libholes.so | ",
        "socket | libsocket.so | libsocket.so is not a plugin: it is a socket\n",
        "pipe | libpipe.so | libpipe.so is not a plugin: it is a pipe\n",
        "loop | libloop.so | cannot read the plugin libloop.so",
        "round | libround.so | cannot read the plugin libround.so",
        "about | libabout.so | cannot read the plugin libabout.so",
        "nowhere | libnowhere.so | cannot read the plugin libnowhere.so",
        "device | libdevice.so | libdevice.so is not a plugin: it is a device\n",
        "unreadable | libunreadable.so | ",
        "into_a_file | libinto_a_file.so | cannot read the plugin libinto_a_file.so",
        "text4999 | libtext4999.so | libtext4999.so is not a plugin: ",
        "\n5000 skipped\n0 skipped, an error\n0 skipped, an error\nran: \n",
    ] {
        ran.says(line);
    }
    ran.says_in_lines(19 + 5000, " | lib").says_in_lines(1, "some.plugin.so | ");
    ran.says_in_lines(4, "| fits");
}

// E6
#[test]
fn who_wants_all_or_none_is_told_all_reasons_and_nothing_ran() {
    let folder = folder("all-or-none");
    fs::copy(mixed().plugin_file("out_a"), folder.join("libout_a.so")).unwrap();
    host("all", &[&folder]).prints("opened 4\nran: start in-a, start in-b, start twice, start out-a");
    fs::write(folder.join("libtext.so"), "a text").unwrap();
    fs::write(folder.join("libmore.so"), "").unwrap();
    let ran = host("all", &[&folder, &folder.join("libtext.so")]);
    ran.says("0 opened\nnot all plugins could be opened:\nlibtext.so: ")
        .says("\nlibmore.so is not a plugin: ")
        .says("\nlibtext.so is not a plugin: ")
        .says("\nran: \n");
    // What is hidden by something before it is in nobody's way.
    fs::remove_file(folder.join("libtext.so")).unwrap();
    fs::rename(folder.join("libmore.so"), folder.join("libtwice.so")).unwrap();
    host("all", &[&folder]).says("opened 4\n");
}

// E7
#[test]
fn a_host_collects_what_all_plugins_have() {
    let ran = host("collect", &[]);
    let answers =
        ["in-a at call 1", "in-b at call 2", "twice at call 3", "out-a at call 4", "out-b at call 5"];
    ran.prints(&answers.join("\n"));
}
