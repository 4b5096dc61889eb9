//! What a plugin's process tells of by itself, beside its answers: records of its log, as messages over a pipe.
//!
//! A message is its length, as four bytes of which the lowest comes first, and so many bytes. Threads of the process wait where the pipe is
//! full; the host reads always. What a message says is the business of those at both ends. Nothing of it is believed here: one that
//! would be longer than [`LONGEST`] ends the stream.

use std::fmt;
use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// How long a message is at most, in bytes.
pub const LONGEST: usize = 64 << 10;

/// What the host does with the messages of a process.
pub trait Records: Send + Sync {
    /// What is wanted now: a word that the process can read ([`Notice`](crate::channel::Notice)), renewed with each call.
    fn wanted(&self) -> u32;

    /// A message has come.
    ///
    /// # Errors
    ///
    /// No honest process sends that. Why, and no more is read.
    fn record(&self, message: &[u8]) -> Result<(), String>;

    /// No more is read of a process, and why.
    fn broken(&self, why: &str);
}

/// The process's end.
#[derive(Debug)]
pub struct Sender {
    /// None, once nobody reads any more.
    pipe: Mutex<Option<File>>,
}

impl Sender {
    /// Sends over this pipe.
    pub fn new(pipe: File) -> Sender {
        Sender { pipe: Mutex::new(Some(pipe)) }
    }

    /// Sends a message, and waits while the pipe is full. One that is too long is not sent, and after the host has given up reading none is.
    pub fn send(&self, message: &[u8]) {
        let Some(length) = u32::try_from(message.len()).ok().filter(|_| message.len() <= LONGEST) else {
            return;
        };
        // In one piece, so that a process that is killed seldom leaves half of it.
        let mut bytes = Vec::with_capacity(4 + message.len());
        bytes.extend(length.to_le_bytes());
        bytes.extend(message);
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &mut *pipe
            && file.write_all(&bytes).is_err()
        {
            *pipe = None;
        }
    }
}

/// Why a stream of messages is given up.
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
pub(crate) enum Broken {
    Length(u32),
    Message(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Length(length) => write!(f, "a record of {length} bytes, where {LONGEST} are allowed"),
            Broken::Message(why) => f.write_str(why),
        }
    }
}

/// The host's end: a stream that is cut into messages.
#[derive(Debug, Default)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
pub(crate) struct Messages {
    /// What has come of the next one, its length included.
    rest: Vec<u8>,
}

#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
impl Messages {
    /// Tells of each message that is whole now.
    pub(crate) fn add(
        &mut self,
        mut bytes: &[u8],
        mut tell: impl FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(), Broken> {
        while !bytes.is_empty() {
            let want = match self.rest.first_chunk() {
                None => 4,
                Some(length) => {
                    let length = u32::from_le_bytes(*length);
                    let fits = usize::try_from(length).ok().filter(|length| *length <= LONGEST);
                    4 + fits.ok_or(Broken::Length(length))?
                }
            };
            let (some, others) = bytes.split_at(bytes.len().min(want.saturating_sub(self.rest.len())));
            self.rest.extend_from_slice(some);
            bytes = others;
            if let Some((length, message)) = self.rest.split_first_chunk()
                && usize::try_from(u32::from_le_bytes(*length)) == Ok(message.len())
            {
                tell(message).map_err(Broken::Message)?;
                self.rest.clear();
            }
        }
        Ok(())
    }
}

/// A pipe: what the host reads from without waiting, and what the process writes to.
#[cfg(target_os = "linux")]
pub(crate) fn pipe() -> std::io::Result<(File, std::os::fd::OwnedFd)> {
    use rustix::fs::{OFlags, fcntl_setfl};
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    fcntl_setfl(&read, OFlags::NONBLOCK)?;
    Ok((read.into(), write))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8], size: usize) -> (Vec<Vec<u8>>, Result<(), Broken>) {
        let (mut messages, mut told) = (Messages::default(), Vec::new());
        let mut result = Ok(());
        for piece in bytes.chunks(size) {
            result = result.and_then(|()| {
                messages.add(piece, |message| {
                    told.push(message.to_vec());
                    if message == b"no" { Err("it is no record".to_owned()) } else { Ok(()) }
                })
            });
        }
        assert!(messages.rest.len() <= 4 + LONGEST);
        (told, result)
    }

    fn message(text: &[u8]) -> Vec<u8> {
        [&u32::try_from(text.len()).unwrap().to_le_bytes()[..], text].concat()
    }

    #[test]
    fn messages_come_whole_however_they_are_cut() {
        let long = vec![b'x'; LONGEST];
        let bytes = [message(b"one"), message(b""), message(&long), message(b"four"), vec![9, 0]].concat();
        for size in (1..40).chain([5000, bytes.len()]) {
            let (told, result) = told(&bytes, size);
            assert_eq!(told, [&b"one"[..], b"", &long, b"four"], "{size}");
            assert_eq!(result, Ok(()));
        }
    }

    #[test]
    fn what_is_no_message_ends_the_stream() {
        let bytes = [message(b"one"), vec![0xff; 10_000], message(b"two")].concat();
        assert_eq!(told(&bytes, 700), (vec![b"one".to_vec()], Err(Broken::Length(u32::MAX))));
        let bytes = [message(b"no"), message(b"two")].concat();
        let broken = Err(Broken::Message("it is no record".to_owned()));
        assert_eq!(told(&bytes, 3), (vec![b"no".to_vec()], broken));
        // What the length promises is never allocated ahead.
        let (none, result) = told(&[0, 0, 1, 0, 1], 5);
        assert_eq!((none.len(), result), (0, Ok(())));
        assert_eq!(told(&[1, 0, 1, 0, 1], 5).1, Err(Broken::Length((64 << 10) + 1)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_sent_arrives_and_nobody_waits_for_a_host_that_reads_no_more() {
        use std::io::Read;
        let (mut read, write) = pipe().unwrap();
        let sender = Sender::new(write.into());
        sender.send(b"one");
        sender.send(&vec![0; LONGEST + 1]);
        sender.send(b"two");
        let mut bytes = [0; 100];
        let count = read.read(&mut bytes).unwrap();
        assert_eq!(bytes[..count], [message(b"one"), message(b"two")].concat());
        drop(read);
        for _ in 0..3 {
            sender.send(&[0; LONGEST]);
        }
    }
}
