//! The plugin for `abi_stable`.

use abi_api::{AnyCounter, Calls, Calls_Ref, Counter, Counter_TO, Item};
use abi_stable::export_root_module;
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::{RStr, RString, RVec};

#[export_root_module]
fn module() -> Calls_Ref {
    Calls { number, text, counter, list }.leak_into_prefix()
}

extern "C" fn number(x: u64) -> u64 {
    bench_runner::loops::step(x)
}

extern "C" fn text(name: RStr<'_>) -> RString {
    ["Hello, ", name.as_str()].concat().into()
}

struct Seven(u64);

impl Counter for Seven {
    fn count(&self, x: u64) -> u64 {
        x.wrapping_add(self.0)
    }
}

extern "C" fn counter() -> AnyCounter {
    Counter_TO::from_value(Seven(7), TD_Opaque)
}

extern "C" fn list(mut items: RVec<Item>) -> RVec<Item> {
    if let Some(first) = items.first_mut() {
        first.id = first.id.wrapping_add(1);
    }
    items
}
