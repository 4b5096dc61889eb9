//! One plugin, two forms: loaded from a file, and linked into the program. `forms/` is the workspace; its host prints what
//! ran in which order, and is built in both forms.

use crate::harness::{Fixture, Kind, Ran, repository, shared_target, skipped, target};
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

/// What the host prints when it opens all of them.
const ALL: &str = "\
init: aa-free, zz-base, app-api, app
one: bb-loose, zz-deep, aa-private, one
  report: bb_loose start, zz_deep start, aa_private start, one start
  exports: fn named() -> &'static str
two: two alpha, two upper, two lower, two zeta
  report: two start, two upper, two lower, two start
  exports: fn named() -> &'static str
three on four: four, three
  report: four start, three start
  exports: fn named() -> &'static str
program: aa_free, zz_base, app_api, app
";

static BUILT: LazyLock<(Fixture, Ran)> = LazyLock::new(|| {
    let fixture = Fixture::empty("forms");
    let ran = fixture.copy("forms").build().go();
    (fixture, ran)
});

#[track_caller]
fn forms() -> &'static Fixture {
    let (fixture, build) = &*BUILT;
    build.ok();
    fixture
}

/// Members of a fixture, by their names and paths.
fn members(fixture: &Fixture, names: &[&str]) -> Vec<(String, PathBuf)> {
    names.iter().map(|name| ((*name).to_owned(), fixture.path(name))).collect()
}

/// How a static form is built.
struct Profile {
    name: &'static str,
    words: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
}

const DEV: Profile = Profile { name: "dev", words: &[], environment: &[] };

/// The whole program is one to the optimiser, panics end the process, and no names are left.
const SMALL: Profile = Profile {
    name: "small",
    words: &["--release"],
    environment: &[
        ("CARGO_PROFILE_RELEASE_LTO", "fat"),
        ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
        ("CARGO_PROFILE_RELEASE_STRIP", "true"),
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ],
};

const MUSL: Profile =
    Profile { name: "musl", words: &["--target", "x86_64-unknown-linux-musl"], environment: &[] };

/// Plugins of `forms/` that are linked in.
const PLUGINS: [&str; 10] =
    ["failing", "feverish", "itself", "left", "one", "right", "ring-a", "ring-b", "three", "two"];

/// The static form of a host, made by the tool. Returns the program.
#[track_caller]
fn linked(
    fixture: &Fixture,
    name: &str,
    host: (&str, PathBuf),
    plugins: &[(String, PathBuf)],
    profile: &Profile,
) -> PathBuf {
    let folder = fixture.root().join(format!("{name}-{}", profile.name));
    let program = folder.join("program");
    let mut link = fixture.bare_tool().args(["link", "-p", host.0]);
    link = link.arg("--manifest-path").arg(host.1.join("Cargo.toml"));
    link = link.arg("--target-dir").arg(shared_target().join("plain"));
    // Fixtures share the target folder, and hosts of one name would meet there.
    link = link.arg("--project").arg(folder.join("project")).arg("-o").arg(&program);
    for (plugin, path) in plugins {
        link = link.arg("--with").arg(format!("{plugin}={}", path.display()));
    }
    for word in profile.words {
        link = link.arg(word);
    }
    if let Some(triple) = target().named().filter(|_| !profile.words.contains(&"--target")) {
        link = link.args(["--target", triple]);
    }
    for (key, value) in profile.environment {
        link = link.env(key, value);
    }
    link.go().ok();
    program
}

#[track_caller]
fn app(profile: &Profile) -> PathBuf {
    let forms = forms();
    linked(forms, "app-and-plugins", ("app", forms.path("app")), &members(forms, &PLUGINS), profile)
}

/// The same host in both forms, and in one between. Where things lie is left out of what it prints.
#[track_caller]
fn in_each_form(words: &[&str]) -> [Ran; 3] {
    [forms().program("app"), app(&DEV), forms().program("app-with-some")].map(|program| {
        let mut ran = words.iter().fold(forms().run(&program), |call, word| call.arg(word)).go();
        ran.ok();
        let plugins = program.with_file_name("plugins");
        for folder in [&plugins, forms().root()] {
            ran.stdout = ran.stdout.replace(&format!("{}/", folder.display()), "");
        }
        ran
    })
}

// E2
#[test]
fn the_order_of_init_functions_is_the_same_in_both_forms() {
    let words = ["init", "one", "two", "three"];
    for ran in in_each_form(&words) {
        ran.prints(ALL);
    }
    forms().run(&app(&SMALL)).args(words).empty_environment().go().ok().prints(ALL);
}

// E2
#[test]
fn without_being_asked_the_program_starts_before_its_first_plugin() {
    for ran in in_each_form(&["two"]) {
        ran.says("two: aa-free, zz-base, app-api, app, two alpha, two upper, two lower, two zeta\n");
    }
}

// E1, C4
#[test]
fn what_does_not_start_is_the_same_error_for_ever_in_both_forms() {
    for ran in in_each_form(&["init", "failing", "failing", "feverish", "feverish", "two"]) {
        ran.prints(
            "\
init: aa-free, zz-base, app-api, app
failing: the plugin libfailing.so did not start: its init function `second` at forms/failing/src/lib.rs:14 failed: not today
  ran: failing first
failing: the plugin libfailing.so did not start: its init function `second` at forms/failing/src/lib.rs:14 failed: not today
  ran: 
feverish: the plugin libfeverish.so did not start: its init function `start` at forms/sick/src/lib.rs:3 failed: sick today
  ran: sick
feverish: the plugin libfeverish.so did not start: its init function `start` at forms/sick/src/lib.rs:3 failed: sick today
  ran: 
two: two alpha, two upper, two lower, two zeta
  report: two start, two upper, two lower, two start
  exports: fn named() -> &'static str
program: aa_free, zz_base, app_api, app
",
        );
    }
}

// E1, C5
#[test]
fn plugins_that_open_each_other_are_told_so_in_both_forms() {
    let [loaded, linked, _] = in_each_form(&["init", "itself", "ring_a", "ring_b", "two"]);
    assert_eq!(loaded.stdout, linked.stdout);
    loaded
        .says("for itself: libitself.so waits for libitself.so")
        .says("libring_a.so waits for libring_b.so, which waits for libring_a.so")
        .says("two: two alpha");
}

// E1, A5, A6
#[test]
fn many_threads_that_open_a_plugin_get_one_that_was_started_once_in_both_forms() {
    for ran in in_each_form(&["init", "at once:one+two", "one", "two"]) {
        ran.says("at once: aa-private, bb-loose, one, two alpha, two lower, two upper, two zeta, zz-deep\n")
            .says("one: \n")
            .says("two: \n");
    }
}

// E2
#[test]
fn a_private_crate_of_two_plugins_is_two_when_they_are_loaded_and_one_when_they_are_linked_in() {
    let [loaded, linked, _] = in_each_form(&["init", "left", "right"]);
    loaded.says_in_order(["left: common, left\n", "right: common, right\n"]);
    linked.says_in_order(["left: common, left\n", "right: right\n", "report: common start, right start\n"]);
}

// E1
#[test]
fn a_static_program_has_its_plugins_with_musl() {
    let sysroot = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", "x86_64-unknown-linux-musl"])
        .output();
    let folder =
        sysroot.map(|ran| String::from_utf8_lossy(&ran.stdout).trim().to_owned()).unwrap_or_default();
    if !std::path::Path::new(&folder).is_dir() {
        return skipped("the standard library for x86_64-unknown-linux-musl is not installed");
    }
    forms().run(&app(&MUSL)).args(["init", "one", "two", "three"]).go().ok().prints(ALL);
}

/// The two forms of an example: one is the example's own, the other a project with its host and plugins.
#[track_caller]
fn example(name: &str, host: &str, plugins: &[(&str, &str)], profiles: &[Profile], wanted: &str) {
    let folder = repository().join("examples").join(name);
    let fixture = Fixture::empty(&format!("{name} in both forms"));
    std::fs::copy(folder.join("Cargo.lock"), fixture.root().join("Cargo.lock")).unwrap();
    fixture.tool("run").arg("--manifest-path").arg(folder.join("Cargo.toml")).go().ok().prints(wanted);
    let plugins: Vec<_> =
        plugins.iter().map(|(plugin, path)| ((*plugin).to_owned(), folder.join(path))).collect();
    for profile in profiles {
        let program =
            linked(&fixture, &format!("{name}-static"), (host, folder.join("host")), &plugins, profile);
        fixture.run(&program).empty_environment().go().ok().prints(wanted);
    }
}

// E1
#[test]
fn the_example_hello_runs_in_both_forms() {
    example("hello", "hello-host", &[("hello", "plugin")], &[DEV, SMALL], "Hello, number 7");
}

// E1
#[test]
fn the_example_runtime_runs_in_both_forms() {
    let wanted = std::fs::read_to_string(repository().join("examples/runtime/expected.txt")).unwrap();
    let plugins = [("station", "plugins/station"), ("summary", "plugins/summary")];
    // An async runtime and all below it as one program to the optimiser takes minutes, and shows no more than the others.
    example("runtime", "runtime-host", &plugins, &[DEV], &wanted);
}

/// A program of plain cargo that prints what comes of some names and of a file.
const NAMES: &str = r#"
use double as _;
use hello_one as _;
use hello_two as _;
use app_api::dynplug::{self, Loader, Plugin};

fn main() {
    let said = |outcome: Result<&'static Plugin, dynplug::OpenError>| match outcome {
        Ok(plugin) => println!("{} {}", plugin.name(), plugin.lookup::<fn() -> u32>("number").unwrap()()),
        Err(error) => println!("{error}"),
    };
    // SAFETY: nothing is opened but what is linked in.
    said(unsafe { Loader::new().open("hello") });
    // SAFETY: as above.
    said(unsafe { Plugin::open("anywhere/libhello.so") });
    dynplug::linked_in().filter(|plugin| plugin.crate_name() == "hello").for_each(|plugin| said(plugin.open()));
    // SAFETY: as above.
    said(unsafe { Loader::new().open("double") });
    // SAFETY: as above.
    said(unsafe { Loader::new().open("helper") });
    // SAFETY: the build made it.
    said(unsafe { Plugin::open(std::env::args().nth(1).unwrap()) });
    println!("shared: {}", dynplug::is_shared());
}
"#;

// E1, E3
#[test]
fn names_that_are_not_clear_are_errors_and_a_plain_host_refuses_files() {
    let fixture = Fixture::empty("names");
    let number = |number: u32| format!("#[dynplug::export]\npub fn number() -> u32 {{ {number} }}\n");
    let twice = "#[dynplug::init]\nfn start() { println!(\"double ran\"); }\n\
                 #[dynplug::export]\nfn one() {}\n#[dynplug::export(name = \"one\")]\nfn two() {}\n";
    fixture
        .api("pub use dynplug;\n")
        // No plugin, though it exports something.
        .package("helper", Kind::Library, &["dynplug", "app-api"], &number(0))
        .plugin("hello-one", &number(1))
        .plugin("hello-two", &number(2))
        .plugin("double", twice)
        .package(
            "names",
            Kind::Program,
            &[
                "app-api",
                "double",
                "hello_one = { path = '../hello-one', package = 'hello-one' }",
                "hello_two = { path = '../hello-two', package = 'hello-two' }",
            ],
            NAMES,
        );
    for plugin in ["hello-one", "hello-two"] {
        fixture.replace(&format!("{plugin}/Cargo.toml"), "[lib]\n", "[lib]\nname = \"hello\"\n");
    }
    fixture.replace("hello-one/Cargo.toml", "app-api = ", "helper = { path = '../helper' }\napp-api = ");
    fixture.replace("hello-one/src/lib.rs", "#[dynplug", "use helper as _;\n#[dynplug");
    // Otherwise cargo gives the files of both one name, since they are local and shared libraries, too.
    fixture.cargo("build").args(["-p", "names"]).env("__CARGO_DEFAULT_LIB_METADATA", "names").go().ok();
    let several = "names several plugins that are linked into this program: `hello-one 0.1.0`, `hello-two 0.1.0`; open one \
                   of them by `dynplug::linked_in()`, or give one another crate name (`[lib] name = …`)";
    let file = forms().plugin_file("one");
    fixture.run(&shared_target().join("plain/debug/names")).arg(&file).go().ok().prints(&format!(
        "\
hello {several}
anywhere/libhello.so {several}
hello-one 1
hello-two 2
the plugin double that is linked into this program exports `one` twice, at names/double/src/lib.rs:3 and at \
names/double/src/lib.rs:5; give one of them another name: `#[export(name = \"…\")]`
there is no plugin `helper`: none of that name is linked into this program, and the loader was given no folders to \
search; a file of that name is opened as `./helper`; did you mean `hello`?
cannot open the plugin {}: this program was built by plain cargo and shares nothing with plugins; build it with \
`cargo dynplug build`, or run it with `cargo dynplug run`
shared: false
",
        file.display()
    ));
}
