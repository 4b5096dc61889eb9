//! How long a call takes, beside the same over a plain pair of sockets, round by round in one run.
//!
//! `cargo run --release -p dynplug-process --example ping`

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("{}", dynplug_process::channel::Error::Unsupported);
}

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    match std::env::args().nth(1).as_deref() {
        None => linux::measure(),
        Some("channel") => linux::serve_channel(),
        Some("socket") => linux::serve_socket(),
        Some(other) => Err(format!("no such word: {other}").into()),
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use dynplug_process::channel::{Channel, Config, Served};
    use std::{
        env,
        error::Error,
        io::{Read, Write},
        os::{fd::OwnedFd, unix::net::UnixStream},
        process::{Child, Command, Stdio},
        thread,
        time::{Duration, Instant},
    };

    type Result<T> = std::result::Result<T, Box<dyn Error>>;

    const LARGE: usize = 64 << 20;

    /// Something that can be called: arguments there, and the answer back.
    trait Callee {
        fn call(&mut self, bytes: &[u8], back: usize, answer: &mut Vec<u8>) -> Result<()>;
    }

    impl Callee for Channel {
        fn call(&mut self, bytes: &[u8], back: usize, answer: &mut Vec<u8>) -> Result<()> {
            let deadline = Instant::now() + Duration::from_secs(10);
            let mut request = self.request(back as u32, Some(deadline))?;
            request.write_all(bytes)?;
            request.call(answer)?;
            Ok(())
        }
    }

    impl Callee for UnixStream {
        fn call(&mut self, bytes: &[u8], back: usize, answer: &mut Vec<u8>) -> Result<()> {
            // As small as it can be: a small message is one system call on each side.
            if bytes.len() > 32 {
                self.write_all(&[bytes.len().to_ne_bytes(), back.to_ne_bytes()].concat())?;
            }
            self.write_all(bytes)?;
            answer.resize(back, 0);
            self.read_exact(answer)?;
            Ok(())
        }
    }

    pub fn serve_channel() -> Result<()> {
        Served::from_stdin()?.serve(2, |asked, answer| {
            let back = asked.function as usize;
            // As a function would that sums up what it gets.
            let sum = asked.bytes.iter().step_by(64).fold(0u8, |sum, byte| sum.wrapping_add(*byte));
            match asked.bytes.get(..back) {
                Some(bytes) => answer.write_all(bytes),
                None => answer.write_all(&[sum]),
            }
            .map_or(1, |()| 0)
        })?;
        Ok(())
    }

    pub fn serve_socket() -> Result<()> {
        let mut socket = UnixStream::from(rustix::io::dup(rustix::stdio::stdin())?);
        let mut bytes = vec![0; LARGE];
        loop {
            // 32 bytes are a small call, 16 announce a large one.
            let len = socket.read(&mut bytes[..32])?;
            match len {
                0 => return Ok(()),
                16 => {
                    let number =
                        |at| usize::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
                    let (len, back) = (number(0), number(8));
                    socket.read_exact(&mut bytes[..len])?;
                    socket.write_all(&bytes[..back])?;
                }
                len => socket.write_all(&bytes[..len])?,
            }
        }
    }

    fn again(role: &str) -> Result<Command> {
        let mut command = Command::new(env::current_exe()?);
        command.arg(role);
        Ok(command)
    }

    fn socket() -> Result<(UnixStream, Child)> {
        let (ours, theirs) = UnixStream::pair()?;
        let child = again("socket")?.stdin(Stdio::from(OwnedFd::from(theirs))).spawn()?;
        Ok((ours, child))
    }

    /// The time of one call.
    fn round(callee: &mut dyn Callee, calls: u32, pause: Duration, bytes: &[u8], back: usize) -> Result<f64> {
        let mut answer = Vec::new();
        let mut sum = Duration::ZERO;
        if pause.is_zero() {
            let begin = Instant::now();
            for _ in 0..calls {
                callee.call(bytes, back, &mut answer)?;
            }
            sum = begin.elapsed();
        } else {
            for _ in 0..calls {
                thread::sleep(pause);
                let begin = Instant::now();
                callee.call(bytes, back, &mut answer)?;
                sum += begin.elapsed();
            }
        }
        Ok(sum.as_secs_f64() / f64::from(calls) * 1e6)
    }

    fn median(values: &mut [f64]) -> f64 {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    pub fn measure() -> Result<()> {
        let config = Config::new();
        let (channel, mut first) = Channel::spawn(&mut again("channel")?, &config)?;
        let mut keeping = config.clone();
        keeping.keep = keeping.region;
        let (keeping, mut second) = Channel::spawn(&mut again("channel")?, &keeping)?;
        let (socket, mut third) = socket()?;
        let mut callees: [(&str, Box<dyn Callee>); 3] = [
            ("socketpair", Box::new(socket)),
            ("channel", Box::new(channel)),
            ("channel that keeps its memory", Box::new(keeping)),
        ];
        let small = [7; 32];
        let large = vec![7; LARGE];
        let pause = Duration::from_millis(2);
        type Case<'a> = (&'a str, u32, Duration, &'a [u8], usize);
        let cases: [Case<'_>; 4] = [
            ("small, one after the other", 5000, Duration::ZERO, &small, 32),
            ("small, after a pause", 60, pause, &small, 32),
            ("64 MiB there", 1, Duration::ZERO, &large, 1),
            ("64 MiB there and back", 1, Duration::ZERO, &large, LARGE),
        ];
        for (name, calls, pause, bytes, back) in cases {
            let mut times = [const { Vec::new() }; 3];
            for _ in 0..15 {
                for ((_, callee), times) in callees.iter_mut().zip(&mut times) {
                    times.push(round(&mut **callee, calls, pause, bytes, back)?);
                }
            }
            let socket = median(&mut times[0]);
            println!("{name}:");
            for ((callee, _), times) in callees.iter().zip(&mut times) {
                let time = median(times);
                let rate = (bytes.len() + back) as f64 / time;
                println!(
                    "  {callee:30} {time:12.2} µs {:6.3} of the socketpair {rate:10.0} MB/s",
                    time / socket
                );
            }
        }
        drop(callees);
        for child in [&mut first, &mut second, &mut third] {
            child.wait()?;
        }
        Ok(())
    }
}
