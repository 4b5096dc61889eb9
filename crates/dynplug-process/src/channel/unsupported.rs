//! Where there are no channels: the names of what Linux has, and nothing that could be had.
//!
//! No value of these types exists, so what the rest of the channel does with them is compiled and never runs.

use super::{Error, bell::Memory, layout::Layout, watch::Woken};
use std::{
    collections::TryReserveError,
    convert::Infallible,
    io,
    process::{Child, Command},
    sync::atomic::AtomicU32,
    time::Duration,
};

pub(super) type File = Infallible;

pub(super) fn processors() -> u32 {
    1
}

pub(super) fn room(bytes: usize) -> Result<Vec<u8>, TryReserveError> {
    let mut room = Vec::new();
    room.try_reserve_exact(bytes).map(|()| room)
}

pub(super) fn give_back(file: &File, _: usize, _: usize) {
    match *file {}
}

#[derive(Debug)]
pub(super) struct Files {
    pub(super) requests: File,
    pub(super) answers: File,
}

impl Files {
    pub(super) fn new(_: Layout) -> Result<Self, Error> {
        Err(Error::Unsupported)
    }
}

#[derive(Debug)]
pub(super) struct Socket(Infallible);

impl Socket {
    pub(super) fn pair() -> Result<(Self, Self), Error> {
        Err(Error::Unsupported)
    }

    pub(super) fn from_stdin() -> Result<Self, Error> {
        Err(Error::Unsupported)
    }

    pub(super) fn send(&self, _: &Files, _: Layout, _: Duration) -> Result<(), Error> {
        match self.0 {}
    }

    #[cfg(unix)]
    pub(super) fn send_luggage(&self, _: &[std::os::fd::BorrowedFd<'_>]) -> Result<(), Error> {
        match self.0 {}
    }

    pub(super) fn receive(&self) -> Result<(Files, Layout, Duration), Error> {
        match self.0 {}
    }

    pub(super) fn hang_up(&self) {
        match self.0 {}
    }

    pub(super) fn wait_for_end(&self, _: Option<&Process>, _: Option<&Alarm>, _: Option<Duration>) -> Woken {
        match self.0 {}
    }
}

#[derive(Debug)]
pub(super) struct Alarm(Infallible);

impl Alarm {
    pub(super) fn new() -> Result<Self, Error> {
        Err(Error::Unsupported)
    }

    pub(super) fn ring(&self) {
        match self.0 {}
    }
}

#[cfg(unix)]
pub(super) fn luggage() -> Result<Vec<std::os::fd::OwnedFd>, Error> {
    Err(Error::Unsupported)
}

#[derive(Debug)]
pub(super) struct Process(Infallible);

pub(super) fn spawn(_: &mut Command, other: Socket) -> Result<(Child, Process), Error> {
    match other.0 {}
}

pub(super) fn give_up(_: Child, error: Error) -> Error {
    error
}

#[derive(Debug)]
pub(super) struct Mapping(Infallible);

impl Mapping {
    pub(super) fn new(file: &File, _: usize) -> io::Result<Self> {
        match *file {}
    }

    pub(super) fn copy_out(&self, _: usize, _: usize, _: &mut Vec<u8>) -> Result<(), ()> {
        match self.0 {}
    }

    pub(super) unsafe fn bytes(&self, _: usize, _: usize) -> &[u8] {
        match self.0 {}
    }
}

impl Memory for Mapping {
    type Word = AtomicU32;

    fn word(&self, _: usize) -> &AtomicU32 {
        match self.0 {}
    }
}

#[derive(Debug)]
pub(super) struct Writable(Infallible);

impl Writable {
    pub(super) fn new(file: &File, _: usize) -> io::Result<Self> {
        match *file {}
    }

    pub(super) fn copy_in(&self, _: usize, _: &[u8]) {
        match self.0 {}
    }
}

impl Memory for Writable {
    type Word = AtomicU32;

    fn word(&self, _: usize) -> &AtomicU32 {
        match self.0 {}
    }
}

pub(super) fn sleep(_: &AtomicU32, _: u32, _: Option<Duration>) {}

pub(super) fn wake(_: &AtomicU32, _: u32) {}
