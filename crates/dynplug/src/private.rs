//! What the attributes expand to. Nothing here is meant to be named by people, and it may change with any
//! version: `dynplug` and `dynplug-macros` require each other's exact version.

use std::error::Error;

pub use core::any::{TypeId, type_name};
pub use core::future::Future;
pub use core::marker::Send;
pub use core::pin::Pin;
// A crate may shadow `u8`, and may have no prelude to take a macro from.
pub use core::{column, concat, file, line, module_path, option_env, primitive};
pub use std::boxed::Box;

pub use dynplug_manifest::record;

#[cfg(feature = "process")]
pub use crate::wire;
pub use crate::{
    __dynplug_obstacles as obstacles, __dynplug_served as of_function, __dynplug_served_static as of_static,
};

/// How an item is served to other processes, where it is.
#[cfg(feature = "process")]
pub type Served = Option<&'static wire::Wire>;
/// How an item is served to other processes: not at all, without the feature `process`.
#[cfg(not(feature = "process"))]
pub type Served = ();

/// Of what isn't served.
#[cfg(feature = "process")]
pub const UNSERVED: Served = None;
/// Of what isn't served.
#[cfg(not(feature = "process"))]
pub const UNSERVED: Served = ();

/// Serves what nothing is in the way of.
#[cfg(feature = "process")]
pub const fn served(obstacles: u64, wire: &'static wire::Wire) -> Served {
    if obstacles == 0 { Some(wire) } else { None }
}

/// What an exported item is to the running program. Section `dp_sym` holds references to these.
#[repr(C)]
#[derive(Debug)]
pub struct Entry {
    pub(crate) meta: &'static [u8],
    pub(crate) address: *const (),
    pub(crate) type_id: TypeId,
    pub(crate) type_name: fn() -> &'static str,
    pub(crate) served: Served,
}

// SAFETY: the address is that of a function, or of a static that is `Sync`; nothing changes after
// compilation, and using the address needs unsafe code with an argument of its own.
unsafe impl Sync for Entry {}
// SAFETY: as above.
unsafe impl Send for Entry {}

impl Entry {
    /// Describes an exported function.
    ///
    /// # Safety
    ///
    /// `address` is a function pointer, or a reference for the life of the process, of the type whose id is
    /// `type_id`, and a value of that type may be used from any thread.
    pub const unsafe fn new(
        meta: &'static [u8],
        address: *const (),
        type_id: TypeId,
        type_name: fn() -> &'static str,
    ) -> Entry {
        Entry { meta, address, type_id, type_name, served: UNSERVED }
    }

    /// Notes how the item is served to other processes.
    pub const fn served(self, served: Served) -> Entry {
        Entry { served, ..self }
    }

    /// Describes an exported static; its type is `&'static T`.
    ///
    /// # Safety
    ///
    /// `T: Sync`, as rustc demands it of every `static`.
    pub const unsafe fn variable<T>(meta: &'static [u8], variable: &'static T) -> Entry {
        // SAFETY: the address is that reference, the type is the one that it has here, and `&T` may be used
        // from any thread since `T: Sync`.
        unsafe {
            Entry::new(
                meta,
                (&raw const *variable).cast(),
                TypeId::of::<&'static T>(),
                type_name::<&'static T>,
            )
        }
    }

    /// How the item is served to other processes.
    pub const fn wire(&self) -> Served {
        self.served
    }

    /// The record of the item, readable with [`record::Fields::decode`].
    pub const fn meta(&self) -> &'static [u8] {
        self.meta
    }

    /// The function pointer or reference.
    pub const fn address(&self) -> *const () {
        self.address
    }

    /// The id of the type of [`address`](Self::address).
    pub const fn type_id(&self) -> TypeId {
        self.type_id
    }

    /// The name of that type, for people.
    pub fn type_name(&self) -> &'static str {
        (self.type_name)()
    }
}

/// Adds an exported item to those that are linked in, where no section can hold it.
#[cfg(target_family = "wasm")]
pub fn add_symbol(entry: &'static Entry) {
    crate::section::SYMBOLS.add(entry);
}

/// Adds an init function to those that are linked in, where no section can hold it.
#[cfg(target_family = "wasm")]
pub fn add_init(entry: &'static InitEntry) {
    crate::section::INITS.add(entry);
}

/// What an init function comes to.
pub type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// An init function. Section `dp_init` holds references to these.
#[repr(C)]
#[derive(Debug)]
pub struct InitEntry {
    pub(crate) meta: &'static [u8],
    pub(crate) run: fn() -> Outcome,
}

impl InitEntry {
    /// Describes an init function.
    pub const fn new(meta: &'static [u8], run: fn() -> Outcome) -> InitEntry {
        InitEntry { meta, run }
    }

    /// The record of the function, readable with [`record::Fields::decode`].
    pub const fn meta(&self) -> &'static [u8] {
        self.meta
    }

    /// Calls the function.
    ///
    /// # Errors
    ///
    /// What the function returned.
    pub fn run(&self) -> Outcome {
        (self.run)()
    }
}

/// What an init function may return.
#[diagnostic::on_unimplemented(
    message = "an init function returns nothing or a `Result<(), E>`, not `{Self}`",
    label = "this function returns `{Self}`",
    note = "`E` is anything that `?` turns into a `Box<dyn Error + Send + Sync>`: an error, a `String`, a `&str`"
)]
pub trait InitOutcome {
    /// Whether the init function succeeded.
    ///
    /// # Errors
    ///
    /// What the function returned.
    fn into_outcome(self) -> Outcome;
}

impl InitOutcome for () {
    fn into_outcome(self) -> Outcome {
        Ok(())
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> InitOutcome for Result<(), E> {
    fn into_outcome(self) -> Outcome {
        self.map_err(Into::into)
    }
}

/// Makes one type of everything that an init function may return.
///
/// # Errors
///
/// What the function returned.
pub fn outcome<T: InitOutcome>(value: T) -> Outcome {
    value.into_outcome()
}

/// The value, or nothing where cargo doesn't run the compiler.
pub const fn meta_or(value: Option<&'static str>) -> &'static str {
    match value {
        Some(value) => value,
        None => "",
    }
}

/// The attributes in a crate of edition 2021, where `gen` is a name like any other. Cargo has one edition for
/// a whole package; an example can have its own.
///
/// ```edition2021
/// #![forbid(unsafe_code)]
/// #![deny(warnings)]
///
/// mod gen {
///     pub type Gen<T> = Vec<T>;
/// }
///
/// #[dynplug::export]
/// async fn gen(gen: &gen::Gen<u8>) -> usize {
///     gen.len()
/// }
///
/// #[dynplug::export]
/// static GEN: gen::Gen<u8> = gen::Gen::new();
///
/// #[dynplug::init]
/// fn start() {
///     drop(gen(&GEN));
/// }
///
/// fn main() {}
/// ```
#[cfg(doctest)]
#[derive(Debug)]
pub struct Edition2021;
