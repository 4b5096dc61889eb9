//! What host and plugin agree on, in the types of `stabby`.

/// An element of the list.
#[stabby::stabby]
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
#[stabby::stabby]
pub trait Counter {
    /// Counts on.
    extern "C" fn count(&self, x: u64) -> u64;
}

/// A boxed thing.
pub type AnyCounter = stabby::dynptr!(stabby::boxed::Box<dyn Counter + 'static>);

/// The functions, each as a type.
pub type Number = extern "C" fn(u64) -> u64;
pub type Text = extern "C" fn(stabby::str::Str<'static>) -> stabby::string::String;
pub type MakeCounter = extern "C" fn() -> AnyCounter;
pub type List = extern "C" fn(stabby::vec::Vec<Item>) -> stabby::vec::Vec<Item>;
