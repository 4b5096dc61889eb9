//! `ipc-channel`, as its documentation uses it: a one-shot server by which the two exchange a channel for each direction. Bytes are sent
//! as `serde_bytes` has them; and, in a row of their own, as the crate's memory to be shared.

use bench_runner::apart::{self, Calls, Result, change};
use bench_runner::{Answer, Peer, loops};
use ipc_channel::ipc::{IpcOneShotServer, IpcReceiver, IpcSender, IpcSharedMemory, channel};
use other_process::Other;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::process::Stdio;

#[derive(Serialize, Deserialize)]
enum Message {
    Number(u64),
    Bytes(ByteBuf),
    Shared(IpcSharedMemory),
}

/// What the process that is called sends first: where it takes calls, and where it answers.
type Ends = (IpcSender<Message>, IpcReceiver<Message>);

struct Channel {
    there: IpcSender<Message>,
    back: IpcReceiver<Message>,
    other: Other,
    shares: bool,
}

impl Calls for Channel {
    fn number(&mut self, x: u64) -> Result<u64> {
        self.there.send(Message::Number(x))?;
        match self.back.recv()? {
            Message::Number(x) => Ok(x),
            _ => Err("another message came".into()),
        }
    }

    fn bytes(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        self.there.send(match self.shares {
            true => Message::Shared(IpcSharedMemory::from_bytes(&bytes)),
            false => Message::Bytes(ByteBuf::from(bytes)),
        })?;
        match self.back.recv()? {
            Message::Bytes(bytes) => Ok(bytes.into_vec()),
            Message::Shared(memory) => Ok(memory.to_vec()),
            Message::Number(_) => Err("another message came".into()),
        }
    }

    fn processes(&self) -> Vec<u32> {
        vec![self.other.process()]
    }
}

impl Peer for Channel {
    fn answer(&mut self, what: &str, count: u64, _: &str) -> Answer {
        let shared = what.strip_prefix("shared ");
        self.shares = shared.is_some();
        match what {
            "load" => Ok(1.0),
            other => apart::answer(self, shared.unwrap_or(other), count),
        }
    }
}

fn serve(name: String) -> Result<()> {
    let (there, calls) = channel()?;
    let (answers, back) = channel()?;
    IpcSender::<Ends>::connect(name)?.send((there, back))?;
    while let Ok(message) = calls.recv() {
        answers.send(match message {
            Message::Number(x) => Message::Number(loops::step(x)),
            Message::Bytes(mut bytes) => {
                change(&mut bytes);
                Message::Bytes(bytes)
            }
            Message::Shared(memory) => {
                let mut bytes = memory.to_vec();
                change(&mut bytes);
                Message::Shared(IpcSharedMemory::from_bytes(&bytes))
            }
        })?;
    }
    Ok(())
}

fn main() -> Result<()> {
    if let Some(name) = other_process::serves()? {
        other_process::ready()?;
        return serve(name.display().to_string());
    }
    let (server, name) = IpcOneShotServer::<Ends>::new()?;
    let other = Other::start(Stdio::null(), name.into())?;
    let (_, (there, back)) = server.accept()?;
    Ok(bench_runner::serve(&mut Channel { there, back, other, shares: false })?)
}
