//! One of two plugins that export the same names.

use app_api::{COUNTER, Graph, Guest, LAZY, Shape, TABLE, Tree};
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::ffi::{CStr, c_char};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

#[dynplug::init]
fn start() {
    COUNTER.fetch_add(10, SeqCst);
}

/// Both plugins have one.
struct Private;

#[dynplug::export]
pub static NAME: &str = "two";

#[dynplug::export]
pub static STATE: Mutex<Vec<u32>> = Mutex::new(Vec::new());

#[dynplug::export]
pub fn who() -> &'static str {
    "two"
}

/// The same C name in both plugins.
#[unsafe(no_mangle)]
pub extern "C" fn rust_name() -> *const c_char {
    c"two".as_ptr()
}

unsafe extern "C" {
    fn c_name() -> *const c_char;
    fn c_name_of_rust() -> *const c_char;
    #[link_name = "rust_name"]
    fn declared_rust_name() -> *const c_char;
}

fn text(pointer: *const c_char) -> String {
    // SAFETY: all of these are literals.
    unsafe { CStr::from_ptr(pointer) }.to_str().unwrap().to_owned()
}

#[dynplug::export]
pub fn through_no_mangle() -> String {
    // SAFETY: it is declared as it is defined.
    text(unsafe { declared_rust_name() })
}

#[dynplug::export]
pub fn through_c() -> String {
    // SAFETY: it is declared as it is defined.
    text(unsafe { c_name() })
}

#[dynplug::export]
pub fn through_c_and_back() -> String {
    // SAFETY: it is declared as it is defined.
    text(unsafe { c_name_of_rust() })
}

#[dynplug::export]
pub fn add_to_counter(n: u64) -> u64 {
    COUNTER.fetch_add(n, SeqCst)
}

#[dynplug::export]
pub fn type_id(name: &str) -> TypeId {
    match name {
        "Tree" => TypeId::of::<Tree>(),
        "Vec<Tree>" => TypeId::of::<Vec<Tree>>(),
        "fn(&Tree)" => TypeId::of::<fn(&Tree)>(),
        "Graph" => TypeId::of::<Graph>(),
        "Arc<dyn Shape>" => TypeId::of::<Arc<dyn Shape>>(),
        "HashMap" => TypeId::of::<HashMap<String, Box<dyn Any>>>(),
        "Private" => TypeId::of::<Private>(),
        other => panic!("{other} is unknown"),
    }
}

#[dynplug::export]
pub fn forest() -> Vec<Tree> {
    let root = Tree { name: "root".to_owned(), ..Tree::default() };
    let leaf = Tree { name: "leaf".to_owned(), parent: Some(Box::new(root.clone())), children: Vec::new() };
    vec![Tree { children: vec![leaf], ..root }]
}

#[dynplug::export]
pub fn count(trees: &[Tree]) -> usize {
    trees.iter().map(|tree| 1 + count(&tree.children)).sum()
}

#[dynplug::export]
pub fn visit(tree: &Tree, visitor: fn(&Tree)) {
    visitor(tree);
    tree.children.iter().for_each(|child| visit(child, visitor));
}

#[dynplug::export]
pub fn any() -> Box<dyn Any> {
    Box::new(Tree { name: "two".to_owned(), ..Tree::default() })
}

#[dynplug::export]
pub fn take_any(any: Box<dyn Any>) -> Option<Tree> {
    any.downcast().ok().map(|tree| *tree)
}

struct Square(f64);

impl Shape for Square {
    fn area(&self) -> f64 {
        self.0 * self.0
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[dynplug::export]
pub fn shape() -> Arc<dyn Shape> {
    Arc::new(Square(2.0))
}

#[dynplug::export]
pub fn tie(graph: &Arc<Mutex<Graph>>) {
    graph.lock().unwrap().0.insert("self".to_owned(), graph.clone());
}

#[dynplug::export]
pub fn wrap(guest: Guest) -> Box<dyn Shape> {
    Box::new(guest)
}

#[dynplug::export]
pub fn register(name: &'static str) -> usize {
    app_api::unused_by_host::register(name, 10)
}

#[dynplug::export]
pub fn lazy() -> u64 {
    *LAZY
}

/// Parts of std that the host has no use for.
#[dynplug::export]
pub fn much_of_std() -> String {
    use std::collections::{BTreeSet, BinaryHeap};
    let set: BTreeSet<u8> = BinaryHeap::from([3, 1, 2]).into_iter().collect();
    let address: std::net::SocketAddr = "127.0.0.1:80".parse().unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread =
        std::thread::Builder::new().name("sum".to_owned()).spawn(move || receiver.iter().sum::<u8>());
    set.iter().for_each(|n| sender.send(*n).unwrap());
    drop(sender);
    format!("{:?} {set:?} {address} {}", "0.5".parse::<f32>().unwrap(), thread.unwrap().join().unwrap())
}

/// Takes what another plugin left.
#[dynplug::export]
pub fn collect() -> Vec<String> {
    let things = std::mem::take(&mut *TABLE.lock().unwrap());
    let describe = |(name, thing): (&str, Box<dyn Any + Send>)| {
        let words = match name {
            "tree" => thing.downcast::<Vec<Tree>>().unwrap()[0].name.clone(),
            "shape" => format!("of {}", thing.downcast::<Arc<dyn Shape>>().unwrap().area()),
            "function" => thing.downcast::<fn() -> &'static str>().unwrap()().to_owned(),
            _ => *thing.downcast::<String>().unwrap(),
        };
        format!("{name} {words}")
    };
    things.into_iter().map(describe).collect()
}
