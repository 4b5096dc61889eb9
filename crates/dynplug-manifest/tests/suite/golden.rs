//! The text of each refusal, as a file beside the tests: `DYNPLUG_RENEW=1 cargo test -p dynplug-manifest golden`
//! writes them anew.

use crate::cases::{API, BYTES, Case, MODEL, SERDE, fitting, info, private};
use dynplug_manifest::Product;
use dynplug_manifest::compare::{Difference, Mismatch};
use dynplug_manifest::diagnostics::Code;
use std::collections::BTreeSet;
use std::path::Path;

/// One for each code that a comparison can give, and for what happens together.
fn cases() -> Vec<(&'static str, Case)> {
    let all = [BYTES, SERDE, MODEL, API];
    vec![
        ("not-a-plugin", fitting().with(|c| c.plugin.product = Product::Host)),
        (
            "already-loaded",
            fitting().with(|c| c.loaded = vec![("copies/libgreeter.so".into(), c.plugin.clone())]),
        ),
        (
            "target",
            fitting().with(|c| c.plugin.target = "x86_64-unknown-linux-musl".to_owned()).changed(&all),
        ),
        (
            "compiler",
            fitting()
                .with(|c| c.plugin.rustc = "rustc 1.96.0 (ac68faa20 2026-05-25)".to_owned())
                .changed(&all),
        ),
        (
            "compiler-nightly",
            fitting()
                .with(|c| c.host.rustc = "rustc 1.97.0-nightly (b1a2c3d4e 2026-05-01)".to_owned())
                .changed(&all),
        ),
        ("tool", fitting().with(|c| c.plugin.tool = "0.2.0".to_owned()).changed(&all)),
        (
            "api-crate",
            fitting()
                .with(|c| {
                    c.plugin.api.package = "editor-api".to_owned();
                    c.plugin.api.crate_name = "editor_api".to_owned();
                    c.plugin.api.version = "7.0.2".to_owned();
                })
                .rebuilt(),
        ),
        (
            "api-version-older",
            fitting()
                .with(|c| {
                    c.plugin.api.version = "2.0.5".to_owned();
                    c.plugin.crates[API].version = "2.0.5".to_owned();
                })
                .changed(&[API]),
        ),
        (
            "api-version-newer",
            fitting()
                .with(|c| {
                    c.plugin.api.version = "2.10.0".to_owned();
                    c.plugin.crates[API].version = "2.10.0".to_owned();
                })
                .changed(&[API]),
        ),
        ("api-file-name", fitting().with(|c| c.plugin.api.soname = "libchat_api.so".to_owned())),
        ("identity-unlisted", fitting().with(|c| c.plugin.crates.clear()).rebuilt()),
        (
            "crate-version",
            fitting()
                .with(|c| c.plugin.crates[SERDE].version = "1.0.210".to_owned())
                .changed(&[SERDE])
                .followed(&[MODEL, API]),
        ),
        (
            "crate-source",
            fitting()
                .with(|c| {
                    c.plugin.crates[BYTES].source =
                        "git+https://github.com/tokio-rs/bytes?branch=master#f8c7b57".to_owned();
                })
                .changed(&[BYTES])
                .followed(&[MODEL, API]),
        ),
        (
            "crate-features",
            fitting()
                .with(|c| c.plugin.crates[SERDE].features.push("rc".to_owned()))
                .changed(&[SERDE])
                .followed(&[MODEL, API]),
        ),
        (
            "crate-features-both",
            fitting()
                .with(|c| c.plugin.crates[SERDE].features = vec!["alloc".to_owned(), "rc".to_owned()])
                .changed(&[SERDE]),
        ),
        (
            "abi-settings",
            fitting()
                .with(|c| {
                    for info in c.host.crates.iter_mut() {
                        info.settings.push(("target-cpu".to_owned(), "haswell".to_owned()));
                    }
                })
                .changed(&all),
        ),
        (
            "abi-settings-panic",
            fitting().with(|c| c.plugin.crates[4].settings.push(("panic".to_owned(), "abort".to_owned()))),
        ),
        (
            "settings",
            fitting()
                .with(|c| {
                    for info in c.host.crates.iter_mut() {
                        info.settings.push(("opt-level".to_owned(), "3".to_owned()));
                    }
                })
                .changed(&all),
        ),
        (
            "crate-only-in-host",
            fitting().with(|c| c.host.crates.push(info("uuid", "1.16.0", &[]))).edited(&[API]),
        ),
        (
            "crate-only-in-plugin",
            fitting().with(|c| c.plugin.crates.push(info("uuid", "1.16.0", &[]))).edited(&[API]),
        ),
        (
            "settings-of-an-sdk",
            fitting()
                .with(|c| {
                    c.plugin.with_sdk = true;
                    c.host.crates[API].settings.push(("opt-level".to_owned(), "3".to_owned()));
                })
                .changed(&[API]),
        ),
        ("crate-content-of-an-sdk", fitting().with(|c| c.plugin.with_sdk = true).edited(&[API])),
        (
            "target-of-an-sdk",
            fitting()
                .with(|c| {
                    c.plugin.with_sdk = true;
                    c.plugin.target = "x86_64-unknown-linux-musl".to_owned();
                })
                .changed(&all),
        ),
        ("crate-content", fitting().edited(&[API])),
        (
            "crate-content-and-settings",
            fitting()
                .with(|c| {
                    for info in c.host.crates.iter_mut() {
                        info.settings.push(("opt-level".to_owned(), "3".to_owned()));
                    }
                })
                .edited(&[MODEL])
                .changed(&[BYTES, SERDE, API]),
        ),
        ("crate-build", fitting().changed(&[BYTES]).followed(&[MODEL, API])),
        (
            "crate-build-below",
            fitting()
                .with(|c| {
                    for crates in [&mut c.host.crates, &mut c.plugin.crates] {
                        crates[MODEL].source = "git+https://example.com/model#1234567".to_owned();
                        crates[API].source = "registry+https://example.com/index".to_owned();
                        crates[MODEL].code = [0; 32];
                        crates[API].code = [0; 32];
                    }
                })
                .changed(&[MODEL, API]),
        ),
        (
            "crate-content-unrecorded",
            fitting()
                .with(|c| {
                    c.host.crates[API].content = [0; 32];
                    c.plugin.crates[API].content = [0; 32];
                })
                .rebuilt(),
        ),
        ("native-code", fitting().rebuilt()),
        (
            "cpu-features",
            fitting().with(|c| {
                c.plugin.cpu_features = ["avx2", "avx512f", "avx512bw"].map(str::to_owned).to_vec();
            }),
        ),
        ("private-crate", private_crate()),
        (
            "private-crate-of-the-host",
            fitting().with(|c| {
                c.plugin.crates[5] = private("bytes", "1.10.1", 0x53);
                c.plugin.crates[5].id = c.host.crates[BYTES].id;
            }),
        ),
        (
            "missing-library",
            fitting().with(|c| {
                c.needed.push("libpq.so.5");
                c.libraries = Some(vec!["libc.so.6"]);
            }),
        ),
        (
            "many",
            fitting()
                .with(|c| {
                    for n in 1..=9 {
                        c.host.crates.push(info(&format!("gadget-{n}"), "0.2.0", &[]));
                    }
                    c.plugin.crates[SERDE].version = "1.0.210".to_owned();
                    c.plugin.cpu_features = vec!["avx512f".to_owned()];
                })
                .changed(&[SERDE])
                .followed(&[MODEL, API]),
        ),
        (
            "control-characters",
            fitting().with(|c| {
                c.plugin.package = "gree\u{1b}[2Jter; rm -rf ~\n".to_owned();
                c.plugin.target = "x86_64\u{202e}\0".to_owned();
            }),
        ),
    ]
}

fn private_crate() -> Case {
    let mut case = fitting();
    let mut other = case.plugin.clone();
    other.package = "archive".to_owned();
    other.id = dynplug_manifest::Identity([0x78; 32]);
    other.crates = vec![private("regex", "1.10.0", 0x52)];
    other.crates[0].content = [0x99; 32];
    case.loaded = vec![("plugins/libarchive.so".into(), other)];
    case
}

#[test]
fn golden_files_are_what_people_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let renew = std::env::var_os("DYNPLUG_RENEW").is_some();
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for (name, case) in cases() {
        // As the runtime and `check` print it: the file comes first.
        let text = format!("plugins/libgreeter.so: {}\n", case.text());
        names.insert(format!("{name}.txt"));
        let path = folder.join(format!("{name}.txt"));
        if renew {
            std::fs::write(&path, text).unwrap();
        } else if std::fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            wrong.push(format!("--- {} should be\n{text}", path.display()));
        }
    }
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !names.contains(&name) {
            wrong.push(format!("{name} belongs to no case"));
        }
    }
    assert!(wrong.is_empty(), "{}\nDYNPLUG_RENEW=1 writes them anew", wrong.join("\n"));
}

#[test]
fn golden_files_cover_every_code_of_a_comparison() {
    let told: BTreeSet<Code> =
        cases().iter().flat_map(|(_, case)| case.differences()).map(|difference| difference.code).collect();
    // These are told of files that carry no manifest, or of programs that share nothing.
    let elsewhere = [Code::PlainBuild, Code::PlainHost, Code::Damaged, Code::Format];
    // What a policy says has nothing to do with another manifest.
    let of_a_policy = |code: &Code| code.name().starts_with("untrusted-");
    for code in Code::ALL {
        assert_eq!(told.contains(code), !elsewhere.contains(code) && !of_a_policy(code), "{code}");
    }
}

#[test]
fn golden_texts_are_whole() {
    for (name, case) in cases() {
        let Some(Mismatch { differences, .. }) = Mismatch::new(&case.plugin, case.differences()) else {
            panic!("{name} fits");
        };
        for Difference { what, host, plugin, remedy, .. } in differences {
            for text in [what, host, plugin, remedy] {
                assert!(!text.is_empty() && !text.contains(|c: char| c.is_control()), "{name}: {text:?}");
                assert!(
                    !text.replace("\\u{", "").contains('{'),
                    "{name}: a word of the table has no value: {text}"
                );
            }
        }
    }
}
