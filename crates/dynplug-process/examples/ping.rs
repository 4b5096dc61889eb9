//! How long a call takes, beside the same over a plain pair of sockets, in turns in one run.
//!
//! `cargo run --release -p dynplug-process --example ping`, with the names of cases for only those: `hot`, `parked`, `there`,
//! `back`.

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("{}", dynplug_process::channel::Error::Unsupported);
}

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("serve-channel") => linux::serve_channel(),
        Some("serve-socket") => linux::serve_socket(),
        _ => linux::measure(&std::env::args().skip(1).collect::<Vec<_>>()),
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

    const SMALL: usize = 32;
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
            if bytes.len() > SMALL {
                let mut header = [0; SMALL];
                header[..8].copy_from_slice(&bytes.len().to_ne_bytes());
                header[8..16].copy_from_slice(&back.to_ne_bytes());
                self.write_all(&header)?;
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
            if socket.read(&mut bytes[..SMALL])? < SMALL {
                return Ok(());
            }
            let number = |at| usize::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
            let (len, back) = (number(0), number(8));
            // A small call says of itself that it's longer than anything can be.
            if len > LARGE {
                socket.write_all(&bytes[..SMALL])?;
            } else {
                socket.read_exact(&mut bytes[..len])?;
                socket.write_all(&bytes[..back])?;
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
        let child = again("serve-socket")?.stdin(Stdio::from(OwnedFd::from(theirs))).spawn()?;
        Ok((ours, child))
    }

    /// The time of one call in µs, on average; the pause before it is not counted.
    fn round(callee: &mut dyn Callee, case: &Case<'_>, answer: &mut Vec<u8>) -> Result<f64> {
        thread::sleep(case.pause);
        let begin = Instant::now();
        for _ in 0..case.calls {
            callee.call(case.bytes, case.back, answer)?;
        }
        Ok(begin.elapsed().as_secs_f64() / f64::from(case.calls) * 1e6)
    }

    struct Case<'a> {
        name: &'static str,
        what: &'static str,
        /// Each callee has so many turns, and in each so many calls.
        rounds: u32,
        calls: u32,
        pause: Duration,
        bytes: &'a [u8],
        back: usize,
    }

    /// Lower quartile, median, upper quartile.
    fn quartiles(values: &mut [f64]) -> [f64; 3] {
        values.sort_by(f64::total_cmp);
        [1, 2, 3].map(|quarter| values[values.len() * quarter / 4])
    }

    /// With the process that answers.
    type Called = (Box<dyn Callee>, Child);

    fn channel(change: impl FnOnce(&mut Config)) -> Result<Called> {
        let mut config = Config::new();
        change(&mut config);
        let (channel, child) = Channel::spawn(&mut again("serve-channel")?, &config)?;
        Ok((Box::new(channel), child))
    }

    pub fn measure(names: &[String]) -> Result<()> {
        let (socket, child) = socket()?;
        let mut callees: [(&str, Called); 4] = [
            ("socketpair", (Box::new(socket), child)),
            ("channel", channel(|_| {})?),
            ("channel that keeps its memory", channel(|config| config.keep = config.region)?),
            ("channel that sleeps at once", channel(|config| config.spin = Duration::ZERO)?),
        ];
        let small = [7; SMALL];
        let large = vec![7; LARGE];
        // So long that all sleep before the next call.
        let pause = Duration::from_millis(2);
        let case = Case {
            name: "hot",
            what: "small, one after the other",
            rounds: 15,
            calls: 5000,
            pause,
            bytes: &small,
            back: SMALL,
        };
        let cases = [
            Case { name: "parked", what: "small, after a pause", rounds: 600, calls: 1, ..case },
            Case { name: "there", what: "64 MiB there", calls: 1, bytes: &large, back: 1, ..case },
            Case {
                name: "back",
                what: "64 MiB there and back",
                calls: 1,
                bytes: &large,
                back: LARGE,
                ..case
            },
            case,
        ];
        for case in cases.iter().filter(|case| names.is_empty() || names.iter().any(|name| name == case.name))
        {
            let mut times = [const { Vec::new() }; 4];
            // One for all, which has its memory after the first turn.
            let mut answer = Vec::new();
            for _ in 0..case.rounds {
                for ((_, (callee, _)), times) in callees.iter_mut().zip(&mut times) {
                    times.push(round(&mut **callee, case, &mut answer)?);
                }
            }
            let mut socket = None;
            println!("{} ({}):", case.what, case.name);
            for ((callee, _), times) in callees.iter().zip(&mut times) {
                let [low, time, high] = quartiles(times);
                let socket = *socket.get_or_insert(time);
                let rate = (case.bytes.len() + case.back) as f64 / time;
                println!(
                    "  {callee:30} {time:12.2} µs ({low:.2} to {high:.2}) {:6.3} of the socketpair {rate:8.0} MB/s",
                    time / socket
                );
            }
        }
        for (_, (callee, mut child)) in callees {
            drop(callee);
            child.wait()?;
        }
        Ok(())
    }
}
