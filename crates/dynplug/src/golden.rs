//! The text of each error beside the code that makes it: one file for each, renewed with
//! `DYNPLUG_RENEW=1 cargo test -p dynplug golden`.

use crate::error::{InitError, InitFailure, LookupError, NotAPlugin, OpenError, SystemError, WrongType};
use dynplug_manifest::image::{ImageError, LooksLike};
use dynplug_manifest::tables::TablesError;
use dynplug_manifest::{DecodeError, Identity, Product};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn path() -> PathBuf {
    PathBuf::from("plugins/libhello.so")
}

fn not_a_plugin(found: NotAPlugin) -> OpenError {
    OpenError::NotAPlugin { path: path(), found }
}

fn cases() -> Vec<(&'static str, Box<dyn std::error::Error>)> {
    let function = || "start".to_owned();
    let place = || "src/lib.rs:12".to_owned();
    let failed =
        || InitFailure::Error(Arc::from(Box::<dyn std::error::Error + Send + Sync>::from("no database")));
    let wrong = |have: &str, want: &str, copies: &[&str]| {
        let copies = copies.iter().map(|c| (*c).to_owned()).collect();
        let (plugin, name) = ("hello".to_owned(), "greet".to_owned());
        LookupError::WrongType(WrongType {
            plugin,
            name,
            have: have.to_owned(),
            want: want.to_owned(),
            copies,
        })
    };
    let chain = vec![PathBuf::from("plugins/liba.so"), PathBuf::from("plugins/libb.so")];
    vec![
        (
            "read",
            Box::new(OpenError::Read { path: path(), source: Arc::new(io::ErrorKind::NotFound.into()) }),
        ),
        ("folder", Box::new(not_a_plugin(NotAPlugin::NotAFile { what: "a folder" }))),
        (
            "text",
            Box::new(not_a_plugin(NotAPlugin::Image(ImageError::NotAnImage {
                looks_like: LooksLike::Script,
            }))),
        ),
        (
            "truncated",
            Box::new(not_a_plugin(NotAPlugin::Image(ImageError::Truncated { have: 4096, want: 9000 }))),
        ),
        (
            "earlier-format",
            Box::new(not_a_plugin(NotAPlugin::Image(ImageError::Manifest(DecodeError::TooOld {
                have: 1,
                want: 2,
            })))),
        ),
        (
            "later-format",
            Box::new(not_a_plugin(NotAPlugin::Image(ImageError::Manifest(DecodeError::TooNew {
                have: 2,
                want: 3,
            })))),
        ),
        (
            "other-machine",
            Box::new(not_a_plugin(NotAPlugin::OtherMachine {
                have: "aarch64, 64 bits, little-endian".to_owned(),
                want: "x86_64, 64 bits, little-endian".to_owned(),
            })),
        ),
        ("plain-build", Box::new(not_a_plugin(NotAPlugin::PlainBuild))),
        (
            "other-product",
            Box::new(not_a_plugin(NotAPlugin::Other {
                product: Product::ApiLibrary,
                package: "hello-api".to_owned(),
            })),
        ),
        ("foreign", Box::new(not_a_plugin(NotAPlugin::Foreign { kind: "a shared library" }))),
        (
            "tables",
            Box::new(not_a_plugin(NotAPlugin::Tables(TablesError::Count {
                section: "dp_exp",
                have: 0,
                want: 5,
            }))),
        ),
        (
            "incomplete",
            Box::new(not_a_plugin(NotAPlugin::Incomplete {
                part: "a table of exports that points into itself",
            })),
        ),
        (
            "already-loaded",
            Box::new(OpenError::AlreadyLoaded { path: path(), loaded: PathBuf::from("old/libhello.so") }),
        ),
        ("host-not-shared", Box::new(OpenError::HostNotShared { path: path() })),
        (
            "wrong-api-library",
            Box::new(OpenError::WrongApiLibrary {
                path: path(),
                want: Identity([1; 32]),
                have: Identity([2; 32]),
            }),
        ),
        (
            "library",
            Box::new(OpenError::Library {
                path: path(),
                package: "common".to_owned(),
                source: Arc::new(OpenError::Read {
                    path: PathBuf::from("plugins/libcommon-0123456789abcdef.so"),
                    source: Arc::new(io::ErrorKind::NotFound.into()),
                }),
            }),
        ),
        (
            "other-library",
            Box::new(OpenError::OtherLibrary {
                path: PathBuf::from("plugins/libcommon-0123456789abcdef.so"),
                want: Identity([1; 32]),
                have: Identity([2; 32]),
            }),
        ),
        ("static-tls", Box::new(OpenError::StaticTls { path: path(), size: 8192 })),
        (
            "map",
            Box::new(OpenError::Map {
                path: path(),
                source: SystemError("libm.so.7: cannot open".to_owned()),
            }),
        ),
        (
            "init-error",
            Box::new(OpenError::Init {
                path: path(),
                function: function(),
                place: place(),
                failure: failed(),
            }),
        ),
        (
            "init-panic",
            Box::new(OpenError::Init {
                path: path(),
                function: function(),
                place: place(),
                failure: InitFailure::Panic("index out of bounds".to_owned()),
            }),
        ),
        (
            "shared-init",
            Box::new(OpenError::SharedInit {
                path: path(),
                source: InitError::Failed {
                    package: "hello-api".to_owned(),
                    function: function(),
                    place: place(),
                    failure: failed(),
                },
            }),
        ),
        ("cycle", Box::new(OpenError::Cycle { path: path(), chain })),
        (
            "no-such-plugin",
            Box::new(OpenError::NotFound {
                path: PathBuf::from("helo"),
                searched: vec![PathBuf::from("plugins"), PathBuf::from("/usr/lib/app/plugins")],
                nearest: vec!["hello".to_owned()],
                opens_files: true,
            }),
        ),
        (
            "no-such-plugin-and-plain-cargo",
            Box::new(OpenError::NotFound {
                path: PathBuf::from("hello"),
                searched: vec![PathBuf::from("plugins")],
                nearest: Vec::new(),
                opens_files: false,
            }),
        ),
        (
            "no-folders",
            Box::new(OpenError::NotFound {
                path: PathBuf::from("hello"),
                searched: Vec::new(),
                nearest: Vec::new(),
                opens_files: false,
            }),
        ),
        (
            "ambiguous",
            Box::new(OpenError::Ambiguous {
                path: PathBuf::from("hello"),
                plugins: vec!["hello 1.0.0".to_owned(), "hello 2.0.0".to_owned()],
            }),
        ),
        (
            "exported-twice",
            Box::new(OpenError::ExportedTwice {
                path: PathBuf::from("hello"),
                name: "greet".to_owned(),
                places: ["src/lib.rs:3".to_owned(), "src/more.rs:8".to_owned()],
            }),
        ),
        ("interrupted", Box::new(OpenError::Interrupted { path: path() })),
        (
            "unsupported",
            Box::new(OpenError::Unsupported { path: path(), reason: "dynplug doesn't know its loader" }),
        ),
        (
            "not-found",
            Box::new(LookupError::NotFound {
                plugin: "hello".to_owned(),
                name: "gret".to_owned(),
                nearest: vec!["greet".to_owned()],
                exports: 2,
                first: vec!["greet".to_owned(), "part".to_owned()],
            }),
        ),
        (
            "no-exports",
            Box::new(LookupError::NotFound {
                plugin: "hello".to_owned(),
                name: "greet".to_owned(),
                nearest: Vec::new(),
                exports: 0,
                first: Vec::new(),
            }),
        ),
        (
            "other-exports",
            Box::new(LookupError::NotFound {
                plugin: "hello".to_owned(),
                name: "stage".to_owned(),
                nearest: Vec::new(),
                exports: 7,
                first: vec!["greet".to_owned(), "part".to_owned()],
            }),
        ),
        ("wrong-type", Box::new(wrong("fn(&str) -> String", "fn(&str) -> u32", &[]))),
        ("two-copies", Box::new(wrong("fn() -> counting::Id", "fn() -> counting::Id", &["counting"]))),
    ]
}

// A7 C1 C3 C4 C5 C7 C14 C16
#[test]
fn every_error_says_what_a_person_needs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let renew = std::env::var_os("DYNPLUG_RENEW").is_some();
    let mut different = Vec::new();
    for (name, error) in cases() {
        let file = folder.join(format!("{name}.txt"));
        let text = format!("{error}\n");
        // What people read where `main` returns it.
        assert_eq!(format!("{error:?}\n"), text, "{name}");
        // The files have the names that Linux has for libraries.
        let text = ["hello", "helo"].into_iter().fold(text, |text, name| {
            text.replace(&format!("`{}`", crate::folders::file_name(name)), &format!("`lib{name}.so`"))
        });
        if renew {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&file, &text).unwrap();
        } else if std::fs::read_to_string(&file).unwrap_or_default() != text {
            different.push(format!("{}:\n{text}", file.display()));
        }
    }
    assert!(different.is_empty(), "texts that differ from their files:\n{}", different.join("\n"));
}
