//! Files that are no plugins for this host: each is a typed error, nothing of it runs, nothing of it stays in the
//! process, and the next plugin opens. The workspace is `hostile/`; what its host is to do is said in words.

use crate::harness::{Call, Fixture, Ran, shared_target, skipped, target};
use dynplug_manifest::Image;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The workspace, with what its builds said.
static BUILT: LazyLock<(Fixture, [Ran; 2])> = LazyLock::new(|| {
    let fixture = Fixture::empty("hostile");
    fixture.copy("hostile");
    let first = fixture.build().go();
    // What is missing is seen when the first test looks at what the builds said.
    let _ = std::fs::copy(fixture.plugin_file("mending"), fixture.root().join("failing.so"));
    fixture.replace("mending/src/lib.rs", "STARTS: bool = false", "STARTS: bool = true");
    let second = fixture.build().args(["-p", "mending"]).go();
    (fixture, [first, second])
});

#[track_caller]
pub fn hostile() -> &'static Fixture {
    let (fixture, builds) = &*BUILT;
    builds.iter().for_each(|build| {
        build.ok();
    });
    fixture
}

/// Where the plugin is whose files are spoilt.
pub fn victim() -> PathBuf {
    hostile().plugin_file("victim")
}

/// The plugin whose init fails, built before its author mended it.
pub fn failing() -> PathBuf {
    hostile();
    BUILT.0.root().join("failing.so")
}

/// A folder of the test's own.
pub fn folder(name: &str) -> PathBuf {
    let folder = hostile().root().join(name);
    std::fs::create_dir(&folder).expect("no other test has a folder of this name");
    folder
}

/// Lets the host do what the words say.
#[track_caller]
pub fn host(words: &[&dyn AsRef<std::ffi::OsStr>]) -> Ran {
    let ran = words.iter().fold(hostile().app(), |call, word| call.arg(word.as_ref())).go();
    ran.ok();
    ran
}

/// A file with these bytes.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = hostile().root().join(name);
    std::fs::write(&path, bytes).expect("the file can be written");
    path
}

/// The victim's bytes, changed.
fn changed(name: &str, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let mut bytes = std::fs::read(victim()).expect("the victim is built");
    change(&mut bytes);
    file(name, &bytes)
}

/// Lets the bytes of a plugin name another build of the API library.
pub fn forget_identity(bytes: &mut [u8]) {
    let manifest = Image::parse(bytes).expect("it is an image").manifest();
    let identity = manifest.expect("its manifest is good").expect("it has one").api.identity.0;
    let places: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(&identity)).collect();
    assert!(!places.is_empty(), "the manifest is somewhere in the file");
    for at in places {
        bytes[at..at + identity.len()].iter_mut().for_each(|byte| *byte ^= 0x5a);
    }
}

/// The path is refused, as this and with this text, by both ways of loading; nothing ran, nothing stays, and a good
/// plugin opens afterwards.
#[track_caller]
fn is_refused(path: &Path, variant: &str, text: &str) {
    let good = hostile().plugin_file("good");
    for verb in ["open", "open-in-place"] {
        let ran = host(&[&verb, &path, &"open", &good, &"call"]);
        ran.says(text).does_not_say("victim ran").does_not_say("the trap ran");
        let lines: Vec<&str> = ran.stdout.lines().collect();
        assert_eq!(lines.first(), Some(&&*format!("refused as {variant}")), "{ran}");
        let end = lines.iter().position(|line| *line == "left nothing").unwrap_or_else(|| panic!("{ran}"));
        assert!(
            lines[..end].iter().any(|line| line.contains(path.to_str().unwrap())),
            "it names the path\n{ran}"
        );
        let after = &lines[end + 1..];
        let expected = ["the constructor of good ran", "the init of good ran", "opened good"];
        assert_eq!(after.get(..3), Some(&expected[..]), "{ran}");
        assert_eq!(after.last(), Some(&"f of good ran"), "{ran}");
    }
}

/// Without this, the other tests would prove nothing.
#[test]
fn what_a_plugin_runs_and_leaves_behind_is_seen() {
    for verb in ["open", "open-in-place"] {
        host(&[&verb, &victim(), &"call"])
            .says_in_order([
                "the constructor of victim ran",
                "the init of victim ran",
                "opened victim",
                "f of victim ran",
            ])
            .says("left behind: ")
            .does_not_say("left nothing");
    }
    let ran = host(&[&"open", &victim()]);
    match target().is_windows() {
        true => ran.says("/Temp/dynplug/").says("/victim-0.dll"),
        false => ran.says("memfd:dynplug:victim").says("left behind: descriptor"),
    };
    if target().named().is_none() {
        let library = trap("seen.so", &["-shared", "-fPIC"]);
        let ran = hostile().system(Path::new("true")).env("LD_PRELOAD", &library).go();
        ran.ok().says("the constructor of the trap ran");
    }
    let program = trap("seen", &[]);
    hostile().run(&program).go().ok().says("the constructor of the trap ran");
}

/// What the C compiler makes of a constructor that leaves a trace.
fn trap(name: &str, options: &[&str]) -> PathBuf {
    let source = file(
        &format!("{name}.c"),
        b"#include <unistd.h>\n\
          __attribute__((constructor)) static void start(void) {\n\
          static const char text[] = \"the constructor of the trap ran\\n\";\n\
          if (write(1, text, sizeof text - 1) < 0) _exit(3);\n}\n\
          int main(void) { return 0; }\n",
    );
    let is_program = !options.contains(&"-shared") && !name.contains('.');
    let made = hostile().root().join(if is_program { target().program(name) } else { name.to_owned() });
    let call = options.iter().fold(hostile().system(&target().c_compiler()), Call::arg);
    call.arg(source).arg("-o").arg(&made).go().ok();
    made
}

// C1
#[test]
fn text_is_refused() {
    is_refused(&file("text.so", b"This is no plugin.\n"), "NotAnImage Text", "it looks like a text file");
    is_refused(
        &file("script.so", b"#!/bin/sh\necho the trap ran\n"),
        "NotAnImage Script",
        "it looks like a script",
    );
}

// C1
#[test]
fn an_empty_file_is_refused() {
    is_refused(&file("empty.so", b""), "NotAnImage Empty", "it looks like an empty file");
    is_refused(&file("zeros.so", &[0; 5000]), "NotAnImage Zeros", "it looks like a file of zeros");
}

// C1
#[test]
fn what_is_not_there_is_refused() {
    is_refused(&hostile().root().join("absent.so"), "Read", "(os error 2)");
    let loose = hostile().root().join("loose.so");
    std::os::unix::fs::symlink("nowhere", &loose).unwrap();
    is_refused(&loose, "Read", "(os error 2)");
}

// C1
#[test]
fn a_folder_is_refused() {
    is_refused(&folder("folder.so"), "NotAFile", "it is a folder");
}

// C1
#[test]
fn a_pipe_is_refused_and_nobody_waits_for_its_writer() {
    if target().is_windows() {
        return skipped("on Windows a pipe has no place among files");
    }
    let pipe = hostile().root().join("pipe.so");
    hostile().system(Path::new("mkfifo")).arg(&pipe).go().ok();
    is_refused(&pipe, "NotAFile", "it is a pipe");
}

// C1
#[test]
fn a_socket_is_refused() {
    if target().is_windows() {
        return skipped("on Windows a socket has no place among files");
    }
    let socket = hostile().root().join("socket.so");
    let _listener = UnixListener::bind(&socket).expect("the path is short enough for a socket");
    is_refused(&socket, "NotAFile", "it is a socket");
}

// C1
#[test]
fn a_device_is_refused() {
    if target().is_windows() {
        return skipped("on Windows a device has no place among files");
    }
    is_refused(Path::new("/dev/null"), "NotAFile", "it is a device");
    is_refused(Path::new("/dev/zero"), "NotAFile", "it is a device");
}

// C1
#[test]
fn an_executable_is_refused() {
    is_refused(&trap("program", &[]), "Foreign", "it is an executable that carries no manifest");
    is_refused(
        &trap("fixed-program", &["-no-pie"]),
        "Foreign",
        "it is an executable that carries no manifest",
    );
}

// C1
#[test]
fn the_host_itself_is_refused() {
    is_refused(&hostile().program("app"), "Other Host", "`app`");
    if !target().is_windows() {
        is_refused(Path::new("/proc/self/exe"), "Other Host", "`app`");
    }
    is_refused(&hostile().program("early"), "Other Host", "`early`");
}

// C1
#[test]
fn the_api_library_is_refused() {
    is_refused(&hostile().library(), "Other ApiLibrary", "`app-api`");
}

// C1
#[test]
fn an_ordinary_library_is_refused_before_its_constructors_run() {
    let text = "it is a shared library that carries no manifest of dynplug";
    is_refused(&trap("ordinary.so", &["-shared", "-fPIC"]), "Foreign", text);
    is_refused(&trap("unnamed.so", &["-shared", "-fPIC", "-s", "-Wl,--build-id=none"]), "Foreign", text);
}

// C1
#[test]
fn the_c_library_is_refused() {
    let found = hostile().system(&target().c_compiler()).args(["-print-file-name=libc.so.6"]).go();
    // It repeats the name if it knows of none.
    let path = Path::new(found.ok().stdout.trim());
    if !path.is_absolute() {
        return skipped("the target has no shared C library of that name");
    }
    is_refused(path, "Foreign", "it is a shared library");
}

// C1
#[test]
fn an_object_file_is_refused() {
    let object = trap("object.o", &["-c"]);
    match target().is_windows() {
        // Such a file has no mark.
        true => {
            let start = &std::fs::read(&object).unwrap()[..4];
            let text = format!("NotAnImage Unknown {{ start: {start:?} }}");
            is_refused(&object, &text, "the file is no executable image");
        }
        false => is_refused(&object, "Foreign", "it is an object file"),
    }
}

// C1
#[test]
fn a_truncated_plugin_is_refused() {
    let whole = std::fs::read(victim()).unwrap().len();
    let half = changed("half.so", |bytes| bytes.truncate(whole / 2));
    is_refused(&half, "Truncated", &format!("the file ends after {} bytes", whole / 2));
    is_refused(&changed("almost.so", |bytes| bytes.truncate(whole - 1)), "Truncated", "the file ends after");
    let start = changed("start.so", |bytes| bytes.truncate(20));
    match target().is_windows() {
        true => is_refused(&start, "NotAnImage Dos", "it looks like"),
        false => is_refused(&start, "Truncated", "the file ends after 20 bytes"),
    }
}

// C1
#[test]
fn a_corrupted_plugin_is_refused() {
    let manifest = changed("manifest.so", |bytes| {
        let at = manifest_at(bytes);
        bytes[at + 16..at + 48].fill(0xff);
    });
    is_refused(
        &manifest,
        "Manifest",
        "because: what begins at offset 16 of the manifest reaches beyond its end",
    );
    if target().is_windows() {
        let headers = changed("headers.so", |bytes| {
            let at = pe_header(bytes);
            bytes[at + 24..at + 400].fill(0xa5);
        });
        return is_refused(&headers, "Malformed", "the file is damaged");
    }
    let segments = changed("segments.so", |bytes| bytes[64..400].fill(0xa5));
    is_refused(&segments, "Truncated", "the file ends after");
    let sections = changed("sections.so", |bytes| {
        let at = u64::from_le_bytes(bytes[40..48].try_into().unwrap()) as usize;
        bytes[at..].fill(0xff);
    });
    is_refused(&sections, "Truncated", "the file ends after");
}

/// Where the header of an image of Windows begins.
fn pe_header(bytes: &[u8]) -> usize {
    u32::from_le_bytes(bytes[0x3c..0x40].try_into().unwrap()) as usize
}

/// Where the manifest begins in the file.
pub fn manifest_at(bytes: &[u8]) -> usize {
    let image = Image::parse(bytes).expect("it is an image");
    let manifest = image.manifest_bytes().expect("it is readable").expect("it is there");
    manifest.as_ptr().addr() - bytes.as_ptr().addr()
}

// C1
#[test]
fn an_image_for_another_machine_is_refused() {
    if target().is_windows() {
        for (name, number, text) in [("arm.so", 0xaa64u16, "aarch64"), ("old.so", 0xfeed, "65261")] {
            let other = changed(name, |bytes| {
                let at = pe_header(bytes) + 4;
                bytes[at..at + 2].copy_from_slice(&number.to_le_bytes());
            });
            is_refused(&other, "OtherMachine", text);
        }
        return;
    }
    let machines = [
        ("amd.so", 62u16, "x86_64"),
        ("arm.so", 183, "aarch64"),
        ("risc.so", 243, "riscv64"),
        ("old.so", 0xfeed, "65261"),
    ];
    for (name, number, text) in machines.into_iter().filter(|(.., text)| *text != target().machine()) {
        let other = changed(name, |bytes| bytes[18..20].copy_from_slice(&number.to_le_bytes()));
        is_refused(&other, "OtherMachine", text);
    }
    // The rest of the file speaks of 64 bits, lowest byte first, so it contradicts itself.
    is_refused(&changed("class.so", |bytes| bytes[4] = 1), "Malformed", "the file is damaged");
    is_refused(&changed("order.so", |bytes| bytes[5] = 2), "Truncated", "the file ends after");
    // A whole one, as far as a header goes, of 32 bits and the other order.
    let mut small = vec![0x7f, b'E', b'L', b'F', 1, 2, 1];
    small.resize(52, 0);
    small[16..20].copy_from_slice(&[0, 3, 0, 8]);
    small[20..24].copy_from_slice(&[0, 0, 0, 1]);
    small[40..42].copy_from_slice(&[0, 52]);
    is_refused(&file("mips.so", &small), "OtherMachine", "32 bits, big-endian");
}

// C1
#[test]
fn a_plugin_of_plain_cargo_is_refused() {
    let call = hostile().cargo("build").args(["-p", "victim"]);
    let (call, folder) = match target().named() {
        Some(triple) => (call.args(["--target", triple]), format!("plain/{triple}/debug")),
        None => (call, "plain/debug".to_owned()),
    };
    call.go().ok();
    is_refused(
        &shared_target().join(folder).join(target().library("victim")),
        "PlainBuild",
        "build it with `cargo dynplug build`",
    );
}

// B19
#[test]
fn a_plugin_for_another_build_of_the_api_library_is_refused_before_it_runs() {
    let other = changed("mismatch.so", |bytes| forget_identity(bytes));
    is_refused(&other, "Mismatch identity native-code", "another build of the API library `app-api`");
}

// B19
#[test]
fn before_main_too_nothing_of_a_refused_plugin_runs() {
    let other = changed("early.so", |bytes| forget_identity(bytes));
    let good = hostile().plugin_file("good");
    let paths = format!(
        "{}:{}:{}",
        other.display(),
        trap("early-trap.so", &["-shared", "-fPIC"]).display(),
        good.display()
    );
    let ran = hostile().run(&hostile().program("early")).env("EARLY", paths).go();
    ran.ok()
        .says_in_order([
            "refused as Mismatch",
            "left nothing",
            "refused as Foreign",
            "left nothing",
            "the constructor of good ran",
            "the init of good ran",
            "opened good",
            "main",
        ])
        .does_not_say("victim ran")
        .does_not_say("the trap ran");
    // It can say so.
    let ran = hostile().run(&hostile().program("early")).env("EARLY", victim()).go();
    ran.ok().says_in_order([
        "the constructor of victim ran",
        "the init of victim ran",
        "opened victim",
        "main",
    ]);
}

// C2
#[test]
fn a_good_plugin_opens_after_many_refused_ones() {
    let other = changed("after.so", |bytes| forget_identity(bytes));
    let text = file("after.txt", b"text");
    let ran = host(&[
        &"open",
        &other,
        &"open",
        &text,
        &"open",
        &other,
        &"open",
        &hostile().library(),
        &"open",
        &victim(),
        &"call",
    ]);
    ran.says_in_lines(4, "refused as").says_in_lines(2, "refused as Mismatch").says("f of victim ran");
}

// C3
#[test]
fn a_file_that_is_mended_at_its_path_opens() {
    let mended = hostile().plugin_file("mending");
    let bad = [
        ("garbage", file("garbage.so", b"garbage"), "refused as NotAnImage"),
        ("other", changed("to-be-mended.so", |bytes| forget_identity(bytes)), "refused as Mismatch"),
        ("failing", failing(), "refused as Init"),
    ];
    for (name, bad, refused) in bad {
        for verb in ["write", "replace"] {
            let path = folder(&format!("mended-{name}-{verb}")).join("plugin.so");
            let ran = host(&[
                &"write", &bad, &path, &"open", &path, &"open", &path, &verb, &mended, &path, &"open", &path,
                &"call",
            ]);
            ran.says_in_lines(2, refused)
                .says_in_lines(2, "refused")
                .says("opened mending")
                .says("f of mending ran");
        }
    }
}

// C3
#[test]
fn a_file_whose_init_failed_says_the_same_again_until_it_is_mended() {
    let ran = host(&[&"open", &failing(), &"open", &failing()]);
    ran.says_in_lines(2, "did not start: its init function `start` at ")
        .says_in_lines(2, "failed: it is broken");
}
