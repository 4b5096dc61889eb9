//! What happens to a plugin's file while it is loaded is nothing to the plugin, and can be asked. The workspace is
//! `hostile/`; what its host is to do is said in words.

use crate::harness::Ran;
use crate::hostile::{failing, folder, host, hostile, victim};
use std::path::{Path, PathBuf};

/// A copy of the victim in a folder of the test's own.
fn copy(name: &str) -> PathBuf {
    let path = folder(name).join("one.so");
    std::fs::copy(victim(), &path).expect("the victim is built");
    path
}

/// The plugin is the one that was opened first, and all of it works, also what nobody had looked at before.
#[track_caller]
fn goes_on(ran: &Ran) {
    ran.says("the same plugin").does_not_say("another plugin");
    ran.says_in_lines(1, "the constructor of victim ran").says_in_lines(1, "the init of victim ran");
    ran.says("far away: 28").says("f of victim ran");
}

/// Opens the file, does something to it, opens it again and calls what is far away.
#[track_caller]
fn host_with(path: &Path, words: &[&dyn AsRef<std::ffi::OsStr>]) -> Ran {
    let before: [&dyn AsRef<std::ffi::OsStr>; 3] = [&"open", &path, &"changed"];
    let after: [&dyn AsRef<std::ffi::OsStr>; 6] = [&"changed", &"open", &path, &"same", &"call-far", &"call"];
    host(&[&before, words, &after].concat())
}

/// By the lines that `changed` printed: before something was done, and after it.
#[track_caller]
fn changed(ran: &Ran, after: bool) {
    let lines: Vec<&str> = ran.stdout.lines().filter(|l| ["changed", "as it was"].contains(l)).collect();
    assert_eq!(lines, ["as it was", if after { "changed" } else { "as it was" }], "{ran}");
}

// C8
#[test]
fn a_file_that_is_overwritten_while_it_is_loaded_changes_nothing_and_is_told() {
    let path = copy("overwritten");
    let ran = host_with(&path, &[&"fill", &path]);
    goes_on(&ran);
    changed(&ran, true);
    // By another plugin, too.
    let path = copy("overwritten by another");
    let ran = host_with(&path, &[&"write", &failing(), &path]);
    goes_on(&ran);
    changed(&ran, true);
}

// C8
#[test]
fn a_file_that_is_truncated_while_it_is_loaded_changes_nothing_and_is_told() {
    let path = copy("truncated");
    let ran = host_with(&path, &[&"truncate", &path]);
    goes_on(&ran);
    changed(&ran, true);
}

/// What the tests above would see if the file itself were mapped, as it is where the host asks for that.
#[test]
fn a_file_that_is_truncated_while_it_is_mapped_itself_ends_the_program() {
    let path = copy("truncated in place");
    let call = hostile().app().arg("open-in-place").arg(&path).arg("truncate").arg(&path).arg("call-far");
    let ran = call.go();
    ran.says("the init of victim ran").does_not_say("far away");
    assert!(ran.signal().is_some(), "{ran}");
}

// C9
#[test]
fn a_file_that_is_replaced_while_it_is_loaded_is_the_same_plugin_and_is_told() {
    let path = copy("replaced");
    let ran = host_with(&path, &[&"replace", &failing(), &path]);
    goes_on(&ran);
    changed(&ran, true);
    let path = copy("removed and made anew");
    let ran = host_with(&path, &[&"remove", &path, &"write", &failing(), &path]);
    goes_on(&ran);
    changed(&ran, true);
}

// C9
#[test]
fn a_file_that_is_gone_is_told() {
    let path = copy("gone");
    let ran = host(&[&"open", &path, &"changed", &"remove", &path, &"changed", &"call-far", &"call"]);
    ran.says("far away: 28").says("f of victim ran");
    changed(&ran, true);
}

// C8, C9
#[test]
fn what_leaves_the_bytes_as_they_were_is_no_change() {
    let path = copy("touched");
    let ran = host_with(&path, &[&"touch", &path]);
    goes_on(&ran);
    changed(&ran, false);
    let path = copy("the same bytes written");
    let ran = host_with(&path, &[&"write", &victim(), &path]);
    goes_on(&ran);
    changed(&ran, false);
    let path = copy("the same bytes in another file");
    let ran = host_with(&path, &[&"replace", &victim(), &path]);
    goes_on(&ran);
    changed(&ran, false);
    // Overwritten and mended again.
    let path = copy("mended again");
    let ran = host_with(&path, &[&"fill", &path, &"write", &victim(), &path]);
    goes_on(&ran);
    changed(&ran, false);
}
