//! The seeds that fuzzing begins with, all of which are read by plain `cargo test` too.

use std::fs;
use std::path::PathBuf;

use dynplug_manifest::{Manifest, note};

use crate::elf::{CLASSES, elf};
use crate::hostile::read_everything;
use crate::samples::{FIELDS, Numbers, any_manifest, manifest, record};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

// C15
#[test]
fn every_file_of_the_corpus_ends_in_a_value_or_an_error() {
    let Ok(targets) = fs::read_dir(folder()) else {
        // The published package comes without it.
        eprintln!("skipped: there is no folder {}", folder().display());
        return;
    };
    let mut count = 0;
    for target in targets {
        for file in fs::read_dir(target.unwrap().path()).unwrap() {
            read_everything(&fs::read(file.unwrap().path()).unwrap());
            count += 1;
        }
    }
    assert!(count > 0, "the corpus is empty");
}

/// Writes the seeds anew: `cargo test -p dynplug-manifest --all-features renew_the_corpus -- --ignored`.
#[test]
#[ignore = "writes files"]
fn renew_the_corpus() {
    let write = |target: &str, name: &str, bytes: &[u8]| {
        let folder = folder().join(target);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), bytes).unwrap();
    };
    write("manifest", "plugin", &manifest().encode());
    write("manifest", "without-crates", &Manifest { crates: vec![], ..manifest() }.encode());
    let mut numbers = Numbers(3);
    for name in ["any-1", "any-2", "any-3"] {
        write("manifest", name, &any_manifest(&mut numbers).encode());
    }
    let mut hostile = manifest().encode();
    hostile[18..22].fill(0xff);
    write("manifest", "length-of-a-field", &hostile);

    write("records", "one", &record(&FIELDS));
    write("records", "padded", &[&record(&FIELDS)[..], &[0; 5], &record(&FIELDS), &[0; 3]].concat());
    let docs = "d".repeat(300);
    for len in [134, 135, 136, 137, 300] {
        let fields = dynplug_manifest::record::Fields { docs: &docs[..len], ..FIELDS };
        write("records", &format!("docs-{len}"), &record(&fields));
    }

    for class in CLASSES {
        write("image", class.name, &elf(class, &manifest()));
    }
    #[cfg(feature = "all-formats")]
    for (name, image) in crate::foreign::NAMES.iter().zip(crate::foreign::images()) {
        write("image", name, &image);
    }
    write("image", "script", b"#!/bin/sh\n");
    write("image", "archive", b"!<arch>\n");
    write("image", "note", &note::encode(&manifest().encode()));
}
