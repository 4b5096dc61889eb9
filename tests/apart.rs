//! B7, C12, C14: copies of crates that are not shared stay apart. The compiler itself takes their types for different
//! ones, whatever the crates are called, and a lookup says so.

use crate::harness::{Fixture, Kind, Ran};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

/// A plugin with a type of its own, whose field is `FIELD`, and one of a private crate.
const PLUGIN: &str = r#"
use std::any::{Any, TypeId};

pub struct Private(pub FIELD);

#[dynplug::export]
pub fn ids() -> [TypeId; 2] {
    [TypeId::of::<Private>(), TypeId::of::<dependency::Value>()]
}

#[dynplug::export]
pub fn make() -> [Box<dyn Any>; 2] {
    [Box::new(Private(Default::default())), Box::new(dependency::Value::new())]
}

#[dynplug::export]
pub fn recognised(values: &[Box<dyn Any>; 2]) -> [bool; 2] {
    [values[0].is::<Private>(), values[1].is::<dependency::Value>()]
}

#[dynplug::export]
pub fn made() -> u32 { dependency::made() }
"#;

/// Opens the plugins that its arguments name, and says of how many each would take a value of the own type, and of the
/// dependency's, for its own.
const HOST: &str = r#"
use app_api::dynplug::Plugin;
use std::any::{Any, TypeId};
use std::collections::HashSet;

fn main() {
    // SAFETY: the build made them.
    let open = |file| unsafe { Plugin::open(file) }.unwrap_or_else(|error| panic!("{error}"));
    let plugins: Vec<&Plugin> = std::env::args_os().skip(1).map(open).collect();
    for (at, name) in ["own", "dependency"].into_iter().enumerate() {
        let ids = |plugin: &&Plugin| plugin.lookup::<fn() -> [TypeId; 2]>("ids").unwrap()()[at];
        let ids: HashSet<TypeId> = plugins.iter().map(ids).collect();
        println!("{name}: {} ids", ids.len());
        for (maker, plugin) in plugins.iter().enumerate() {
            let values = plugin.lookup::<fn() -> [Box<dyn Any>; 2]>("make").unwrap()();
            let recognise = |plugin: &Plugin| {
                plugin.lookup::<fn(&[Box<dyn Any>; 2]) -> [bool; 2]>("recognised").unwrap()(&values)[at]
            };
            let by: Vec<usize> = (0..plugins.len()).filter(|at| recognise(plugins[*at])).collect();
            println!("{name}: of {maker} recognised by {by:?}");
        }
    }
    let made = |plugin: &&Plugin| plugin.lookup::<fn() -> u32>("made").unwrap()();
    println!("made: {:?}", plugins.iter().map(made).collect::<Vec<_>>());
}
"#;

const DEPENDENCY: &str = "use std::sync::atomic::{AtomicU32, Ordering};\n\
                          static MADE: AtomicU32 = AtomicU32::new(0);\n\
                          pub struct Value(u32);\n\
                          impl Value {\n    #[allow(clippy::new_without_default)]\n    \
                          pub fn new() -> Value { Value(MADE.fetch_add(1, Ordering::SeqCst)) }\n    \
                          pub fn number(&self) -> u32 { self.0 }\n}\n\
                          pub fn made() -> u32 { MADE.load(Ordering::SeqCst) }\n";

/// A workspace with the plugins `red`, `blue` and `twin`.
static APART: LazyLock<Mutex<Fixture>> = LazyLock::new(|| {
    let fixture = Fixture::empty("apart");
    fixture.api("pub use dynplug;\n").host(HOST).package("dependency", Kind::Library, &[], DEPENDENCY);
    for (name, field) in [("red", "u32"), ("blue", "String"), ("twin", "u32")] {
        plugin(&fixture, name, field);
    }
    fixture.build().go().ok();
    Mutex::new(fixture)
});

fn plugin(fixture: &Fixture, name: &str, field: &str) {
    let source = PLUGIN.replace("FIELD", field);
    fixture.package(name, Kind::Plugin, &["dynplug", "app-api", "dependency"], &source);
}

fn keep(fixture: &Fixture, name: &str, kept: &str) -> PathBuf {
    let kept = fixture.root().join(kept);
    std::fs::copy(fixture.plugin_file(name), &kept).unwrap();
    kept
}

/// Lets the host open two plugins.
fn both(fixture: &Fixture, one: &Path, other: &Path) -> Ran {
    let ran = fixture.app().arg(one).arg(other).go();
    ran.ok();
    ran
}

/// No type of this kind is taken for that of the other plugin, and each plugin knows its own.
#[track_caller]
fn are_apart(ran: &Ran, kind: &str) {
    ran.says(&format!("{kind}: 2 ids\n"))
        .says(&format!("{kind}: of 0 recognised by [0]\n"))
        .says(&format!("{kind}: of 1 recognised by [1]\n"));
}

/// Two builds of `twin`, as from two workspaces that have nothing to do with each other but the package's name and
/// version: what lies at the same place below the workspace looks the same to cargo.
fn twins() -> (std::sync::MutexGuard<'static, Fixture>, PathBuf, PathBuf) {
    let fixture = APART.lock().unwrap_or_else(PoisonError::into_inner);
    let mut kept = Vec::new();
    for field in ["u32", "String"] {
        plugin(&fixture, "twin", field);
        fixture.build().args(["-p", "twin"]).go().ok();
        kept.push(keep(&fixture, "twin", &format!("twin-{field}.so")));
    }
    let [one, other] = <[PathBuf; 2]>::try_from(kept).expect("there are two");
    (fixture, one, other)
}

// B7
#[test]
fn types_of_one_name_in_two_plugins_are_different_types() {
    let fixture = APART.lock().unwrap_or_else(PoisonError::into_inner);
    let ran = both(&fixture, &fixture.plugin_file("red"), &fixture.plugin_file("blue"));
    are_apart(&ran, "own");
}

// B7
#[test]
fn types_of_one_private_crate_in_two_plugins_are_different_types() {
    let fixture = APART.lock().unwrap_or_else(PoisonError::into_inner);
    let ran = both(&fixture, &fixture.plugin_file("red"), &fixture.plugin_file("blue"));
    are_apart(&ran, "dependency");
    // There is one of its static for each plugin.
    ran.says("made: [2, 2]");
}

// B7
#[test]
fn two_plugins_of_one_name_and_version_both_open_and_share_no_type() {
    let (fixture, one, other) = twins();
    are_apart(&both(&fixture, &one, &other), "own");
}

// B7
#[test]
fn two_plugins_of_one_name_and_version_share_no_type_of_an_equal_dependency() {
    let (fixture, one, other) = twins();
    let ran = both(&fixture, &one, &other);
    ran.says("made: [2, 2]");
    are_apart(&ran, "dependency");
}

// B7
#[test]
fn two_plugins_of_one_name_and_version_whose_dependencies_differ_both_open() {
    let (fixture, one, _) = twins();
    plugin(&fixture, "twin", "u32");
    fixture.replace("dependency/src/lib.rs", "Value(u32)", "Value(u32, [u64; 4])");
    fixture.replace("dependency/src/lib.rs", "(1, Ordering::SeqCst)", "(1, Ordering::SeqCst), [7; 4]");
    let built = fixture.build().args(["-p", "twin"]).go();
    fixture.file("dependency/src/lib.rs", DEPENDENCY);
    built.ok();
    let ran = both(&fixture, &one, &fixture.plugin_file("twin"));
    are_apart(&ran, "own");
    are_apart(&ran, "dependency");
}

// C12
#[test]
fn plugins_with_different_versions_of_a_crate_that_the_host_lacks_all_open() {
    let fixture = Fixture::empty("versions");
    let host = r#"
        use app_api::dynplug::Plugin;
        fn main() {
            let folder = std::env::current_exe().unwrap().with_file_name("plugins");
            for name in ["first", "second", "third", "first", "second", "third"] {
                // SAFETY: the build made it.
                match unsafe { Plugin::open(folder.join(format!("lib{name}.so"))) } {
                    Ok(plugin) => plugin.lookup::<fn()>("f").unwrap()(),
                    Err(error) => println!("{error}"),
                }
            }
        }
    "#;
    fixture.api("pub use dynplug;\n").host(host);
    for (name, version) in [("first", "1.0.0"), ("second", "1.1.0"), ("third", "2.0.0")] {
        // Beside the workspace: one workspace has one package of a name.
        let folder = format!("../versions of measure/{version}");
        let manifest =
            format!("[package]\nname = \"measure\"\nversion = \"{version}\"\nedition = \"2024\"\n");
        let library = "use std::sync::atomic::{AtomicU32, Ordering};\n\
                       static COUNT: AtomicU32 = AtomicU32::new(0);\n\
                       pub fn count() -> u32 { COUNT.fetch_add(1, Ordering::SeqCst) + 1 }\n\
                       pub const VERSION: &str = env!(\"CARGO_PKG_VERSION\");\n";
        fixture.root_file(&format!("{folder}/Cargo.toml"), &manifest);
        fixture.root_file(&format!("{folder}/src/lib.rs"), library);
        let dependency = format!("measure = {{ path = \"../../{folder}\" }}");
        let source = format!(
            "#[dynplug::export]\npub fn f() {{ \
             println!(\"{name} {{}} {{}}\", measure::VERSION, measure::count()) }}\n"
        );
        fixture.package(name, Kind::Plugin, &["dynplug", "app-api", &dependency], &source);
    }
    fixture.build().go().ok();
    let lines = "first 1.0.0 1\nsecond 1.1.0 1\nthird 2.0.0 1\nfirst 1.0.0 2\nsecond 1.1.0 2\nthird 2.0.0 2";
    fixture.app().go().ok().prints(lines);
}

// C14
#[test]
fn a_type_of_a_crate_that_host_and_plugin_each_have_is_told_to_be_two() {
    let fixture = Fixture::empty("counting");
    let host = r#"
        use app_api::dynplug::Plugin;
        use counting::Id;
        fn main() {
            println!("the host's first is {}", Id::next().0);
            let file = std::env::current_exe().unwrap().with_file_name("plugins").join("libcounter.so");
            // SAFETY: the build made it.
            let plugin = unsafe { Plugin::open(file) }.unwrap();
            println!("the plugin's first is {}", plugin.lookup::<fn() -> u64>("number").unwrap()());
            let errors = [
                plugin.lookup::<fn() -> Id>("next").err(),
                plugin.lookup::<fn(&Id) -> u64>("number_of").err(),
                plugin.lookup::<fn(Vec<Option<Id>>)>("keep").err(),
                plugin.lookup::<&std::sync::Mutex<Vec<Id>>>("KEPT").err(),
            ];
            for error in errors {
                match error {
                    Some(error) => println!("{error}"),
                    None => println!("a lookup gave a type of another copy"),
                }
            }
        }
    "#;
    let plugin = r#"
        use counting::Id;
        #[dynplug::export]
        pub static KEPT: std::sync::Mutex<Vec<Id>> = std::sync::Mutex::new(Vec::new());
        #[dynplug::export]
        pub fn next() -> Id { Id::next() }
        #[dynplug::export]
        pub fn number() -> u64 { Id::next().0 }
        #[dynplug::export]
        pub fn number_of(id: &Id) -> u64 { id.0 }
        #[dynplug::export]
        pub fn keep(ids: Vec<Option<Id>>) { KEPT.lock().unwrap().extend(ids.into_iter().flatten()) }
    "#;
    let counting = "use std::sync::atomic::{AtomicU64, Ordering};\n\
                    static NEXT: AtomicU64 = AtomicU64::new(1);\n\
                    pub struct Id(pub u64);\n\
                    impl Id { pub fn next() -> Id { Id(NEXT.fetch_add(1, Ordering::SeqCst)) } }\n";
    fixture
        .api("pub use dynplug;\n")
        .package("counting", Kind::Library, &[], counting)
        .package("app", Kind::Program, &["app-api", "counting"], host)
        .package("counter", Kind::Plugin, &["dynplug", "app-api", "counting"], plugin);
    fixture.build().go().ok();
    let ran = fixture.app().go();
    // Two counters: nothing else would give the same number twice.
    ran.ok()
        .says("the host's first is 1")
        .says("the plugin's first is 1")
        .does_not_say("a lookup gave a type of another copy")
        .says_in_lines(4, "come from two copies of")
        .says_in_lines(4, "into the API crate, so that host and plugin share it")
        .says("`fn() -> counting::Id`")
        .says("the symbol `KEPT`");
}
