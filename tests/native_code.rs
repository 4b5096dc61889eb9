//! C18: C code in a shared crate is one for the host and all plugins, whichever way a plugin reaches it and whichever
//! linker makes the libraries.

use crate::harness::{Fixture, skipped};

const OUTPUT: &str = "\
host: 1 2
host: 3 1
first: [4, 5, 6] [110, 207] 2 7
first: one address true
host: 110
second: [8, 9, 10] [120, 211] 3 14
second: one address true
host: 120
host: 121 21
host: 12 4
another thread: 1
";

/// Builds everything with this linker and lets the host run. LLD leaves its name in what it links.
#[track_caller]
fn one_copy(name: &str, linker: &str, options: &[&str]) {
    let fixture = Fixture::empty(name);
    fixture.copy("native_code");
    let build = fixture.build().env("RUSTFLAGS", format!("-Clink-arg=-fuse-ld={linker}"));
    options.iter().fold(build, |call, option| call.arg(option)).go().ok();
    for file in [fixture.library(), fixture.plugin_file("first")] {
        let bytes = std::fs::read(file).unwrap();
        let by_lld = bytes.windows(11).any(|w| w == b"Linker: LLD");
        assert_eq!(by_lld, linker == "lld", "another linker was used than {linker}");
    }
    fixture.app().go().ok().prints(OUTPUT);
}

// C18
#[test]
fn c_code_of_a_shared_crate_is_one_with_lld() {
    one_copy("native-lld", "lld", &[]);
}

// C18
#[test]
fn c_code_of_a_shared_crate_is_one_with_lld_and_optimised() {
    one_copy("native-lld-release", "lld", &["--release"]);
}

// C18
#[test]
fn c_code_of_a_shared_crate_is_one_with_gnu_ld() {
    if gnu_ld_is_there() {
        one_copy("native-bfd", "bfd", &[]);
    }
}

// C18
#[test]
fn c_code_of_a_shared_crate_is_one_with_gnu_ld_and_optimised() {
    if gnu_ld_is_there() {
        one_copy("native-bfd-release", "bfd", &["--release"]);
    }
}

fn gnu_ld_is_there() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join("ld.bfd").exists());
    if !found {
        skipped("GNU ld is not here");
    }
    found
}
