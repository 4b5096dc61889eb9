//! A pair of sockets and nothing else: 64 bytes there and 64 back, one `write` and one `read` on each side. A large message
//! comes behind one that says its length.

use bench_runner::apart::{Calls, Result, change};
use bench_runner::loops;
use other_process::{Host, Other};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;

const SMALL: usize = 64;

struct Socket {
    socket: UnixStream,
    other: Other,
}

/// A small message: a number, and the length of what follows.
fn message(number: u64, length: u64) -> [u8; SMALL] {
    let mut message = [0; SMALL];
    message[..8].copy_from_slice(&number.to_ne_bytes());
    message[8..16].copy_from_slice(&length.to_ne_bytes());
    message
}

fn numbers(message: &[u8; SMALL]) -> (u64, u64) {
    let number = |at: usize| u64::from_ne_bytes(std::array::from_fn(|byte| message[at + byte]));
    (number(0), number(8))
}

impl Calls for Socket {
    fn number(&mut self, x: u64) -> Result<u64> {
        let mut small = message(x, 0);
        self.socket.write_all(&small)?;
        self.socket.read_exact(&mut small)?;
        Ok(numbers(&small).0)
    }

    fn bytes(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        self.socket.write_all(&message(0, bytes.len() as u64))?;
        self.socket.write_all(&bytes)?;
        // The callers of all others give their bytes away, too.
        let length = bytes.len();
        drop(bytes);
        let mut back = vec![0; length];
        self.socket.read_exact(&mut back)?;
        Ok(back)
    }

    fn processes(&self) -> Vec<u32> {
        vec![self.other.process()]
    }
}

fn serve() -> Result<()> {
    let mut socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    other_process::ready()?;
    let mut small = [0; SMALL];
    while socket.read_exact(&mut small).is_ok() {
        match numbers(&small) {
            (x, 0) => socket.write_all(&message(loops::step(x), 0))?,
            (_, length) => {
                let mut bytes = vec![0; usize::try_from(length)?];
                socket.read_exact(&mut bytes)?;
                change(&mut bytes);
                socket.write_all(&bytes)?;
            }
        }
    }
    Ok(())
}

fn main() -> Result<()> {
    if other_process::serves()?.is_some() {
        return serve();
    }
    let (socket, theirs) = UnixStream::pair()?;
    let other = Other::start(Stdio::from(OwnedFd::from(theirs)), PathBuf::new())?;
    Ok(bench_runner::serve(&mut Host(Socket { socket, other }))?)
}
