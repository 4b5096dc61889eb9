//! Roles that this binary plays when it is started again, and how it is started.

use dynplug_process::channel::{CallError, Channel, Config, Served};
use std::{
    env,
    io::{self, Write},
    process::{self, Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const ROLE: &str = "DYNPLUG_CHANNEL_ROLE";

pub const ECHO: u32 = 0;
pub const SLEEP: u32 = 1;
pub const ABORT: u32 = 2;
pub const EXIT: u32 = 3;
pub const FAULT: u32 = 4;
pub const HANG: u32 = 5;
pub const PANIC: u32 = 6;
pub const GIVE: u32 = 7;

/// This binary again, to play that role alone.
pub fn command(role: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["play::role", "--exact", "--nocapture", "--test-threads=1"]).env(ROLE, role);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// A channel and the process, which is killed in the end.
pub struct Pair {
    pub channel: Channel,
    pub child: Child,
}

impl Pair {
    pub fn new(role: &str, config: &Config) -> Pair {
        let (channel, child) = Channel::spawn(&mut command(role), config).unwrap();
        Pair { channel, child }
    }

    pub fn call(&self, function: u32, bytes: &[u8], within: Duration) -> Result<Vec<u8>, CallError> {
        call(&self.channel, function, bytes, within)
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn call(channel: &Channel, function: u32, bytes: &[u8], within: Duration) -> Result<Vec<u8>, CallError> {
    let mut request = channel.request(function, Some(Instant::now() + within))?;
    request.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    let status = request.call(&mut answer)?;
    assert_eq!(status, function + 100);
    Ok(answer)
}

/// Small, for tests that fill it.
pub fn small(slots: u32) -> Config {
    let mut config = Config::new();
    config.slots = slots;
    config.region = 4096;
    config
}

/// Not a test of its own: what the process does that a test has started.
#[test]
fn role() {
    let Ok(role) = env::var(ROLE) else { return };
    match role.as_str() {
        "honest" => honest(),
        "storm" => super::storm::storm(),
        "gives back" => super::honest::gives_back(),
        "one processor" => super::honest::on_one_processor(),
        role => super::hostile::play(role),
    }
    process::exit(0);
}

fn honest() {
    let served = Served::from_stdin().unwrap();
    let mut rest = Vec::new();
    assert_eq!(io::Read::read_to_end(&mut io::stdin(), &mut rest).unwrap(), 0);
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes[..4].try_into().unwrap());
    served
        .serve(3, move |asked, answer| {
            match asked.function {
                ECHO => answer.write_all(asked.bytes).unwrap(),
                SLEEP => {
                    thread::sleep(Duration::from_millis(number(asked.bytes).into()));
                    answer.write_all(asked.bytes).unwrap();
                }
                ABORT => process::abort(),
                EXIT => process::exit(7),
                FAULT => {
                    let me = rustix::process::getpid();
                    rustix::process::kill_process(me, rustix::process::Signal::SEGV).unwrap();
                    process::exit(8);
                }
                HANG => loop {
                    thread::park();
                },
                PANIC => panic!("as asked"),
                GIVE => answer.write_all(&vec![7; number(asked.bytes) as usize]).unwrap(),
                other => panic!("no function {other}"),
            }
            asked.function + 100
        })
        .unwrap();
}
