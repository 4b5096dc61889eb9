//! What host and plugins share, and what two plugins don't.

use crate::{Scenario, file, open};
use app_api::dynplug::Plugin;
use app_api::{ALLOCATIONS, COUNTER, Graph, Guest, LAZY, LAZY_RUNS, Shape, TABLE, Tree};
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

pub const SCENARIOS: &[Scenario] = &[
    ("one-static", one_static),
    ("same-file-name", same_file_name),
    ("same-names", same_names),
    ("closures", closures),
    ("types", types),
    ("between-plugins", between_plugins),
    ("boxed-guest", boxed_guest),
    ("unused-by-host", unused_by_host),
    ("allocations", allocations),
];

fn one_static() {
    assert_eq!(COUNTER.load(SeqCst), 100);
    let one = open("one");
    assert_eq!(COUNTER.load(SeqCst), 101, "the init of `one` adds 1");
    let two = open("two");
    assert_eq!(COUNTER.load(SeqCst), 111, "the init of `two` adds 10");
    for plugin in [one, two] {
        let add: fn(u64) -> u64 = plugin.lookup("add_to_counter").unwrap();
        let before = COUNTER.load(SeqCst);
        assert_eq!(add(1000), before);
        assert_eq!(COUNTER.load(SeqCst), before + 1000);
    }
    COUNTER.store(5, SeqCst);
    for plugin in [one, two] {
        assert_eq!(plugin.lookup::<fn(u64) -> u64>("add_to_counter").unwrap()(0), 5);
    }
}

fn same_file_name() {
    let folder = std::env::args().nth(2).unwrap();
    let other = std::path::Path::new(&folder).join("libone.so");
    std::fs::copy(file("two"), &other).unwrap();
    let one = open("one");
    // SAFETY: the build made it.
    let two = unsafe { Plugin::open(other) }.unwrap();
    assert_eq!((one.name(), two.name()), ("one", "two"));
    assert_eq!(one.lookup::<fn() -> &'static str>("who").unwrap()(), "one");
    assert_eq!(two.lookup::<fn() -> &'static str>("who").unwrap()(), "two");
}

fn same_names() {
    for name in ["one", "two", "one"] {
        let plugin = open(name);
        let text = |symbol: &str| plugin.lookup::<fn() -> String>(symbol).unwrap()();
        assert_eq!(plugin.lookup::<fn() -> &'static str>("who").unwrap()(), name);
        assert_eq!(text("through_no_mangle"), name);
        assert_eq!(text("through_c"), name);
        assert_eq!(text("through_c_and_back"), name);
        assert_eq!(**plugin.lookup::<&&'static str>("NAME").unwrap(), *name);
    }
    type State = Mutex<Vec<u32>>;
    let (one, two): (&State, &State) =
        (open("one").lookup("STATE").unwrap(), open("two").lookup("STATE").unwrap());
    one.lock().unwrap().push(1);
    assert!(two.lock().unwrap().is_empty());
}

fn closures() {
    type Callback = Mutex<Option<Box<dyn FnMut(u32) -> String + Send>>>;
    let one = open("one");
    let callback: &Callback = one.lookup("CALLBACK").unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = heard.clone();
    *callback.lock().unwrap() = Some(Box::new(move |n| {
        sink.lock().unwrap().push(n);
        format!("host {n}")
    }));
    assert_eq!(one.lookup::<fn(u32) -> String>("call_back").unwrap()(3), "host 3");
    assert_eq!(*heard.lock().unwrap(), [3]);
    one.lookup::<fn()>("set_callback").unwrap()();
    assert_eq!(Arc::strong_count(&heard), 1, "the plugin dropped the host's closure");
    let mut theirs = callback.lock().unwrap().take().unwrap();
    assert_eq!((theirs(1), theirs(2)), ("one 1".to_owned(), "one 3".to_owned()));
}

fn types() {
    for name in ["one", "two"] {
        let plugin = open(name);
        let id: fn(&str) -> TypeId = plugin.lookup("type_id").unwrap();
        assert_eq!(id("Tree"), TypeId::of::<Tree>());
        assert_eq!(id("Vec<Tree>"), TypeId::of::<Vec<Tree>>());
        assert_eq!(id("fn(&Tree)"), TypeId::of::<fn(&Tree)>());
        assert_eq!(id("Graph"), TypeId::of::<Graph>());
        assert_eq!(id("Arc<dyn Shape>"), TypeId::of::<Arc<dyn Shape>>());
        assert_eq!(id("HashMap"), TypeId::of::<HashMap<String, Box<dyn Any>>>());

        let forest: fn() -> Vec<Tree> = plugin.lookup("forest").unwrap();
        let mut forest = forest();
        assert_eq!(forest[0].children[0].name, "leaf");
        assert_eq!(forest[0].children[0].parent.as_ref().unwrap().name, "root");
        forest.push(Tree::default());
        let count: fn(&[Tree]) -> usize = plugin.lookup("count").unwrap();
        assert_eq!(count(&forest), 3);

        let visitor: fn(&Tree, fn(&Tree)) = plugin.lookup("visit").unwrap();
        visitor(&forest[0], |tree| {
            COUNTER.fetch_add(tree.children.len() as u64, SeqCst);
        });

        let make: fn() -> Box<dyn Any> = plugin.lookup("any").unwrap();
        let boxed = make().downcast::<Tree>().expect("a Tree is a Tree");
        assert_eq!(boxed.name, name);
        let take: fn(Box<dyn Any>) -> Option<Tree> = plugin.lookup("take_any").unwrap();
        assert_eq!(take(boxed).unwrap().name, name);
        assert!(take(Box::new(1_u8)).is_none());

        let shape: Arc<dyn Shape> = plugin.lookup::<fn() -> Arc<dyn Shape>>("shape").unwrap()();
        assert_eq!((shape.area(), shape.name()), (4.0, "a shape".to_owned()));
        assert!(!shape.as_any().is::<Guest>());

        let graph = Arc::new(Mutex::new(Graph::default()));
        plugin.lookup::<fn(&Arc<Mutex<Graph>>)>("tie").unwrap()(&graph);
        assert!(Arc::ptr_eq(&graph, &graph.lock().unwrap().0["self"]));
        graph.lock().unwrap().0.clear();
    }
}

fn between_plugins() {
    let (one, two) = (open("one"), open("two"));
    one.lookup::<fn()>("leave").unwrap()();
    let report: fn() -> Vec<String> = two.lookup("collect").unwrap();
    assert_eq!(report(), ["tree from one", "shape of 4", "function one", "text left by one"]);
    assert!(TABLE.lock().unwrap().is_empty());
    // A private type of one name in both isn't one type.
    let of = |plugin: &Plugin| plugin.lookup::<fn(&str) -> TypeId>("type_id").unwrap()("Private");
    assert_ne!(of(one), of(two));
}

fn boxed_guest() {
    let drops = Arc::new(AtomicU64::new(0));
    let wrap: fn(Guest) -> Box<dyn Shape> = open("one").lookup("wrap").unwrap();
    let shape = wrap(Guest(drops.clone()));
    assert_eq!((shape.area(), shape.name()), (2.5, "a shape".to_owned()));
    assert!(shape.as_any().is::<Guest>());
    assert_eq!(drops.load(SeqCst), 0);
    drop(shape);
    assert_eq!(drops.load(SeqCst), 1);
}

fn unused_by_host() {
    let count = |name| open(name).lookup::<fn(&'static str) -> usize>("register").unwrap()(name);
    assert_eq!((count("one"), count("two"), count("one")), (2, 3, 3));
    assert_eq!(LAZY_RUNS.load(SeqCst), 0);
    let lazy = |name| open(name).lookup::<fn() -> u64>("lazy").unwrap()();
    assert_eq!((lazy("one"), lazy("two"), *LAZY), (4711, 4711, 4711));
    assert_eq!(LAZY_RUNS.load(SeqCst), 1);
    for name in ["one", "two"] {
        assert_eq!(
            open(name).lookup::<fn() -> String>("much_of_std").unwrap()(),
            "0.5 {1, 2, 3} 127.0.0.1:80 6"
        );
    }
}

fn allocations() {
    let allocate: fn(usize) -> Vec<Box<u64>> = open("one").lookup("allocate").unwrap();
    let before = ALLOCATIONS.load(SeqCst);
    let theirs = allocate(1000);
    let between = ALLOCATIONS.load(SeqCst);
    assert!(between - before >= 1000, "the plugin's allocations are counted: {}", between - before);
    let ours: Vec<Box<u64>> = (0..1000).map(Box::new).collect();
    assert!(ALLOCATIONS.load(SeqCst) - between >= 1000, "the host's too");
    assert_eq!(theirs, ours);
}
