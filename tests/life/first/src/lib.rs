//! Init functions in three files and of both kinds.

mod alpha;
mod zeta;

use app_api::{Guest, Token, log};
use std::any::TypeId;
use std::sync::atomic::Ordering;

#[dynplug::init]
fn upper() {
    log("first lib upper");
}

#[dynplug::init]
fn lower() -> Result<(), std::num::ParseIntError> {
    log("first lib lower");
    "7".parse::<u32>().map(drop)
}

/// How often `late` was initialised here, where its counter is, and what its type is called.
#[dynplug::export]
fn late() -> (u64, usize, TypeId) {
    let count = late::COUNT.load(Ordering::Relaxed);
    (count, (&raw const late::COUNT).addr(), TypeId::of::<late::Thing>())
}

/// A value of a type of this plugin's own.
#[dynplug::export]
fn thing() -> late::Thing {
    late::Thing(1)
}

/// A guest.
#[dynplug::export]
fn guest() -> Box<dyn Guest> {
    Box::new(Token("first".to_owned()))
}
