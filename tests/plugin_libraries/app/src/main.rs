//! The host: its first argument says what to play, the second where the plugins are. What goes wrong panics.

use app_api::LOG;
use app_api::dynplug::{Loader, NotAPlugin, OpenError, Plugin, Product, Unfit};
use std::any::{Any, TypeId};
use std::path::PathBuf;

fn main() {
    let mut words = std::env::args().skip(1);
    let scenario = words.next().expect("the scenario's name");
    match scenario.as_str() {
        "together" => together(),
        "at-once" => at_once(),
        "two-folders" => two_folders(PathBuf::from(words.next().expect("another folder"))),
        "library-fails" => library_fails(),
        "discover" => discover(),
        "try" => attempt(PathBuf::from(words.next().expect("a file"))),
        other => panic!("no scenario {other}"),
    }
    println!("{scenario}: done");
}

fn folder() -> PathBuf {
    std::env::current_exe().expect("the program lies somewhere").with_file_name("plugins")
}

fn try_open(file: PathBuf) -> Result<&'static Plugin, OpenError> {
    // SAFETY: the build made it.
    unsafe { Plugin::open(file) }
}

fn open(name: &str) -> &'static Plugin {
    try_open(folder().join(format!("lib{name}.so"))).unwrap_or_else(|e| panic!("{e}"))
}

fn logged() -> Vec<String> {
    std::mem::take(&mut *LOG.lock().unwrap())
}

fn call<T: 'static>(plugin: &Plugin, name: &str) -> T {
    plugin.lookup::<fn() -> T>(name).unwrap_or_else(|e| panic!("{e}"))()
}

fn together() {
    let one = open("one");
    assert_eq!(logged(), ["inner", "common", "one"]);
    let two = open("two");
    assert_eq!(logged(), ["two"], "the library is initialised once");
    assert_eq!(call::<u32>(one, "count"), 1);
    assert_eq!(call::<u32>(two, "count"), 2);
    assert_eq!(call::<usize>(one, "address"), call::<usize>(two, "address"));
    assert_eq!([call::<i32>(one, "counted"), call::<i32>(two, "counted")], [1, 2]);
    assert_eq!([call::<u32>(one, "made"), call::<u32>(two, "made")], [0, 1]);
    assert_eq!([call::<u32>(one, "local"), call::<u32>(two, "local")], [1, 2]);
    assert_eq!(call::<[TypeId; 2]>(one, "types"), call::<[TypeId; 2]>(two, "types"));
    let value = call::<Box<dyn Any + Send>>(one, "make");
    assert_eq!(two.lookup::<fn(Box<dyn Any + Send>) -> String>("take").unwrap()(value), "from one");
    let names: Vec<&str> = one.libraries().iter().map(|l| l.name()).collect();
    assert_eq!(names, ["common"]);
    assert!(std::ptr::eq(one.libraries()[0], two.libraries()[0]));
    let report: Vec<&str> = one.libraries()[0].init_report().iter().map(|r| r.package).collect();
    assert_eq!(report, ["inner", "common"]);

    let three = open("three");
    assert!(logged().is_empty(), "nothing of it has an init function");
    assert_eq!(call::<u32>(three, "count"), 4, "a library above the library counts with it");
    let names: Vec<&str> = three.libraries().iter().map(|l| l.name()).collect();
    assert_eq!(names, ["common", "upper"]);

    let alone = open("alone");
    assert_eq!(logged(), ["inner"], "its own copy is another crate");
    assert_eq!(call::<u32>(alone, "made"), 0);
    assert_ne!(call::<[TypeId; 1]>(alone, "types")[0], call::<[TypeId; 2]>(one, "types")[1]);
    assert!(alone.libraries().is_empty());

    let library = one.libraries()[0].path().to_owned();
    let error = try_open(library).expect_err("a library is no plugin");
    let found = matches!(
        &error,
        OpenError::NotAPlugin { found: NotAPlugin::Other { product: Product::PluginLibrary, .. }, .. }
    );
    assert!(found, "{error}");
}

fn at_once() {
    let threads: Vec<_> = (0..16)
        .map(|at| std::thread::spawn(move || open(["one", "two", "three"][at % 3]).name().to_owned()))
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let mut log = logged();
    log.sort();
    assert_eq!(log, ["common", "inner", "one", "two"]);
    let one = open("one");
    assert!(std::ptr::eq(one.libraries()[0], open("three").libraries()[0]));
}

/// `other` has a copy of the library, and of the plugin `two`.
fn two_folders(other: PathBuf) {
    let one = open("one");
    let two = try_open(other.join("libtwo.so")).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(logged(), ["inner", "common", "one", "two"]);
    assert!(std::ptr::eq(one.libraries()[0], two.libraries()[0]));
}

fn library_fails() {
    for name in ["one", "two", "one"] {
        let error = try_open(folder().join(format!("lib{name}.so"))).expect_err("its library fails");
        let OpenError::Library { package, source, .. } = &error else { panic!("{error}") };
        assert_eq!(package, "common");
        assert!(matches!(**source, OpenError::Init { .. }), "{error}");
        assert!(error.to_string().contains("not now"), "{error}");
    }
    assert_eq!(logged(), ["inner", "common"], "nothing of the plugins ran, and nothing ran twice");
}

fn discover() {
    let discovery = Loader::new().folder(folder()).discover();
    for found in &discovery.found {
        println!("{:?} fits: {}", found.name(), found.fits().is_ok());
    }
    for (place, reason) in discovery.refused() {
        println!("refused: {place}: {reason}");
    }
    println!("libraries: {}", discovery.folders[0].libraries.len());
    assert!(logged().is_empty());
    // SAFETY: the build made all of it.
    let opened = unsafe { Loader::new().folder(folder()).unfit(Unfit::Fail).open_all() };
    println!("opened: {}", opened.map_or(0, |opened| opened.plugins.len()));
}

/// Says how that went, and what was run.
fn attempt(file: PathBuf) {
    match try_open(file) {
        Ok(plugin) => println!("opened {}", plugin.name()),
        Err(error) => println!("{error}"),
    }
    println!("ran {:?}", logged());
}
