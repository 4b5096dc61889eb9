//! The bare channel: the same calls without plugin, keeper and serde.

use bench_runner::apart::{Calls, Result, change};
use bench_runner::loops;
use dynplug_process::channel::{Answer, Asked, Channel, Config, Served};
use std::io::Write;
use std::process::{Child, Command};

/// The first word of the command line of the process that is called.
pub const ROLE: &str = "serve";

const NUMBER: u32 = 0;

pub struct Bare {
    /// The other process ends with it.
    channel: Channel,
    child: Child,
}

impl Bare {
    pub fn start() -> Result<Bare> {
        let mut command = Command::new(std::env::current_exe()?);
        let (channel, child) = Channel::spawn(command.arg(ROLE), &Config::new())?;
        Ok(Bare { channel, child })
    }

    fn call(&self, function: u32, bytes: &[u8], answer: &mut Vec<u8>) -> Result<()> {
        let mut request = self.channel.request(function, None)?;
        request.write_all(bytes)?;
        request.call(answer)?;
        Ok(())
    }
}

impl Calls for Bare {
    fn number(&mut self, x: u64) -> Result<u64> {
        let mut answer = Vec::new();
        self.call(NUMBER, &x.to_ne_bytes(), &mut answer)?;
        Ok(u64::from_ne_bytes(answer[..].try_into()?))
    }

    fn bytes(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        let mut answer = Vec::new();
        self.call(NUMBER + 1, &bytes, &mut answer)?;
        Ok(answer)
    }

    fn processes(&self) -> Vec<u32> {
        vec![self.child.id()]
    }
}

fn step(bytes: &[u8]) -> [u8; 8] {
    loops::step(bytes.try_into().map_or(0, u64::from_ne_bytes)).to_ne_bytes()
}

fn called(asked: Asked<'_>, answer: &mut Answer<'_>) -> u32 {
    let written = match asked.function {
        NUMBER => answer.write_all(&step(asked.bytes)),
        _ => {
            let mut bytes = asked.bytes.to_vec();
            change(&mut bytes);
            answer.write_all(&bytes)
        }
    };
    u32::from(written.is_err())
}

pub fn serve() -> Result<()> {
    Ok(Served::from_stdin()?.serve(2, called)?)
}
