//! Items that are neither functions nor statics, and statics that cannot be shared.

#[dynplug::export]
static mut COUNT: u32 = 0;

#[dynplug::export]
const LIMIT: u32 = 3;

#[dynplug::export]
pub struct Point {
    x: u32,
}

#[dynplug::export]
enum Choice {}

#[dynplug::export]
union Bits {
    x: u32,
}

#[dynplug::export]
type Alias = u32;

#[dynplug::export]
pub(crate) unsafe trait Shape {}

#[dynplug::export]
unsafe impl Shape for Point {}

#[dynplug::export]
mod inner {}

#[dynplug::export]
pub use std::mem::swap as exchange;

#[dynplug::export]
extern crate core as another;

#[dynplug::export]
unsafe extern "C" {}

#[dynplug::export]
#[macro_export]
macro_rules! say {
    () => {};
}

unsafe extern "C" {
    #[dynplug::export]
    static environ: *const u8;
}

#[dynplug::export]
#[thread_local]
static LOCAL: u32 = 0;

#[dynplug::export(crate = )]
static FIRST: u32 = 0;

#[dynplug::export(3, name = "second" crate = dynplug)]
static SECOND: u32 = 0;

fn main() {}
