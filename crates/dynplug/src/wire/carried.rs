//! Whether serde can carry a type, as a constant.
//!
//! `Owned::<T>::IS` is the constant of the inherent implementation where its bounds hold, and otherwise that of the trait
//! [`Otherwise`], which every type has. That decides when the type is known by name, not in generic code.

use serde::{Deserialize, Serialize};
use std::borrow::ToOwned;
use std::marker::PhantomData;

/// What holds of a type for which nothing else holds.
pub trait Otherwise {
    /// Serde can't carry it this way.
    const IS: bool = false;
}

macro_rules! questions {
    ($($(#[$docs:meta])* $name:ident)*) => {
        $(
            $(#[$docs])*
            #[derive(Debug)]
            pub struct $name<T: ?Sized>(PhantomData<T>);

            impl<T: ?Sized> Otherwise for $name<T> {}
        )*
    };
}

questions! {
    /// Whether an argument can be read.
    Owned
    /// Whether what an argument refers to can be read as what owns such a thing: `String` for `str`.
    Copied
    /// Whether a slice can be read as a list.
    Listed
    /// Whether what is returned can be written here and read there.
    Returned
}

impl<T: Deserialize<'static>> Owned<T> {
    /// It can.
    pub const IS: bool = true;
}

impl<T: ?Sized + ToOwned> Copied<T>
where
    T::Owned: Deserialize<'static>,
{
    /// It can.
    pub const IS: bool = true;
}

impl<T: Deserialize<'static>> Listed<[T]> {
    /// It can.
    pub const IS: bool = true;
}

impl<T: Serialize + Deserialize<'static>> Returned<T> {
    /// It can.
    pub const IS: bool = true;
}

/// The bit of an obstacle, where there is one.
pub const fn bit(number: u32, is_carried: bool) -> u64 {
    if is_carried { 0 } else { 1 << number }
}
