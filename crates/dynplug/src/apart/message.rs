//! What host and runner say to each other about a plugin, beside calls of its functions. It has to be understood by other
//! versions of dynplug.

use serde::{Deserialize, Serialize};
use std::any::TypeId;

/// Asks for [`Description`].
pub(crate) const DESCRIBE: u32 = 0;

/// Asks for the shapes of an item, by its number; answered with `wire::Described`.
pub(crate) const SHAPES: u32 = 1;

/// The first item's number; the items follow in the order of the description.
pub(crate) const FIRST: u32 = 16;

/// The answer is what was asked for.
pub(crate) const GOOD: u32 = 0;

/// The answer is a text that says why not. Nothing was called.
pub(crate) const NOT_CALLED: u32 = 1;

/// The answer is a text that says why there is no result. The function has run.
pub(crate) const NO_RESULT: u32 = 2;

/// What the plugin is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Description {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) items: Vec<Item>,
}

/// Something that it exports.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) name: String,
    /// Its type: what compilations against one API library have in common.
    pub(crate) type_id: String,
    pub(crate) type_name: String,
    /// What keeps it from being called from here, in words.
    pub(crate) obstacles: Vec<String>,
}

/// A type's id as a text, which is the same wherever one API library is.
pub(crate) fn type_id(id: TypeId) -> String {
    format!("{id:?}")
}
