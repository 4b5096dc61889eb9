//! What host and plugin agree on, in the types of `abi_stable`.

use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::package_version_strings;
use abi_stable::sabi_trait;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RBox, RStr, RString, RVec};

/// An element of the list.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
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
#[sabi_trait]
pub trait Counter {
    /// Counts on.
    fn count(&self, x: u64) -> u64;
}

/// A boxed thing.
pub type AnyCounter = Counter_TO<'static, RBox<()>>;

/// What the plugin for calls has.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = Calls_Ref)))]
#[sabi(missing_field(panic))]
pub struct Calls {
    pub number: extern "C" fn(u64) -> u64,
    pub text: extern "C" fn(RStr<'_>) -> RString,
    pub counter: extern "C" fn() -> AnyCounter,
    #[sabi(last_prefix_field)]
    pub list: extern "C" fn(RVec<Item>) -> RVec<Item>,
}

impl RootModule for Calls_Ref {
    abi_stable::declare_root_module_statics! {Calls_Ref}
    const BASE_NAME: &'static str = "calls";
    const NAME: &'static str = "calls";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

/// What the smallest plugin has.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = Trivial_Ref)))]
#[sabi(missing_field(panic))]
pub struct Trivial {
    #[sabi(last_prefix_field)]
    pub number: extern "C" fn(u64) -> u64,
}

impl RootModule for Trivial_Ref {
    abi_stable::declare_root_module_statics! {Trivial_Ref}
    const BASE_NAME: &'static str = "trivial";
    const NAME: &'static str = "trivial";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}
