//! `inspect` and `check` of files that are no products: what they are, and the exit codes.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn dynplug(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cargo-dynplug")).arg("dynplug").args(words).output().unwrap()
}

fn objects(output: &Output) -> Vec<Value> {
    let text = str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const TEXT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");

// C1
#[test]
fn a_file_that_is_no_product_is_told_what_it_is() {
    let own = std::env::current_exe().unwrap();
    let output = dynplug(&["inspect", "--json", TEXT, own.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let [text, executable] = &objects(&output)[..] else { panic!("two lines") };
    assert_eq!((&text["kind"], &text["code"]), (&"other".into(), &"not-a-plugin".into()));
    assert!(text["message"].as_str().unwrap().contains("a text file"));
    assert!(executable["message"].as_str().unwrap().contains("nothing to do with dynplug"));
}

// C1
#[test]
fn a_file_that_cannot_be_read_is_another_exit_code() {
    let missing = Path::new(env!("CARGO_MANIFEST_DIR")).join("no-such-file");
    for path in [missing.to_str().unwrap(), env!("CARGO_MANIFEST_DIR")] {
        let output = dynplug(&["inspect", TEXT, path]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(path));
    }
}

#[test]
fn without_a_host_nothing_can_be_told() {
    for host in [TEXT, env!("CARGO_MANIFEST_DIR"), "no-such-file"] {
        let output = dynplug(&["check", "--json", TEXT, "--host", host]);
        assert_eq!(output.status.code(), Some(2), "{host}");
        assert_eq!(objects(&output)[0]["fits"], Value::Null);
    }
    assert_eq!(dynplug(&["check", TEXT]).status.code(), Some(2), "wrong usage");
}

/// The seeds of the fuzzing: one plugin as an image of every system.
#[test]
fn a_plugin_is_read_from_an_image_of_every_system() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/image");
    let images = [
        ("elf-64-little", "ELF", "aarch64"),
        ("elf-64-big", "ELF", "aarch64"),
        ("elf-32-little", "ELF", "arm"),
        ("elf-32-big", "ELF", "arm"),
        ("macho-64", "Mach-O", "aarch64"),
        ("macho-64-big", "Mach-O", "powerpc64"),
        ("macho-32", "Mach-O", "x86"),
        ("macho-32-big", "Mach-O", "powerpc"),
        ("macho-fat", "Mach-O", "powerpc"),
        ("macho-fat-64", "Mach-O", "powerpc"),
        ("pe-64", "PE", "x86_64"),
        ("pe-32", "PE", "x86"),
    ];
    let mut said = Vec::new();
    for (name, format, machine) in images {
        let output = dynplug(&["inspect", "--json", folder.join(name).to_str().unwrap()]);
        let [about] = &objects(&output)[..] else { panic!("{name}: one line") };
        assert_eq!((&about["kind"], &about["format"]), (&"plugin".into(), &format.into()), "{name}");
        // Of a file for several machines, this one's is taken, or the first.
        let is_here = name.starts_with("macho-fat") && std::env::consts::ARCH == "aarch64";
        assert_eq!(about["machine"], if is_here { "aarch64" } else { machine }, "{name}");
        said.push(["package", "version", "id", "api", "crates"].map(|what| about[what].clone()));
    }
    assert!(said[0][2].as_str().is_some_and(|id| id.len() == 64) && said[0][3]["identity"].is_string());
    assert!(said.iter().all(|all| *all == said[0]), "the same of each: {said:#?}");
}
