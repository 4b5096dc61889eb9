//! A plugin that was built against another interface.

use abi_stable::StableAbi;
use abi_stable::export_root_module;
use abi_stable::library::RootModule;
use abi_stable::package_version_strings;
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_types::VersionStrings;

#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = Trivial_Ref)))]
#[sabi(missing_field(panic))]
pub struct Trivial {
    #[sabi(last_prefix_field)]
    pub number: extern "C" fn(u32) -> u64,
}

impl RootModule for Trivial_Ref {
    abi_stable::declare_root_module_statics! {Trivial_Ref}
    const BASE_NAME: &'static str = "trivial";
    const NAME: &'static str = "trivial";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

#[export_root_module]
fn module() -> Trivial_Ref {
    Trivial { number }.leak_into_prefix()
}

extern "C" fn number(x: u32) -> u64 {
    u64::from(x).wrapping_add(1)
}
