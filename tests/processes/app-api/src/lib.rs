//! What host and plugins share.

pub use dynplug;
pub use serde;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something that is sent there and back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Who.
    pub name: String,
    /// What, and how many.
    pub items: BTreeMap<String, u32>,
    /// How.
    pub way: Way,
    // A later version has more.
}

impl Order {
    /// Tea for somebody.
    pub fn tea(name: &str) -> Order {
        let (name, items) = (name.to_owned(), BTreeMap::from([("tea".to_owned(), 2), ("milk".to_owned(), 0)]));
        Order { name, items, way: Way::Nowhere }
    }
}

/// How something is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Way {
    /// Not at all.
    Nowhere,
    /// To there.
    To(String, u8),
    /// By it, or not.
    By {
        /// It.
        it: Option<Box<Way>>,
    },
}
