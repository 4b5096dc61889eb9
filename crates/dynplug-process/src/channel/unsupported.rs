//! Where there are no channels: the same names, and nothing that could be had.

use super::{CallError, Config, Error};
use std::{
    convert::Infallible,
    io,
    marker::PhantomData,
    process::{Child, Command},
    time::Instant,
};

/// A process that functions can be called in. There is none on this system.
#[derive(Debug)]
pub struct Channel(Infallible);

impl Channel {
    /// Says [`Error::Unsupported`].
    ///
    /// # Errors
    ///
    /// Always.
    pub fn spawn(_: &mut Command, _: &Config) -> Result<(Channel, Child), Error> {
        Err(Error::Unsupported)
    }

    /// Never called.
    ///
    /// # Errors
    ///
    /// None.
    pub fn request(&self, _: u32, _: Option<Instant>) -> Result<Request<'_>, CallError> {
        match self.0 {}
    }

    /// Never called.
    pub fn ended(&self) -> Option<CallError> {
        match self.0 {}
    }
}

/// Arguments on their way. There are none on this system.
#[derive(Debug)]
pub struct Request<'a>(Infallible, PhantomData<&'a ()>);

impl Request<'_> {
    /// Never called.
    ///
    /// # Errors
    ///
    /// None.
    pub fn call(self, _: &mut Vec<u8>) -> Result<u32, CallError> {
        match self.0 {}
    }
}

impl io::Write for Request<'_> {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match self.0 {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0 {}
    }
}

/// The channel, seen from the other process. There is none on this system.
#[derive(Debug)]
pub struct Served(Infallible);

impl Served {
    /// Says [`Error::Unsupported`].
    ///
    /// # Errors
    ///
    /// Always.
    pub fn from_stdin() -> Result<Self, Error> {
        Err(Error::Unsupported)
    }

    /// Never called.
    ///
    /// # Errors
    ///
    /// None.
    pub fn serve<F>(self, _: usize, _: F) -> Result<(), Error>
    where
        F: Fn(Asked<'_>, &mut Answer<'_>) -> u32 + Send + Sync + 'static,
    {
        match self.0 {}
    }
}

/// A call, as it arrives.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Asked<'a> {
    /// Which function is called.
    pub function: u32,
    /// The arguments.
    pub bytes: &'a [u8],
}

/// What is answered. There is nothing on this system.
#[derive(Debug)]
pub struct Answer<'a>(Infallible, PhantomData<&'a ()>);

impl Answer<'_> {
    /// Never called.
    pub fn clear(&mut self) {
        match self.0 {}
    }
}

impl io::Write for Answer<'_> {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match self.0 {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0 {}
    }
}
