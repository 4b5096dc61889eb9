//! What host and plugin agree on, in the words of C.

use std::ffi::c_void;

/// A text, or a list of items, that somebody has allocated.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Piece<T> {
    pub start: *mut T,
    pub length: usize,
    pub capacity: usize,
}

/// An element of the list.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq)]
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

/// A thing with a method, as C has them.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Counter {
    pub data: *mut c_void,
    pub count: extern "C" fn(*mut c_void, u64) -> u64,
}

pub type Number = extern "C" fn(u64) -> u64;
pub type Text = extern "C" fn(*const u8, usize) -> Piece<u8>;
pub type FreeText = extern "C" fn(Piece<u8>);
pub type MakeCounter = extern "C" fn() -> Counter;
pub type List = extern "C" fn(Piece<Item>) -> Piece<Item>;

impl<T> Piece<T> {
    /// The list, as who has no other name for it.
    pub fn of(list: Vec<T>) -> Piece<T> {
        let mut list = std::mem::ManuallyDrop::new(list);
        Piece { start: list.as_mut_ptr(), length: list.len(), capacity: list.capacity() }
    }
}
