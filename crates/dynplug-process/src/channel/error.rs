//! What goes wrong with a channel, and with a call.

use std::{fmt, io};

/// Why there is no channel.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// This system has no channels.
    Unsupported,
    /// The [`Config`](super::Config) can't be had.
    Config {
        /// Which field.
        field: &'static str,
        /// What it says.
        have: u64,
        /// The largest that it may say; the smallest is 1.
        most: u64,
    },
    /// The system refused something.
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// What came over the socket is no channel of this version.
    Handshake {
        /// What is wrong with it.
        what: &'static str,
    },
}

impl Error {
    /// For what the system refuses.
    pub(super) fn system<E: Into<io::Error>>(what: &'static str) -> impl FnOnce(E) -> Error {
        move |source| Error::System { what, source: source.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unsupported => {
                f.write_str("plugins can't run in processes of their own on this system; Linux can do that")
            }
            Error::Config { field, have, most } => {
                write!(f, "a channel can't have `{field}` = {have}; it may be 1 to {most}")
            }
            Error::System { what, .. } => write!(f, "can't {what}"),
            Error::Handshake { what } => {
                write!(
                    f,
                    "the other side of the socket speaks no channel of this version ({what}); host and runner have to be of one version of dynplug"
                )
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::System { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// How a call ended without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError {
    /// The arguments are too large. Nothing was called.
    TooLarge {
        /// How many bytes they have.
        bytes: u64,
        /// How many there may be.
        room: usize,
    },
    /// The function has run, and what it gave is too large.
    AnswerTooLarge {
        /// How many bytes it has. The number comes from the other process and ends at `u32::MAX`.
        bytes: u64,
        /// How many there may be.
        room: usize,
    },
    /// The deadline has passed. The function may run still.
    Deadline,
    /// The deadline has passed while all slots were taken. Nothing was called.
    Busy {
        /// How many calls can be under way at once.
        slots: u32,
        /// How many of these missed their deadlines and run still.
        stuck: u32,
    },
    /// The other process has ended.
    Ended,
    /// The other process has done what no honest one does. Nothing more is said to it.
    Broken(Lie),
    /// The function panicked, and nobody below caught it.
    Panicked,
    /// This process has no memory for the answer.
    Memory {
        /// How many bytes were asked for.
        bytes: usize,
    },
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::TooLarge { bytes, room } => {
                write!(
                    f,
                    "the arguments have {bytes} bytes, and a call to another process can carry {room}; nothing was called"
                )
            }
            CallError::AnswerTooLarge { bytes, room } => {
                write!(
                    f,
                    "the result has {bytes} bytes, and a call to another process can carry {room}; the function has run"
                )
            }
            CallError::Deadline => {
                f.write_str("the deadline passed before there was an answer; the function may run still")
            }
            CallError::Busy { slots, stuck } => write!(
                f,
                "the deadline passed while all {slots} places for calls were taken, {stuck} of them by calls that missed their deadlines; nothing was called"
            ),
            CallError::Ended => f.write_str("the process has ended"),
            CallError::Broken(lie) => {
                write!(f, "the process doesn't keep to the protocol ({lie}); nothing more is said to it")
            }
            CallError::Panicked => f.write_str("the function panicked"),
            CallError::Memory { bytes } => write!(f, "there is no memory for an answer of {bytes} bytes"),
        }
    }
}

impl std::error::Error for CallError {}

/// What a process did that no honest one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lie {
    /// A slot answers a call that nobody made.
    Answer {
        /// Which slot.
        slot: u32,
        /// Which call it answers.
        have: u32,
        /// Which call was made there last.
        want: u32,
    },
    /// An answer is longer than its slot.
    Length {
        /// Which slot.
        slot: u32,
        /// How long it says to be.
        bytes: u32,
        /// How long it could be.
        room: usize,
    },
    /// An answer is of no known kind.
    Kind {
        /// Which slot.
        slot: u32,
        /// The kind that it says.
        have: u32,
    },
}

impl fmt::Display for Lie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lie::Answer { slot, have, want } => {
                write!(f, "slot {slot} answers call {have}, and the last one there was {want}")
            }
            Lie::Length { slot, bytes, room } => {
                write!(f, "the answer in slot {slot} claims {bytes} bytes, and there is room for {room}")
            }
            Lie::Kind { slot, have } => write!(f, "the answer in slot {slot} is of the unknown kind {have}"),
        }
    }
}
