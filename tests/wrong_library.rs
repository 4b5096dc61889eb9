//! C16: a host never runs a plugin with another API library than the one that it was built with: it does not start, or
//! opens nothing.

use crate::harness::{Fixture, Ran, copy};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The first argument is the plugin.
const HOST: &str = r#"
use app_api::dynplug::Plugin;

fn main() {
    println!("the API library is the {}", app_api::which());
    let file = std::env::args_os().nth(1).expect("the first argument is a plugin");
    // SAFETY: the build made it.
    match unsafe { Plugin::open(file) } {
        Ok(plugin) => plugin.lookup::<fn()>("f").unwrap()(),
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    }
}
"#;

/// What was made of one state of the sources.
struct Outcome {
    folder: PathBuf,
    library: PathBuf,
    plugin: PathBuf,
}

/// The outcomes of two builds, between which the API crate was changed.
struct Builds {
    fixture: Fixture,
    first: Outcome,
    second: Outcome,
}

static BUILDS: LazyLock<Builds> = LazyLock::new(|| {
    let plugin = "#[dynplug::init]\nfn start() { println!(\"the plugin ran\") }\n\
                  #[dynplug::export]\npub fn f() { println!(\"with the {}\", app_api::which()) }\n";
    let fixture = Fixture::empty("two-libraries");
    fixture
        .api("pub use dynplug;\npub fn which() -> &'static str { \"first\" }\n")
        .host(HOST)
        .plugin("hello", plugin);
    let keep = |name: &str| {
        fixture.build().go().ok();
        let folder = fixture.root().join(name);
        copy(&fixture.outcome(""), &folder);
        let library = fixture.library();
        let file = library.file_name().expect("a file has a name");
        Outcome { library: folder.join(file), plugin: folder.join("plugins/libhello.so"), folder }
    };
    let first = keep("first");
    fixture.replace("app-api/src/lib.rs", "\"first\"", "\"second\"");
    let second = keep("second");
    for (outcome, name) in [(&first, "first"), (&second, "second")] {
        let ran = fixture.run(&outcome.folder.join("app")).arg(&outcome.plugin).go();
        ran.ok().prints(&format!("the API library is the {name}\nthe plugin ran\nwith the {name}"));
    }
    Builds { fixture, first, second }
});

/// A folder with the first build's host.
fn folder_with_host(name: &str) -> PathBuf {
    let folder = BUILDS.fixture.root().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(BUILDS.first.folder.join("app"), folder.join("app")).unwrap();
    folder
}

/// The second build's library, under the name that the first build's has.
fn place_disguised(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let name = BUILDS.first.library.file_name().expect("a file has a name");
    std::fs::copy(&BUILDS.second.library, folder.join(name)).unwrap();
}

/// The system's loader did not even start the host.
#[track_caller]
fn does_not_start(ran: &Ran) {
    ran.fails_with(127).prints("").says("cannot open shared object file");
}

/// The host opens the plugin of neither build: what one calls the library and what the library is don't agree.
#[track_caller]
fn opens_nothing(run: impl Fn(&Path) -> Ran) {
    for plugin in [&BUILDS.first.plugin, &BUILDS.second.plugin] {
        run(plugin).fails_with(1).says("with the API library").does_not_say("the plugin ran");
    }
}

// C16
#[test]
fn the_library_is_built_again_under_the_host() {
    let folder = folder_with_host("rebuilt");
    let name = BUILDS.second.library.file_name().expect("a file has a name");
    std::fs::copy(&BUILDS.second.library, folder.join(name)).unwrap();
    does_not_start(&BUILDS.fixture.run(&folder.join("app")).arg(&BUILDS.first.plugin).go());
}

// C16
#[test]
fn the_library_of_another_build_lies_beside_the_host_under_the_old_name() {
    let folder = folder_with_host("disguised");
    place_disguised(&folder);
    opens_nothing(|plugin| BUILDS.fixture.run(&folder.join("app")).arg(plugin).go());
}

// C16
#[test]
fn a_library_in_ld_library_path_does_not_win_over_the_one_beside_the_host() {
    let other = BUILDS.fixture.root().join("other libraries");
    place_disguised(&other);
    let run = |plugin: &Path| {
        BUILDS.fixture.run(&BUILDS.first.folder.join("app")).arg(plugin).env("LD_LIBRARY_PATH", &other).go()
    };
    run(&BUILDS.first.plugin).ok().prints("the API library is the first\nthe plugin ran\nwith the first");
    run(&BUILDS.second.plugin).fails_with(1).says("does not fit this host").does_not_say("the plugin ran");
}

// C16
#[test]
fn a_library_in_ld_library_path_that_is_the_only_one() {
    let (folder, other) = (folder_with_host("without library"), BUILDS.fixture.root().join("only libraries"));
    place_disguised(&other);
    opens_nothing(|plugin| {
        BUILDS.fixture.run(&folder.join("app")).arg(plugin).env("LD_LIBRARY_PATH", &other).go()
    });
    // Under its own name it isn't found.
    let own = BUILDS.second.folder.as_os_str();
    let call = BUILDS.fixture.run(&folder.join("app")).arg(&BUILDS.first.plugin);
    does_not_start(&call.env("LD_LIBRARY_PATH", own).go());
}

// C16
#[test]
fn the_host_is_started_in_the_folder_of_another_build() {
    let folder = BUILDS.fixture.root().join("in another folder");
    copy(&BUILDS.second.folder, &folder);
    std::fs::copy(BUILDS.first.folder.join("app"), folder.join("app")).unwrap();
    let call = BUILDS.fixture.run(&folder.join("app")).arg(folder.join("plugins/libhello.so"));
    does_not_start(&call.folder(&folder).go());
}

// C16
#[test]
fn another_library_is_loaded_before_the_hosts_own() {
    let app = BUILDS.first.folder.join("app");
    opens_nothing(|plugin| {
        BUILDS.fixture.run(&app).arg(plugin).env("LD_PRELOAD", &BUILDS.second.library).go()
    });
    // The right one does no harm.
    let call = BUILDS.fixture.run(&app).arg(&BUILDS.first.plugin).env("LD_PRELOAD", &BUILDS.first.library);
    call.go().ok().prints("the API library is the first\nthe plugin ran\nwith the first");
}
