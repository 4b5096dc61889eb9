//! Names with dots, dashes, blanks and other letters: of the workspace's folder, of packages and what they export, and of
//! the files and folders that plugins are opened from.

use crate::harness::{Fixture, Ran};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Opens its arguments, by both ways of loading, and calls what each exports.
const HOST: &str = r#"
use app_api::dynplug::{Load, Loader};
fn main() {
    let in_place = std::env::var_os("IN_PLACE").is_some();
    let loader = Loader::new().load(if in_place { Load::InPlace } else { Load::PrivateCopy });
    for path in std::env::args_os().skip(1) {
        // SAFETY: the build made it.
        match unsafe { loader.open(&path) } {
            Ok(plugin) => {
                assert_eq!(plugin.path().as_os_str(), path);
                assert!(!plugin.changed_on_disk().unwrap());
                for symbol in plugin.symbols() {
                    println!("{}: {} is {}", plugin.name(), symbol.name(), symbol.signature());
                    symbol.downcast::<fn()>().unwrap()();
                }
            }
            Err(error) => println!("{error}"),
        }
    }
}
"#;

static BUILT: LazyLock<(Fixture, Ran)> = LazyLock::new(|| {
    let fixture = Fixture::empty("v1.0-beta – ein Gerüst, für テスト.d");
    fixture.api("pub use dynplug;\n").host(HOST);
    fixture.plugin("with-dashes-2", "#[dynplug::export]\npub fn f() { println!(\"f of with-dashes-2\") }\n");
    fixture.plugin(
        "grüße-von_ここ",
        "#[dynplug::init]\nfn αρχή() { println!(\"αρχή\") }\n\
         #[dynplug::export]\npub fn größe() { println!(\"größe 7\") }\n\
         #[dynplug::export(name = \"a.b-c d\")]\npub fn f() {}\n",
    );
    let ran = fixture.build().go();
    (fixture, ran)
});

#[track_caller]
fn names() -> &'static Fixture {
    let (fixture, build) = &*BUILT;
    build.ok();
    fixture
}

/// The plugin under another name, in a folder of its own.
fn copy(plugin: &str, folder: &[u8], file: &[u8]) -> PathBuf {
    let folder = names().root().join(OsStr::from_bytes(folder));
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let path = folder.join(OsStr::from_bytes(file));
    std::fs::copy(names().plugin_file(plugin), &path).expect("the plugin is built");
    path
}

#[track_caller]
fn opens(path: &Path) {
    for how in [None, Some("IN_PLACE")] {
        let call = names().app().arg(path);
        let ran = how.iter().fold(call, |call, name| call.env(name, "1")).go();
        ran.ok().prints("with-dashes-2: f is fn f()\nf of with-dashes-2");
    }
}

// B11
#[test]
fn packages_and_exports_have_dashes_and_other_letters() {
    let ran = names()
        .app()
        .arg(names().plugin_file("with_dashes_2"))
        .arg(names().plugin_file("grüße_von_ここ"))
        .go();
    ran.ok().prints(
        "with-dashes-2: f is fn f()\nf of with-dashes-2\nαρχή\n\
         grüße-von_ここ: a.b-c d is fn f()\ngrüße-von_ここ: größe is fn größe()\ngröße 7",
    );
}

// B11
#[test]
fn the_tools_read_files_of_such_names() {
    let path = copy("grüße_von_ここ", "für die - Prüfung.v1".as_bytes(), "ein Name.so.1".as_bytes());
    let ran = names().bare_tool().arg("inspect").arg(&path).go();
    ran.ok().says("plugin grüße-von_ここ 0.1.0").says("fn größe()").says("αρχή");
    let ran = names().bare_tool().arg("check").arg(&path).arg("--host").arg(names().outcome("")).go();
    ran.ok().says("the plugin `grüße-von_ここ` 0.1.0 fits");
}

// B11
#[test]
fn files_and_folders_have_any_names() {
    for (folder, file) in [
        ("dots.and.more..dots", "lib.v1.2.so.3"),
        ("-dashes--", "--help"),
        (" blanks in  it ", " a plugin .so "),
        ("größer – ここ", "été 🦀"),
        ("colons:and;more", "a:b;c,d=e&f%20\\n"),
        ("quotes'\"`", "*?[a]{b}<c>|!#~^()"),
        ("$ORIGIN", "$LIB ${PLATFORM}.so"),
        ("a line\nand another", "a tab\tand a line\n"),
        ("nothing but a dot", "..."),
    ] {
        opens(&copy("with_dashes_2", folder.as_bytes(), file.as_bytes()));
    }
    // No text at all.
    opens(&copy("with_dashes_2", b"not\xffUTF-8", b"\xfe.so"));
    let long = "x".repeat(250);
    opens(&copy("with_dashes_2", [long.as_str(); 8].join("/").as_bytes(), long.as_bytes()));
}

// B11
#[test]
fn what_is_not_there_is_told_by_its_name() {
    let path = names().root().join("größer – ここ.v1 - final.so");
    names().app().arg(&path).go().ok().says(&format!("cannot read the plugin {}", path.display()));
}
