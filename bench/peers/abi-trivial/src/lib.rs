//! The smallest plugin.

use abi_api::{Trivial, Trivial_Ref};
use abi_stable::export_root_module;
use abi_stable::prefix_type::PrefixTypeTrait;

#[export_root_module]
fn module() -> Trivial_Ref {
    Trivial { number }.leak_into_prefix()
}

extern "C" fn number(x: u64) -> u64 {
    x.wrapping_add(1)
}
