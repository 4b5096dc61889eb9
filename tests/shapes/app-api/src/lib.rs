//! An API crate with dependencies of every kind.

pub use another_name;
pub use {bare, bundled, dynplug, fetched, itoa, json, old_twice, scripted, serde, twice};

/// A type of which macros make things.
#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize, making::Named)]
pub struct Record {
    /// Something.
    pub number: u32,
}

/// What only a feature of the API crate has, which the host turns on.
#[cfg(feature = "chosen")]
pub const CHOSEN: u32 = 23;

/// What the code where this is written finds of each shared crate: the ids of types, the addresses of statics, what was
/// set when it was built. The names are those of the crates there.
#[macro_export]
macro_rules! facts {
    ($bare:ident $fetched:ident $itoa:ident $json:ident $old:ident $optional:ident $scripted:ident $twice:ident) => {{
        use std::any::TypeId;
        let mut facts = Vec::new();
        let mut say = |what: &str, fact: &dyn std::fmt::Debug| facts.push(format!("{what}: {fact:?}"));
        say("bare", &(&raw const $bare::COUNT));
        say("fetched", &(&raw const $fetched::COUNT));
        say("fetched type", &TypeId::of::<$fetched::Fetched>());
        say("itoa", &(&raw const $itoa::WRITTEN));
        say("itoa type", &TypeId::of::<$itoa::Buffer>());
        say("json", &TypeId::of::<$json::Value>());
        say("old", &(TypeId::of::<$old::Thing>(), $old::VERSION));
        say("optional", &$optional::features());
        say("record", &(TypeId::of::<$crate::Record>(), $crate::Record::NAME));
        say("scripted", &($scripted::MADE, $scripted::SET, $scripted::is_set()));
        say("twice", &(TypeId::of::<$twice::Thing>(), $twice::VERSION));
        say("chosen", &$crate::CHOSEN);
        facts
    }};
}
