//! Keys, signatures and pins that the tool makes, for the hosts of `trust`: with passwords, and for bundles.

use crate::harness::{Ran, skipped};
use crate::trust::{Case, built, minisign, refused};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The tool in a case's folder.
fn tool(case: &Case, arguments: &str) -> Ran {
    let call = built().bare_tool().folder(&case.folder);
    arguments.split(' ').fold(call, |call, word| call.arg(word)).go()
}

#[test]
fn what_the_tool_signs_opens_and_minisign_takes_it() {
    let case = Case::new("tool").with("hello");
    tool(&case, "keygen -W -p own.pub -s own.key").ok();
    let mode = case.path("own.key").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else can read the secret key");
    tool(&case, "sign -s own.key libhello.so").ok();
    tool(&case, "verify -p own.pub libhello.so").ok().says("libhello.so: signed with the key ");
    case.host("key @own.pub open @libhello.so").ok().says("opened hello: signed with the key `releases` (");
    if minisign(&case, "-V -p own.pub -m libhello.so").is_some() {
        // And the other way round, with a key of theirs.
        minisign(&case, "-G -W -p theirs.pub -s theirs.key");
        tool(&case, "sign -s theirs.key libhello.so").ok();
        minisign(&case, "-V -p theirs.pub -m libhello.so");
        minisign(&case, "-S -W -s own.key -m libhello.so");
        tool(&case, "verify -p own.pub libhello.so").ok();
    }
    tool(&case, "verify -p release.pub libhello.so").fails_with(1).says("[untrusted-key]");
    tool(&case, "sign -s own.key --expires 2020-02-29 libhello.so").fails_with(2).says("that is over");
    case.sign("libhello.so", "expires:2020-02-29");
    tool(&case, "verify -p release.pub libhello.so").fails_with(1).says("[untrusted-expired]");
}

#[test]
fn keys_are_never_replaced_and_what_is_no_plugin_is_not_signed() {
    let case = Case::new("tool refuses").with("hello");
    tool(&case, "keygen -W -p own.pub -s own.key").ok();
    let before = fs::read(case.path("own.key")).unwrap();
    tool(&case, "keygen -W -p other.pub -s own.key").fails_with(2).says("own.key is there already");
    assert!(fs::read(case.path("own.key")).unwrap() == before && !case.path("other.pub").exists());
    tool(&case, "sign -s own.key own.pub").fails_with(2).says("own.pub is no plugin");
    tool(&case, "sign -s own.pub libhello.so").fails_with(2).says("it is a public key");
    tool(&case, "verify -p own.key libhello.so").fails_with(2).says("is a secret key");
    tool(&case, "verify -p own.pub nothing.so").fails_with(2).says("could not read nothing.so");
    assert!(!case.path("libhello.so.minisig").exists());
}

#[test]
fn pins_are_written_brought_up_to_date_and_what_sha256sum_checks() {
    let case = Case::new("tool pins").with("hello").with("evil");
    tool(&case, "pin -o pins libhello.so").ok();
    case.host("pins @pins open @libhello.so").ok().says("opened hello: pinned by its SHA-256");
    let evil = fs::read(case.path("libevil.so")).unwrap();
    let hello = fs::read(case.path("libhello.so")).unwrap();
    case.write("libhello.so", &evil);
    tool(&case, "verify --pins pins libhello.so").fails_with(1).says("[untrusted-pin]");
    case.write("libhello.so", &hello);
    tool(&case, "pin -o pins libevil.so libhello.so").ok();
    assert_eq!(fs::read_to_string(case.path("pins")).unwrap().lines().count(), 2);
    let checked = Command::new("sha256sum").args(["-c", "pins"]).current_dir(&case.folder).status();
    assert!(checked.unwrap().success());
    tool(&case, "pin libhello.so").ok().says(&format!("{}  libhello.so\n", case.digest("libhello.so")));
}

/// Runs a command line on a terminal in a case's folder, and types each password when its prompt is there and the terminal shows
/// no more what is typed. Gives what the terminal showed, and the exit code; none where there are no such terminals.
fn at_a_terminal(case: &Case, line: &str, typed: &[(&str, &str)]) -> Option<(String, i32)> {
    let mut call = Command::new("script");
    call.args(["-qec", &format!("tty; exec {line}"), "/dev/null"]).current_dir(&case.folder);
    call.env_remove("DYNPLUG_KEY_PASSWORD").stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = call.spawn() else {
        skipped("there is no `script`, which makes terminals");
        return None;
    };
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut shown = Vec::new();
    let mut until = |text: &str, from: usize| loop {
        let seen = String::from_utf8_lossy(&shown).into_owned();
        if seen.get(from..).is_some_and(|seen| seen.contains(text)) {
            return seen;
        }
        let mut byte = [0];
        assert_eq!(screen.read(&mut byte).unwrap(), 1, "it ended without {text:?}:\n{seen}");
        shown.extend(byte);
    };
    let first = until("\n", 0);
    let terminal = first.trim().to_owned();
    let mut from = first.len();
    for (prompt, password) in typed {
        from = until(prompt, from).len();
        let hides = || {
            let said = Command::new("stty").args(["-a", "-F", &terminal]).output().unwrap();
            assert!(said.status.success(), "{said:?}");
            String::from_utf8_lossy(&said.stdout).contains("-echo ")
        };
        while !hides() {
            std::thread::yield_now();
        }
        writeln!(keyboard, "{password}").unwrap();
    }
    screen.read_to_end(&mut shown).unwrap();
    let exit = child.wait().unwrap().code().unwrap();
    Some((String::from_utf8_lossy(&shown).into_owned(), exit))
}

fn own_tool(arguments: &str) -> String {
    format!("'{}' dynplug {arguments}", env!("CARGO_BIN_EXE_cargo-dynplug"))
}

#[test]
fn passwords_are_asked_for_and_never_shown() {
    let case = Case::new("passwords").with("hello");
    let ask = |arguments: &str, typed: &[(&str, &str)]| {
        let (shown, exit) = at_a_terminal(&case, &own_tool(arguments), typed)?;
        assert!(typed.iter().all(|(_, password)| !shown.contains(password)), "{shown}");
        Some((shown, exit))
    };
    let (first, again) = ("Password for the secret key: ", "The same again: ");
    let keygen = "keygen -p own.pub -s own.key";
    let Some((shown, exit)) = ask(keygen, &[(first, "open sesame"), (again, "open barley")]) else { return };
    assert!(exit == 2 && shown.contains("the two passwords are not the same"), "{exit}: {shown}");
    let (shown, exit) = at_a_terminal(&case, &own_tool(keygen), &[(first, ""), (again, "")]).unwrap();
    assert!(exit == 2 && shown.contains("the password is empty"), "{exit}: {shown}");
    assert!(!case.path("own.key").exists() && !case.path("own.pub").exists());
    let (shown, exit) = ask(keygen, &[(first, "open sesame"), (again, "open sesame")]).unwrap();
    assert!(exit == 0 && shown.contains("Secret key"), "{exit}: {shown}");

    let question = "Password of the secret key: ";
    let (shown, exit) = ask("sign -s own.key libhello.so", &[(question, "open barley")]).unwrap();
    assert!(exit == 2 && shown.contains("what was typed isn't the password"), "{exit}: {shown}");
    assert!(!case.path("libhello.so.minisig").exists());
    let (shown, exit) = ask("sign -s own.key libhello.so", &[(question, "open sesame")]).unwrap();
    assert_eq!(exit, 0, "{shown}");
    tool(&case, "verify -p own.pub libhello.so").ok();
}

#[test]
fn machines_have_passwords_in_files_or_the_environment() {
    let case = Case::new("passwords of machines").with("hello");
    case.write("password", "open sesame\r\nand a second line\n");
    case.write("wrong", "open barley\n");
    case.write("empty", "\n");
    let with = |password: &str, arguments: &str| {
        let call = built().bare_tool().folder(&case.folder).env("DYNPLUG_KEY_PASSWORD", password);
        arguments.split(' ').fold(call, |call, word| call.arg(word)).go()
    };
    tool(&case, "keygen -p own.pub -s own.key --password-file empty")
        .fails_with(2)
        .says("the password is empty");
    with("", "keygen -p own.pub -s own.key").fails_with(2).says("the password is empty");
    assert!(!case.path("own.key").exists() && !case.path("own.pub").exists());
    tool(&case, "keygen -p own.pub -s own.key --password-file password").ok();

    let ran = tool(&case, "sign -s own.key --password-file wrong libhello.so");
    ran.fails_with(2).says("dynplug::wrong-password").says("the first line of wrong isn't the password");
    ran.does_not_say("barley");
    let ran = with("open barley", "sign -s own.key libhello.so");
    ran.fails_with(2).says("dynplug::wrong-password").says("`DYNPLUG_KEY_PASSWORD` isn't the password");
    ran.does_not_say("barley");
    assert!(!case.path("libhello.so.minisig").exists());
    // Nobody is there who could be asked.
    tool(&case, "sign -s own.key libhello.so")
        .fails_with(2)
        .says("dynplug::password")
        .says("DYNPLUG_KEY_PASSWORD");

    with("open sesame", "sign -s own.key libhello.so").ok();
    tool(&case, "verify -p own.pub libhello.so").ok();
    // The file comes first.
    with("open barley", "sign -s own.key --password-file password libhello.so").ok();
    case.host("key @own.pub open @libhello.so").ok().says("opened hello: signed with the key `releases` (");
}

#[test]
fn keys_with_passwords_are_those_of_minisign() {
    let case = Case::new("minisign with passwords").with("hello");
    if minisign(&case, "-G -W -p none.pub -s none.key").is_none() {
        return;
    }
    case.write("password", "open sesame\n");
    let (first, again) = ("Password: ", "Password (one more time): ");
    let typed = [(first, "open sesame"), (again, "open sesame")];
    let Some((shown, exit)) = at_a_terminal(&case, "minisign -G -p theirs.pub -s theirs.key", &typed) else {
        return;
    };
    assert_eq!(exit, 0, "{shown}");
    tool(&case, "sign -s theirs.key --password-file password libhello.so").ok();
    minisign(&case, "-V -p theirs.pub -m libhello.so");
    tool(&case, "verify -p theirs.pub libhello.so").ok();

    tool(&case, "keygen -p own.pub -s own.key --password-file password").ok();
    fs::remove_file(case.path("libhello.so.minisig")).unwrap();
    let signing = "minisign -S -s own.key -m libhello.so";
    let (shown, exit) = at_a_terminal(&case, signing, &[(first, "open sesame")]).unwrap();
    assert_eq!(exit, 0, "{shown}");
    case.host("key @own.pub open @libhello.so").ok().says("opened hello: signed with the key `releases` (");
}

#[test]
fn what_a_bundle_signs_opens_where_it_is_unpacked() {
    let case = Case::new("bundles");
    case.write("password", "open sesame\n");
    tool(&case, "keygen -q -p own.pub -s own.key --password-file password").ok();
    let bundle = |to: &str, layout: &str| {
        let call =
            built().tool("bundle").args(["--profile", "dev", "--strip", "symbols", "--layout", layout, "-o"]);
        let call = call.arg(case.path(to)).env("LD_LIBRARY_PATH", built().root().join("native"));
        call.arg("--sign").arg(case.path("own.key"))
    };
    bundle("flat.tar.zst", "flat")
        .env("DYNPLUG_KEY_PASSWORD", "wrong")
        .go()
        .fails_with(2)
        .says("wrong-password");
    assert!(!case.path("flat.tar.zst").exists());
    for (layout, program, plugins) in [("flat", "app", "plugins"), ("fhs", "bin/app", "lib/app/plugins")] {
        let archive = format!("{layout}.tar.zst");
        bundle(&archive, layout).env("DYNPLUG_KEY_PASSWORD", "open sesame").go().ok();
        let unpacked = case.path(layout);
        let packed = zstd::Decoder::new(fs::File::open(case.path(&archive)).unwrap()).unwrap();
        tar::Archive::new(packed).unpack(&unpacked).unwrap();
        let tree = fs::read_dir(&unpacked).unwrap().next().unwrap().unwrap().path();
        let open = |plugin: &str| -> Ran {
            let call = built().run(&tree.join(program)).arg("key").arg(case.path("own.pub")).arg("open");
            call.arg(tree.join(plugins).join(format!("lib{plugin}.so"))).empty_environment().go()
        };
        for plugin in ["hello", "one"] {
            open(plugin).ok().says(&format!("opened {plugin}: signed with the key `releases` ("));
        }
        // The libraries that plugins share are signed too.
        let library = fs::read_dir(tree.join(plugins)).unwrap().map(|entry| entry.unwrap().path());
        let library = library.into_iter().find(|path| is_library(path)).unwrap();
        for file in [tree.join(plugins).join("libhello.so"), library] {
            let mut bytes = fs::read(&file).unwrap();
            bytes.push(0);
            fs::write(&file, bytes).unwrap();
        }
        refused(&open("hello"), "untrusted-altered");
        refused(&open("one"), "with its library, untrusted-altered");
    }
}

/// A library that plugins share, by its name.
fn is_library(path: &Path) -> bool {
    path.file_name().unwrap().to_str().unwrap().starts_with("libcommon-") && path.extension().unwrap() == "so"
}
