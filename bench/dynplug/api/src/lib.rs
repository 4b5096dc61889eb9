//! What host and plugins share.

pub use dynplug;

/// An element of the list.
#[derive(Debug, Clone, Copy)]
pub struct Item {
    pub id: u64,
    pub weight: f64,
    pub flags: u32,
}

impl Item {
    /// The item with this number.
    pub fn new(id: u64) -> Item {
        Item { id, weight: 0.5, flags: 7 }
    }
}

/// A thing with a method.
pub trait Counter: Send + Sync {
    /// Counts on.
    fn count(&self, x: u64) -> u64;
}
