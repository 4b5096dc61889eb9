//! A channel to a confined process.

use super::play::{command, confine, has_landlock};
use dynplug_process::{
    channel::{CallError, Channel, Config, Served},
    confine::{Confinement, Level},
};
use std::{
    io::Write,
    net::TcpStream,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

const LONG: Duration = Duration::from_secs(60);

const ECHO: u32 = 0;
const SLEEP: u32 = 1;
const CONNECT: u32 = 2;
const PANIC: u32 = 3;

/// Serves, and is confined once it has what it shares with the host.
pub fn play(_role: &str) {
    let served = Served::from_stdin().unwrap();
    confine().unwrap();
    let function = |asked: dynplug_process::channel::Asked, answer: &mut dynplug_process::channel::Answer| {
        match asked.function {
            ECHO => answer.write_all(asked.bytes).unwrap(),
            SLEEP => thread::sleep(Duration::from_millis(5)),
            CONNECT => return TcpStream::connect("127.0.0.1:9").unwrap_err().raw_os_error().unwrap() as u32,
            _ => panic!("as asked"),
        }
        100
    };
    served.serve(3, function).unwrap();
}

#[test]
fn a_confined_process_is_called_like_any_other() {
    if !has_landlock("calling a confined process") {
        return;
    }
    for level in [Level::ComputeOnly, Level::ReadOnly { read: Vec::new() }] {
        // The memory of the channel is the host's, and the stacks of its threads count.
        let confinement = Confinement::new(level).memory(32 << 20).open_files(8);
        let mut command = command("calling serve", Some(&confinement));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let (channel, mut child) = Channel::spawn(&mut command, &Config::new()).unwrap();
        let call = |function: u32, bytes: &[u8]| -> Result<(u32, Vec<u8>), CallError> {
            let mut request = channel.request(function, Some(Instant::now() + LONG))?;
            request.write_all(bytes).unwrap();
            let mut answer = Vec::new();
            Ok((request.call(&mut answer)?, answer))
        };
        for len in [0, 1, 5000, 3 << 20] {
            let bytes = vec![7; len];
            assert_eq!(call(ECHO, &bytes).unwrap(), (100, bytes));
        }
        thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| (0..20).for_each(|_| assert_eq!(call(SLEEP, b"").unwrap().0, 100)));
            }
        });
        assert_eq!(call(PANIC, b""), Err(CallError::Panicked));
        assert_eq!(call(CONNECT, b"").unwrap().0, libc::EPERM as u32);
        drop(channel);
        assert!(child.wait().unwrap().success());
    }
}
