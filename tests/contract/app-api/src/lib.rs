//! What the host and the plugins share.

pub use dynplug;

use std::alloc::{GlobalAlloc, Layout, System};
use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

/// One for the process.
pub static COUNTER: AtomicU64 = AtomicU64::new(100);

/// Initialised by whoever comes first.
pub static LAZY: LazyLock<u64> = LazyLock::new(|| {
    LAZY_RUNS.fetch_add(1, Ordering::SeqCst);
    4711
});
/// How often that happened.
pub static LAZY_RUNS: AtomicU64 = AtomicU64::new(0);

/// What plugins leave for the host and for one another.
pub static TABLE: Mutex<Vec<(&str, Box<dyn Any + Send>)>> = Mutex::new(Vec::new());

/// Counts what it hands out.
struct Counting;

/// How many times memory was handed out.
pub static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A recursive type.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tree {
    pub name: String,
    pub children: Vec<Tree>,
    pub parent: Option<Box<Tree>>,
}

/// Another, through itself and a map.
#[derive(Debug, Default)]
pub struct Graph(pub HashMap<String, Arc<Mutex<Graph>>>);

/// Something that plugins implement.
pub trait Shape: Send + Sync {
    fn area(&self) -> f64;
    fn as_any(&self) -> &dyn Any;
    fn name(&self) -> String {
        "a shape".to_owned()
    }
}

/// A type of the host's that plugins box.
#[derive(Debug)]
pub struct Guest(pub Arc<AtomicU64>);

impl Shape for Guest {
    fn area(&self) -> f64 {
        2.5
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Part of the API that the host never uses.
pub mod unused_by_host {
    use std::collections::BTreeMap;
    use std::sync::{LazyLock, Mutex};

    /// A registry that begins with one entry.
    pub static REGISTRY: LazyLock<Mutex<BTreeMap<&str, u64>>> =
        LazyLock::new(|| Mutex::new(BTreeMap::from([("first", 1)])));

    /// How many entries there are after this one.
    pub fn register(name: &'static str, value: u64) -> usize {
        let mut registry = REGISTRY.lock().unwrap();
        registry.insert(name, value);
        registry.len()
    }
}
