//! Where no process can be kept: the same names, and nothing that could be had.

use super::{Failure, Options, Program};
use crate::channel;
use std::convert::Infallible;
use std::io::Write;
use std::time::Instant;

/// Processes of one program. There are none on this system.
#[derive(Debug)]
pub struct Keeper(Infallible);

impl Keeper {
    /// Says [`channel::Error::Unsupported`].
    ///
    /// # Errors
    ///
    /// Always.
    pub fn start(_: Program, _: Options) -> Result<Keeper, channel::Error> {
        Err(channel::Error::Unsupported)
    }

    /// Never called.
    ///
    /// # Errors
    ///
    /// None.
    pub fn call<E>(
        &self,
        _: u32,
        _: Option<Instant>,
        _: impl FnOnce(&mut dyn Write) -> Result<(), E>,
        _: &mut Vec<u8>,
    ) -> Result<u32, Failure<E>> {
        match self.0 {}
    }

    /// Never called.
    pub fn started(&self) -> u64 {
        match self.0 {}
    }

    /// Never called.
    pub fn processes(&self) -> Vec<u32> {
        match self.0 {}
    }

    /// Never called.
    pub fn close(&self) {
        match self.0 {}
    }
}
