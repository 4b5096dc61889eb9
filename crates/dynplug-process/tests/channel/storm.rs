//! A thousand deaths in the midst of calls, and what is left of them.

use super::play::*;
use dynplug_process::channel::CallError;
use std::{
    fs, thread,
    time::{Duration, Instant},
};

const DEADLINE: Duration = Duration::from_secs(20);

#[test]
fn a_thousand_deaths_leave_nothing() {
    // In a process of its own, since the files and threads of the other tests would be counted too.
    let output = command("storm").stderr(std::process::Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Files, threads, and mappings of shared memory of this process.
fn left() -> (usize, usize, usize) {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let count = |path| fs::read_dir(path).unwrap().count();
    (
        count("/proc/self/fd"),
        count("/proc/self/task"),
        maps.lines().filter(|line| line.contains("dynplug-")).count(),
    )
}

pub fn storm() {
    let before = left();
    for round in 0..1000u32 {
        let mut pair = Pair::new("honest", &small(3));
        let (channel, child) = (&pair.channel, &mut pair.child);
        thread::scope(|scope| {
            let callers: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        loop {
                            match call(channel, ECHO, b"hello", DEADLINE) {
                                Ok(answer) => assert_eq!(answer, b"hello"),
                                Err(error) => break error,
                            }
                        }
                    })
                })
                .collect();
            let begin = Instant::now();
            match round % 5 {
                how @ 0..3 => {
                    let how = [ABORT, EXIT, FAULT][how as usize];
                    assert_eq!(call(channel, how, b"", DEADLINE), Err(CallError::Ended));
                }
                3 => {
                    assert_eq!(call(channel, HANG, b"", Duration::from_millis(1)), Err(CallError::Deadline));
                    child.kill().unwrap();
                }
                _ => {
                    thread::sleep(Duration::from_micros(u64::from(round) * 37 % 3000));
                    child.kill().unwrap();
                }
            }
            for caller in callers {
                assert_eq!(caller.join().unwrap(), CallError::Ended);
            }
            assert!(begin.elapsed() < DEADLINE, "{round}");
        });
    }
    assert_eq!(left(), before);
    assert!(
        rustix::process::waitpid(None, rustix::process::WaitOptions::NOHANG).is_err(),
        "a process is left"
    );
}
