//! Reading and writing a type if serde can, and compiling also if it can't.
//!
//! Of methods with one name rustc takes the first that fits behind the most references: `(&&Value::<T>::NEW).take(…)` is that
//! of `&Value<T>` where its bounds hold, and otherwise that of `Value<T>`, which has none. What has none is never called: an
//! item of such a type isn't served.

use super::{Error, Output, Shapes, Source};
use serde::{Deserialize, Serialize};
use std::borrow::{Borrow, ToOwned};
use std::convert::Infallible;
use std::marker::PhantomData;

/// How serving ends.
pub type Done = Result<(), Error>;

macro_rules! asked {
    ($($(#[$docs:meta])* $name:ident)*) => {
        $(
            $(#[$docs])*
            #[derive(Debug)]
            pub struct $name<T: ?Sized>(PhantomData<T>);

            impl<T: ?Sized> $name<T> {
                /// It holds nothing.
                pub const NEW: Self = $name(PhantomData);
            }
        )*
    };
}

asked! {
    /// A value: an argument, or what is returned.
    Value
    /// An argument that is a reference, by what it refers to.
    Behind
}

/// What is held while a function is called that wants a reference.
pub struct Held<O, T: ?Sized>(O, PhantomData<T>);

impl<O: Borrow<T>, T: ?Sized> Held<O, T> {
    /// The argument.
    pub fn get(&self) -> &T {
        self.0.borrow()
    }
}

/// What is never there.
pub struct Nothing<T: ?Sized>(Infallible, PhantomData<T>);

impl<T: ?Sized> Nothing<T> {
    /// The argument.
    pub fn get(&self) -> &T {
        match self.0 {}
    }
}

/// One way to take what a reference refers to: as what owner, and behind how many references it is found.
macro_rules! way {
    ($take:ident, $trace:ident, [$($generics:tt)*], [$($depth:tt)*], $type:ty, $owner:ty) => {
        /// One way to take what a reference refers to.
        pub trait $take<'de, O, T: ?Sized> {
            /// Reads it.
            ///
            /// # Errors
            ///
            /// When the bytes are not of that type.
            fn take<S: Source<'de>>(&self, source: &mut S) -> Result<Held<O, T>, Error>;
        }

        impl<'de, $($generics)*> $take<'de, $owner, $type> for $($depth)* Behind<$type>
        where
            $owner: Deserialize<'de>,
        {
            fn take<S: Source<'de>>(&self, source: &mut S) -> Result<Held<$owner, $type>, Error> {
                source.read().map(|owner| Held(owner, PhantomData))
            }
        }

        /// The shape of what is taken this way.
        pub trait $trace {
            /// Notes it.
            ///
            /// # Errors
            ///
            /// When it has none.
            fn trace(&self, shapes: &mut Shapes) -> Done;
        }

        impl<$($generics)*> $trace for $($depth)* Behind<$type>
        where
            $owner: Deserialize<'static>,
        {
            fn trace(&self, shapes: &mut Shapes) -> Done {
                shapes.trace::<$owner>()
            }
        }
    };
}

way!(TakeCopied, TraceCopied, [T: ?Sized + ToOwned], [&&&], T, T::Owned);
way!(TakeOwned, TraceOwned, [T], [&&], T, T);
way!(TakeListed, TraceListed, [T], [&], [T], Vec<T>);

/// A value that serde can read.
pub trait TakeValue<'de, T> {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// When the bytes are not of that type.
    fn take<S: Source<'de>>(&self, source: &mut S) -> Result<T, Error>;
}

impl<'de, T: Deserialize<'de>> TakeValue<'de, T> for &Value<T> {
    fn take<S: Source<'de>>(&self, source: &mut S) -> Result<T, Error> {
        source.read()
    }
}

/// The shape of a value that serde can read.
pub trait TraceValue {
    /// Notes it.
    ///
    /// # Errors
    ///
    /// When it has none.
    fn trace(&self, shapes: &mut Shapes) -> Done;
}

impl<T: Deserialize<'static>> TraceValue for &Value<T> {
    fn trace(&self, shapes: &mut Shapes) -> Done {
        shapes.trace::<T>()
    }
}

/// A value that serde can write.
pub trait GiveValue<T> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When its type can't be written as it is.
    fn give(&self, value: &T, output: &mut Output<'_>) -> Done;
}

impl<T: Serialize> GiveValue<T> for &Value<T> {
    fn give(&self, value: &T, output: &mut Output<'_>) -> Done {
        output.write(value)
    }
}

impl<T> Value<T> {
    /// Of the type of a value.
    pub const fn of(_: &T) -> Value<T> {
        Value::NEW
    }

    /// What there is where serde can't read it.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn take<S>(&self, _: &mut S) -> Result<T, Error> {
        Err(Error::NotCarried)
    }

    /// What there is where serde can't write it.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn give(&self, _: &T, _: &mut Output<'_>) -> Done {
        Err(Error::NotCarried)
    }
}

impl<T: ?Sized> Value<T> {
    /// What there is where serde can't read it.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn trace(&self, _: &mut Shapes) -> Done {
        Err(Error::NotCarried)
    }
}

impl<T: ?Sized> Behind<T> {
    /// What there is where serde can't read it.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn take<S>(&self, _: &mut S) -> Result<Nothing<T>, Error> {
        Err(Error::NotCarried)
    }

    /// What there is where serde can't read it.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn trace(&self, _: &mut Shapes) -> Done {
        Err(Error::NotCarried)
    }
}
