//! Calls from another process: arguments are read from bytes and the result is written to bytes, by serde.
//!
//! `#[export]` makes for every item a [`Wire`] where serde can carry what goes in and what comes out. On a stable compiler no
//! generic code can ask whether a type implements a trait, but code that is generated for types with names can: see
//! [`carried`] for the constants and [`take`] for the functions. Nothing of it runs in a call within one process.

pub mod carried;
mod forget;
mod shape;
pub mod take;
mod trace;

use forget::Forget;
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::fmt;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

pub use carried::{Copied, Listed, Otherwise, Owned, Returned, bit};
pub use shape::{Contents, Described, Shape, Type};
pub use take::{
    Behind, Done, GiveValue, TakeCopied, TakeListed, TakeOwned, TakeValue, TraceCopied, TraceListed,
    TraceOwned, TraceValue, Value,
};
pub use trace::Shapes;

/// How an exported item is reached from another process.
pub struct Wire {
    /// Reads the arguments, calls the function and writes what it returned; of a static it writes the value.
    pub serve: fn(&mut Input<'_>, &mut Output<'_>) -> Done,
    /// What shape the arguments and the result have.
    pub shape: fn(&mut Shapes) -> Done,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Arguments(error) => write!(f, "the arguments can't be read: {error}"),
            Error::Result(error) => write!(f, "the result can't be written: {error}"),
            Error::Shape(error) => write!(f, "a type has no shape that could be compared: {error}"),
            Error::NotCarried => f.write_str("it can't be called from another process"),
        }
    }
}

/// Why an item can't be served.
#[derive(Debug)]
pub enum Error {
    /// The bytes are not the arguments.
    Arguments(postcard::Error),
    /// What was returned can't be written.
    Result(postcard::Error),
    /// A type can't be traced.
    Shape(String),
    /// Serde can't carry a type of it. Nobody gets as far as this: such an item has no [`Wire`].
    NotCarried,
}

/// The bytes of the arguments, read from front to back.
pub struct Input<'i> {
    source: postcard::Deserializer<'i, postcard::de_flavors::Slice<'i>>,
    bytes: usize,
}

impl<'i> Input<'i> {
    /// Begins with the first argument.
    pub fn new(bytes: &'i [u8]) -> Input<'i> {
        Input { source: postcard::Deserializer::from_bytes(bytes), bytes: bytes.len() }
    }

    /// For types whose lifetimes nobody sees.
    pub fn forgetting(&mut self) -> Forgetting<'_, 'i> {
        Forgetting(self)
    }

    /// How many bytes are left.
    pub fn rest(self) -> usize {
        self.source.finalize().map_or(0, <[u8]>::len)
    }
}

/// An input that lends nothing.
pub struct Forgetting<'a, 'i>(&'a mut Input<'i>);

/// Where arguments are read from, of which data may be lent for as long as `'de`.
pub trait Source<'de> {
    /// Reads the next argument.
    ///
    /// # Errors
    ///
    /// When the bytes are not of that type.
    fn read<T: Deserialize<'de>>(&mut self) -> Result<T, Error>;
}

impl<'i> Source<'i> for Input<'i> {
    fn read<T: Deserialize<'i>>(&mut self) -> Result<T, Error> {
        T::deserialize(&mut self.source).map_err(Error::Arguments)
    }
}

impl Source<'static> for Forgetting<'_, '_> {
    fn read<T: Deserialize<'static>>(&mut self) -> Result<T, Error> {
        let Input { source, bytes } = &mut *self.0;
        let left = Cell::new(forget::elements(*bytes));
        T::deserialize(Forget::new(source, &left)).map_err(Error::Arguments)
    }
}

/// Where the result is written to.
pub struct Output<'o>(&'o mut dyn io::Write);

impl<'o> Output<'o> {
    /// Writes behind what is there.
    pub fn new(writer: &'o mut dyn io::Write) -> Output<'o> {
        Output(writer)
    }

    pub(crate) fn write<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        postcard::serialize_with_flavor(value, Sink(&mut *self.0)).map_err(Error::Result)
    }
}

/// Where postcard writes to.
struct Sink<'o>(&'o mut dyn io::Write);

impl postcard::ser_flavors::Flavor for Sink<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.write_all(bytes).map_err(|_| postcard::Error::SerializeBufferFull)
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Waits for a future, for what an `async fn` returns is served when it's ready.
pub fn wait<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::park();
    }
}
